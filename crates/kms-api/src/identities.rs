//! Machine identities and their membership in an organization.

use serde::{Deserialize, Serialize};

use crate::{IdentityId, MembershipId, OrganizationId, Timestamp};

/// A key and value that describe an identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IdentityMetadata {
    /// At least one character.
    pub key: String,
    /// The value.
    pub value: String,
}

/// A machine identity.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// Its id.
    pub id: IdentityId,
    /// Its name.
    pub name: String,
    /// Whether a delete is refused.
    #[serde(default)]
    pub has_delete_protection: bool,
    /// Its organization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org_id: Option<OrganizationId>,
    /// The attached auth methods, by their names.
    #[serde(default)]
    pub auth_methods: Vec<String>,
    /// The first attached auth method; for older clients.
    #[serde(default)]
    pub auth_method: Option<String>,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When it last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// What describes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Vec<IdentityMetadata>>,
}

/// An identity's membership in its organization.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct OrganizationIdentity {
    /// The membership's id.
    pub id: MembershipId,
    /// Its role in the organization.
    pub role: String,
    /// Null for a built-in role.
    pub role_id: Option<uuid::Uuid>,
    /// The organization.
    pub org_id: OrganizationId,
    /// When it became a member.
    pub created_at: Timestamp,
    /// When the membership last changed.
    pub updated_at: Timestamp,
    /// The identity's id.
    pub identity_id: IdentityId,
    /// The method it last logged in with.
    pub last_login_auth_method: Option<String>,
    /// When it last logged in.
    pub last_login_time: Option<Timestamp>,
    /// The identity.
    pub identity: Identity,
}

/// Makes an identity.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CreateIdentity {
    /// 1 to 255 characters.
    pub name: String,
    /// The organization; that of the token when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization_id: Option<String>,
    /// Its role in the organization, `no-access` when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Whether a delete is refused; false when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub has_delete_protection: Option<bool>,
    /// What describes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Vec<IdentityMetadata>>,
}

/// Changes an identity.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct UpdateIdentity {
    /// The new name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The new role in the organization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Whether a delete is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub has_delete_protection: Option<bool>,
    /// Replaces what describes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Vec<IdentityMetadata>>,
}

/// The query of a list.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[serde(rename_all = "camelCase")]
pub struct ListIdentitiesQuery {
    /// The organization; that of the token when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org_id: Option<String>,
    /// How many to pass over, 0 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<String>,
    /// How many to answer, 1 to 1,000, all of them when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<String>,
    /// Part of the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
}

/// The answer to a write.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IdentityResponse {
    /// The identity.
    pub identity: Identity,
}

/// The answer to a read.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OrganizationIdentityResponse {
    /// The identity in its organization.
    pub identity: OrganizationIdentity,
}

/// The answer to a list.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct IdentitiesResponse {
    /// One page.
    pub identities: Vec<OrganizationIdentity>,
    /// How many there are in all.
    pub total_count: i64,
}

/// The answer to a list on the older organization route.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct OrganizationIdentitiesResponse {
    /// One page.
    pub identity_memberships: Vec<OrganizationIdentity>,
    /// How many there are in all.
    pub total_count: i64,
}

/// The organization in [`IdentityDetails`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OrganizationName {
    /// Its id.
    pub id: OrganizationId,
    /// Its name.
    pub name: String,
    /// Its slug.
    pub slug: String,
}

/// Who the caller is.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct IdentityDetails {
    /// The organization that the token is scoped to.
    pub organization: OrganizationName,
    /// The identity's id.
    pub identity_id: IdentityId,
    /// The identity's name.
    pub identity_name: String,
    /// The method it logged in with.
    pub auth_method: String,
}

/// The answer that carries [`IdentityDetails`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct IdentityDetailsResponse {
    /// Who the caller is.
    pub identity_details: IdentityDetails,
}

/// Makes an identity of the root organization a member of the sub-organization that the token acts
/// in, or changes its role there.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OrganizationIdentityBody {
    /// `admin`, `member` or `no-access`; `no-access` when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
}

/// The answer about an identity's membership in an organization.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct OrganizationIdentityMembershipResponse {
    /// The membership.
    pub identity_membership: OrganizationIdentity,
}
