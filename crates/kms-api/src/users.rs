//! A person's own account and sessions.

use serde::{Deserialize, Serialize};

use crate::{SessionId, Timestamp, UserId};

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
    #[serde(default)]
    pub is_mfa_enabled: bool,
    /// Which second factor: `email`, `totp` or `webauthn`.
    #[serde(default)]
    pub selected_mfa_method: Option<String>,
    /// How the person may log in.
    #[serde(default)]
    pub auth_methods: Vec<String>,
    /// Whether the person administers the instance.
    #[serde(default)]
    pub super_admin: bool,
    /// Whether the address was shown to be the person's.
    #[serde(default)]
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
