//! Roles of a project, and what the caller's roles allow.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{IdentityId, MembershipId, ProjectId, RoleId, Timestamp, UserId, permissions::Rule};

/// A role of a project.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ProjectRole {
    /// Its id; a built-in role has the same one in every project.
    pub id: RoleId,
    /// Its name for people.
    pub name: String,
    /// Its slug, as memberships name it.
    pub slug: String,
    /// What it is for.
    pub description: Option<String>,
    /// The project.
    pub project_id: ProjectId,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Its rules, in order; not told in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Vec<Rule>>,
}

/// Makes a role.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreateRole {
    /// Its slug, unique in the project and not one of the built-in roles'.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: Option<String>,
    /// Its rules, in order; the last that matches decides.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Rule>))]
    pub permissions: Vec<Value>,
}

/// Changes what is given of a role.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UpdateRole {
    /// Its slug.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
    /// Its name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its rules, all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<Rule>>))]
    pub permissions: Option<Vec<Value>>,
}

/// The answer about one role.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RoleResponse {
    /// The role.
    pub role: ProjectRole,
}

/// The answer to a list.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProjectRolesResponse {
    /// The roles, the built-in ones first.
    pub roles: Vec<ProjectRole>,
}

/// A role's slug in [`CallerMembership`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RoleName {
    /// The slug.
    pub role: String,
}

/// The caller's membership in a project.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CallerMembership {
    /// The membership's id.
    pub id: MembershipId,
    /// The project.
    pub project_id: ProjectId,
    /// The caller, if a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// The caller, if a machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity_id: Option<IdentityId>,
    /// The roles in force or not.
    pub roles: Vec<RoleName>,
}

/// What the caller may do in a project.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CallerPermissions {
    /// The rules in force, packed: `[actions, subject, conditions, inverted]`, several actions
    /// with commas between them, a zero for what is absent, zeros at the end left out.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Vec<Object>>))]
    pub permissions: Vec<Vec<Value>>,
    /// The memberships that they come from.
    pub memberships: Vec<CallerMembership>,
    /// The first of them; for older clients.
    pub membership: CallerMembership,
}

/// The answer about the caller's permissions.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CallerPermissionsResponse {
    /// The permissions.
    pub data: CallerPermissions,
}
