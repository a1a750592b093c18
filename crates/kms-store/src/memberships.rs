//! Memberships in projects and their roles.

use kms_api::{MembershipId, OrganizationId, ProjectId, RoleId};
use uuid::Uuid;

use crate::{
    Joined, Source, StoreError, Tx, record,
    roles::{CustomRoleRow, custom_role_columns},
};

record! {
    /// A membership joined with one of its roles; without roles, one row with none.
    #[derive(Clone, Debug)]
    pub struct RoleRow {
        /// The membership.
        pub membership_id: MembershipId,
        /// The organization.
        pub org_id: OrganizationId,
        /// The membership's authentication.
        pub membership_mac: Vec<u8>,
        /// The role's id.
        pub role_id: Option<Uuid>,
        /// The role's slug, or `custom`.
        pub role: Option<String>,
        /// Whether the role ends by itself.
        pub is_temporary: Option<bool>,
        /// How long it holds, such as `1h`.
        pub temporary_range: Option<String>,
        /// From when, in microseconds.
        pub starts_at: Option<i64>,
        /// Until when, in microseconds.
        pub ends_at: Option<i64>,
        /// The role's authentication.
        pub role_mac: Option<Vec<u8>>,
        /// Where its rules stand among those of the membership's other roles.
        pub position: Option<i64>,
        /// The role of the project that it is, if it is not a built-in one.
        pub custom_role_id: Option<RoleId>,
        /// That role.
        pub custom: Joined<CustomRoleRow>,
    }
}

/// The columns of a [`RoleRow`], from `m`, `r` and `c`.
macro_rules! role_columns {
    () => {
        concat!(
            "m.id, m.org_id, m.mac, r.id, r.role, r.is_temporary, r.temporary_range, r.starts_at,
            r.ends_at, r.mac, r.position, r.custom_role_id, ",
            custom_role_columns!()
        )
    };
}

/// The role of the project that a role of a membership is: `c` for `r` of `m`.
macro_rules! join_custom_role {
    () => {
        " LEFT JOIN project_roles c ON c.id = r.custom_role_id AND c.org_id = m.org_id
            AND c.project_id = m.project_id "
    };
}

pub(crate) use {join_custom_role, role_columns};

record! {
    /// A membership without its roles.
    #[derive(Clone, Debug)]
    pub struct MembershipRow {
        /// Its id.
        pub id: MembershipId,
        /// The project.
        pub project_id: ProjectId,
        /// Its authentication.
        pub mac: Vec<u8>,
    }
}

/// One role of a membership.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Its id.
    pub id: Uuid,
    /// Its slug, or `custom`.
    pub role: String,
    /// Whether it ends by itself.
    pub is_temporary: bool,
    /// How long it holds, such as `1h`.
    pub temporary_range: Option<String>,
    /// From when, in microseconds.
    pub starts_at: Option<i64>,
    /// Until when, in microseconds.
    pub ends_at: Option<i64>,
    /// Its authentication.
    pub mac: Vec<u8>,
    /// Where its rules stand among those of the membership's other roles.
    pub position: i64,
    /// The role of the project that it is, if it is not a built-in one.
    pub custom_role_id: Option<RoleId>,
    /// That role, where it was read.
    pub custom: Option<CustomRoleRow>,
}

impl Grant {
    /// The slug that people know the role by.
    pub fn slug(&self) -> &str {
        self.custom.as_ref().map_or(&self.role, |custom| &custom.slug)
    }
}

impl RoleRow {
    /// The role, if the membership has one.
    pub fn grant(&self) -> Option<Grant> {
        Some(Grant {
            id: self.role_id?,
            role: self.role.clone()?,
            is_temporary: self.is_temporary?,
            temporary_range: self.temporary_range.clone(),
            starts_at: self.starts_at,
            ends_at: self.ends_at,
            mac: self.role_mac.clone()?,
            position: self.position?,
            custom_role_id: self.custom_role_id,
            custom: self.custom.0.clone(),
        })
    }
}

const ROLES_OF: &str = concat!(
    "SELECT ",
    role_columns!(),
    " FROM project_memberships m LEFT JOIN project_membership_roles r ON r.membership_id = m.id",
    join_custom_role!(),
    "WHERE m.org_id = $1 AND m.project_id = $2 AND m.principal_kind = $3 AND m.principal_id = $4
    ORDER BY r.position, r.created_at, r.id"
);
const OF_PRINCIPAL: &str = "SELECT id, project_id, mac FROM project_memberships
    WHERE org_id = $1 AND principal_kind = $2 AND principal_id = $3";
const ROLES_IN_PROJECT: &str = concat!(
    "SELECT ",
    role_columns!(),
    " FROM project_memberships m JOIN project_membership_roles r ON r.membership_id = m.id",
    join_custom_role!(),
    "WHERE m.org_id = $1 AND m.project_id = $2 AND m.principal_kind = $3
    ORDER BY r.position, r.created_at, r.id"
);
const INSERT: &str = "INSERT INTO project_memberships (id, org_id, project_id, principal_kind,
        principal_id, created_at, updated_at, mac)
    VALUES ($1, $2, $3, $4, $5, $6, $6, $7)";
const INSERT_ROLE: &str = "INSERT INTO project_membership_roles (id, org_id, membership_id, role,
        is_temporary, temporary_range, starts_at, ends_at, created_at, mac, position, custom_role_id)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
const TOUCH: &str = "UPDATE project_memberships SET updated_at = $3
    WHERE org_id = $1 AND id = $2";
const DELETE_ROLES: &str =
    "DELETE FROM project_membership_roles WHERE org_id = $1 AND membership_id = $2";
const DELETE: &str = "DELETE FROM project_memberships WHERE org_id = $1 AND id = $2";

/// The roles of a principal in a project; empty when it is not a member.
pub async fn roles_of(
    source: impl Source,
    org: OrganizationId,
    project: ProjectId,
    kind: &str,
    principal: Uuid,
) -> Result<Vec<RoleRow>, StoreError> {
    source.fetch_all(ROLES_OF, (org, project, kind, principal)).await
}

/// The memberships of a principal in the projects of an organization.
pub async fn of_principal(
    source: impl Source,
    org: OrganizationId,
    kind: &str,
    principal: Uuid,
) -> Result<Vec<MembershipRow>, StoreError> {
    source.fetch_all(OF_PRINCIPAL, (org, kind, principal)).await
}

/// The roles of all members of one kind in a project.
pub async fn roles_in_project(
    source: impl Source,
    org: OrganizationId,
    project: ProjectId,
    kind: &str,
) -> Result<Vec<RoleRow>, StoreError> {
    source.fetch_all(ROLES_IN_PROJECT, (org, project, kind)).await
}

/// A membership to add.
#[derive(Clone, Debug)]
pub struct NewMembership<'a> {
    /// Its id.
    pub id: MembershipId,
    /// The organization.
    pub org_id: OrganizationId,
    /// The project.
    pub project_id: ProjectId,
    /// `user` or `identity`.
    pub principal_kind: &'a str,
    /// The user or identity.
    pub principal_id: Uuid,
    /// Its authentication.
    pub mac: [u8; 32],
}

/// Adds a membership; [`StoreError::Duplicate`] when there is one.
pub async fn insert(tx: &mut Tx, row: &NewMembership<'_>, now: i64) -> Result<(), StoreError> {
    let params = (
        row.id,
        row.org_id,
        row.project_id,
        row.principal_kind,
        row.principal_id,
        now,
        row.mac.as_slice(),
    );
    tx.execute(INSERT, params).await?;
    Ok(())
}

/// Adds a role to a membership; [`StoreError::Orphan`] when the project has no such role.
pub async fn insert_role(
    tx: &mut Tx,
    org: OrganizationId,
    membership: MembershipId,
    grant: &Grant,
    now: i64,
) -> Result<(), StoreError> {
    let params = (
        grant.id,
        org,
        membership,
        grant.role.as_str(),
        grant.is_temporary,
        grant.temporary_range.as_deref(),
        grant.starts_at,
        grant.ends_at,
        now,
        grant.mac.as_slice(),
        grant.position,
        grant.custom_role_id,
    );
    tx.execute(INSERT_ROLE, params).await?;
    Ok(())
}

/// Notes that a membership changes; false when there is none. Two writers of its roles take turns
/// from here on.
pub async fn touch(
    tx: &mut Tx,
    org: OrganizationId,
    membership: MembershipId,
    now: i64,
) -> Result<bool, StoreError> {
    Ok(tx.execute(TOUCH, (org, membership, now)).await? == 1)
}

/// Takes all roles from a membership.
pub async fn clear_roles(
    tx: &mut Tx,
    org: OrganizationId,
    membership: MembershipId,
) -> Result<(), StoreError> {
    tx.execute(DELETE_ROLES, (org, membership)).await?;
    Ok(())
}

/// Ends a membership.
pub async fn delete(
    tx: &mut Tx,
    org: OrganizationId,
    membership: MembershipId,
) -> Result<bool, StoreError> {
    Ok(tx.execute(DELETE, (org, membership)).await? == 1)
}
