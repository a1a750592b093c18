//! Projects, called workspaces on older routes.

use serde::{Deserialize, Serialize};

use crate::{
    OrganizationId, ProjectId, Timestamp,
    environments::EnvironmentSummary,
    wire::{WireBool, blank_as_none},
};

/// A project.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Project {
    /// Its id.
    pub id: ProjectId,
    /// The id again, for older clients.
    #[serde(rename = "_id")]
    pub underscore_id: ProjectId,
    /// Its name.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: Option<String>,
    /// `secret-manager`.
    #[serde(default)]
    pub r#type: String,
    /// Its slug, unique in the organization.
    pub slug: String,
    /// Its organization.
    pub org_id: OrganizationId,
    /// Whether names must be upper-case.
    #[serde(default)]
    pub auto_capitalization: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// The layout of the store; 3 is the current one.
    #[serde(default)]
    pub version: i64,
    /// Always null: there is nothing to upgrade.
    #[serde(default)]
    pub upgrade_status: Option<String>,
    /// How many versions of a secret are kept for point-in-time reads.
    #[serde(default)]
    pub pit_version_limit: i64,
    /// Days that audit records are kept; null means the instance's setting.
    #[serde(default)]
    pub audit_logs_retention_days: Option<i64>,
    /// Whether a delete is refused.
    #[serde(default)]
    pub has_delete_protection: bool,
    /// Whether secrets may be shared by link.
    #[serde(default)]
    pub secret_sharing: bool,
    /// Always null: keys are the server's own.
    #[serde(default)]
    pub kms_certificate_key_id: Option<String>,
    /// Always null: keys are the server's own.
    #[serde(default)]
    pub kms_secret_manager_key_id: Option<String>,
    /// Its environments in their order.
    #[serde(default)]
    pub environments: Vec<EnvironmentSummary>,
}

/// Makes a project.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CreateProject {
    /// 1 to 64 characters.
    pub project_name: String,
    /// What it is for, at most 256 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_description: Option<String>,
    /// 5 to 36 characters; made from the name when left out.
    #[serde(default, deserialize_with = "blank_as_none", skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
    /// `secret-manager` when left out; other products are not offered.
    #[serde(default, deserialize_with = "blank_as_none", skip_serializing_if = "Option::is_none")]
    pub r#type: Option<String>,
    /// Whether `dev`, `staging` and `prod` are made; true when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub should_create_default_envs: Option<bool>,
    /// Whether a delete is refused; false when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub has_delete_protection: Option<bool>,
}

/// The query of a list.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[serde(rename_all = "camelCase")]
pub struct ListProjectsQuery {
    /// Only projects of this type; `all` or left out for every type.
    #[serde(default, deserialize_with = "blank_as_none", skip_serializing_if = "Option::is_none")]
    pub r#type: Option<String>,
    /// Accepted; roles are not part of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub include_roles: Option<WireBool>,
}

/// Changes a project.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct UpdateProject {
    /// At most 64 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// At most 256 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// At most 64 characters.
    #[serde(default, deserialize_with = "blank_as_none", skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
    /// Whether names must be upper-case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_capitalization: Option<bool>,
    /// Whether a delete is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub has_delete_protection: Option<bool>,
    /// Whether secrets may be shared by link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_sharing: Option<bool>,
    /// 1 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pit_version_limit: Option<i64>,
}

/// The answer to a change of a project: some clients read it at the top level.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProjectChanged {
    /// The project.
    pub project: Project,
    /// The same once more.
    #[serde(flatten)]
    pub bare: Project,
}

/// The answer about one project.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProjectResponse {
    /// The project.
    pub project: Project,
}

/// The answer about one project on older routes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WorkspaceResponse {
    /// The project.
    pub workspace: Project,
}

/// The answer to a list.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProjectsResponse {
    /// The projects.
    pub projects: Vec<Project>,
}

/// The answer to a list on older routes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WorkspacesResponse {
    /// The projects.
    pub workspaces: Vec<Project>,
}
