//! Auth methods that somebody outside of this server vouches for: kept in one way for all of them.

#[cfg(test)]
mod tests;

use kms_api::{
    IdentityId, Timestamp,
    auth::{
        Attached, Configured, aws_iam::Aws, azure::Azure, gcp::GcpIdToken, jwt::Jwt,
        kubernetes::Kubernetes, oidc::Oidc,
    },
};
use kms_auth::Verify;
use kms_crypto::Note;
use kms_store::{
    Source,
    auth_methods::AuthMethodRow,
    identities::IdentityRow,
    organizations::{self, OrganizationRow},
};
use secrecy::{ExposeSecret as _, SecretString};

use super::{CHANGES, MethodName, NewMethod, TokenRules, changed_meanwhile, method_event};
use crate::{Caller, Core, Error, Result, access::Action};

/// The longest configuration as it is stored, in bytes; every login reads it.
const MAX_CONFIG: usize = 64 * 1_024;

/// A method of `kms-auth`, with what the product calls it.
pub trait ExternalMethod: Verify {
    /// How it is called and recorded.
    const NAMES: Names;
}

/// What an external method is called: for people, and in the audit log.
#[derive(Clone, Copy, Debug)]
pub struct Names {
    pub(crate) method: MethodName,
    added: &'static str,
    updated: &'static str,
    revoked: &'static str,
    pub(crate) logged_in: &'static str,
    pub(crate) refused: &'static str,
}

macro_rules! external {
    ($($method:ty: $slug:literal, $title:literal;)+) => {$(
        impl ExternalMethod for $method {
            const NAMES: Names = Names {
                method: MethodName { slug: <$method>::SLUG, title: $title },
                added: concat!("add-identity-", $slug),
                updated: concat!("update-identity-", $slug),
                revoked: concat!("revoke-identity-", $slug),
                logged_in: concat!("login-identity-", $slug),
                refused: concat!("login-identity-", $slug, "-failed"),
            };
        }
    )+};
}

external! {
    Kubernetes: "kubernetes-auth", "Kubernetes auth";
    Azure: "azure-auth", "Azure auth";
    GcpIdToken: "gcp-auth", "GCP auth";
    Aws: "aws-auth", "AWS auth";
    Oidc: "oidc-auth", "OIDC auth";
    Jwt: "jwt-auth", "JWT auth";
}

/// A configuration as it is stored.
struct Stored {
    config: String,
    sealed: Option<Vec<u8>>,
}

impl Core {
    /// Attaches a method to an identity.
    pub async fn attach_external<M: ExternalMethod>(
        &self,
        caller: &Caller,
        id: IdentityId,
        body: &M::Settings,
    ) -> Result<M::Answer> {
        let identity = self.identity_to_manage(caller, id, Action::Create).await?;
        let rules = TokenRules::attached(M::token_settings(body))?;
        let config = self.configured::<M>(None, body)?;
        self.probe::<M>(None, &config).await?;
        let mut tx = self.store.begin().await?;
        let stored = self.stored::<M>(&mut tx, &identity, config.clone()).await?;
        let Stored { config: text, sealed } = stored;
        let name = M::NAMES.method;
        let new = NewMethod { name, client_id: None, rules: &rules, config: text, sealed };
        let row = self.insert_method(&mut tx, &identity, new).await?;
        self.touches_rights(&mut tx);
        tx.audit(self.record(caller, &method_event(M::NAMES.added, &row)));
        tx.commit().await?;
        answer::<M>(&row, config)
    }

    /// Changes a method of an identity; acts on the next login, and where it says from where
    /// tokens may be used, on tokens that exist.
    pub async fn update_external<M: ExternalMethod>(
        &self,
        caller: &Caller,
        id: IdentityId,
        body: &M::Settings,
    ) -> Result<M::Answer> {
        let identity = self.identity_to_manage(caller, id, Action::Edit).await?;
        for _ in 0..CHANGES {
            let mut row = self.method_of(&self.store, &identity, M::NAMES.method).await?;
            let rules = TokenRules::changed(&row, M::token_settings(body))?;
            let current = self.configuration_of::<M>(&self.store, &row).await?;
            let config = self.configured::<M>(Some(&current), body)?;
            // Somebody outside answers it, so no write may wait for it.
            self.probe::<M>(Some(&current), &config).await?;
            let mut tx = self.store.begin().await?;
            let stored = self.stored::<M>(&mut tx, &identity, config.clone()).await?;
            row.sealed = stored.sealed;
            let changed = self.change_method(&mut tx, row, &rules, stored.config).await?;
            let Some(row) = changed else {
                // Whoever was faster need not be committed yet. This waits for them, so that the
                // next read finds what they wrote.
                tx.commit().await?;
                continue;
            };
            self.touches_rights(&mut tx);
            tx.audit(self.record(caller, &method_event(M::NAMES.updated, &row)));
            tx.commit().await?;
            return answer::<M>(&row, config);
        }
        Err(changed_meanwhile(M::NAMES.method))
    }

    /// A method of an identity; its secret only for those who could replace it.
    pub async fn external<M: ExternalMethod>(
        &self,
        caller: &Caller,
        id: IdentityId,
    ) -> Result<M::Answer> {
        let identity = self.identity_for(caller, id, Action::Read).await?;
        let row = self.method_of(&self.store, &identity, M::NAMES.method).await?;
        let config = match self.identity_to_manage(caller, id, Action::Edit).await {
            Ok(_) => self.configuration_of::<M>(&self.store, &row).await?,
            Err(Error::PermissionDenied { .. } | Error::PermissionBoundary { .. }) => {
                read::<M>(&row)?
            }
            Err(error) => return Err(error),
        };
        answer::<M>(&row, config)
    }

    /// Detaches a method; all tokens that came from it end at once. Its secret ends with it and is
    /// not answered.
    pub async fn detach_external<M: ExternalMethod>(
        &self,
        caller: &Caller,
        id: IdentityId,
    ) -> Result<M::Answer> {
        let row = self.detach_method(caller, id, M::NAMES.method, M::NAMES.revoked).await?;
        answer::<M>(&row, read::<M>(&row)?)
    }

    /// The configuration in a genuine row of an organization.
    pub(crate) fn configuration<M: ExternalMethod>(
        &self,
        row: &AuthMethodRow,
        home: &OrganizationRow,
    ) -> Result<M::Config> {
        let mut config = read::<M>(row)?;
        if let (Some(sealed), Some(secret)) = (&row.sealed, M::secret(&mut config)) {
            let key = self.keys.of_organization(home)?;
            let text = Note::MethodSecret.open(&key, row.identity_id.uuid(), sealed)?;
            let text = std::str::from_utf8(&text).map_err(|error| Error::Internal(error.into()))?;
            *secret = Some(SecretString::from(text));
        }
        Ok(config)
    }

    /// As [`Self::configuration`], with a query for the organization where it takes one.
    async fn configuration_of<M: ExternalMethod>(
        &self,
        source: impl Source,
        row: &AuthMethodRow,
    ) -> Result<M::Config> {
        if row.sealed.is_none() {
            return read::<M>(row);
        }
        self.configuration::<M>(row, &home_of(source, row.org_id).await?)
    }

    fn configured<M: ExternalMethod>(
        &self,
        current: Option<&M::Config>,
        settings: &M::Settings,
    ) -> Result<M::Config> {
        M::configure(current, settings, self.verifier.policy()).map_err(Error::Validation)
    }

    async fn probe<M: ExternalMethod>(
        &self,
        current: Option<&M::Config>,
        config: &M::Config,
    ) -> Result<()> {
        let probed = M::probe(current, config, &self.verifier).await;
        probed.map_err(|failed| Error::bad_request(failed.to_string()))
    }

    /// A configuration as it is stored, its secret sealed for the identity.
    async fn stored<M: ExternalMethod>(
        &self,
        source: impl Source,
        identity: &IdentityRow,
        mut config: M::Config,
    ) -> Result<Stored> {
        let secret = M::secret(&mut config).and_then(Option::take);
        let text = serde_json::to_string(&config).map_err(internal)?;
        if text.len() > MAX_CONFIG {
            return Err(Error::bad_request("The configuration must have at most 65536 bytes"));
        }
        let Some(secret) = secret else { return Ok(Stored { config: text, sealed: None }) };
        let key = self.keys.of_organization(&home_of(source, identity.org_id).await?)?;
        let secret = secret.expose_secret().as_bytes();
        let owner = identity.id.uuid();
        let sealed = Note::MethodSecret.seal(&key, owner, secret, self.entropy())?;
        Ok(Stored { config: text, sealed: Some(sealed) })
    }
}

async fn home_of(
    source: impl Source,
    organization: kms_api::OrganizationId,
) -> Result<OrganizationRow> {
    let row = organizations::find(source, organization).await?;
    row.ok_or_else(|| Error::not_found("The organization does not exist any more"))
}

fn read<M: ExternalMethod>(row: &AuthMethodRow) -> Result<M::Config> {
    serde_json::from_str(&row.config).map_err(internal)
}

fn internal(error: serde_json::Error) -> Error {
    Error::Internal(Box::new(error))
}

fn answer<M: ExternalMethod>(row: &AuthMethodRow, config: M::Config) -> Result<M::Answer> {
    let rules = TokenRules::of(row)?;
    let attached = Attached {
        id: row.id,
        identity_id: row.identity_id,
        access_token_ttl: rules.ttl,
        access_token_max_ttl: rules.max_ttl,
        access_token_num_uses_limit: rules.uses_limit,
        access_token_trusted_ips: rules.trusted.wire(),
        created_at: Timestamp(row.created_at),
        updated_at: Timestamp(row.updated_at),
    };
    Ok(M::answer(attached, config))
}
