//! Who is asking.

use std::{net::IpAddr, sync::Arc};

use kms_api::{IdentityId, OrganizationId, SessionId, TokenId, UserId};
use uuid::Uuid;

use crate::{access::RuleSet, epochs::Seen};

/// Where a request came from, for trusted IPs and the audit log.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// The caller's address, as the trusted proxies tell it.
    pub ip: Option<IpAddr>,
    /// The caller's program.
    pub user_agent: Option<Arc<str>>,
}

/// Somebody who proved who they are, in the organization their token is scoped to.
#[derive(Clone)]
pub struct Caller {
    /// Who.
    pub actor: Actor,
    /// The organization that every look-up is bounded by.
    pub organization: OrganizationId,
    /// The rules of the caller's role in that organization.
    pub rules: Arc<RuleSet>,
    /// Whether the caller administers the instance.
    pub instance_admin: bool,
    /// What the audit log tells about the caller, as JSON.
    pub actor_metadata: Arc<str>,
    /// From where.
    pub origin: Origin,
    /// What was known of changes when the request was admitted.
    pub(crate) seen: Seen,
}

/// A user or a machine identity.
#[derive(Clone, Debug)]
pub enum Actor {
    /// A person.
    User(UserActor),
    /// A machine.
    Identity(IdentityActor),
}

/// A person.
#[derive(Clone, Debug)]
pub struct UserActor {
    /// The account.
    pub id: UserId,
    /// The session.
    pub session: SessionId,
    /// The name to log in with.
    pub username: Arc<str>,
    /// The e-mail address.
    pub email: Arc<str>,
}

/// A machine.
#[derive(Clone, Debug)]
pub struct IdentityActor {
    /// The identity.
    pub id: IdentityId,
    /// Its name.
    pub name: Arc<str>,
    /// The method it logged in with.
    pub auth_method: Arc<str>,
    /// The token it shows.
    pub token: TokenId,
}

impl Actor {
    /// `user` or `identity`, as stored with memberships and told in the audit log.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::User(_) => "user",
            Self::Identity(_) => "identity",
        }
    }

    /// The user's or identity's id.
    pub fn id(&self) -> Uuid {
        match self {
            Self::User(user) => user.id.uuid(),
            Self::Identity(identity) => identity.id.uuid(),
        }
    }

    /// The user, where only a person may act.
    pub fn user(&self) -> Option<&UserActor> {
        match self {
            Self::User(user) => Some(user),
            Self::Identity(_) => None,
        }
    }
}
