//! Roles that a project makes itself.

use kms_api::{MembershipId, OrganizationId, ProjectId, RoleId};

use crate::{Source, StoreError, Tx, identities::CountRow, record};

record! {
    /// A role of a project.
    #[derive(Clone, Debug)]
    pub struct CustomRoleRow {
        /// Its id.
        pub id: RoleId,
        /// The organization.
        pub org_id: OrganizationId,
        /// The project.
        pub project_id: ProjectId,
        /// Its slug, unique in the project.
        pub slug: String,
        /// Its name for people.
        pub name: String,
        /// What it is for.
        pub description: Option<String>,
        /// Its rules, as JSON.
        pub permissions: String,
        /// Microseconds since the epoch.
        pub created_at: i64,
        /// Microseconds since the epoch.
        pub updated_at: i64,
        /// Its authentication.
        pub mac: Vec<u8>,
    }
}

record! {
    /// A role of a project that a membership has.
    #[derive(Clone, Copy, Debug)]
    pub struct HeldRoleRow {
        /// The membership.
        pub membership_id: MembershipId,
        /// The role.
        pub role_id: RoleId,
    }
}

/// The columns of a [`CustomRoleRow`], from `c`.
macro_rules! custom_role_columns {
    () => {
        "c.id, c.org_id, c.project_id, c.slug, c.name, c.description, c.permissions, c.created_at,
            c.updated_at, c.mac"
    };
}

pub(crate) use custom_role_columns;

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT ", custom_role_columns!(), " FROM project_roles c ", $rest)
    };
}

const LIST: &str = select!("WHERE c.org_id = $1 AND c.project_id = $2 ORDER BY c.created_at, c.id");
const FIND: &str = select!("WHERE c.org_id = $1 AND c.id = $2");
const FIND_BY_SLUG: &str = select!("WHERE c.org_id = $1 AND c.project_id = $2 AND c.slug = $3");
const INSERT: &str = "INSERT INTO project_roles (id, org_id, project_id, slug, name, description,
        permissions, created_at, updated_at, mac)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
const UPDATE: &str = "UPDATE project_roles SET slug = $3, name = $4, description = $5,
        permissions = $6, updated_at = $7, mac = $8
    WHERE org_id = $1 AND id = $2";
const HOLDERS: &str = "SELECT COUNT(*) FROM project_membership_roles
    WHERE org_id = $1 AND custom_role_id = $2";
const BESIDE: &str = "SELECT r.membership_id, r.custom_role_id
    FROM project_membership_roles h
    JOIN project_membership_roles r ON r.membership_id = h.membership_id AND r.org_id = h.org_id
    WHERE h.org_id = $1 AND h.custom_role_id = $2 AND r.custom_role_id IS NOT NULL";
const DELETE: &str = "DELETE FROM project_roles WHERE org_id = $1 AND id = $2";

/// The roles of a project, oldest first.
pub async fn list(
    source: impl Source,
    org: OrganizationId,
    project: ProjectId,
) -> Result<Vec<CustomRoleRow>, StoreError> {
    source.fetch_all(LIST, (org, project)).await
}

/// A role of an organization's project.
pub async fn find(
    source: impl Source,
    org: OrganizationId,
    id: RoleId,
) -> Result<Option<CustomRoleRow>, StoreError> {
    source.fetch_optional(FIND, (org, id)).await
}

/// A role of a project by its slug.
pub async fn find_by_slug(
    source: impl Source,
    org: OrganizationId,
    project: ProjectId,
    slug: &str,
) -> Result<Option<CustomRoleRow>, StoreError> {
    source.fetch_optional(FIND_BY_SLUG, (org, project, slug)).await
}

/// Adds a role; [`StoreError::Duplicate`] when the slug is taken.
pub async fn insert(tx: &mut Tx, row: &CustomRoleRow) -> Result<(), StoreError> {
    let params = (
        row.id,
        row.org_id,
        row.project_id,
        row.slug.as_str(),
        row.name.as_str(),
        row.description.as_deref(),
        row.permissions.as_str(),
        row.created_at,
        row.updated_at,
        row.mac.as_slice(),
    );
    tx.execute(INSERT, params).await?;
    Ok(())
}

/// Writes what may change of a role; [`StoreError::Duplicate`] when the slug is taken.
pub async fn update(tx: &mut Tx, row: &CustomRoleRow) -> Result<bool, StoreError> {
    let params = (
        row.org_id,
        row.id,
        row.slug.as_str(),
        row.name.as_str(),
        row.description.as_deref(),
        row.permissions.as_str(),
        row.updated_at,
        row.mac.as_slice(),
    );
    Ok(tx.execute(UPDATE, params).await? == 1)
}

/// How many memberships have a role, in force or not.
pub async fn holders(
    source: impl Source,
    org: OrganizationId,
    id: RoleId,
) -> Result<i64, StoreError> {
    let row: Option<CountRow> = source.fetch_optional(HOLDERS, (org, id)).await?;
    Ok(row.map_or(0, |row| row.count))
}

/// The roles of their projects that the memberships with a role have, it among them.
pub async fn beside(
    source: impl Source,
    org: OrganizationId,
    id: RoleId,
) -> Result<Vec<HeldRoleRow>, StoreError> {
    source.fetch_all(BESIDE, (org, id)).await
}

/// Removes a role; [`StoreError::Orphan`] when a membership has it.
pub async fn delete(tx: &mut Tx, org: OrganizationId, id: RoleId) -> Result<bool, StoreError> {
    Ok(tx.execute(DELETE, (org, id)).await? == 1)
}
