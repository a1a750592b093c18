//! OIDC: a token of an OpenID provider, found by its discovery document.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Attached, Configured, JwtProof, Method, TokenSettings};
use crate::{IdentityId, routes};

/// The method `oidc-auth`.
pub struct Oidc;

impl Method for Oidc {
    const NAME: &'static str = "oidc-auth";
    const ROUTE: &'static str = routes::OIDC_AUTH_LOGIN;
    type Proof = Proof;
}

impl Configured for Oidc {
    const SLUG: &'static str = "oidc-auth";
    const CONFIGURATION: &'static str = routes::OIDC_AUTH;
    type Settings = Settings;
    type Config = Config;
    type Answer = OidcAuthResponse;

    fn token_settings(settings: &Settings) -> &TokenSettings {
        &settings.token
    }

    fn answer(attached: Attached, config: Config) -> OidcAuthResponse {
        OidcAuthResponse { identity_oidc_auth: IdentityOidcAuth { attached, config } }
    }

    fn parts(answer: OidcAuthResponse) -> (Attached, Config) {
        let it = answer.identity_oidc_auth;
        (it.attached, it.config)
    }

    fn identity(proof: &Proof) -> IdentityId {
        proof.identity_id
    }

    fn organization_slug(proof: &Proof) -> Option<&str> {
        proof.organization_slug.as_deref()
    }
}

/// The proof: a token of the provider.
pub type Proof = JwtProof;

/// Attaches or changes OIDC auth; attaching needs the provider and something that limits who can
/// log in.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = OidcAuthSettings))]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// The provider: what `/.well-known/openid-configuration` is appended to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oidc_discovery_url: Option<String>,
    /// Certificates of the authorities to trust for the provider, in PEM form; empty is the public
    /// ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_cert: Option<String>,
    /// The issuer, exactly.
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
    /// Names for permission rules, with the dotted path of the claim that each stands for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim_metadata_mapping: Option<BTreeMap<String, String>>,
    /// Settings of the tokens.
    #[serde(flatten)]
    pub token: TokenSettings,
}

/// What only OIDC auth has, as stored and as answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = OidcAuthConfig))]
#[serde(rename_all = "camelCase")]
pub struct Config {
    /// See [`Settings`].
    pub oidc_discovery_url: String,
    /// See [`Settings`].
    pub ca_cert: String,
    /// See [`Settings`].
    pub bound_issuer: String,
    /// See [`Settings`].
    pub bound_audiences: String,
    /// See [`Settings`].
    pub bound_claims: BTreeMap<String, String>,
    /// See [`Settings`].
    pub bound_subject: String,
    /// See [`Settings`].
    #[serde(default)]
    pub claim_metadata_mapping: BTreeMap<String, String>,
}

/// OIDC auth of an identity, as answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IdentityOidcAuth {
    /// What every method has.
    #[serde(flatten)]
    pub attached: Attached,
    /// What only this one has.
    #[serde(flatten)]
    pub config: Config,
}

/// The answer that carries [`IdentityOidcAuth`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct OidcAuthResponse {
    /// The configuration.
    pub identity_oidc_auth: IdentityOidcAuth,
}
