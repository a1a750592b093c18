//! Machine logins: what all methods share once a method has verified its proof.
//!
//! A login is one query, one audit record and no other row (attack D4): a token says everything
//! that is known about it, and what must be counted is counted by [`ledger`] or when it is used.

pub(crate) mod clients;
mod external;
pub(crate) mod ledger;
#[cfg(test)]
mod tests;
mod universal;

pub(crate) use universal::source_of;

use kms_api::{ClientSecretId, OrganizationId, TokenId, auth::LoginResponse};
use kms_crypto::{TokenPurpose, claims::IdentityAccessClaims};
use kms_store::{
    audit::NewAuditRecord,
    auth_methods::AuthMethodRow,
    identities::IdentityRow,
    logins::{self, SubjectRow},
    organizations::{OrganizationMembershipRow, OrganizationRow},
};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{
    Core, Error, Origin, Result,
    access::{ACCEPTED, auth_method_mac, identity_mac, organization_membership_mac},
    audit::{AuditActor, Event},
    sessions::Lapse,
    text,
    trusted_ips::TrustedIps,
};

/// What client secrets are hashed as.
pub(crate) const CLIENT_SECRET: &str = "client-secret";
/// The bound that periodic tokens are answered with, so that older clients keep renewing them.
const UNLIMITED: i64 = 1_000_000_000;
/// The longest slug of an organization, in characters.
const MAX_SLUG: usize = 64;
/// Seconds that what is kept about a token outlives it, for clocks that disagree.
const AFTER_THE_END: i64 = 300;

/// The organization that a token acts in, and those above it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scope {
    organization: OrganizationId,
    root: OrganizationId,
    parent: OrganizationId,
}

impl Scope {
    /// An organization as the scope of a token.
    pub(crate) fn of(row: &OrganizationRow) -> Self {
        Self {
            organization: row.id,
            root: row.root_id.unwrap_or(row.id),
            parent: row.parent_id.unwrap_or(row.id),
        }
    }

    /// The organization.
    pub(crate) fn organization(&self) -> OrganizationId {
        self.organization
    }
}

/// An identity that proved who it is.
pub(crate) struct Admitted<'a> {
    identity: &'a IdentityRow,
    method: &'a AuthMethodRow,
    scope: &'a Scope,
    secret: Option<ClientSecretId>,
    period: i64,
    /// What the login method learnt about the machine.
    identity_auth: Map<String, Value>,
}

impl<'a> Admitted<'a> {
    /// An identity admitted by a method.
    pub(crate) fn new(
        identity: &'a IdentityRow,
        method: &'a AuthMethodRow,
        scope: &'a Scope,
    ) -> Self {
        Self { identity, method, scope, secret: None, period: 0, identity_auth: Map::new() }
    }
}

/// A token that was made.
pub(crate) struct Issued {
    /// Its id.
    pub(crate) token: TokenId,
    /// What the client gets.
    pub(crate) answer: LoginResponse,
}

/// What a token's lifetime follows from; all in seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    /// What was configured; 0 for as long as allowed.
    pub(crate) ttl: i64,
    /// The end of renewals after the login; 0 for none.
    pub(crate) max_ttl: i64,
    /// The lifetime of a periodic token; 0 when it is not.
    pub(crate) period: i64,
    /// When the login was.
    pub(crate) created: i64,
}

impl Terms {
    /// The terms in a token.
    pub(crate) fn of(claims: &IdentityAccessClaims) -> Self {
        Self {
            ttl: claims.access_token_ttl,
            max_ttl: claims.access_token_max_ttl,
            period: claims.access_token_period,
            created: claims.creation_epoch,
        }
    }

    /// Seconds from `now` that a token made now lives; not positive when its time is over.
    pub(crate) fn lifetime(&self, now: i64, oldest: i64) -> i64 {
        let wanted = if self.period > 0 { self.period } else { self.ttl };
        let capped = if wanted > 0 { oldest.min(wanted) } else { oldest };
        match self.end() {
            Some(end) => capped.min(end.saturating_sub(now)),
            None => capped,
        }
    }

    /// The bound that is answered.
    pub(crate) fn answered_max_ttl(&self) -> i64 {
        if self.period > 0 { UNLIMITED } else { self.max_ttl }
    }

    fn end(&self) -> Option<i64> {
        let ends = self.period == 0 && self.max_ttl > 0;
        ends.then(|| self.created.saturating_add(self.max_ttl))
    }
}

/// The slug of the sub-organization that a proof asks for, if it does.
fn wanted_slug(slug: Option<&str>) -> Result<Option<String>> {
    let slug = slug.filter(|slug| !slug.is_empty());
    slug.map(|slug| text::slug("organizationSlug", slug, 1, MAX_SLUG)).transpose()
}

/// What was refused to the caller, as opposed to what failed on our side.
fn is_refusal(error: &Error) -> bool {
    matches!(error, Error::Unauthorized(_) | Error::Forbidden { .. } | Error::NotFound(_))
}

/// A point in time, in microseconds, moved on by seconds.
fn after(micros: i64, seconds: i64) -> i64 {
    micros.saturating_add(seconds.saturating_mul(1_000_000))
}

impl Core {
    /// The organization that a token of somebody will act in: the home organization, or one of its
    /// sub-organizations by slug (wire contract, machine login, steps 3 and 5).
    pub(crate) async fn scope_of(&self, subject: &SubjectRow, slug: Option<&str>) -> Result<Scope> {
        let home = &subject.home;
        self.require_member(subject.membership.0.as_ref())?;
        let slug = slug.filter(|slug| *slug != home.slug && home.root_id.is_none());
        let Some(slug) = slug else { return Ok(Scope::of(home)) };
        let found = logins::scope(&self.store, home.id, slug, subject.identity.id).await?;
        let found = found.ok_or_else(|| {
            Error::not_found(format!("Sub organization with slug {slug} not found"))
        })?;
        if self.require_member(found.membership.0.as_ref()).is_err() {
            return Err(Error::unauthorized(format!(
                "Identity not authorized to access sub organization {slug}"
            )));
        }
        Ok(Scope::of(&found.organization))
    }

    /// Refuses to believe rows that the server did not write.
    pub(crate) fn require_genuine(&self, subject: &SubjectRow) -> Result<()> {
        identity_mac(&self.keys.rows, &subject.identity).verify(&subject.identity.mac)?;
        Ok(auth_method_mac(&self.keys.rows, &subject.method).verify(&subject.method.mac)?)
    }

    fn require_member(&self, membership: Option<&OrganizationMembershipRow>) -> Result<()> {
        let membership = membership.ok_or_else(|| Lapse::Member.refusal(""))?;
        organization_membership_mac(&self.keys.rows, membership).verify(&membership.mac)?;
        if membership.status == ACCEPTED && membership.is_active {
            return Ok(());
        }
        Err(Lapse::Inactive.refusal(""))
    }

    /// Makes an access token. The only place that does.
    pub(crate) fn issue(&self, admitted: &Admitted<'_>) -> Result<Issued> {
        let Admitted { identity, method, scope, secret, period, .. } = *admitted;
        let now = self.now().seconds();
        let terms = Terms {
            ttl: method.access_token_ttl,
            max_ttl: method.access_token_max_ttl,
            period,
            created: now,
        };
        let lifetime = terms.lifetime(now, self.oldest_token());
        let token: TokenId = self.new_id();
        let trusted = TrustedIps::from_json(&method.access_token_trusted_ips)?;
        let claims = IdentityAccessClaims {
            jti: token.uuid(),
            identity_id: identity.id.uuid(),
            identity_name: identity.name.clone(),
            auth_method: method.method.clone(),
            auth_method_id: method.id.uuid(),
            identity_epoch: identity.epoch,
            org_id: scope.organization.uuid(),
            root_org_id: scope.root.uuid(),
            parent_org_id: scope.parent.uuid(),
            client_secret_id: secret.map(ClientSecretId::uuid),
            identity_access_token_id: token.uuid(),
            ip_restriction_enabled: !trusted.is_everywhere(),
            access_token_ttl: terms.ttl,
            access_token_max_ttl: terms.max_ttl,
            access_token_period: period,
            creation_epoch: now,
            auth_token_type: TokenPurpose::IdentityAccess,
            identity_auth: admitted.identity_auth.clone(),
            num_uses_limit: Some(method.access_token_uses_limit).filter(|limit| *limit > 0),
            iat: now,
            exp: now.saturating_add(lifetime),
        };
        Ok(Issued { token, answer: self.signed(&claims)? })
    }

    /// Signs claims and says what their owner must know.
    pub(crate) fn signed(&self, claims: &IdentityAccessClaims) -> Result<LoginResponse> {
        Ok(LoginResponse {
            access_token: self.keys.tokens.sign(claims)?,
            expires_in: claims.exp - claims.iat,
            access_token_max_ttl: Terms::of(claims).answered_max_ttl(),
            token_type: "Bearer".into(),
        })
    }

    /// The record of a login: as the identity, in the organization that the token acts in.
    fn login_record(
        &self,
        subject: &SubjectRow,
        scope: &Scope,
        origin: &Origin,
        event: &Event,
    ) -> NewAuditRecord {
        let identity = &subject.identity;
        let metadata = json!({
            "identityId": identity.id,
            "name": identity.name,
            "authMethod": subject.method.method,
        });
        let actor = AuditActor {
            kind: "identity",
            id: Some(identity.id.uuid()),
            metadata: metadata.to_string().into(),
        };
        self.record_of(scope.organization(), &actor, origin, event)
    }

    /// The record of a refusal, in the organization of whoever was named, or in none.
    fn refusal_record(
        &self,
        subject: Option<&SubjectRow>,
        origin: &Origin,
        event: &Event,
    ) -> NewAuditRecord {
        let actor = AuditActor { kind: "unknownUser", id: None, metadata: "{}".into() };
        let organization = subject.map_or(Uuid::nil().into(), |subject| subject.home.id);
        self.record_of(organization, &actor, origin, event)
    }

    /// Seconds that a token lives at most.
    pub(crate) fn oldest_token(&self) -> i64 {
        self.options.max_token_age.clamp(1, TokenPurpose::IdentityAccess.max_lifetime())
    }

    /// When no token of a login is alive any more, in microseconds, counting every renewal that
    /// was possible before now. `created` and `max_ttl` in seconds; 0 for without an end.
    pub(crate) fn latest_end(&self, created: i64, max_ttl: i64) -> i64 {
        let latest = self.now().seconds().saturating_add(self.oldest_token());
        let end = if max_ttl > 0 { created.saturating_add(max_ttl).min(latest) } else { latest };
        end.saturating_add(AFTER_THE_END).saturating_mul(1_000_000)
    }
}
