//! Kubernetes: the token of a service account, which its cluster reviews.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::{Attached, Configured, JwtProof, Method, TokenSettings};
use crate::{IdentityId, routes, wire};

/// The method `kubernetes`.
pub struct Kubernetes;

impl Method for Kubernetes {
    const NAME: &'static str = "kubernetes";
    const ROUTE: &'static str = routes::KUBERNETES_AUTH_LOGIN;
    type Proof = Proof;
}

impl Configured for Kubernetes {
    const SLUG: &'static str = "kubernetes-auth";
    const CONFIGURATION: &'static str = routes::KUBERNETES_AUTH;
    type Settings = Settings;
    type Config = Config;
    type Answer = KubernetesAuthResponse;

    fn token_settings(settings: &Settings) -> &TokenSettings {
        &settings.token
    }

    fn answer(attached: Attached, config: Config) -> KubernetesAuthResponse {
        KubernetesAuthResponse {
            identity_kubernetes_auth: IdentityKubernetesAuth { attached, config },
        }
    }

    fn parts(answer: KubernetesAuthResponse) -> (Attached, Config) {
        let it = answer.identity_kubernetes_auth;
        (it.attached, it.config)
    }

    fn identity(proof: &Proof) -> IdentityId {
        proof.identity_id
    }

    fn organization_slug(proof: &Proof) -> Option<&str> {
        proof.organization_slug.as_deref()
    }

    fn secret(config: &mut Config) -> Option<&mut Option<SecretString>> {
        Some(&mut config.token_reviewer_jwt)
    }
}

/// The proof: the service account's token.
pub type Proof = JwtProof;

/// Who asks the cluster to review a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum TokenReviewMode {
    /// This server.
    Api,
    /// A gateway inside the cluster, which this server does not have.
    Gateway,
}

/// Attaches or changes Kubernetes auth; attaching needs the cluster.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = KubernetesSettings))]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// The URL of the cluster's API server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kubernetes_host: Option<String>,
    /// Certificates of the cluster's authority, in PEM form; empty is the public authorities.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_cert: Option<String>,
    /// The token that reviews are asked for with; `null` takes it away. Without one, the token
    /// that logs in is used, whose service account then needs `system:auth-delegator`.
    #[serde(
        default,
        deserialize_with = "wire::present",
        serialize_with = "expose_present",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub token_reviewer_jwt: Option<Option<SecretString>>,
    /// Who asks for reviews.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_review_mode: Option<TokenReviewMode>,
    /// Namespaces whose service accounts may log in, as a comma list; empty is every namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_namespaces: Option<String>,
    /// Names of the service accounts that may log in, as a comma list; empty is every name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_names: Option<String>,
    /// The audience that the token must have; empty is the cluster's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_audience: Option<String>,
    /// A gateway; this server has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway_id: Option<String>,
    /// Settings of the tokens.
    #[serde(flatten)]
    pub token: TokenSettings,
}

#[expect(clippy::option_option, reason = "left out and null are different instructions")]
#[expect(clippy::ref_option, reason = "the signature that serde asks for")]
fn expose_present<S: serde::Serializer>(
    token: &Option<Option<SecretString>>,
    to: S,
) -> Result<S::Ok, S::Error> {
    wire::expose_opt(token.as_ref().unwrap_or(&None), to)
}

/// What only Kubernetes auth has, as stored and as answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = KubernetesConfig))]
#[serde(rename_all = "camelCase")]
pub struct Config {
    /// See [`Settings`].
    pub kubernetes_host: String,
    /// See [`Settings`].
    pub ca_cert: String,
    /// See [`Settings`]. Stored sealed, apart from the rest.
    #[serde(default, serialize_with = "wire::expose_opt")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub token_reviewer_jwt: Option<SecretString>,
    /// See [`Settings`].
    pub token_review_mode: TokenReviewMode,
    /// See [`Settings`].
    pub allowed_namespaces: String,
    /// See [`Settings`].
    pub allowed_names: String,
    /// See [`Settings`].
    pub allowed_audience: String,
    /// Always null.
    pub gateway_id: Option<String>,
}

/// Kubernetes auth of an identity, as answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IdentityKubernetesAuth {
    /// What every method has.
    #[serde(flatten)]
    pub attached: Attached,
    /// What only this one has.
    #[serde(flatten)]
    pub config: Config,
}

/// The answer that carries [`IdentityKubernetesAuth`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct KubernetesAuthResponse {
    /// The configuration.
    pub identity_kubernetes_auth: IdentityKubernetesAuth,
}
