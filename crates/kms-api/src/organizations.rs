//! Organizations and sub-organizations.

use serde::{Deserialize, Serialize};

use crate::{
    MembershipId, OrganizationId, ProjectId, Timestamp, UserId, memberships::MemberUser,
    wire::WireBool,
};

/// An organization.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "as on the wire")]
pub struct Organization {
    /// Its id.
    pub id: OrganizationId,
    /// Its name.
    pub name: String,
    /// Its slug.
    pub slug: String,
    /// Always null: there is no billing.
    #[serde(default)]
    pub customer_id: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Whether single sign-on is enforced.
    #[serde(default)]
    pub auth_enforced: bool,
    /// Whether administrators may log in by themselves all the same, with a second factor.
    #[serde(default)]
    pub bypass_org_auth_enabled: bool,
    /// Whether SCIM is on.
    #[serde(default)]
    pub scim_enabled: bool,
    /// Always null: keys are the server's own.
    #[serde(default)]
    pub kms_default_key_id: Option<String>,
    /// The role of new members.
    #[serde(default)]
    pub default_membership_role: String,
    /// Whether a second factor is enforced.
    #[serde(default)]
    pub enforce_mfa: bool,
    /// Which second factor is asked for: `email`, `totp` or `webauthn`.
    #[serde(default)]
    pub selected_mfa_method: Option<String>,
    /// How long a person's session lasts at most, such as `8h`.
    #[serde(default)]
    pub user_token_expiration: Option<String>,
    /// Whether members may approve logins of devices that have no browser.
    #[serde(default = "allowed")]
    pub allow_device_login: bool,
    /// The organization at the root of the tree; null for a root.
    #[serde(default)]
    pub root_org_id: Option<OrganizationId>,
    /// The organization above; null for a root.
    #[serde(default)]
    pub parent_org_id: Option<OrganizationId>,
    /// The caller's role, in a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_role: Option<String>,
    /// When the caller joined, in a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_joined_at: Option<Timestamp>,
}

/// The answer about one organization.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OrganizationResponse {
    /// The organization.
    pub organization: Organization,
}

/// The answer to a list.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OrganizationsResponse {
    /// The organizations.
    pub organizations: Vec<Organization>,
}

/// Changes an organization.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct UpdateOrganization {
    /// 1 to 64 letters, digits, hyphens, underscores and spaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Lower-case letters, digits and hyphens, 1 to 64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
    /// The role of new members: `admin`, `member` or `no-access`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_membership_role_slug: Option<String>,
    /// Whether people must give a second factor; of a root organization only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enforce_mfa: Option<bool>,
    /// Which: `email`, `totp` or `webauthn`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selected_mfa_method: Option<String>,
    /// How long a person's session lasts at most: a number and `m`, `h`, `d` or `w`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_token_expiration: Option<String>,
    /// Whether members may approve logins of devices that have no browser; of a root organization
    /// only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_device_login: Option<bool>,
    /// Whether people act in it only by its own identity provider; of a root organization only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_enforced: Option<bool>,
    /// Whether its administrators may log in by themselves all the same, with a second factor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bypass_org_auth_enabled: Option<bool>,
}

/// What holds where a server says nothing about a switch.
fn allowed() -> bool {
    true
}

/// Makes an organization.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreateOrganization {
    /// 1 to 64 letters, digits, hyphens, underscores and spaces.
    pub name: String,
}

/// The answer to a change.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OrganizationWritten {
    /// For people.
    pub message: String,
    /// The organization.
    pub organization: Organization,
}

/// A user's membership in an organization.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct OrganizationUser {
    /// The membership's id.
    pub id: MembershipId,
    /// The user's role.
    pub role: String,
    /// `accepted` or `invited`.
    pub status: String,
    /// The address an invitation went to.
    pub invite_email: Option<String>,
    /// The organization.
    pub org_id: OrganizationId,
    /// Null for a built-in role.
    pub role_id: Option<uuid::Uuid>,
    /// Whether the member may act.
    pub is_active: bool,
    /// The user.
    pub user: MemberUser,
}

/// The answer to a list of members.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OrganizationUsersResponse {
    /// The members.
    pub users: Vec<OrganizationUser>,
}

/// A person's membership in an organization.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct OrganizationMembership {
    /// The membership's id.
    pub id: MembershipId,
    /// The person's role.
    pub role: String,
    /// `accepted` or `invited`.
    pub status: String,
    /// The address an invitation went to.
    pub invite_email: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// The person.
    pub user_id: UserId,
    /// The organization.
    pub org_id: OrganizationId,
    /// Null for a built-in role.
    pub role_id: Option<uuid::Uuid>,
    /// Whether the member may act.
    pub is_active: bool,
    /// The person; without a name until the invitation was accepted.
    pub user: MemberUser,
}

/// The answer about one membership in an organization.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OrganizationMembershipResponse {
    /// The membership.
    pub membership: OrganizationMembership,
}

/// Changes a membership in an organization.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct UpdateOrganizationMembership {
    /// `admin`, `member` or `no-access`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Whether the member may act.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
}

/// Makes a sub-organization of the organization that the token acts in.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreateSubOrganization {
    /// Its name: lower-case letters, digits and hyphens, 1 to 64.
    pub name: String,
    /// Its slug, unique below the root; the name when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
}

/// Changes a sub-organization.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UpdateSubOrganization {
    /// A new name, as in [`CreateSubOrganization`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A new slug.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
}

/// The query of a list of sub-organizations.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ListSubOrganizationsQuery {
    /// How many to pass over, 0 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<String>,
    /// How many to answer, 1 to 1,000, 1,000 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<String>,
    /// Only those that the caller may act in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<bool>))]
    pub is_accessible: Option<WireBool>,
}

/// The answer to a list of sub-organizations.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SubOrganizationsResponse {
    /// One page, by name.
    pub organizations: Vec<Organization>,
    /// How many there are in all.
    pub total_count: i64,
}

/// An environment in [`OrganizationWorkspace`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EnvironmentName {
    /// Its name.
    pub name: String,
    /// Its slug.
    pub slug: String,
}

/// A project of an organization.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OrganizationWorkspace {
    /// Its id.
    pub id: ProjectId,
    /// Its name.
    pub name: String,
    /// Its slug.
    pub slug: String,
    /// Its organization.
    pub organization: OrganizationId,
    /// Its environments.
    pub environments: Vec<EnvironmentName>,
}

/// The answer to a list of projects.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OrganizationWorkspacesResponse {
    /// The projects.
    pub workspaces: Vec<OrganizationWorkspace>,
}

/// A sub-organization that the caller is a member of.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AccessibleSubOrganization {
    /// Its id.
    pub id: OrganizationId,
    /// Its name.
    pub name: String,
    /// Its slug, unique below its root.
    pub slug: String,
}

/// A root organization that the caller is a member of, with the sub-organizations below it that
/// the caller is a member of too.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct AccessibleOrganization {
    /// Its id.
    pub id: OrganizationId,
    /// Its name.
    pub name: String,
    /// Its slug.
    pub slug: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When the caller joined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_joined_at: Option<Timestamp>,
    /// The sub-organizations, by name.
    #[serde(default)]
    pub sub_organizations: Vec<AccessibleSubOrganization>,
}

/// The answer to [`crate::routes::ACCESSIBLE_ORGANIZATIONS`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AccessibleOrganizationsResponse {
    /// The organizations, by name.
    pub organizations: Vec<AccessibleOrganization>,
}
