//! JWT: a token signed by a key that is configured, or that a key server publishes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Attached, Configured, JwtProof, Method, TokenSettings};
use crate::{IdentityId, routes};

/// The method `jwt-auth`.
pub struct Jwt;

impl Method for Jwt {
    const NAME: &'static str = "jwt-auth";
    const ROUTE: &'static str = routes::JWT_AUTH_LOGIN;
    type Proof = Proof;
}

impl Configured for Jwt {
    const SLUG: &'static str = "jwt-auth";
    const CONFIGURATION: &'static str = routes::JWT_AUTH;
    type Settings = Settings;
    type Config = Config;
    type Answer = JwtAuthResponse;

    fn token_settings(settings: &Settings) -> &TokenSettings {
        &settings.token
    }

    fn answer(attached: Attached, config: Config) -> JwtAuthResponse {
        JwtAuthResponse { identity_jwt_auth: IdentityJwtAuth { attached, config } }
    }

    fn parts(answer: JwtAuthResponse) -> (Attached, Config) {
        let it = answer.identity_jwt_auth;
        (it.attached, it.config)
    }

    fn identity(proof: &Proof) -> IdentityId {
        proof.identity_id
    }

    fn organization_slug(proof: &Proof) -> Option<&str> {
        proof.organization_slug.as_deref()
    }
}

/// The proof: the token.
pub type Proof = JwtProof;

/// Where the keys come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = JwtConfigurationType))]
#[serde(rename_all = "lowercase")]
pub enum ConfigurationType {
    /// A key server.
    Jwks,
    /// The configuration itself.
    Static,
}

/// Attaches or changes JWT auth; both need to say where the keys come from.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = JwtSettings))]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// Where the keys come from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configuration_type: Option<ConfigurationType>,
    /// The key server's JWK set; `jwks` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_url: Option<String>,
    /// Certificates of the authorities to trust for the key server, in PEM form; empty is the
    /// public ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_ca_cert: Option<String>,
    /// Public keys in PEM form, at least one; `static` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_keys: Option<Vec<String>>,
    /// The issuer, exactly; empty is any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bound_issuer: Option<String>,
    /// Audiences of which the token must have one, as a comma list; patterns are possible.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bound_audiences: Option<String>,
    /// Claims that the token must have, by their dotted path, with comma lists of accepted values;
    /// patterns are possible.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bound_claims: Option<BTreeMap<String, String>>,
    /// The subject that the token must have; a pattern is possible.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bound_subject: Option<String>,
    /// Settings of the tokens.
    #[serde(flatten)]
    pub token: TokenSettings,
}

/// What only JWT auth has, as stored and as answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = JwtConfig))]
#[serde(rename_all = "camelCase")]
pub struct Config {
    /// See [`Settings`].
    pub configuration_type: ConfigurationType,
    /// See [`Settings`].
    pub jwks_url: String,
    /// See [`Settings`].
    pub jwks_ca_cert: String,
    /// See [`Settings`].
    pub public_keys: Vec<String>,
    /// See [`Settings`].
    pub bound_issuer: String,
    /// See [`Settings`].
    pub bound_audiences: String,
    /// See [`Settings`].
    pub bound_claims: BTreeMap<String, String>,
    /// See [`Settings`].
    pub bound_subject: String,
}

/// JWT auth of an identity, as answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IdentityJwtAuth {
    /// What every method has.
    #[serde(flatten)]
    pub attached: Attached,
    /// What only this one has.
    #[serde(flatten)]
    pub config: Config,
}

/// The answer that carries [`IdentityJwtAuth`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct JwtAuthResponse {
    /// The configuration.
    pub identity_jwt_auth: IdentityJwtAuth,
}
