//! What both sides of a login agree on: one file per method of machines, [`user`] for people.

pub mod aws_iam;
pub mod azure;
pub mod gcp;
pub mod jwt;
pub mod kubernetes;
pub mod oidc;
pub mod srp;
pub mod token;
pub mod token_auth;
pub mod trusted_ip;
pub mod universal;
pub mod user;

use secrecy::SecretString;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{AuthMethodId, IdentityId, Timestamp, wire};

/// A machine login method: its name on the command line, its route, its proof.
pub trait Method {
    /// The value of `kms login --method`.
    const NAME: &'static str;
    /// The path that takes the proof.
    const ROUTE: &'static str;
    /// The body that proves who is asking.
    type Proof: Serialize + DeserializeOwned + Send + Sync + 'static;
}

/// A method that is configured on an identity, because somebody outside vouches for the proof.
pub trait Configured: Method {
    /// Its name in rows, claims and audit records, such as `kubernetes-auth`.
    const SLUG: &'static str;
    /// The path that attaches, changes, reads and detaches it.
    const CONFIGURATION: &'static str;
    /// What an administrator sends; every field is optional.
    type Settings: Serialize + DeserializeOwned + Send + Sync + 'static;
    /// What only this method has, as stored and as answered.
    type Config: Serialize + DeserializeOwned + Clone + Send + Sync;
    /// What is answered about it.
    type Answer: Serialize + DeserializeOwned + Send + 'static;

    /// The settings of the tokens.
    fn token_settings(settings: &Self::Settings) -> &TokenSettings;

    /// The answer about a configuration.
    fn answer(attached: Attached, config: Self::Config) -> Self::Answer;

    /// What an answer says: what every method has, and what only this one has.
    fn parts(answer: Self::Answer) -> (Attached, Self::Config);

    /// The machine identity that a proof names.
    fn identity(proof: &Self::Proof) -> IdentityId;

    /// The sub-organization that a proof asks for.
    fn organization_slug(proof: &Self::Proof) -> Option<&str>;

    /// The part of a configuration that is stored sealed, where there is one.
    fn secret(_: &mut Self::Config) -> Option<&mut Option<SecretString>> {
        None
    }
}

/// The answer to every machine login and renewal.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct LoginResponse {
    /// The access token, to be sent as `Authorization: Bearer`.
    pub access_token: String,
    /// Seconds until the token expires.
    pub expires_in: i64,
    /// Seconds since issue up to which renewal is possible; 0 is without a limit.
    #[serde(rename = "accessTokenMaxTTL")]
    pub access_token_max_ttl: i64,
    /// Always `Bearer`.
    pub token_type: String,
}

impl std::fmt::Debug for LoginResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LoginResponse")
            .field("expires_in", &self.expires_in)
            .finish_non_exhaustive()
    }
}

/// The settings that every auth method of an identity has for its tokens. All optional on the
/// wire; the server's defaults are 2,592,000 s for both TTLs, no use limit, every address.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct TokenSettings {
    /// Seconds that a token lives, 0 to 315,360,000; 0 means as long as the server allows.
    #[serde(rename = "accessTokenTTL", skip_serializing_if = "Option::is_none")]
    pub access_token_ttl: Option<i64>,
    /// Seconds since issue after which renewal ends; 0 means no such end.
    #[serde(rename = "accessTokenMaxTTL", skip_serializing_if = "Option::is_none")]
    pub access_token_max_ttl: Option<i64>,
    /// How often a token may be used; 0 means without a limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_token_num_uses_limit: Option<i64>,
    /// Addresses from which a token may be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_token_trusted_ips: Option<Vec<trusted_ip::TrustedIpInput>>,
}

/// The proof of every login by a token that somebody else signed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct JwtProof {
    /// The machine identity.
    pub identity_id: IdentityId,
    /// The token; white space around it does not count.
    #[serde(serialize_with = "wire::expose")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub jwt: SecretString,
    /// The sub-organization that the access token shall be scoped to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization_slug: Option<String>,
}

/// What is answered about every attached method, beside what only that method has.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Attached {
    /// Id of this configuration.
    pub id: AuthMethodId,
    /// The identity it belongs to.
    pub identity_id: IdentityId,
    /// See [`TokenSettings`].
    #[serde(rename = "accessTokenTTL")]
    pub access_token_ttl: i64,
    /// See [`TokenSettings`].
    #[serde(rename = "accessTokenMaxTTL")]
    pub access_token_max_ttl: i64,
    /// See [`TokenSettings`].
    pub access_token_num_uses_limit: i64,
    /// Where tokens may be used.
    pub access_token_trusted_ips: Vec<trusted_ip::TrustedIp>,
    /// When it was attached.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}
