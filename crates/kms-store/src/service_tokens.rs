//! Service tokens.

use kms_api::{OrganizationId, ProjectId, ServiceTokenId, UserId};

use crate::{Joined, Source, StoreError, Tx, record};

record! {
    /// A service token. The token itself is not here, only the hash of its secret part.
    #[derive(Clone, Debug)]
    pub struct ServiceTokenRow {
        /// Its id.
        pub id: ServiceTokenId,
        /// The organization.
        pub org_id: OrganizationId,
        /// The project.
        pub project_id: ProjectId,
        /// Its name.
        pub name: String,
        /// Environments and folders, as JSON.
        pub scopes: String,
        /// `read` and `write`, as JSON.
        pub permissions: String,
        /// The keyed hash of its secret part.
        pub secret_hash: Vec<u8>,
        /// When it ends, in microseconds; never when none.
        pub expires_at: Option<i64>,
        /// Who made it.
        pub created_by: UserId,
        /// When it was used, in microseconds; noted now and then only.
        pub last_used_at: Option<i64>,
        /// Microseconds since the epoch.
        pub created_at: i64,
        /// Microseconds since the epoch.
        pub updated_at: i64,
        /// Its authentication; does not cover when it was used, nor its name.
        pub mac: Vec<u8>,
    }
}

record! {
    /// Who made a service token.
    #[derive(Clone, Debug)]
    pub struct MakerRow {
        /// The account.
        pub id: UserId,
        /// The e-mail address.
        pub email: String,
        /// The first name.
        pub first_name: Option<String>,
        /// The last name.
        pub last_name: Option<String>,
        /// Microseconds since the epoch.
        pub created_at: i64,
        /// Microseconds since the epoch.
        pub updated_at: i64,
    }
}

record! {
    /// A service token with who made it, while there is such an account.
    #[derive(Clone, Debug)]
    pub struct MadeRow {
        /// The token.
        pub token: ServiceTokenRow,
        /// Who made it.
        pub maker: Joined<MakerRow>,
    }
}

macro_rules! columns {
    () => {
        "t.id, t.org_id, t.project_id, t.name, t.scopes, t.permissions, t.secret_hash,
            t.expires_at, t.created_by, t.last_used_at, t.created_at, t.updated_at, t.mac"
    };
}

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT ", columns!(), " FROM service_tokens t ", $rest)
    };
}

/// Whose a token is says its row; the one who shows it does not.
const SHOWN: &str = select!("WHERE t.id = $1");
const FIND: &str = select!("WHERE t.org_id = $1 AND t.id = $2");
const MADE: &str = concat!(
    "SELECT ",
    columns!(),
    ", u.id, u.email, u.first_name, u.last_name, u.created_at, u.updated_at
    FROM service_tokens t LEFT JOIN users u ON u.id = t.created_by
    WHERE t.org_id = $1 AND t.id = $2"
);
const LIST: &str = select!("WHERE t.org_id = $1 AND t.project_id = $2 ORDER BY t.created_at, t.id");
const INSERT: &str =
    "INSERT INTO service_tokens (id, org_id, project_id, name, scopes, permissions,
        secret_hash, expires_at, created_by, last_used_at, created_at, updated_at, mac)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
const NOTE_USE: &str = "UPDATE service_tokens SET last_used_at = $3
    WHERE org_id = $1 AND id = $2";
const DELETE: &str = "DELETE FROM service_tokens WHERE org_id = $1 AND id = $2";

/// The token that a request shows.
pub async fn shown(
    source: impl Source,
    id: ServiceTokenId,
) -> Result<Option<ServiceTokenRow>, StoreError> {
    source.fetch_optional(SHOWN, (id,)).await
}

/// A token of an organization's project.
pub async fn find(
    source: impl Source,
    org: OrganizationId,
    id: ServiceTokenId,
) -> Result<Option<ServiceTokenRow>, StoreError> {
    source.fetch_optional(FIND, (org, id)).await
}

/// A token of an organization's project, with who made it.
pub async fn made(
    source: impl Source,
    org: OrganizationId,
    id: ServiceTokenId,
) -> Result<Option<MadeRow>, StoreError> {
    source.fetch_optional(MADE, (org, id)).await
}

/// The tokens of a project, oldest first.
pub async fn list(
    source: impl Source,
    org: OrganizationId,
    project: ProjectId,
) -> Result<Vec<ServiceTokenRow>, StoreError> {
    source.fetch_all(LIST, (org, project)).await
}

/// Adds a token.
pub async fn insert(tx: &mut Tx, row: &ServiceTokenRow) -> Result<(), StoreError> {
    let params = (
        row.id,
        row.org_id,
        row.project_id,
        row.name.as_str(),
        row.scopes.as_str(),
        row.permissions.as_str(),
        row.secret_hash.as_slice(),
        row.expires_at,
        row.created_by,
        row.last_used_at,
        row.created_at,
        row.updated_at,
        row.mac.as_slice(),
    );
    tx.execute(INSERT, params).await?;
    Ok(())
}

/// Notes that a token was used.
pub async fn note_use(
    tx: &mut Tx,
    org: OrganizationId,
    id: ServiceTokenId,
    now: i64,
) -> Result<(), StoreError> {
    tx.execute(NOTE_USE, (org, id, now)).await?;
    Ok(())
}

/// Removes a token, which ends it.
pub async fn delete(
    tx: &mut Tx,
    org: OrganizationId,
    id: ServiceTokenId,
) -> Result<bool, StoreError> {
    Ok(tx.execute(DELETE, (org, id)).await? == 1)
}
