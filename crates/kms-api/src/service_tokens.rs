//! Service tokens: `st.ID.SECRET`, and after that a part that is the client's own.

use serde::{Deserialize, Serialize};

use crate::{ProjectId, ServiceTokenId, Timestamp, UserId};

/// How every service token begins.
pub const PREFIX: &str = "st.";

/// A place that a token is good for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Scope {
    /// The environment's slug.
    pub environment: String,
    /// A folder, or a pattern of folders.
    pub secret_path: String,
}

/// What a token is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Permission {
    /// Reading secrets, folders and imports.
    Read,
    /// Creating, changing and deleting them.
    Write,
}

/// Makes a token.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CreateServiceToken {
    /// Its name.
    pub name: String,
    /// The project.
    pub workspace_id: String,
    /// The places, at least one.
    pub scopes: Vec<Scope>,
    /// Seconds until it ends; 0 or null for never.
    #[serde(default)]
    pub expires_in: Option<i64>,
    /// `read`, `write` or both.
    pub permissions: Vec<Permission>,
    /// Of older projects, whose keys are the client's; not read.
    #[serde(default)]
    pub encrypted_key: Option<String>,
    /// Not read.
    #[serde(default)]
    pub iv: Option<String>,
    /// Not read.
    #[serde(default)]
    pub tag: Option<String>,
}

/// A token without what it is shown by.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ServiceTokenData {
    /// Its id.
    pub id: ServiceTokenId,
    /// The same.
    #[serde(rename = "_id", default)]
    pub underscore_id: Option<ServiceTokenId>,
    /// Its name.
    pub name: String,
    /// The project.
    pub project_id: ProjectId,
    /// The same.
    #[serde(default)]
    pub workspace: Option<ProjectId>,
    /// The places that it is good for.
    pub scopes: Vec<Scope>,
    /// What it is good for.
    pub permissions: Vec<Permission>,
    /// Who made it.
    pub created_by: UserId,
    /// The same.
    #[serde(default)]
    pub user: Option<UserId>,
    /// When it was last used, to ten minutes.
    pub last_used: Option<Timestamp>,
    /// When it ends; never when null.
    pub expires_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// Who made a token.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ServiceTokenUser {
    /// The account.
    pub id: UserId,
    /// The same.
    #[serde(rename = "_id")]
    pub underscore_id: UserId,
    /// The e-mail address.
    pub email: Option<String>,
    /// The first name.
    pub first_name: Option<String>,
    /// The last name.
    pub last_name: Option<String>,
    /// When the account was made.
    pub created_at: Option<Timestamp>,
    /// When it last changed.
    pub updated_at: Option<Timestamp>,
    /// Always 0.
    #[serde(rename = "__v", default)]
    pub revision: i64,
}

/// A token as it is told to whoever shows it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct OwnServiceToken {
    /// Its id.
    pub id: ServiceTokenId,
    /// The same.
    #[serde(rename = "_id", default)]
    pub underscore_id: Option<ServiceTokenId>,
    /// Its name.
    pub name: String,
    /// The project.
    pub project_id: ProjectId,
    /// The same.
    #[serde(default)]
    pub workspace: Option<ProjectId>,
    /// The places that it is good for.
    pub scopes: Vec<Scope>,
    /// What it is good for.
    pub permissions: Vec<Permission>,
    /// Who made it.
    pub created_by: UserId,
    /// Who that is; null when the account is gone.
    #[serde(default)]
    pub user: Option<ServiceTokenUser>,
    /// When it was last used, to ten minutes.
    pub last_used: Option<Timestamp>,
    /// When it ends; never when null.
    pub expires_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Always 0.
    #[serde(rename = "__v", default)]
    pub revision: i64,
}

/// The answer to making a token: the one time that it is shown.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CreateServiceTokenResponse {
    /// The token.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    #[serde(serialize_with = "crate::wire::expose")]
    pub service_token: secrecy::SecretString,
    /// The token without what it is shown by.
    pub service_token_data: ServiceTokenData,
}

/// The answer to deleting a token.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ServiceTokenResponse {
    /// The token that ended.
    pub service_token_data: ServiceTokenData,
}

/// The answer to a list.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ServiceTokensResponse {
    /// The tokens, oldest first.
    pub service_token_data: Vec<ServiceTokenData>,
}
