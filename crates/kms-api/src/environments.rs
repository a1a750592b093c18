//! Environments of a project.

use serde::{Deserialize, Serialize};

use crate::{EnvironmentId, ProjectId, Timestamp};

/// An environment inside a project.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EnvironmentSummary {
    /// Its id.
    pub id: EnvironmentId,
    /// Its name.
    pub name: String,
    /// Its slug.
    pub slug: String,
}

/// An environment on its own.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Environment {
    /// Its id.
    pub id: EnvironmentId,
    /// Its name.
    pub name: String,
    /// Its slug.
    pub slug: String,
    /// Its place among the environments, from 1.
    pub position: i64,
    /// Its project.
    pub project_id: ProjectId,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// Makes an environment.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreateEnvironment {
    /// 1 to 64 characters.
    pub name: String,
    /// Lower-case letters, digits and hyphens, 1 to 64.
    pub slug: String,
    /// Its place, from 1; the last when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<i64>,
}

/// Changes an environment.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UpdateEnvironment {
    /// The new name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The new slug.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
    /// The new place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<i64>,
}

/// The answer to a write.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EnvironmentWritten {
    /// For people.
    pub message: String,
    /// The project's id.
    pub workspace: ProjectId,
    /// The environment.
    pub environment: Environment,
}

/// The answer to a read.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EnvironmentResponse {
    /// The environment.
    pub environment: Environment,
}
