//! Who is asking.

use std::{net::IpAddr, sync::Arc};

use kms_api::{
    IdentityId, OrganizationId, ProjectId, ServiceTokenId, SessionId, TokenId, UserId,
    service_tokens::{Permission, Scope},
};
use uuid::Uuid;

use crate::{
    access::{Facts, RuleSet},
    epochs::Seen,
};

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
    /// What rules can say about the caller.
    pub(crate) facts: Arc<Facts>,
    /// What was known of changes when the request was admitted.
    pub(crate) seen: Seen,
}

/// A user, a machine identity or a service token.
#[derive(Clone, Debug)]
pub enum Actor {
    /// A person.
    User(UserActor),
    /// A machine.
    Identity(IdentityActor),
    /// A service token.
    Service(ServiceActor),
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

/// A service token: nobody's, of one project.
#[derive(Clone, Debug)]
pub struct ServiceActor {
    /// The token.
    pub id: ServiceTokenId,
    /// Its name.
    pub name: Arc<str>,
    /// Its project.
    pub project: ProjectId,
    /// The places that it is good for.
    pub scopes: Arc<[Scope]>,
    /// What it is good for there.
    pub permissions: Arc<[Permission]>,
    /// Both, as rules.
    pub rules: Arc<RuleSet>,
}

impl ServiceActor {
    /// The one folder that the token is good for, if it is one.
    pub fn only_place(&self) -> Option<&Scope> {
        let [scope] = &*self.scopes else { return None };
        crate::access::is_literal(&scope.secret_path).then_some(scope)
    }
}

impl Actor {
    /// `user`, `identity` or `service`, as stored with memberships and told in the audit log.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::User(_) => "user",
            Self::Identity(_) => "identity",
            Self::Service(_) => "service",
        }
    }

    /// The id of the user, identity or service token.
    pub fn id(&self) -> Uuid {
        match self {
            Self::User(user) => user.id.uuid(),
            Self::Identity(identity) => identity.id.uuid(),
            Self::Service(service) => service.id.uuid(),
        }
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        match self {
            Self::User(user) => &user.username,
            Self::Identity(identity) => &identity.name,
            Self::Service(service) => &service.name,
        }
    }

    /// The user, where only a person may act.
    pub fn user(&self) -> Option<&UserActor> {
        match self {
            Self::User(user) => Some(user),
            Self::Identity(_) | Self::Service(_) => None,
        }
    }
}
