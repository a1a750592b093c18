//! Secrets that go to another folder: moved, or copied.

use serde::{Deserialize, Serialize};

use crate::{SecretId, secrets::ProjectRef};

/// From where to where.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Ways {
    /// The project.
    #[serde(flatten)]
    pub project: ProjectRef,
    /// The slug of the environment that the secrets are in.
    pub source_environment: String,
    /// The folder that they are in, `/` when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_secret_path: Option<String>,
    /// The slug of the environment that they go to.
    pub destination_environment: String,
    /// The folder that they go to, `/` when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination_secret_path: Option<String>,
    /// Whether secrets of the same names that are there already get another version; else their
    /// names are refused.
    #[serde(default)]
    pub should_overwrite: bool,
}

/// The body of a move.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct MoveSecrets {
    /// From where to where.
    #[serde(flatten)]
    pub ways: Ways,
    /// The secrets, at least one.
    pub secret_ids: Vec<SecretId>,
}

/// The answer to a move.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct MoveResponse {
    /// Whether something left the source.
    pub is_source_updated: bool,
    /// Whether something came to the destination.
    pub is_destination_updated: bool,
}

/// The body of a copy.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct DuplicateSecrets {
    /// From where to where.
    #[serde(flatten)]
    pub ways: Ways,
    /// The secrets; when left out, everything in the folder and below it, with its folders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ids: Option<Vec<SecretId>>,
}
