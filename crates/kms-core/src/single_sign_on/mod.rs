//! Single sign-on: an organization's people sign in at its own identity provider.
//!
//! The administrators of an organization set the provider up ([`config`]). Somebody is sent there
//! with what only their browser holds, and comes back with a code ([`sign_in`]); what the provider
//! then says about them is looked up as a subject of this issuer, never as an address alone
//! (attack H6, [`whose`]). A session that rests on a provider's word reaches the organization of
//! that provider and nothing else; `people/way_in.rs` decides that.

mod config;
mod connect;
mod flow;
mod sign_in;
#[cfg(test)]
mod tests;
mod whose;

pub use connect::Connecting;
pub use flow::{ProviderAnswer, SentToProvider, SsoOutcome};

use kms_auth::sso::{Provider, Reach, SsoError};
use kms_crypto::Note;
use kms_store::{
    identity_providers::{self, ProviderRow},
    organizations::OrganizationRow,
};
use secrecy::SecretString;

use crate::{Core, Error, Result, access::provider_mac};

/// The name of a sign-in that failed, for programs.
const FAILED: &str = "SsoFailed";
/// The name of a provider that does not answer, for programs.
const UNREACHABLE: &str = "SsoUnreachable";

impl Core {
    /// The provider of a root organization, genuine.
    async fn provider_of(&self, root: &OrganizationRow) -> Result<Option<ProviderRow>> {
        let row = identity_providers::of_organization(&self.store, root.id).await?;
        if let Some(row) = &row {
            provider_mac(&self.keys.rows, row).verify(&row.mac)?;
        }
        Ok(row)
    }

    /// A provider as it is asked, with its secret.
    fn opened(&self, root: &OrganizationRow, row: &ProviderRow) -> Result<Provider> {
        let key = self.keys.of_organization(root)?;
        let secret = Note::ProviderSecret.open(&key, row.id.uuid(), &row.sealed)?;
        let secret = std::str::from_utf8(&secret).map_err(|error| Error::Internal(error.into()))?;
        Ok(Provider {
            issuer: row.issuer.clone(),
            client_id: row.client_id.clone(),
            client_secret: SecretString::from(secret),
            reach: reach_of(row)?,
        })
    }
}

fn reach_of(row: &ProviderRow) -> Result<Reach> {
    serde_json::from_str(&row.config).map_err(|error| Error::Internal(Box::new(error)))
}

/// The domains of the addresses that a provider may vouch for.
fn domains_of(row: &ProviderRow) -> Result<Vec<String>> {
    serde_json::from_str(&row.email_domains).map_err(|error| Error::Internal(Box::new(error)))
}

/// The domain of a canonical address.
fn domain_of(address: &str) -> &str {
    address.rsplit('@').next().unwrap_or_default()
}

/// What a provider's failure is to whoever signs in; why goes to the log.
fn failure(error: &SsoError) -> Error {
    match error {
        SsoError::Unreachable(cause) => {
            let reason = cause.as_ref().map(kms_auth::outbound::OutboundError::reason);
            tracing::warn!(reason, "an identity provider could not be reached");
            Error::BadRequest {
                name: UNREACHABLE,
                message: "Your organization's identity provider does not answer. Try again later"
                    .into(),
            }
        }
        SsoError::Settings { field, reason } => {
            tracing::warn!(field, reason, "an identity provider cannot be used");
            failed(
                "Single sign-on of this organization is not set up right; its administrators \
                 find the reason where they set it up",
            )
        }
        SsoError::Refused(refusal) => {
            use kms_auth::sso::Refusal;
            failed(match refusal {
                Refusal::NoAddress => {
                    "Your identity provider did not say what your e-mail address is"
                }
                Refusal::Unverified => {
                    "Your identity provider does not know that your e-mail address is yours; \
                     confirm it there first"
                }
                Refusal::Code => "This sign-in was used already, or took too long. Start again",
                _ => "What your identity provider answered is not accepted. Start again",
            })
        }
    }
}

fn failed(message: &'static str) -> Error {
    Error::BadRequest { name: FAILED, message: message.into() }
}
