//! What was: a secret taken back to a version, and a folder at a point in time. The routes are our
//! own.

use serde::{Deserialize, Serialize};

use crate::{
    Timestamp,
    secrets::ProjectRef,
    wire::{WireBool, blank_as_none},
};

/// The body that takes a secret back.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RollbackSecret {
    /// The version whose value, comment, metadata, tags and multiline flag come back, in a new
    /// version.
    pub version: i64,
}

/// The query of a folder as it was.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[serde(rename_all = "camelCase")]
pub struct SecretsAtQuery {
    /// The project.
    #[serde(flatten)]
    pub project: ProjectRef,
    /// The environment's slug.
    #[serde(default, deserialize_with = "blank_as_none", skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The folder as it is called today, `/` when left out.
    #[serde(default, deserialize_with = "blank_as_none", skip_serializing_if = "Option::is_none")]
    pub secret_path: Option<String>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// Whether folders below are answered too; false when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recursive: Option<WireBool>,
    /// Whether values are wanted; true when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view_secret_value: Option<WireBool>,
}
