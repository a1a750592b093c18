//! Memberships in projects and their roles.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    IdentityId, MembershipId, MembershipRoleId, ProjectId, Timestamp, UserId, identities::Identity,
};

/// A role as it is given.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RoleInput {
    /// `admin`, `member`, `viewer`, `no-access` or a custom role's slug.
    pub role: String,
    /// Whether it ends by itself; false when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_temporary: Option<bool>,
    /// `relative`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temporary_mode: Option<String>,
    /// How long, such as `1h` or `30d`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temporary_range: Option<String>,
    /// From when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temporary_access_start_time: Option<Timestamp>,
}

/// A role as it is answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct MembershipRole {
    /// Its id.
    pub id: MembershipRoleId,
    /// A built-in role's slug, or `custom`.
    pub role: String,
    /// Null for a built-in role.
    pub custom_role_id: Option<Uuid>,
    /// Null for a built-in role.
    pub custom_role_name: Option<String>,
    /// Null for a built-in role.
    pub custom_role_slug: Option<String>,
    /// Whether it ends by itself.
    pub is_temporary: bool,
    /// `relative` when temporary.
    pub temporary_mode: Option<String>,
    /// How long when temporary.
    pub temporary_range: Option<String>,
    /// From when.
    pub temporary_access_start_time: Option<Timestamp>,
    /// Until when.
    pub temporary_access_end_time: Option<Timestamp>,
}

/// Makes an identity a member, or replaces its roles.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IdentityMembershipBody {
    /// One role, the older form; `no-access` when both are left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The roles, at least one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<RoleInput>>,
}

/// The project in a membership.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProjectName {
    /// Its id.
    pub id: ProjectId,
    /// Its name.
    pub name: String,
}

/// An identity's membership in a project.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct IdentityMembership {
    /// The membership's id.
    pub id: MembershipId,
    /// The project's id.
    pub project_id: ProjectId,
    /// The identity's id.
    pub identity_id: IdentityId,
    /// When it became a member.
    pub created_at: Timestamp,
    /// When the membership last changed.
    pub updated_at: Timestamp,
    /// Its roles.
    #[serde(default)]
    pub roles: Vec<MembershipRole>,
    /// The method it last logged in with.
    #[serde(default)]
    pub last_login_auth_method: Option<String>,
    /// When it last logged in.
    #[serde(default)]
    pub last_login_time: Option<Timestamp>,
    /// The identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
    /// The project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<ProjectName>,
}

/// The query of a list.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[serde(rename_all = "camelCase")]
pub struct ListMembershipsQuery {
    /// How many to pass over, 0 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<String>,
    /// How many to answer, 1 to 1,000, 20 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<String>,
    /// Part of the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity_name: Option<String>,
}

/// The answer about one membership.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct IdentityMembershipResponse {
    /// The membership.
    pub identity_membership: IdentityMembership,
}

/// The answer to a list.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct IdentityMembershipsResponse {
    /// One page.
    pub identity_memberships: Vec<IdentityMembership>,
    /// How many there are in all.
    pub total_count: i64,
}

/// The answer to replacing roles on the older route.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RolesResponse {
    /// The roles.
    pub roles: Vec<MembershipRole>,
}

/// The user in a membership.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct MemberUser {
    /// The user's id.
    pub id: UserId,
    /// The user's e-mail address.
    pub email: Option<String>,
    /// The user's name to log in with.
    pub username: String,
    /// The user's first name.
    pub first_name: Option<String>,
    /// The user's last name.
    pub last_name: Option<String>,
    /// Always null: keys are the server's.
    pub public_key: Option<String>,
}

/// A user's membership in a project.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct UserMembership {
    /// The membership's id.
    pub id: MembershipId,
    /// The user's id.
    pub user_id: UserId,
    /// The project's id.
    pub project_id: ProjectId,
    /// When the user became a member.
    pub created_at: Timestamp,
    /// When the membership last changed.
    pub updated_at: Timestamp,
    /// The user.
    pub user: MemberUser,
    /// The project.
    pub project: ProjectName,
    /// The roles.
    pub roles: Vec<MembershipRole>,
}

/// The answer to a list of users' memberships.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UserMembershipsResponse {
    /// The memberships.
    pub memberships: Vec<UserMembership>,
}

/// The answer to a list of users' memberships on the older route.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProjectUsersResponse {
    /// The memberships.
    pub users: Vec<UserMembership>,
}

/// Makes people of the organization members of a project.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct AddMembers {
    /// Their e-mail addresses.
    #[serde(default)]
    pub emails: Vec<String>,
    /// Their names to log in with.
    #[serde(default)]
    pub usernames: Vec<String>,
    /// Their roles, at least one; `member` when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_slugs: Option<Vec<String>>,
}

/// Ends the memberships of people in a project.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RemoveMembers {
    /// Their e-mail addresses.
    #[serde(default)]
    pub emails: Vec<String>,
    /// Their names to log in with.
    #[serde(default)]
    pub usernames: Vec<String>,
}

/// Replaces the roles of a person in a project.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UpdateMember {
    /// The roles, at least one that does not end by itself.
    pub roles: Vec<RoleInput>,
}

/// Names a person in a project.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FindMember {
    /// The name to log in with.
    pub username: String,
}

/// The answer about one person's membership.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UserMembershipResponse {
    /// The membership.
    pub membership: UserMembership,
}
