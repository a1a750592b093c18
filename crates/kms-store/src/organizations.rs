//! Organizations, and who belongs to them.

use kms_api::{MembershipId, OrganizationId};
use uuid::Uuid;

use crate::{Source, StoreError, Tx, identities::CountRow, record};

record! {
    /// An organization with the key that its projects' keys are wrapped by.
    #[derive(Clone, Debug)]
    pub struct OrganizationRow {
        /// Its id.
        pub id: OrganizationId,
        /// The organization above; none for a root.
        pub parent_id: Option<OrganizationId>,
        /// The organization at the top; none for a root.
        pub root_id: Option<OrganizationId>,
        /// The tree in which the slug is unique: the root's id, nil for a root itself.
        pub tree_id: Uuid,
        /// Its name.
        pub name: String,
        /// Its slug.
        pub slug: String,
        /// Its key, wrapped by the root key.
        pub wrapped_key: Vec<u8>,
        /// The role of new members, a built-in slug.
        pub default_role: String,
        /// Whether its members must give a second factor; only a root's counts.
        pub enforce_mfa: bool,
        /// Which: `email`, `totp` or `webauthn`.
        pub selected_mfa_method: Option<String>,
        /// How long a person's session lasts at most, such as `8h`.
        pub user_token_expiration: Option<String>,
        /// Whether its members may approve logins of devices; only a root's counts.
        pub device_login: bool,
        /// Whether people act in it only by its own identity provider; only a root's counts.
        pub auth_enforced: bool,
        /// Whether its administrators may act by a login of their own all the same, with a second
        /// factor.
        pub bypass_org_auth: bool,
        /// Microseconds since the epoch.
        pub created_at: i64,
        /// Microseconds since the epoch.
        pub updated_at: i64,
        /// Its authentication; empty for a row of before there was one.
        pub mac: Vec<u8>,
    }
}

record! {
    /// A user's or identity's membership in an organization.
    #[derive(Clone, Debug)]
    pub struct OrganizationMembershipRow {
        /// Its id.
        pub id: MembershipId,
        /// The organization.
        pub org_id: OrganizationId,
        /// `user` or `identity`.
        pub principal_kind: String,
        /// The user or identity.
        pub principal_id: Uuid,
        /// The role's slug.
        pub role: String,
        /// `accepted` or `invited`.
        pub status: String,
        /// Whether the member may act.
        pub is_active: bool,
        /// The method of the last login.
        pub last_login_method: Option<String>,
        /// Microseconds since the epoch.
        pub last_login_at: Option<i64>,
        /// Microseconds since the epoch.
        pub created_at: i64,
        /// Microseconds since the epoch.
        pub updated_at: i64,
        /// Its authentication.
        pub mac: Vec<u8>,
    }
}

/// The columns of an [`OrganizationRow`], from `o`.
macro_rules! organization_columns {
    () => {
        "o.id, o.parent_id, o.root_id, o.tree_id, o.name, o.slug, o.wrapped_key,
            o.default_role, o.enforce_mfa, o.selected_mfa_method, o.user_token_expiration,
            o.device_login, o.auth_enforced, o.bypass_org_auth, o.created_at, o.updated_at, o.mac"
    };
}

/// The columns of an [`OrganizationMembershipRow`], from `m`.
macro_rules! membership_columns {
    () => {
        "m.id, m.org_id, m.principal_kind, m.principal_id, m.role, m.status, m.is_active,
            m.last_login_method, m.last_login_at, m.created_at, m.updated_at, m.mac"
    };
}

pub(crate) use {membership_columns, organization_columns};

macro_rules! organization {
    ($rest:literal) => {
        concat!("SELECT ", organization_columns!(), " FROM organizations o ", $rest)
    };
}

macro_rules! membership {
    ($rest:literal) => {
        concat!("SELECT ", membership_columns!(), " FROM organization_memberships m ", $rest)
    };
}

const FIND: &str = organization!("WHERE o.id = $1");
const ROOT_BY_SLUG: &str = organization!("WHERE o.slug = $1 AND o.root_id IS NULL");
const OF_PRINCIPAL: &str = organization!(
    "JOIN organization_memberships m ON m.org_id = o.id
    WHERE m.principal_id = $1 AND m.principal_kind = $2 ORDER BY o.created_at, o.id"
);
const INSERT: &str = "INSERT INTO organizations (id, parent_id, root_id, tree_id, name, slug,
        wrapped_key, default_role, enforce_mfa, selected_mfa_method, user_token_expiration,
        device_login, auth_enforced, bypass_org_auth, created_at, updated_at, mac)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";
const UPDATE: &str = "UPDATE organizations SET name = $2, slug = $3, default_role = $4,
        enforce_mfa = $5, selected_mfa_method = $6, user_token_expiration = $7, updated_at = $8,
        wrapped_key = $9, mac = $10, device_login = $11, auth_enforced = $12, bypass_org_auth = $13
    WHERE id = $1";
const LOCK: &str = "UPDATE organizations SET updated_at = updated_at WHERE id = $1";
const DELETE: &str = "DELETE FROM organizations WHERE id = $1";
const BELOW: &str = organization!("WHERE o.root_id = $1 ORDER BY o.name, o.id");
const INSTANCE_ADMINS: &str = "SELECT COUNT(*) FROM identities i
    JOIN organizations o ON o.id = i.org_id
    WHERE i.is_instance_admin = TRUE AND (o.id = $1 OR o.root_id = $1)";
const MEMBERSHIP: &str =
    membership!("WHERE m.org_id = $1 AND m.principal_id = $2 AND m.principal_kind = $3");
const MEMBERSHIPS_OF_PRINCIPAL: &str =
    membership!("WHERE m.principal_id = $1 AND m.principal_kind = $2");
const MEMBERS: &str =
    membership!("WHERE m.org_id = $1 AND m.principal_kind = $2 ORDER BY m.created_at, m.id");
const INSERT_MEMBERSHIP: &str = "INSERT INTO organization_memberships (id, org_id, principal_kind,
        principal_id, role, status, is_active, last_login_method, last_login_at, created_at,
        updated_at, mac)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";

/// An organization.
pub async fn find(
    source: impl Source,
    id: OrganizationId,
) -> Result<Option<OrganizationRow>, StoreError> {
    source.fetch_optional(FIND, (id,)).await
}

/// A root organization by its slug.
pub async fn root_by_slug(
    source: impl Source,
    slug: &str,
) -> Result<Option<OrganizationRow>, StoreError> {
    source.fetch_optional(ROOT_BY_SLUG, (slug,)).await
}

/// The organizations that a principal is a member of, in whatever state.
pub async fn of_principal(
    source: impl Source,
    principal: Uuid,
    kind: &str,
) -> Result<Vec<OrganizationRow>, StoreError> {
    source.fetch_all(OF_PRINCIPAL, (principal, kind)).await
}

/// Adds an organization; [`StoreError::Duplicate`] when the slug is taken in its tree.
pub async fn insert(tx: &mut Tx, row: &OrganizationRow) -> Result<(), StoreError> {
    let params = (
        row.id,
        row.parent_id,
        row.root_id,
        row.tree_id,
        row.name.as_str(),
        row.slug.as_str(),
        row.wrapped_key.as_slice(),
        row.default_role.as_str(),
        row.enforce_mfa,
        row.selected_mfa_method.as_deref(),
        row.user_token_expiration.as_deref(),
        row.device_login,
        row.auth_enforced,
        row.bypass_org_auth,
        row.created_at,
        row.updated_at,
        row.mac.as_slice(),
    );
    tx.execute(INSERT, params).await?;
    Ok(())
}

/// Writes all that may change; [`StoreError::Duplicate`] when the slug is taken in its tree.
pub async fn update(tx: &mut Tx, row: &OrganizationRow) -> Result<bool, StoreError> {
    let params = (
        row.id,
        row.name.as_str(),
        row.slug.as_str(),
        row.default_role.as_str(),
        row.enforce_mfa,
        row.selected_mfa_method.as_deref(),
        row.user_token_expiration.as_deref(),
        row.updated_at,
        row.wrapped_key.as_slice(),
        row.mac.as_slice(),
        row.device_login,
        row.auth_enforced,
        row.bypass_org_auth,
    );
    Ok(tx.execute(UPDATE, params).await? == 1)
}

/// Makes two writers of an organization's members take turns from here on; false when there is
/// no such organization.
pub async fn lock(tx: &mut Tx, id: OrganizationId) -> Result<bool, StoreError> {
    Ok(tx.execute(LOCK, (id,)).await? == 1)
}

/// Removes an organization, the organizations below it, and all that they have.
pub async fn delete(tx: &mut Tx, id: OrganizationId) -> Result<bool, StoreError> {
    Ok(tx.execute(DELETE, (id,)).await? == 1)
}

/// The organizations below a root, by name.
pub async fn below(
    source: impl Source,
    root: OrganizationId,
) -> Result<Vec<OrganizationRow>, StoreError> {
    source.fetch_all(BELOW, (root,)).await
}

/// How many identities that administer the instance live in an organization or below it.
pub async fn count_instance_admins(
    source: impl Source,
    id: OrganizationId,
) -> Result<i64, StoreError> {
    let row: Option<CountRow> = source.fetch_optional(INSTANCE_ADMINS, (id,)).await?;
    Ok(row.map_or(0, |row| row.count))
}

/// A principal's membership in an organization, in whatever state.
pub async fn membership(
    source: impl Source,
    org: OrganizationId,
    principal: Uuid,
    kind: &str,
) -> Result<Option<OrganizationMembershipRow>, StoreError> {
    source.fetch_optional(MEMBERSHIP, (org, principal, kind)).await
}

/// All memberships of a principal, in whatever state.
pub async fn memberships_of(
    source: impl Source,
    principal: Uuid,
    kind: &str,
) -> Result<Vec<OrganizationMembershipRow>, StoreError> {
    source.fetch_all(MEMBERSHIPS_OF_PRINCIPAL, (principal, kind)).await
}

/// The members of one kind, in whatever state.
pub async fn members(
    source: impl Source,
    org: OrganizationId,
    kind: &str,
) -> Result<Vec<OrganizationMembershipRow>, StoreError> {
    source.fetch_all(MEMBERS, (org, kind)).await
}

/// Adds a membership; [`StoreError::Duplicate`] when there is one.
pub async fn insert_membership(
    tx: &mut Tx,
    row: &OrganizationMembershipRow,
) -> Result<(), StoreError> {
    let params = (
        row.id,
        row.org_id,
        row.principal_kind.as_str(),
        row.principal_id,
        row.role.as_str(),
        row.status.as_str(),
        row.is_active,
        row.last_login_method.as_deref(),
        row.last_login_at,
        row.created_at,
        row.updated_at,
        row.mac.as_slice(),
    );
    tx.execute(INSERT_MEMBERSHIP, params).await?;
    Ok(())
}
