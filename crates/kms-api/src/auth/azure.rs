//! Azure: an access token of a managed identity or service principal.

use serde::{Deserialize, Serialize};

use super::{Attached, Configured, JwtProof, Method, TokenSettings};
use crate::{IdentityId, routes};

/// The method `azure`.
pub struct Azure;

impl Method for Azure {
    const NAME: &'static str = "azure";
    const ROUTE: &'static str = routes::AZURE_AUTH_LOGIN;
    type Proof = Proof;
}

impl Configured for Azure {
    const SLUG: &'static str = "azure-auth";
    const CONFIGURATION: &'static str = routes::AZURE_AUTH;
    type Settings = Settings;
    type Config = Config;
    type Answer = AzureAuthResponse;

    fn token_settings(settings: &Settings) -> &TokenSettings {
        &settings.token
    }

    fn answer(attached: Attached, config: Config) -> AzureAuthResponse {
        AzureAuthResponse { identity_azure_auth: IdentityAzureAuth { attached, config } }
    }

    fn parts(answer: AzureAuthResponse) -> (Attached, Config) {
        let it = answer.identity_azure_auth;
        (it.attached, it.config)
    }

    fn identity(proof: &Proof) -> IdentityId {
        proof.identity_id
    }

    fn organization_slug(proof: &Proof) -> Option<&str> {
        proof.organization_slug.as_deref()
    }
}

/// The proof: an access token of version 1 for the configured resource.
pub type Proof = JwtProof;

/// Attaches or changes Azure auth; attaching needs the tenant.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = AzureSettings))]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// The id of the tenant whose directory signs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<String>,
    /// The audience of the token; `https://management.azure.com/` unless told otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// Object ids of the principals that may log in, as a comma list; empty is every principal of
    /// the tenant that gets a token for the resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_service_principal_ids: Option<String>,
    /// Settings of the tokens.
    #[serde(flatten)]
    pub token: TokenSettings,
}

/// What only Azure auth has, as stored and as answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = AzureConfig))]
#[serde(rename_all = "camelCase")]
pub struct Config {
    /// See [`Settings`].
    pub tenant_id: String,
    /// See [`Settings`].
    pub resource: String,
    /// See [`Settings`].
    pub allowed_service_principal_ids: String,
}

/// Azure auth of an identity, as answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IdentityAzureAuth {
    /// What every method has.
    #[serde(flatten)]
    pub attached: Attached,
    /// What only this one has.
    #[serde(flatten)]
    pub config: Config,
}

/// The answer that carries [`IdentityAzureAuth`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct AzureAuthResponse {
    /// The configuration.
    pub identity_azure_auth: IdentityAzureAuth,
}
