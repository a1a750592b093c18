//! How identities may log in: attaching, changing and detaching auth methods.
//!
//! What all methods share is here; each method has a file for what only it has.

mod client_secrets;
mod external;
mod lockouts;
mod token_auth;
mod tokens;
mod universal;

use kms_api::{IdentityId, auth::TokenSettings};
use kms_store::{
    Source, StoreError, Tx,
    auth_methods::{self, AuthMethodRow},
    identities::IdentityRow,
    tokens as stored_tokens,
};
use uuid::Uuid;

pub use external::ExternalMethod;
pub(crate) use universal::UniversalConfig;

use crate::{
    Caller, Core, Error, Result, access::auth_method_mac, audit::Event, text,
    trusted_ips::TrustedIps,
};

/// Seconds that tokens and client secrets live at most by their settings: ten years.
pub(crate) const MAX_TTL: i64 = 315_360_000;
/// Seconds that a token lives unless somebody says otherwise: 30 days.
const DEFAULT_TTL: i64 = 2_592_000;
/// How often a change is tried that others overtake.
const CHANGES: usize = 5;

/// A method as people and the wire name it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MethodName {
    /// As stored, in claims and in the audit log, such as `universal-auth`.
    pub(crate) slug: &'static str,
    /// For people.
    pub(crate) title: &'static str,
}

/// Universal auth.
pub(crate) const UNIVERSAL: MethodName =
    MethodName { slug: "universal-auth", title: "universal auth" };
/// Token auth.
pub(crate) const TOKEN: MethodName = MethodName { slug: "token-auth", title: "token auth" };

/// The settings of tokens that every method has, checked.
#[derive(Clone, Debug)]
pub(crate) struct TokenRules {
    /// Seconds that a token lives; 0 for as long as allowed.
    pub(crate) ttl: i64,
    /// Seconds since the login after which renewal ends; 0 for never.
    pub(crate) max_ttl: i64,
    /// How often a token may be used; 0 for without a limit.
    pub(crate) uses_limit: i64,
    /// Where tokens may be used.
    pub(crate) trusted: TrustedIps,
}

impl TokenRules {
    /// The rules of a method that is being attached.
    pub(crate) fn attached(settings: &TokenSettings) -> Result<Self> {
        let rules = Self {
            ttl: DEFAULT_TTL,
            max_ttl: DEFAULT_TTL,
            uses_limit: 0,
            trusted: TrustedIps::default(),
        };
        let rules = rules.with(settings)?;
        if rules.is_longer_than_its_end() {
            let rule = "Access token TTL cannot be greater than max TTL";
            return Err(Error::field("accessTokenTTL", rule));
        }
        Ok(rules)
    }

    /// The rules of a method that is being changed.
    pub(crate) fn changed(row: &AuthMethodRow, settings: &TokenSettings) -> Result<Self> {
        let rules = Self::of(row)?.with(settings)?;
        if rules.is_longer_than_its_end() {
            return Err(Error::bad_request("Access token TTL cannot be greater than max TTL"));
        }
        Ok(rules)
    }

    /// The rules of an attached method.
    pub(crate) fn of(row: &AuthMethodRow) -> Result<Self> {
        Ok(Self {
            ttl: row.access_token_ttl,
            max_ttl: row.access_token_max_ttl,
            uses_limit: row.access_token_uses_limit,
            trusted: TrustedIps::from_json(&row.access_token_trusted_ips)?,
        })
    }

    fn with(mut self, settings: &TokenSettings) -> Result<Self> {
        if let Some(ttl) = settings.access_token_ttl {
            self.ttl = text::within("accessTokenTTL", ttl, 0, MAX_TTL)?;
        }
        if let Some(max_ttl) = settings.access_token_max_ttl {
            self.max_ttl = text::within("accessTokenMaxTTL", max_ttl, 0, MAX_TTL)?;
        }
        if let Some(limit) = settings.access_token_num_uses_limit {
            self.uses_limit = text::within("accessTokenNumUsesLimit", limit, 0, i64::MAX)?;
        }
        if let Some(ips) = &settings.access_token_trusted_ips {
            self.trusted = TrustedIps::parse("accessTokenTrustedIps", ips)?;
        }
        Ok(self)
    }

    fn is_longer_than_its_end(&self) -> bool {
        self.max_ttl > 0 && self.ttl > self.max_ttl
    }
}

/// An auth method to attach.
pub(crate) struct NewMethod<'a> {
    /// Which.
    pub(crate) name: MethodName,
    /// What universal auth is looked up by.
    pub(crate) client_id: Option<Uuid>,
    /// The rules of its tokens.
    pub(crate) rules: &'a TokenRules,
    /// What only this method has, as JSON.
    pub(crate) config: String,
    /// What of that must stay secret, sealed.
    pub(crate) sealed: Option<Vec<u8>>,
}

impl Core {
    /// Attaches an auth method to an identity, authenticated.
    pub(crate) async fn insert_method(
        &self,
        tx: &mut Tx,
        identity: &IdentityRow,
        new: NewMethod<'_>,
    ) -> Result<AuthMethodRow> {
        let now = self.now().micros();
        let mut row = AuthMethodRow {
            id: self.new_id(),
            org_id: identity.org_id,
            identity_id: identity.id,
            method: new.name.slug.to_owned(),
            client_id: new.client_id,
            access_token_ttl: new.rules.ttl,
            access_token_max_ttl: new.rules.max_ttl,
            access_token_uses_limit: new.rules.uses_limit,
            access_token_trusted_ips: new.rules.trusted.to_json()?,
            config: new.config,
            sealed: new.sealed,
            created_at: now,
            updated_at: now,
            mac: Vec::new(),
        };
        row.mac = auth_method_mac(&self.keys.rows, &row).finish().to_vec();
        match auth_methods::insert(tx, &row).await {
            Ok(()) => Ok(row),
            Err(StoreError::Duplicate) => Err(Error::bad_request(format!(
                "Failed to add {} to already configured identity",
                new.name.title
            ))),
            Err(StoreError::Orphan) => Err(crate::identities::unknown_identity(identity.id)),
            Err(error) => Err(error.into()),
        }
    }

    /// An attached method, genuine; 400 when it is not attached (wire contract).
    pub(crate) async fn method_of(
        &self,
        source: impl Source,
        identity: &IdentityRow,
        name: MethodName,
    ) -> Result<AuthMethodRow> {
        let row = auth_methods::find(source, identity.org_id, identity.id, name.slug).await?;
        let row = row.ok_or_else(|| {
            Error::bad_request(format!("The identity does not have {}", name.title))
        })?;
        auth_method_mac(&self.keys.rows, &row).verify(&row.mac)?;
        Ok(row)
    }

    /// Writes the new rules and settings of a method and returns the row as it is then; nothing if
    /// somebody else changed it since it was read, whose change must not be lost.
    pub(crate) async fn change_method(
        &self,
        tx: &mut Tx,
        mut row: AuthMethodRow,
        rules: &TokenRules,
        config: String,
    ) -> Result<Option<AuthMethodRow>> {
        row.access_token_ttl = rules.ttl;
        row.access_token_max_ttl = rules.max_ttl;
        row.access_token_uses_limit = rules.uses_limit;
        row.access_token_trusted_ips = rules.trusted.to_json()?;
        row.config = config;
        row.updated_at = self.now().micros();
        let mac = auth_method_mac(&self.keys.rows, &row).finish().to_vec();
        let read = std::mem::replace(&mut row.mac, mac);
        Ok(auth_methods::update(tx, &row, &read).await?.then_some(row))
    }

    /// Detaches a method with its client secrets and named tokens; all of its tokens end at once.
    pub(crate) async fn detach_method(
        &self,
        caller: &Caller,
        id: IdentityId,
        name: MethodName,
        event: &'static str,
    ) -> Result<AuthMethodRow> {
        let identity =
            self.identity_to_manage(caller, id, crate::access::Action::RevokeAuth).await?;
        let mut tx = self.store.begin().await?;
        let row = self.method_of(&mut tx, &identity, name).await?;
        auth_methods::delete(&mut tx, row.org_id, row.id).await?;
        if let Some(client_id) = row.client_id {
            kms_store::lockouts::clear(&mut tx, client_id).await?;
        }
        if name.slug == TOKEN.slug {
            stored_tokens::delete_of_identity(&mut tx, row.org_id, id).await?;
        }
        self.touches_rights(&mut tx);
        tx.audit(self.record(caller, &method_event(event, &row)));
        tx.commit().await?;
        Ok(row)
    }
}

/// A method that others kept changing.
fn changed_meanwhile(name: MethodName) -> Error {
    Error::bad_request(format!("Others are changing {} of the identity; try again", name.title))
}

/// An event about an auth method.
fn method_event(kind: &'static str, row: &AuthMethodRow) -> Event {
    Event::new(kind).details([
        ("identityId", row.identity_id.to_string().into()),
        ("authMethodId", row.id.to_string().into()),
        ("accessTokenTTL", row.access_token_ttl.into()),
        ("accessTokenMaxTTL", row.access_token_max_ttl.into()),
        ("accessTokenNumUsesLimit", row.access_token_uses_limit.into()),
        ("accessTokenTrustedIps", row.access_token_trusted_ips.as_str().into()),
    ])
}
