//! Token auth: named tokens that an administrator makes for an identity.

use serde::{Deserialize, Serialize};

use super::{LoginResponse, TokenSettings, trusted_ip::TrustedIp};
use crate::{AuthMethodId, ClientSecretId, IdentityId, Timestamp, TokenId};

/// Attaches or changes token auth.
pub type Settings = TokenSettings;

/// Token auth of an identity, as answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct IdentityTokenAuth {
    /// Id of this configuration.
    pub id: AuthMethodId,
    /// See [`TokenSettings`].
    #[serde(rename = "accessTokenTTL")]
    pub access_token_ttl: i64,
    /// See [`TokenSettings`].
    #[serde(rename = "accessTokenMaxTTL")]
    pub access_token_max_ttl: i64,
    /// See [`TokenSettings`].
    pub access_token_num_uses_limit: i64,
    /// Where tokens may be used.
    pub access_token_trusted_ips: Vec<TrustedIp>,
    /// The identity it belongs to.
    pub identity_id: IdentityId,
    /// When it was attached.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// The answer that carries [`IdentityTokenAuth`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct TokenAuthResponse {
    /// The configuration.
    pub identity_token_auth: IdentityTokenAuth,
}

/// Makes a token.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CreateToken {
    /// What the token is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The sub-organization that the token shall be scoped to.
    #[serde(default, alias = "subOrganizationName", skip_serializing_if = "Option::is_none")]
    pub organization_slug: Option<String>,
}

/// Renames a token.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UpdateToken {
    /// The new name.
    #[serde(default)]
    pub name: Option<String>,
}

/// The query of a list of tokens.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
pub struct ListTokensQuery {
    /// How many to pass over, at most 100, 0 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<String>,
    /// How many to answer, 1 to 100, 20 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<String>,
}

/// A token of token auth, without the token.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct TokenData {
    /// Its id.
    pub id: TokenId,
    /// What it is for.
    pub name: Option<String>,
    /// Seconds it lives.
    #[serde(rename = "accessTokenTTL")]
    pub access_token_ttl: i64,
    /// Seconds since issue after which renewal ends.
    #[serde(rename = "accessTokenMaxTTL")]
    pub access_token_max_ttl: i64,
    /// How often it was used.
    pub access_token_num_uses: i64,
    /// How often it may be used; 0 means without a limit.
    pub access_token_num_uses_limit: i64,
    /// When it was last used.
    pub access_token_last_used_at: Option<Timestamp>,
    /// When it was last renewed.
    pub access_token_last_renewed_at: Option<Timestamp>,
    /// Whether it was revoked.
    pub is_access_token_revoked: bool,
    /// Always null for token auth.
    #[serde(rename = "identityUAClientSecretId")]
    pub identity_ua_client_secret_id: Option<ClientSecretId>,
    /// The identity it stands for.
    pub identity_id: IdentityId,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// The answer that shows a token, once.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CreateTokenResponse {
    /// The token and its lifetime.
    #[serde(flatten)]
    pub login: LoginResponse,
    /// What stays known about it.
    pub token_data: TokenData,
}

/// The answer about one token.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenResponse {
    /// The token's data.
    pub token: TokenData,
}

/// The answer about the tokens of an identity.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokensResponse {
    /// The tokens, newest first.
    pub tokens: Vec<TokenData>,
}
