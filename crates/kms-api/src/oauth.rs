//! Logging a command line in through the browser: OAuth 2.0 for one public client.
//!
//! Authorization code with PKCE to a loopback address (RFC 8252, RFC 7636), device authorization
//! (RFC 8628), server metadata (RFC 8414), the issuer in the answer (RFC 9207). Requests are forms;
//! errors have the form of RFC 6749, not that of the rest of the API.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::{OrganizationId, UserId, wire};

/// The one client there is: the command line. It has no secret (RFC 8252, section 8.4).
pub const CLI_CLIENT: &str = "kms-cli";

/// `grant_type` of a device code (RFC 8628, section 3.4).
pub const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// What the server offers (RFC 8414, section 2).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ServerMetadata {
    /// Who issues; the origin that the server is found at, without a final slash.
    pub issuer: String,
    /// Where a browser is sent.
    pub authorization_endpoint: String,
    /// Where codes are traded for tokens.
    pub token_endpoint: String,
    /// Where a device code is had; absent where the instance offers none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_authorization_endpoint: Option<String>,
    /// Always `code`.
    pub response_types_supported: Vec<String>,
    /// Always `query`.
    #[serde(default)]
    pub response_modes_supported: Vec<String>,
    /// `authorization_code`, `refresh_token` and [`DEVICE_GRANT`].
    #[serde(default)]
    pub grant_types_supported: Vec<String>,
    /// Always `S256`.
    #[serde(default)]
    pub code_challenge_methods_supported: Vec<String>,
    /// Always `none`: the client is public.
    #[serde(default)]
    pub token_endpoint_auth_methods_supported: Vec<String>,
    /// Whether answers to the browser name the issuer (RFC 9207, section 3).
    #[serde(default)]
    pub authorization_response_iss_parameter_supported: bool,
}

/// What a browser is sent to the authorization endpoint with.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuthorizationRequest {
    /// `code`.
    pub response_type: String,
    /// [`CLI_CLIENT`].
    pub client_id: String,
    /// `http://127.0.0.1:PORT/PATH` or `http://[::1]:PORT/PATH`, or the page of this server that
    /// shows the code for pasting ([`crate::routes::OAUTH_CODE`]).
    pub redirect_uri: String,
    /// The base64url SHA-256 of the verifier, 43 characters (RFC 7636, section 4.2).
    pub code_challenge: String,
    /// `S256`.
    pub code_challenge_method: String,
    /// Comes back unchanged, so that the client knows its own request. Required here.
    pub state: String,
    /// The organization or sub-organization to act in, where the client knows it already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization_id: Option<OrganizationId>,
    /// The name of the machine that asks, for the page that asks for confirmation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
}

/// What is traded for tokens. Which fields are needed depends on `grant_type`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = OAuthTokenRequest))]
pub struct TokenRequest {
    /// `authorization_code`, `refresh_token` or [`DEVICE_GRANT`].
    pub grant_type: String,
    /// [`CLI_CLIENT`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The authorization code.
    #[serde(default, serialize_with = "wire::expose_opt", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub code: Option<SecretString>,
    /// The same as in the authorization request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect_uri: Option<String>,
    /// What `code_challenge` was made of.
    #[serde(default, serialize_with = "wire::expose_opt", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub code_verifier: Option<SecretString>,
    /// The device code.
    #[serde(default, serialize_with = "wire::expose_opt", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub device_code: Option<SecretString>,
    /// The refresh token.
    #[serde(default, serialize_with = "wire::expose_opt", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub refresh_token: Option<SecretString>,
}

/// The tokens of a session (RFC 6749, section 5.1), and whose they are, so that nobody has to ask.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = OAuthTokenResponse))]
pub struct TokenResponse {
    /// The access token.
    pub access_token: String,
    /// Always `Bearer`.
    pub token_type: String,
    /// Seconds that the access token lives.
    pub expires_in: i64,
    /// Good for the next pair, here or as the cookie [`crate::auth::user::REFRESH_COOKIE`].
    pub refresh_token: String,
    /// Who logged in, and where they act.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionDescription>,
}

/// Who logged in, and where they act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionDescription {
    /// The user.
    pub user_id: UserId,
    /// The user's e-mail address.
    pub email: String,
    /// The root organization.
    pub organization: OrganizationName,
    /// The sub-organization, where one was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_organization: Option<OrganizationName>,
}

/// What an organization is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OrganizationName {
    /// Its id.
    pub id: OrganizationId,
    /// Its name, as people wrote it.
    pub name: String,
    /// Its slug.
    pub slug: String,
}

/// Why there are no tokens (RFC 6749, section 5.2; RFC 8628, section 3.5). Status 400.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OAuthErrorBody {
    /// Such as `invalid_grant`, `authorization_pending` or `slow_down`.
    pub error: String,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_description: Option<String>,
}

/// Asks for a device code (RFC 8628, section 3.1).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeviceAuthorizationRequest {
    /// [`CLI_CLIENT`].
    pub client_id: String,
    /// The organization or sub-organization to act in, where the client knows it already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization_id: Option<OrganizationId>,
    /// The name of the machine that asks, for the page that asks for confirmation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
}

/// A device code, and what its owner types elsewhere (RFC 8628, section 3.2).
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeviceAuthorizationResponse {
    /// What the client polls with.
    pub device_code: String,
    /// What the person types.
    pub user_code: String,
    /// Where it is typed.
    pub verification_uri: String,
    /// The same with the code in it, for a link or a picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification_uri_complete: Option<String>,
    /// Seconds that both codes live.
    pub expires_in: i64,
    /// Seconds between two polls at least.
    #[serde(default = "default_interval")]
    pub interval: i64,
}

/// What is meant where `interval` is left out (RFC 8628, section 3.2).
fn default_interval() -> i64 {
    5
}
