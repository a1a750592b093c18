//! A person's own account and sessions.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::{SessionId, Timestamp, UserId, wire};

/// A person's account as its owner sees it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// The name to log in with.
    pub username: String,
    /// The e-mail address.
    pub email: String,
    /// The first name.
    pub first_name: Option<String>,
    /// The last name.
    pub last_name: Option<String>,
    /// Whether the person asks for a second factor everywhere.
    #[serde(default, deserialize_with = "wire::null_as_default")]
    pub is_mfa_enabled: bool,
    /// Which second factor: `email`, `totp` or `webauthn`.
    #[serde(default)]
    pub selected_mfa_method: Option<String>,
    /// How the person may log in.
    #[serde(default, deserialize_with = "wire::null_as_default")]
    pub auth_methods: Vec<String>,
    /// Whether the person administers the instance.
    #[serde(default, deserialize_with = "wire::null_as_default")]
    pub super_admin: bool,
    /// Whether the address was shown to be the person's.
    #[serde(default, deserialize_with = "wire::null_as_default")]
    pub is_email_verified: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// The answer about the person.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UserResponse {
    /// The person.
    pub user: User,
}

/// One login of a person that has not ended. The list of them is a bare array on the wire.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// Its id, `tokenVersionId` of its tokens.
    pub id: SessionId,
    /// The address that it was started from.
    #[serde(default)]
    pub ip: Option<String>,
    /// The program that it was started with.
    #[serde(default)]
    pub user_agent: Option<String>,
    /// When it was last refreshed.
    #[serde(default)]
    pub last_used: Option<Timestamp>,
    /// When it was started.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// Changes what second factor a person asks for everywhere.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct UpdateMfa {
    /// Whether one is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_mfa_enabled: Option<bool>,
    /// Which: `email` or `totp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selected_mfa_method: Option<String>,
}

/// Whether a person has an authenticator app.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct TotpState {
    /// Whether a code of it was accepted once.
    pub is_verified: bool,
    /// Always empty: recovery codes are shown when they are made and never again.
    pub recovery_codes: Vec<String>,
}

/// The answer to setting up an authenticator app.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct TotpRegistration {
    /// The `otpauth:` link that the app takes the seed from, once.
    pub otp_url: String,
    /// Always empty: they come once a code was given.
    pub recovery_codes: Vec<String>,
}

/// A code of an authenticator app.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TotpCode {
    /// Six digits.
    #[serde(serialize_with = "wire::expose")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub totp: SecretString,
}

/// A code of an authenticator app, where the login did not ask for one.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OptionalTotpCode {
    /// Six digits.
    #[serde(default, serialize_with = "wire::expose_opt", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub totp: Option<SecretString>,
}

/// The answer to the first code of an authenticator app.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct TotpConfirmed {
    /// True.
    pub success: bool,
    /// Each is good once in place of a code; they are not shown again.
    pub recovery_codes: Vec<String>,
}

/// New recovery codes.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RecoveryCodes {
    /// Each is good once in place of a code; they are not shown again.
    pub recovery_codes: Vec<String>,
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

redacted!(TotpRegistration, TotpConfirmed, RecoveryCodes);
