//! AWS: a signed request for `GetCallerIdentity`, which the server sends on to STS.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::{Attached, Configured, Method, TokenSettings};
use crate::{IdentityId, routes, wire};

/// The method `aws-iam`.
pub struct Aws;

impl Method for Aws {
    const NAME: &'static str = "aws-iam";
    const ROUTE: &'static str = routes::AWS_AUTH_LOGIN;
    type Proof = Proof;
}

impl Configured for Aws {
    const SLUG: &'static str = "aws-auth";
    const CONFIGURATION: &'static str = routes::AWS_AUTH;
    type Settings = Settings;
    type Config = Config;
    type Answer = AwsAuthResponse;

    fn token_settings(settings: &Settings) -> &TokenSettings {
        &settings.token
    }

    fn answer(attached: Attached, config: Config) -> AwsAuthResponse {
        AwsAuthResponse { identity_aws_auth: IdentityAwsAuth { attached, config } }
    }

    fn parts(answer: AwsAuthResponse) -> (Attached, Config) {
        let it = answer.identity_aws_auth;
        (it.attached, it.config)
    }

    fn identity(proof: &Proof) -> IdentityId {
        proof.identity_id
    }

    fn organization_slug(proof: &Proof) -> Option<&str> {
        proof.organization_slug.as_deref()
    }
}

/// The header that binds a signed request to one server: its value is the server's origin. Our
/// own client signs it; a server accepts no other's, and can be told to require it.
pub const SERVER_HEADER: &str = "x-kms-server";

/// The body of the only request that is sent on.
pub const REQUEST_BODY: &str = "Action=GetCallerIdentity&Version=2011-06-15";

/// The proof: a request to STS, signed but not sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = AwsProof))]
#[serde(rename_all = "camelCase")]
pub struct Proof {
    /// The machine identity.
    pub identity_id: IdentityId,
    /// `POST`.
    #[serde(default = "post")]
    pub iam_http_request_method: String,
    /// [`REQUEST_BODY`] in base64.
    pub iam_request_body: String,
    /// The headers of the request as a JSON object of texts, in base64.
    #[serde(serialize_with = "wire::expose")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub iam_request_headers: SecretString,
    /// The sub-organization that the access token shall be scoped to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization_slug: Option<String>,
}

fn post() -> String {
    "POST".into()
}

/// Attaches or changes AWS auth; attaching needs accounts or principals that may log in.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = AwsSettings))]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// An STS endpoint of AWS; says which partition the accounts belong to. It is never called
    /// because it stands here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sts_endpoint: Option<String>,
    /// ARNs of the principals that may log in, as a comma list; `*` is possible in their names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_principal_arns: Option<String>,
    /// Ids of the accounts whose principals may log in, as a comma list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_account_ids: Option<String>,
    /// Whether the request must be signed for this server alone ([`SERVER_HEADER`]); not part of the
    /// compatible contract.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub require_server_header: Option<bool>,
    /// Settings of the tokens.
    #[serde(flatten)]
    pub token: TokenSettings,
}

/// What only AWS auth has, as stored and as answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = AwsConfig))]
#[serde(rename_all = "camelCase")]
pub struct Config {
    /// Always `iam`.
    pub r#type: String,
    /// See [`Settings`].
    pub sts_endpoint: String,
    /// See [`Settings`].
    pub allowed_principal_arns: String,
    /// See [`Settings`].
    pub allowed_account_ids: String,
    /// See [`Settings`].
    #[serde(default)]
    pub require_server_header: bool,
}

/// AWS auth of an identity, as answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IdentityAwsAuth {
    /// What every method has.
    #[serde(flatten)]
    pub attached: Attached,
    /// What only this one has.
    #[serde(flatten)]
    pub config: Config,
}

/// The answer that carries [`IdentityAwsAuth`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct AwsAuthResponse {
    /// The configuration.
    pub identity_aws_auth: IdentityAwsAuth,
}
