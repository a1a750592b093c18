//! Machine identities.

use kms_api::{IdentityId, OrganizationId, ProjectId};
use uuid::Uuid;

use crate::{
    Joined, Source, StoreError, Tx,
    memberships::{RoleRow, join_custom_role, role_columns},
    organizations::{OrganizationMembershipRow, membership_columns},
    record,
    roles::{CustomRoleRow, custom_role_columns},
};

record! {
    /// A machine identity.
    #[derive(Clone, Debug)]
    pub struct IdentityRow {
        /// Its id.
        pub id: IdentityId,
        /// Its home organization.
        pub org_id: OrganizationId,
        /// Its name.
        pub name: String,
        /// Whether a delete is refused.
        pub has_delete_protection: bool,
        /// Keys and values that describe it, as JSON.
        pub metadata: Option<String>,
        /// Tokens carry the epoch they were issued in; raising it ends them all.
        pub epoch: i64,
        /// Whether it administers the instance.
        pub is_instance_admin: bool,
        /// Microseconds since the epoch.
        pub created_at: i64,
        /// Microseconds since the epoch.
        pub updated_at: i64,
        /// Its authentication.
        pub mac: Vec<u8>,
        /// The authentication of name and metadata; none for what was written before rules could
        /// refer to them.
        pub facts_mac: Option<Vec<u8>>,
    }
}

record! {
    /// An identity as a member of an organization, with one of its auth methods: a row for each
    /// method, or one with none.
    #[derive(Clone, Debug)]
    pub struct MemberRow {
        /// The identity.
        pub identity: IdentityRow,
        /// Its membership.
        pub membership: OrganizationMembershipRow,
        /// The method's name.
        pub method: Option<String>,
    }
}

record! {
    /// A number.
    #[derive(Clone, Copy, Debug)]
    pub struct CountRow {
        /// The number.
        pub count: i64,
    }
}

record! {
    /// A membership of an identity in a project with one of its roles; without roles, one row
    /// with none.
    #[derive(Clone, Debug)]
    pub struct ProjectMembershipRow {
        /// The project.
        pub project_id: ProjectId,
        /// The project's name.
        pub project_name: String,
        /// Microseconds since the epoch.
        pub created_at: i64,
        /// Microseconds since the epoch.
        pub updated_at: i64,
        /// The role.
        pub role: RoleRow,
    }
}

record! {
    /// A role of an identity in a project, in force or not.
    #[derive(Clone, Debug)]
    pub struct ProjectRoleRow {
        /// The project.
        pub project_id: ProjectId,
        /// The role's slug, or `custom`.
        pub role: String,
        /// The role of the project that it is, if it is not a built-in one.
        pub custom: Joined<CustomRoleRow>,
    }
}

/// The columns of an [`IdentityRow`], from `i`.
macro_rules! identity_columns {
    () => {
        "i.id, i.org_id, i.name, i.has_delete_protection, i.metadata, i.epoch,
            i.is_instance_admin, i.created_at, i.updated_at, i.mac, i.facts_mac"
    };
}

pub(crate) use identity_columns;

macro_rules! members {
    ($rest:literal) => {
        concat!(
            "SELECT ",
            identity_columns!(),
            ", ",
            membership_columns!(),
            ", a.method
            FROM organization_memberships m JOIN identities i ON i.id = m.principal_id
            LEFT JOIN identity_auth_methods a ON a.identity_id = i.id
            WHERE m.org_id = $1 AND m.principal_kind = 'identity' ",
            $rest
        )
    };
}

const FIND: &str =
    concat!("SELECT ", identity_columns!(), " FROM identities i WHERE i.org_id = $1 AND i.id = $2");
const MEMBER: &str = members!("AND i.id = $2 ORDER BY a.created_at, a.id");
const MEMBERS: &str = members!(
    "AND i.id IN (
        SELECT p.id FROM identities p
        JOIN organization_memberships q ON q.principal_id = p.id
            AND q.principal_kind = 'identity' AND q.org_id = $1
        WHERE LOWER(p.name) LIKE $2 ESCAPE '\\'
        ORDER BY p.name, p.id LIMIT $3 OFFSET $4)
    ORDER BY i.name, i.id, a.created_at, a.id"
);
const COUNT: &str = "SELECT COUNT(*) FROM organization_memberships m
    JOIN identities i ON i.id = m.principal_id
    WHERE m.org_id = $1 AND m.principal_kind = 'identity' AND LOWER(i.name) LIKE $2 ESCAPE '\\'";
const PROJECT_ROLES: &str = concat!(
    "SELECT m.project_id, r.role, ",
    custom_role_columns!(),
    " FROM project_memberships m
    JOIN project_membership_roles r ON r.membership_id = m.id",
    join_custom_role!(),
    "WHERE m.principal_id = $1 AND m.principal_kind = 'identity'
    ORDER BY m.project_id, r.position, r.id"
);
const PROJECT_MEMBERSHIPS: &str = concat!(
    "SELECT p.id, p.name, m.created_at, m.updated_at, ",
    role_columns!(),
    " FROM project_memberships m JOIN projects p ON p.id = m.project_id
    LEFT JOIN project_membership_roles r ON r.membership_id = m.id",
    join_custom_role!(),
    "WHERE m.org_id = $1 AND m.principal_id = $2 AND m.principal_kind = 'identity'
    ORDER BY m.created_at, m.id, r.position, r.created_at, r.id"
);
const INSERT: &str = "INSERT INTO identities (id, org_id, name, has_delete_protection, metadata,
        epoch, is_instance_admin, created_at, updated_at, mac, facts_mac)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
const UPDATE: &str = "UPDATE identities SET name = $3, has_delete_protection = $4, metadata = $5,
        epoch = $6, updated_at = $7, mac = $8, facts_mac = $9
    WHERE org_id = $1 AND id = $2";
const DELETE_ORGANIZATION_MEMBERSHIPS: &str = "DELETE FROM organization_memberships
    WHERE principal_id = $1 AND principal_kind = 'identity'";
const DELETE_PROJECT_MEMBERSHIPS: &str = "DELETE FROM project_memberships
    WHERE principal_id = $1 AND principal_kind = 'identity'";
const DELETE: &str = "DELETE FROM identities WHERE org_id = $1 AND id = $2";

/// An identity of its home organization.
pub async fn find(
    source: impl Source,
    org: OrganizationId,
    id: IdentityId,
) -> Result<Option<IdentityRow>, StoreError> {
    source.fetch_optional(FIND, (org, id)).await
}

/// An identity as a member of an organization, once for each auth method.
pub async fn member(
    source: impl Source,
    org: OrganizationId,
    id: IdentityId,
) -> Result<Vec<MemberRow>, StoreError> {
    source.fetch_all(MEMBER, (org, id)).await
}

/// A page of the identities of an organization by name, each once for each auth method.
/// `pattern` is a `LIKE` pattern in lower case with `\` as its escape.
pub async fn members(
    source: impl Source,
    org: OrganizationId,
    pattern: &str,
    limit: i64,
    offset: i64,
) -> Result<Vec<MemberRow>, StoreError> {
    source.fetch_all(MEMBERS, (org, pattern, limit, offset)).await
}

/// How many identities of an organization have a matching name.
pub async fn count(
    source: impl Source,
    org: OrganizationId,
    pattern: &str,
) -> Result<i64, StoreError> {
    let row: Option<CountRow> = source.fetch_optional(COUNT, (org, pattern)).await?;
    Ok(row.map_or(0, |row| row.count))
}

/// All roles that an identity has in projects of any organization, in force or not: what nobody
/// may take over who does not hold it.
pub async fn project_roles(
    source: impl Source,
    id: IdentityId,
) -> Result<Vec<ProjectRoleRow>, StoreError> {
    source.fetch_all(PROJECT_ROLES, (id,)).await
}

/// The memberships of an identity in the projects of an organization, once for each role.
pub async fn project_memberships(
    source: impl Source,
    org: OrganizationId,
    id: IdentityId,
) -> Result<Vec<ProjectMembershipRow>, StoreError> {
    source.fetch_all(PROJECT_MEMBERSHIPS, (org, id)).await
}

/// Adds an identity.
pub async fn insert(tx: &mut Tx, row: &IdentityRow) -> Result<(), StoreError> {
    let params = (
        row.id,
        row.org_id,
        row.name.as_str(),
        row.has_delete_protection,
        row.metadata.as_deref(),
        row.epoch,
        row.is_instance_admin,
        row.created_at,
        row.updated_at,
        row.mac.as_slice(),
        row.facts_mac.as_deref(),
    );
    tx.execute(INSERT, params).await?;
    Ok(())
}

/// Writes what may change of an identity.
pub async fn update(tx: &mut Tx, row: &IdentityRow) -> Result<bool, StoreError> {
    let params = (
        row.org_id,
        row.id,
        row.name.as_str(),
        row.has_delete_protection,
        row.metadata.as_deref(),
        row.epoch,
        row.updated_at,
        row.mac.as_slice(),
        row.facts_mac.as_deref(),
    );
    Ok(tx.execute(UPDATE, params).await? == 1)
}

/// Removes an identity with its memberships, auth methods, client secrets and tokens.
pub async fn delete(tx: &mut Tx, org: OrganizationId, id: IdentityId) -> Result<bool, StoreError> {
    if tx.execute(DELETE, (org, id)).await? != 1 {
        return Ok(false);
    }
    // Principals of two kinds share these tables, so no foreign key removes them.
    let id: Uuid = id.into();
    tx.execute(DELETE_ORGANIZATION_MEMBERSHIPS, (id,)).await?;
    tx.execute(DELETE_PROJECT_MEMBERSHIPS, (id,)).await?;
    Ok(true)
}
