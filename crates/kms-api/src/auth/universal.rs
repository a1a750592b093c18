//! Universal auth: a client id and a client secret.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::{
    Method, TokenSettings,
    trusted_ip::{TrustedIp, TrustedIpInput},
};
use crate::{AuthMethodId, ClientSecretId, IdentityId, Timestamp, routes, wire};

/// The method `universal-auth`.
pub struct Universal;

impl Method for Universal {
    const NAME: &'static str = "universal-auth";
    const ROUTE: &'static str = routes::UNIVERSAL_AUTH_LOGIN;
    type Proof = Proof;
}

/// The proof of a universal-auth login.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Proof {
    /// The client id of the machine identity.
    pub client_id: String,
    /// One of its client secrets.
    #[serde(serialize_with = "wire::expose")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub client_secret: SecretString,
    /// The sub-organization that the token shall be scoped to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization_slug: Option<String>,
}

/// Attaches or changes universal auth on an identity; every field is optional.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// Addresses from which client secrets may be used to log in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_secret_trusted_ips: Option<Vec<TrustedIpInput>>,
    /// Settings of the tokens.
    #[serde(flatten)]
    pub token: TokenSettings,
    /// Seconds of a periodic token: it can be renewed for ever, each time for this long; 0 is off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_token_period: Option<i64>,
    /// Whether wrong client secrets lock the client out for a while.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lockout_enabled: Option<bool>,
    /// Wrong tries until the lockout, 1 to 30.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lockout_threshold: Option<i64>,
    /// Seconds that a lockout lasts, 30 to 86,400.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lockout_duration_seconds: Option<i64>,
    /// Seconds without a wrong try after which counting starts anew, 5 to 3,600.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lockout_counter_reset_seconds: Option<i64>,
}

/// Universal auth of an identity, as answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct IdentityUniversalAuth {
    /// Id of this configuration.
    pub id: AuthMethodId,
    /// The client id to log in with.
    pub client_id: String,
    /// The identity it belongs to.
    pub identity_id: IdentityId,
    /// Where client secrets may be used.
    pub client_secret_trusted_ips: Vec<TrustedIp>,
    /// Where tokens may be used.
    pub access_token_trusted_ips: Vec<TrustedIp>,
    /// See [`TokenSettings`].
    #[serde(rename = "accessTokenTTL")]
    pub access_token_ttl: i64,
    /// See [`TokenSettings`].
    #[serde(rename = "accessTokenMaxTTL")]
    pub access_token_max_ttl: i64,
    /// See [`TokenSettings`].
    pub access_token_num_uses_limit: i64,
    /// See [`Settings`].
    pub access_token_period: i64,
    /// See [`Settings`].
    pub lockout_enabled: bool,
    /// See [`Settings`].
    pub lockout_threshold: i64,
    /// See [`Settings`].
    pub lockout_duration_seconds: i64,
    /// See [`Settings`].
    pub lockout_counter_reset_seconds: i64,
    /// When it was attached.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// The answer that carries [`IdentityUniversalAuth`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct UniversalAuthResponse {
    /// The configuration.
    pub identity_universal_auth: IdentityUniversalAuth,
}

/// Makes a client secret.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct CreateClientSecret {
    /// What it is for.
    pub description: String,
    /// How often it may be used; 0 means without a limit.
    pub num_uses_limit: i64,
    /// Seconds until it expires, at most 315,360,000; 0 means never.
    pub ttl: i64,
}

/// What is known about a client secret after it was shown once.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ClientSecretData {
    /// Its id.
    pub id: ClientSecretId,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// What it is for.
    pub description: String,
    /// Its first four characters, to tell it from others.
    pub client_secret_prefix: String,
    /// How often it was used.
    pub client_secret_num_uses: i64,
    /// How often it may be used; 0 means without a limit.
    pub client_secret_num_uses_limit: i64,
    /// Seconds from creation until it expires; 0 means never.
    #[serde(rename = "clientSecretTTL")]
    pub client_secret_ttl: i64,
    /// The configuration it belongs to.
    #[serde(rename = "identityUAId")]
    pub identity_ua_id: AuthMethodId,
    /// Whether it was revoked.
    pub is_client_secret_revoked: bool,
}

/// The answer that shows a client secret, once.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CreateClientSecretResponse {
    /// The secret: 64 hexadecimal characters.
    #[serde(serialize_with = "wire::expose")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub client_secret: SecretString,
    /// What stays known about it.
    pub client_secret_data: ClientSecretData,
}

/// The answer about one client secret.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ClientSecretResponse {
    /// The client secret.
    pub client_secret_data: ClientSecretData,
}

/// The answer about all client secrets of an identity.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ClientSecretsResponse {
    /// The client secrets, oldest first.
    pub client_secret_data: Vec<ClientSecretData>,
}

/// The answer to clearing lockouts.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ClearLockoutsResponse {
    /// How many were cleared.
    pub deleted: i64,
}
