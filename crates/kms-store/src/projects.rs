//! Projects.

use kms_api::{OrganizationId, ProjectId};
use uuid::Uuid;

use crate::{
    Joined, Source, StoreError, Tx,
    memberships::{RoleRow, join_custom_role, role_columns},
    record,
    roles::custom_role_columns,
};

record! {
    /// A project with the keys that open it.
    #[derive(Clone, Debug)]
    pub struct ProjectRow {
        /// Its id.
        pub id: ProjectId,
        /// Its organization.
        pub org_id: OrganizationId,
        /// Its name.
        pub name: String,
        /// Its slug, unique in the organization.
        pub slug: String,
        /// What it is for.
        pub description: Option<String>,
        /// Whether names must be upper-case.
        pub auto_capitalization: bool,
        /// Whether a delete is refused.
        pub has_delete_protection: bool,
        /// Whether secrets may be shared by link.
        pub secret_sharing: bool,
        /// Versions kept for point-in-time reads.
        pub pit_version_limit: i64,
        /// The project's key, wrapped by the organization's.
        pub wrapped_key: Vec<u8>,
        /// Microseconds since the epoch.
        pub created_at: i64,
        /// Microseconds since the epoch.
        pub updated_at: i64,
        /// The organization's key, wrapped by the root key.
        pub org_wrapped_key: Vec<u8>,
    }
}

record! {
    /// A project's name.
    #[derive(Clone, Debug)]
    pub struct ProjectNameRow {
        /// Its id.
        pub id: ProjectId,
        /// Its name.
        pub name: String,
    }
}

macro_rules! columns {
    () => {
        "SELECT p.id, p.org_id, p.name, p.slug, p.description, p.auto_capitalization,
            p.has_delete_protection, p.secret_sharing, p.pit_version_limit, p.wrapped_key,
            p.created_at, p.updated_at, o.wrapped_key"
    };
}

macro_rules! select {
    ($rest:literal) => {
        concat!(columns!(), " FROM projects p JOIN organizations o ON o.id = p.org_id ", $rest)
    };
}

record! {
    /// A project joined with one role that a principal has in it; with none for a principal who
    /// is not a member.
    #[derive(Clone, Debug)]
    pub struct ProjectForRow {
        /// The project.
        pub project: ProjectRow,
        /// One of the principal's roles.
        pub role: Joined<RoleRow>,
    }
}

const FIND_FOR: &str = concat!(
    columns!(),
    ", ",
    role_columns!(),
    " FROM projects p JOIN organizations o ON o.id = p.org_id
        LEFT JOIN project_memberships m ON m.org_id = p.org_id AND m.project_id = p.id
            AND m.principal_kind = $3 AND m.principal_id = $4
        LEFT JOIN project_membership_roles r ON r.membership_id = m.id",
    join_custom_role!(),
    "WHERE p.org_id = $1 AND p.id = $2
    ORDER BY r.position, r.created_at, r.id"
);

const FIND: &str = select!("WHERE p.org_id = $1 AND p.id = $2");
const FIND_BY_SLUG: &str = select!("WHERE p.org_id = $1 AND p.slug = $2");
const OF_PRINCIPAL: &str = select!(
    "JOIN project_memberships m ON m.project_id = p.id
    WHERE p.org_id = $1 AND m.principal_id = $2 AND m.principal_kind = $3
    ORDER BY p.created_at, p.id"
);
const INSERT: &str = "INSERT INTO projects (id, org_id, name, slug, description,
        auto_capitalization, has_delete_protection, secret_sharing, pit_version_limit, wrapped_key,
        created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
const UPDATE: &str = "UPDATE projects SET name = $3, slug = $4, description = $5,
        auto_capitalization = $6, has_delete_protection = $7, secret_sharing = $8,
        pit_version_limit = $9, updated_at = $10
    WHERE org_id = $1 AND id = $2";
const LOCK: &str = "UPDATE projects SET updated_at = updated_at WHERE org_id = $1 AND id = $2";
const NAMES: &str = "SELECT id, name FROM projects WHERE org_id = $1";
const DELETE: &str = "DELETE FROM projects WHERE org_id = $1 AND id = $2";

/// A project of an organization.
pub async fn find(
    source: impl Source,
    org: OrganizationId,
    id: ProjectId,
) -> Result<Option<ProjectRow>, StoreError> {
    source.fetch_optional(FIND, (org, id)).await
}

/// A project of an organization with the roles that a principal has in it, one in each row.
pub async fn find_for(
    source: impl Source,
    org: OrganizationId,
    id: ProjectId,
    kind: &str,
    principal: Uuid,
) -> Result<Vec<ProjectForRow>, StoreError> {
    source.fetch_all(FIND_FOR, (org, id, kind, principal)).await
}

/// A project of an organization by its slug.
pub async fn find_by_slug(
    source: impl Source,
    org: OrganizationId,
    slug: &str,
) -> Result<Option<ProjectRow>, StoreError> {
    source.fetch_optional(FIND_BY_SLUG, (org, slug)).await
}

/// The projects that a principal is a member of.
pub async fn of_principal(
    source: impl Source,
    org: OrganizationId,
    principal: Uuid,
    kind: &str,
) -> Result<Vec<ProjectRow>, StoreError> {
    source.fetch_all(OF_PRINCIPAL, (org, principal, kind)).await
}

/// The names of all projects of an organization.
pub async fn names(
    source: impl Source,
    org: OrganizationId,
) -> Result<Vec<ProjectNameRow>, StoreError> {
    source.fetch_all(NAMES, (org,)).await
}

/// Makes other writes that lock the same project wait for this one; false when it does not exist.
pub async fn lock(tx: &mut Tx, org: OrganizationId, id: ProjectId) -> Result<bool, StoreError> {
    Ok(tx.execute(LOCK, (org, id)).await? == 1)
}

/// Adds a project; [`StoreError::Duplicate`] when the slug is taken.
pub async fn insert(tx: &mut Tx, row: &ProjectRow) -> Result<(), StoreError> {
    let params = (
        row.id,
        row.org_id,
        row.name.as_str(),
        row.slug.as_str(),
        row.description.as_deref(),
        row.auto_capitalization,
        row.has_delete_protection,
        row.secret_sharing,
        row.pit_version_limit,
        row.wrapped_key.as_slice(),
        row.created_at,
        row.updated_at,
    );
    tx.execute(INSERT, params).await?;
    Ok(())
}

/// Writes what may change of a project; [`StoreError::Duplicate`] when the slug is taken.
pub async fn update(tx: &mut Tx, row: &ProjectRow) -> Result<bool, StoreError> {
    let params = (
        row.org_id,
        row.id,
        row.name.as_str(),
        row.slug.as_str(),
        row.description.as_deref(),
        row.auto_capitalization,
        row.has_delete_protection,
        row.secret_sharing,
        row.pit_version_limit,
        row.updated_at,
    );
    Ok(tx.execute(UPDATE, params).await? == 1)
}

/// Removes a project with everything in it, its key first of all.
pub async fn delete(tx: &mut Tx, org: OrganizationId, id: ProjectId) -> Result<bool, StoreError> {
    Ok(tx.execute(DELETE, (org, id)).await? == 1)
}
