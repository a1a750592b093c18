//! Who a bearer token stands for, asked on every request.
//!
//! A signature is never enough: everything that a token rests on (identity, auth method, client
//! secret, membership; user, session) is looked up in one query. The answer is remembered while no
//! right changes anywhere ([`crate::epochs`]); what counts down is counted every time.

use std::sync::Arc;

use kms_api::{
    IdentityId, OrganizationId, ProviderId, SessionId, TokenId, UserId,
    identities::IdentityMetadata, service_tokens,
};
use kms_crypto::{
    TokenError,
    claims::{IdentityAccessClaims, UserAccessClaims, UserPageClaims},
};
use kms_store::{
    callers::{self, IdentityCallerRow, IdentityToken, UserCallerRow},
    identities::IdentityRow,
    organizations::{self, OrganizationMembershipRow},
    tokens,
    user_sessions::SessionRow,
    users::UserRow,
};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{
    Actor, Caller, Core, Error, IdentityActor, Origin, Result, UserActor,
    access::{
        ACCEPTED, Facts, auth_method_mac, client_secret_mac, identity_facts_mac, identity_mac,
        organization_membership_mac, organization_role, session_mac, user_mac,
    },
    epochs::Seen,
    people::Chosen,
    trusted_ips::TrustedIps,
};

/// The token or session, the organization, the identity's epoch or the session's version.
pub(crate) type CallerKey = (Uuid, OrganizationId, i64);

/// A caller who was looked up.
pub(crate) struct Known {
    /// Who, from nowhere in particular, with the epochs of before the look-up.
    caller: Caller,
    /// From where the token may be used.
    trusted: TrustedIps,
}

/// A user who proved who they are, with or without an organization.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// Who.
    pub user: UserActor,
    /// How the person logged in.
    pub auth_method: Arc<str>,
    /// Which second factor the person gave.
    pub factor: Option<String>,
    /// The organization that the token is scoped to.
    pub organization: Option<OrganizationId>,
    /// The organization's identity provider whose word the session rests on; none for a login of
    /// the person's own.
    pub provider: Option<ProviderId>,
    /// Whether the user administers the instance.
    pub instance_admin: bool,
    /// What the audit log tells about the user, as JSON.
    pub actor_metadata: Arc<str>,
    /// From where.
    pub origin: Origin,
    /// When the person last showed who they are by what they log in with, in microseconds.
    pub(crate) proven_at: i64,
}

impl Core {
    /// Who a bearer token stands for, in the organization that it is scoped to.
    pub async fn authenticate(&self, bearer: &str, origin: Origin) -> Result<Caller> {
        self.authenticate_for(bearer, origin, Use::Counted).await
    }

    /// Who a bearer token stands for by now, in the course of something that it was shown for
    /// already: no use of it is counted.
    pub(crate) async fn authenticate_again(&self, bearer: &str, origin: Origin) -> Result<Caller> {
        self.authenticate_for(bearer, origin, Use::Free).await
    }

    async fn authenticate_for(&self, bearer: &str, origin: Origin, r#use: Use) -> Result<Caller> {
        if bearer.starts_with(service_tokens::PREFIX) {
            return self.service_caller(bearer, origin).await;
        }
        let now = self.now().seconds();
        match self.identity_claims(bearer, now) {
            Ok(claims) => self.identity_caller(&claims, origin, r#use).await,
            Err(TokenError::WrongType) => {
                let claims = self.keys.tokens.verify::<UserAccessClaims>(bearer, now)?;
                self.user_caller(&claims, origin).await
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Who signed in with a browser whose token this is. It acts nowhere: what is done from a page
    /// names its organization each time.
    pub async fn authenticate_page(&self, token: &str, origin: Origin) -> Result<SignedIn> {
        let claims = self.keys.tokens.verify::<UserPageClaims>(token, self.now().seconds())?;
        let (user, session) = (claims.user_id.into(), claims.token_version_id.into());
        let row = callers::user(&self.store, user, session, None).await?;
        let row = row.ok_or_else(|| Error::not_found("User not found"))?;
        let live = self.live_session(&row)?;
        if live.access_version != claims.access_version {
            return Err(stale());
        }
        let confirmed_at = claims.confirmed_at.unwrap_or_default().saturating_mul(1_000_000);
        let proven_at = live.login_at.max(confirmed_at);
        Ok(SignedIn {
            proven_at,
            user: actor_of(session, &row),
            auth_method: claims.auth_method.as_str().into(),
            factor: claims.mfa_method,
            organization: None,
            provider: live.provider_id,
            instance_admin: administers_instance(&row.user, live),
            actor_metadata: metadata_of(&claims.auth_method, &row),
            origin,
        })
    }

    /// Who a user's token stands for, where no organization needs to be chosen yet.
    pub async fn authenticate_user(&self, bearer: &str, origin: Origin) -> Result<SignedIn> {
        if bearer.starts_with(service_tokens::PREFIX) {
            // A good one is told from one that is none; neither is a person's.
            self.service_caller(bearer, origin).await?;
            return Err(TokenError::WrongType.into());
        }
        let now = self.now().seconds();
        let claims = self.keys.tokens.verify::<UserAccessClaims>(bearer, now)?;
        let row = self.load_user(&claims).await?;
        let proven_at = self.live_session(&row)?.login_at;
        Ok(SignedIn {
            proven_at,
            user: actor_of(claims.token_version_id.into(), &row),
            auth_method: claims.auth_method.as_str().into(),
            factor: claims.mfa_method.clone().filter(|_| claims.is_mfa_verified == Some(true)),
            organization: organization_of(&claims),
            provider: self.live_session(&row)?.provider_id,
            instance_admin: administers_instance(&row.user, self.live_session(&row)?),
            actor_metadata: metadata_of(&claims.auth_method, &row),
            origin,
        })
    }

    async fn identity_caller(
        &self,
        claims: &IdentityAccessClaims,
        origin: Origin,
        r#use: Use,
    ) -> Result<Caller> {
        let key = (claims.jti, claims.org_id.into(), claims.identity_epoch);
        let (seen, known) = self.recall(&key).await?;
        let known = match known {
            Some(known) => known,
            None => self.remember(key, &seen, self.load_identity(claims).await?),
        };
        known.trusted.check(origin.ip)?;
        let limit = claims.num_uses_limit.filter(|limit| *limit > 0 && r#use == Use::Counted);
        if let Some(limit) = limit {
            self.take_use(claims, limit).await?;
        }
        Ok(Caller { origin, seen, ..known.caller.clone() })
    }

    async fn user_caller(&self, claims: &UserAccessClaims, origin: Origin) -> Result<Caller> {
        let organization = organization_of(claims).ok_or_else(|| {
            Error::unauthorized("Unauthorized Access, no organization found in request")
        })?;
        let key = (claims.token_version_id, organization, claims.access_version);
        let (seen, known) = self.recall(&key).await?;
        let known = match known {
            Some(known) => known,
            None => self.remember(key, &seen, self.load_member(claims, organization).await?),
        };
        Ok(Caller { origin, seen, ..known.caller.clone() })
    }

    /// The epochs of now, and the caller as remembered if that is still who it is.
    async fn recall(&self, key: &CallerKey) -> Result<(Seen, Option<Arc<Known>>)> {
        let known = self.caller_memory.get(key);
        let seen = self.see(known.as_deref().map(|known| &known.caller.seen)).await?;
        let known = known.filter(|known| known.caller.seen.rights() == seen.rights());
        Ok((seen, known))
    }

    fn remember(
        &self,
        key: CallerKey,
        seen: &Seen,
        (caller, trusted): (Caller, TrustedIps),
    ) -> Arc<Known> {
        let caller = Caller { seen: seen.clone(), ..caller };
        let known = Arc::new(Known { caller, trusted });
        self.caller_memory.insert(key, Arc::clone(&known));
        known
    }

    async fn load_member(
        &self,
        claims: &UserAccessClaims,
        organization: OrganizationId,
    ) -> Result<(Caller, TrustedIps)> {
        let row = self.load_user(claims).await?;
        let root = claims.organization_id.map_or(organization, OrganizationId::from);
        if root != organization {
            self.require_root(row.user.id, root).await?;
        }
        self.require_entry(&row, root).await?;
        let caller = Caller {
            actor: Actor::User(actor_of(claims.token_version_id.into(), &row)),
            organization,
            rules: self.user_role(row.membership.0.as_ref(), organization)?,
            instance_admin: administers_instance(&row.user, self.live_session(&row)?),
            actor_metadata: metadata_of(&claims.auth_method, &row),
            origin: Origin::default(),
            facts: Arc::new(Facts {
                id: row.user.id.to_string(),
                username: row.user.username.clone(),
                ..Facts::default()
            }),
            seen: Seen::default(),
        };
        Ok((caller, TrustedIps::default()))
    }

    async fn load_identity(&self, claims: &IdentityAccessClaims) -> Result<(Caller, TrustedIps)> {
        let row = self.standing(claims).await?.map_err(|lapse| lapse.refusal(AUTHORIZE))?;
        let Standing { row, membership, trusted } = row;
        let metadata = json!({
            "identityId": row.identity.id,
            "name": row.identity.name,
            "authMethod": claims.auth_method,
        });
        let caller = Caller {
            actor: Actor::Identity(IdentityActor {
                id: row.identity.id,
                name: row.identity.name.as_str().into(),
                auth_method: claims.auth_method.as_str().into(),
                token: TokenId::from(claims.jti),
            }),
            organization: OrganizationId::from(claims.org_id),
            rules: organization_role(&membership.role)?,
            instance_admin: row.identity.is_instance_admin,
            actor_metadata: metadata.to_string().into(),
            origin: Origin::default(),
            facts: Arc::new(self.facts_of(&row.identity, &claims.identity_auth)?),
            seen: Seen::default(),
        };
        Ok((caller, trusted))
    }

    /// What rules can say about an identity that logged in.
    fn facts_of(&self, row: &IdentityRow, auth: &Map<String, Value>) -> Result<Facts> {
        let mut facts = Facts { id: row.id.to_string(), auth: auth.clone(), ..Facts::default() };
        // What was written before rules could refer to it is not authenticated, and not told.
        if let Some(mac) = &row.facts_mac {
            identity_facts_mac(&self.keys.rows, row).verify(mac)?;
            facts.username.clone_from(&row.name);
            let metadata = row.metadata.as_deref().unwrap_or("[]");
            let metadata: Vec<IdentityMetadata> =
                serde_json::from_str(metadata).map_err(|error| Error::Internal(Box::new(error)))?;
            facts.metadata = metadata.into_iter().map(|pair| (pair.key, pair.value)).collect();
        }
        if !auth.is_empty() {
            let text = Value::Object(auth.clone()).to_string();
            let hash = self.keys.lookup.hash("identity-auth", text);
            let (print, _) = hash.as_bytes().split_at(16);
            facts.print = Uuid::from_slice(print).unwrap_or_default();
        }
        Ok(facts)
    }

    /// Whether everything that an identity's token rests on still stands.
    pub(crate) async fn standing(
        &self,
        claims: &IdentityAccessClaims,
    ) -> Result<Result<Standing, Lapse>> {
        let token = IdentityToken {
            identity: IdentityId::from(claims.identity_id),
            organization: OrganizationId::from(claims.org_id),
            method: claims.auth_method_id.into(),
            token: claims.jti.into(),
            secret: claims.client_secret_id.map(Into::into),
        };
        let Some(row) = callers::identity(&self.store, &token).await? else {
            return Ok(Err(Lapse::Identity));
        };
        identity_mac(&self.keys.rows, &row.identity).verify(&row.identity.mac)?;
        if row.revoked.is_some() {
            return Ok(Err(Lapse::Token));
        }
        if row.identity.epoch != claims.identity_epoch {
            return Ok(Err(Lapse::Identity));
        }
        let Some(method) = &row.method.0 else { return Ok(Err(Lapse::Method)) };
        auth_method_mac(&self.keys.rows, method).verify(&method.mac)?;
        if claims.client_secret_id.is_some() {
            let Some(secret) = &row.secret.0 else { return Ok(Err(Lapse::Secret)) };
            client_secret_mac(&self.keys.rows, secret).verify(&secret.mac)?;
            if secret.revoked {
                return Ok(Err(Lapse::Secret));
            }
        }
        let Some(membership) = row.membership.0.clone() else { return Ok(Err(Lapse::Member)) };
        organization_membership_mac(&self.keys.rows, &membership).verify(&membership.mac)?;
        if membership.status != ACCEPTED || !membership.is_active {
            return Ok(Err(Lapse::Inactive));
        }
        let trusted = TrustedIps::from_json(&method.access_token_trusted_ips)?;
        Ok(Ok(Standing { row, membership, trusted }))
    }

    async fn take_use(&self, claims: &IdentityAccessClaims, limit: i64) -> Result<()> {
        let mut tx = self.store.begin().await?;
        let (organization, token) = (claims.org_id.into(), claims.jti.into());
        let until = claims.exp.saturating_mul(1_000_000);
        if !tokens::take_use(&mut tx, organization, token, limit, until).await? {
            return Err(Error::unauthorized(format!("{AUTHORIZE}: token usage limit reached")));
        }
        Ok(tx.commit().await?)
    }

    async fn load_user(&self, claims: &UserAccessClaims) -> Result<UserCallerRow> {
        let (user, session) = (claims.user_id.into(), claims.token_version_id.into());
        let found = callers::user(&self.store, user, session, organization_of(claims)).await?;
        let row = found.ok_or_else(|| Error::not_found("User not found"))?;
        if self.live_session(&row)?.access_version != claims.access_version {
            return Err(stale());
        }
        Ok(row)
    }

    /// The session of a person's token, where account and session are genuine and not over.
    pub(crate) fn live_session<'r>(&self, row: &'r UserCallerRow) -> Result<&'r SessionRow> {
        user_mac(&self.keys.rows, &row.user).verify(&row.user.mac)?;
        if !row.user.is_accepted {
            return Err(Error::not_found("User not found"));
        }
        let session = row.session.0.as_ref();
        let session = session.ok_or_else(|| Error::not_found("Session not found"))?;
        session_mac(&self.keys.rows, session).verify(&session.mac)?;
        if session.user_epoch != row.user.epoch || session.expires_at <= self.now().micros() {
            return Err(stale());
        }
        Ok(session)
    }

    /// Refuses whoever may not act where a token of theirs acts, or above it.
    pub(crate) async fn require_member_of(
        &self,
        row: &UserCallerRow,
        chosen: Chosen,
    ) -> Result<()> {
        self.user_role(row.membership.0.as_ref(), chosen.organization())?;
        match chosen.sub {
            Some(_) => self.require_root(row.user.id, chosen.root).await,
            None => Ok(()),
        }
    }

    /// Refuses a session that did not come in as the organization at the root asks by now.
    async fn require_entry(&self, row: &UserCallerRow, root: OrganizationId) -> Result<()> {
        let root = organizations::find(&self.store, root).await?;
        let root = root.ok_or_else(|| Error::forbidden("User not member of organization"))?;
        self.require_genuine_organization(&root)?;
        let by = self.live_session(row)?.provider_id;
        self.require_way_in_still(&root, row.user.id, by).await
    }

    /// Refuses whoever acts in a sub-organization without being a member of its root.
    async fn require_root(&self, user: UserId, root: OrganizationId) -> Result<()> {
        let membership = organizations::membership(&self.store, root, user.uuid(), "user").await?;
        self.user_role(membership.as_ref(), root).map(|_| ())
    }

    /// The rules of a membership that lets a person act.
    pub(crate) fn user_role(
        &self,
        membership: Option<&OrganizationMembershipRow>,
        organization: OrganizationId,
    ) -> Result<Arc<crate::access::RuleSet>> {
        let membership = membership.filter(|membership| membership.org_id == organization);
        let membership =
            membership.ok_or_else(|| Error::forbidden("User not member of organization"))?;
        organization_membership_mac(&self.keys.rows, membership).verify(&membership.mac)?;
        if membership.status != ACCEPTED || !membership.is_active {
            return Err(Error::forbidden("User organization membership is inactive"));
        }
        organization_role(&membership.role)
    }
}

/// Whether showing a token counts as a use of it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Counted,
    Free,
}

/// How refusals of a request begin.
const AUTHORIZE: &str = "Failed to authorize";

/// What an identity's token rests on, looked up and genuine.
pub(crate) struct Standing {
    /// The rows.
    pub(crate) row: IdentityCallerRow,
    /// The membership in the token's organization.
    pub(crate) membership: OrganizationMembershipRow,
    /// From where the token may be used, by the method's present settings.
    pub(crate) trusted: TrustedIps,
}

/// What an identity's token rested on and is no longer there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lapse {
    Token,
    Identity,
    Secret,
    Method,
    Member,
    Inactive,
}

impl Lapse {
    /// The error of the contract; `what` begins it (wire contract, access tokens).
    pub(crate) fn refusal(self, what: &str) -> Error {
        Error::unauthorized(match self {
            Self::Token => format!("{what}: token has been revoked"),
            Self::Identity => format!("{what}: identity tokens have been revoked"),
            Self::Secret => format!("{what}: client secret has been revoked"),
            Self::Method => format!("{what}: auth method has been revoked"),
            Self::Member => "Identity is not a member of the organization".to_owned(),
            Self::Inactive => "Identity organization membership is inactive".to_owned(),
        })
    }
}

/// Service tokens are told by how they begin (wire contract, user tokens); here they prove nothing.
pub(crate) fn refuse_service_token(bearer: &str) -> Result<()> {
    if bearer.starts_with(service_tokens::PREFIX) {
        return Err(crate::service_tokens::invalid());
    }
    Ok(())
}

fn stale() -> Error {
    Error::SessionOver {
        name: "StaleSession",
        message: "User session is stale, please re-authenticate",
    }
}

fn organization_of(claims: &UserAccessClaims) -> Option<OrganizationId> {
    claims.sub_organization_id.or(claims.organization_id).map(OrganizationId::from)
}

/// Whether a session of somebody administers the instance. One that an organization's identity
/// provider vouches for does not, whoever it is: that word is good in the organization alone (attack
/// H6).
pub(crate) fn administers_instance(user: &UserRow, session: &SessionRow) -> bool {
    user.super_admin && session.provider_id.is_none()
}

fn actor_of(session: SessionId, row: &UserCallerRow) -> UserActor {
    UserActor {
        id: row.user.id,
        session,
        username: row.user.username.as_str().into(),
        email: row.user.email.as_str().into(),
    }
}

fn metadata_of(auth_method: &str, row: &UserCallerRow) -> Arc<str> {
    let metadata = json!({
        "email": row.user.email,
        "userId": row.user.id,
        "username": row.user.username,
        "authMethod": auth_method,
    });
    metadata.to_string().into()
}

#[cfg(test)]
mod tests;
