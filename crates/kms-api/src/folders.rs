//! Folders: v1 spells the project `workspaceId` and the path `directory`; both are read.

use serde::{Deserialize, Serialize};

use crate::{
    EnvironmentId, FolderId, ProjectId, Timestamp,
    secrets::ProjectRef,
    wire::{WireBool, blank_as_none},
};

/// Where a folder is: the query of a list and the body of every write.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[serde(rename_all = "camelCase")]
pub struct FolderPlace {
    /// The project.
    #[serde(flatten)]
    pub project: ProjectRef,
    /// The environment's slug.
    #[serde(default, deserialize_with = "blank_as_none", skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The parent folder, `/` when left out.
    #[serde(default, deserialize_with = "blank_as_none", skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The parent folder, as v1 and the compatible CLI spell it.
    #[serde(default, deserialize_with = "blank_as_none", skip_serializing_if = "Option::is_none")]
    pub directory: Option<String>,
}

/// The query of a list.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[serde(rename_all = "camelCase")]
pub struct ListFoldersQuery {
    /// Where.
    #[serde(flatten)]
    pub place: FolderPlace,
    /// Whether folders below are listed too; false when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recursive: Option<WireBool>,
    /// Only folders whose secrets changed at or after this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_secret_modified: Option<Timestamp>,
}

/// The body of a create or rename.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct FolderBody {
    /// Where.
    #[serde(flatten)]
    pub place: FolderPlace,
    /// Letters, digits, `-` and `_`.
    pub name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// The body of a delete.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct DeleteFolder {
    /// Where.
    #[serde(flatten)]
    pub place: FolderPlace,
    /// Accepted and without effect: a delete always takes what is below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub force_delete: Option<bool>,
}

/// One folder of a batch.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BatchFolder {
    /// Which.
    pub id: FolderId,
    /// The environment's slug.
    pub environment: String,
    /// The new name.
    pub name: String,
    /// The parent folder, `/` when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// The body of a batch.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BatchFolders {
    /// The project.
    #[serde(flatten)]
    pub project: ProjectRef,
    /// The folders, at least one.
    pub folders: Vec<BatchFolder>,
}

/// The environment of a folder.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct FolderEnvironment {
    /// The environment's id.
    pub env_id: EnvironmentId,
    /// Its name.
    pub env_name: String,
    /// Its slug.
    pub env_slug: String,
    /// The id again, for the Terraform provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<EnvironmentId>,
}

/// A folder.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Folder {
    /// Its id.
    pub id: FolderId,
    /// Its name; `root` for the root folder.
    pub name: String,
    /// Counts from 1, by one for every rename.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// The environment's id.
    pub env_id: EnvironmentId,
    /// The parent; null for the root folder.
    pub parent_id: Option<FolderId>,
    /// Whether the server owns it.
    pub is_reserved: bool,
    /// What it is for.
    pub description: Option<String>,
    /// When a secret in it last changed.
    pub last_secret_modified: Option<Timestamp>,
    /// Its absolute path (create, update, get).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Its path below the folder that was listed (recursive list).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relative_path: Option<String>,
    /// Its project (get).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<ProjectId>,
    /// Its environment (get).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<FolderEnvironment>,
}

/// The answer about one folder.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FolderResponse {
    /// The folder.
    pub folder: Folder,
}

/// The answer to a list.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FoldersResponse {
    /// The folders, by name.
    pub folders: Vec<Folder>,
}
