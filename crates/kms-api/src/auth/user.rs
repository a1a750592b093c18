//! What both sides of a person's login agree on: password, organization, second factor, refresh.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::{OrganizationId, wire};

/// The cookie that carries the refresh token (wire contract, user tokens).
pub const REFRESH_COOKIE: &str = "jid";

/// Logs in with an e-mail address and a password.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PasswordLogin {
    /// The address; white space around it and its case do not count.
    pub email: String,
    /// The password.
    #[serde(serialize_with = "wire::expose")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub password: SecretString,
}

/// The answer to [`PasswordLogin`], beside the cookie [`REFRESH_COOKIE`].
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PasswordLoginResponse {
    /// An access token that no organization was chosen for yet.
    pub access_token: String,
}

/// Chooses where a session acts.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SelectOrganization {
    /// An organization or a sub-organization.
    pub organization_id: OrganizationId,
    /// `cli` when the session is for a command line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
}

/// The answer to [`SelectOrganization`].
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SelectedOrganization {
    /// The access token for the organization; where a second factor is asked for, a token that is
    /// good for giving it and for nothing else.
    pub token: String,
    /// Whether a second factor is asked for.
    #[serde(default)]
    pub is_mfa_enabled: bool,
    /// Which: `email`, `totp` or `webauthn`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mfa_method: Option<String>,
}

/// Gives a code of the second factor.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct VerifyMfa {
    /// The code.
    #[serde(serialize_with = "wire::expose")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub mfa_token: SecretString,
    /// `email`, `totp` or `webauthn`; empty and left out are what the login waits for.
    #[serde(
        default,
        deserialize_with = "wire::blank_as_none",
        skip_serializing_if = "Option::is_none"
    )]
    pub mfa_method: Option<String>,
    /// The address that logs in, which some clients repeat; the token says who it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

/// Gives a recovery code in place of the second factor.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct VerifyRecoveryCode {
    /// The code, 8 characters; each is good once.
    #[serde(serialize_with = "wire::expose")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub recovery_code: SecretString,
}

/// The answer to a second factor that holds, beside the cookie [`REFRESH_COOKIE`].
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MfaVerified {
    /// An access token that says which second factor was given; the organization is chosen with
    /// it once more.
    pub token: String,
}

/// Whether a person has an authenticator app.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct HasTotp {
    /// Whether one is set up.
    pub is_verified: bool,
}

/// Whether a person has passkeys.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct HasPasskeys {
    /// Whether there is one.
    pub has_passkeys: bool,
}

/// The answer to a refresh, beside a new cookie [`REFRESH_COOKIE`].
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Refreshed {
    /// The new access token.
    pub token: String,
    /// The root organization that it acts in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization_id: Option<OrganizationId>,
    /// The sub-organization that it acts in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_organization_id: Option<OrganizationId>,
}

/// An answer that only says what was done.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Done {
    /// For people.
    pub message: String,
}

macro_rules! redacted {
    ($($name:ident),+) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(<redacted>)"))
            }
        }
    )+};
}

redacted!(PasswordLoginResponse, SelectedOrganization, MfaVerified, Refreshed);
