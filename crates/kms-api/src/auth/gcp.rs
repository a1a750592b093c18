//! GCP, twice: an ID token from the metadata server, or a token that a service account signed.

use serde::{Deserialize, Serialize};

use super::{Attached, Configured, JwtProof, Method, TokenSettings};
use crate::{IdentityId, routes};

/// The method `gcp-id-token`.
pub struct GcpIdToken;

impl Method for GcpIdToken {
    const NAME: &'static str = "gcp-id-token";
    const ROUTE: &'static str = routes::GCP_AUTH_LOGIN;
    type Proof = Proof;
}

/// The method `gcp-iam`.
pub struct GcpIam;

impl Method for GcpIam {
    const NAME: &'static str = "gcp-iam";
    const ROUTE: &'static str = routes::GCP_AUTH_LOGIN;
    type Proof = Proof;
}

/// How both kinds are configured and proven.
impl Configured for GcpIdToken {
    const SLUG: &'static str = "gcp-auth";
    const CONFIGURATION: &'static str = routes::GCP_AUTH;
    type Settings = Settings;
    type Config = Config;
    type Answer = GcpAuthResponse;

    fn token_settings(settings: &Settings) -> &TokenSettings {
        &settings.token
    }

    fn answer(attached: Attached, config: Config) -> GcpAuthResponse {
        GcpAuthResponse { identity_gcp_auth: IdentityGcpAuth { attached, config } }
    }

    fn parts(answer: GcpAuthResponse) -> (Attached, Config) {
        let it = answer.identity_gcp_auth;
        (it.attached, it.config)
    }

    fn identity(proof: &Proof) -> IdentityId {
        proof.identity_id
    }

    fn organization_slug(proof: &Proof) -> Option<&str> {
        proof.organization_slug.as_deref()
    }
}

/// The proof: a token whose audience is the id of the machine identity.
pub type Proof = JwtProof;

/// Which kind of token an identity logs in with; the caller has no say in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = GcpKind))]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// An ID token that Google signed for an instance (`gcp-id-token`).
    Gce,
    /// A token that a service account signed (`gcp-iam`).
    Iam,
}

/// Attaches or changes GCP auth; attaching needs the kind and something that limits who can
/// log in.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = GcpSettings))]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// Which kind of token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r#type: Option<Kind>,
    /// E-mail addresses of the service accounts that may log in, as a comma list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_service_accounts: Option<String>,
    /// Ids of the projects whose instances may log in, as a comma list; `gce` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_projects: Option<String>,
    /// Zones whose instances may log in, as a comma list; `gce` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_zones: Option<String>,
    /// Settings of the tokens.
    #[serde(flatten)]
    pub token: TokenSettings,
}

/// What only GCP auth has, as stored and as answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = GcpConfig))]
#[serde(rename_all = "camelCase")]
pub struct Config {
    /// See [`Settings`].
    pub r#type: Kind,
    /// See [`Settings`].
    pub allowed_service_accounts: String,
    /// See [`Settings`].
    pub allowed_projects: String,
    /// See [`Settings`].
    pub allowed_zones: String,
}

/// GCP auth of an identity, as answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IdentityGcpAuth {
    /// What every method has.
    #[serde(flatten)]
    pub attached: Attached,
    /// What only this one has.
    #[serde(flatten)]
    pub config: Config,
}

/// The answer that carries [`IdentityGcpAuth`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct GcpAuthResponse {
    /// The configuration.
    pub identity_gcp_auth: IdentityGcpAuth,
}
