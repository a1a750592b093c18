//! Imports of the secrets of one folder into another: v1 spells the project `workspaceId`, v2
//! `projectId`; both are read.

use serde::{Deserialize, Serialize};

use crate::{
    EnvironmentId, FolderId, ProjectId, SecretImportId, Timestamp,
    secrets::{ProjectRef, SecretImport},
    wire::blank_as_none,
};

/// The folder that imports: the query of a read and part of the body of every write.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[serde(rename_all = "camelCase")]
pub struct ImportPlace {
    /// The project.
    #[serde(flatten)]
    pub project: ProjectRef,
    /// The environment's slug.
    #[serde(default, deserialize_with = "blank_as_none", skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The folder, `/` when left out.
    #[serde(default, deserialize_with = "blank_as_none", skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

/// The folder that is imported.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImportSource {
    /// The environment's slug.
    pub environment: String,
    /// The folder; it need not exist.
    pub path: String,
}

/// The body of a create.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CreateImport {
    /// The folder that imports.
    #[serde(flatten)]
    pub place: ImportPlace,
    /// The folder that is imported.
    pub import: ImportSource,
    /// Whether the secrets are copied instead of read where they are; refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_replication: Option<bool>,
}

/// What changes of an import.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImportChange {
    /// Another environment, by its slug.
    #[serde(default, deserialize_with = "blank_as_none", skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Another folder.
    #[serde(default, deserialize_with = "blank_as_none", skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Another position, counted from 1; the others make room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<i64>,
}

/// The body of an update.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UpdateImport {
    /// The folder that imports.
    #[serde(flatten)]
    pub place: ImportPlace,
    /// What changes.
    #[serde(default)]
    pub import: ImportChange,
}

/// An environment of an import.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImportEnvironment {
    /// Its id.
    pub id: EnvironmentId,
    /// Its name.
    pub name: String,
    /// Its slug.
    pub slug: String,
}

/// An import.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Import {
    /// Its id.
    pub id: SecretImportId,
    /// Counts from 1, by one for every change.
    #[serde(default)]
    pub version: i64,
    /// The folder that is imported.
    pub import_path: String,
    /// The environment of the folder that is imported.
    pub import_env: ImportEnvironment,
    /// Counts from 1; what stands later wins.
    #[serde(default)]
    pub position: i64,
    /// The folder that imports.
    #[serde(default)]
    pub folder_id: Option<FolderId>,
    /// Whether secrets are copied; never on this server.
    #[serde(default)]
    pub is_replication: bool,
    /// Null on this server.
    #[serde(default)]
    pub is_replication_success: Option<bool>,
    /// Null on this server.
    #[serde(default)]
    pub replication_status: Option<String>,
    /// Null on this server.
    #[serde(default)]
    pub last_replicated: Option<Timestamp>,
    /// Whether the server owns it.
    #[serde(default)]
    pub is_reserved: Option<bool>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// The environment of the folder that imports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<ImportEnvironment>,
    /// Its project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<ProjectId>,
    /// The path of the folder that imports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_path: Option<String>,
}

/// The answer to a write of an import.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ImportResponse {
    /// What was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The import.
    pub secret_import: Import,
}

/// The answer to a list.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ImportsResponse {
    /// What was done.
    #[serde(default)]
    pub message: String,
    /// The imports, by position.
    pub secret_imports: Vec<Import>,
}

/// What the imports of a folder bring in.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImportedSecretsResponse {
    /// The imports, by position, each with its secrets.
    pub secrets: Vec<SecretImport>,
}
