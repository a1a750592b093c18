//! Client secrets of universal auth.

use kms_api::{AuthMethodId, ClientSecretId, OrganizationId};

use crate::{Source, StoreError, Tx, record};

record! {
    /// A client secret. The secret itself is not here, only its hash.
    #[derive(Clone, Debug)]
    pub struct ClientSecretRow {
        /// Its id.
        pub id: ClientSecretId,
        /// The identity's home organization.
        pub org_id: OrganizationId,
        /// The universal auth it belongs to.
        pub auth_method_id: AuthMethodId,
        /// What it is for.
        pub description: String,
        /// Its first four characters.
        pub prefix: String,
        /// Its keyed hash.
        pub secret_hash: Vec<u8>,
        /// How often it was used.
        pub uses: i64,
        /// How often it may be used; 0 for without a limit.
        pub uses_limit: i64,
        /// Seconds from creation until it expires; 0 for never.
        pub ttl: i64,
        /// Whether it was revoked.
        pub revoked: bool,
        /// Microseconds since the epoch.
        pub created_at: i64,
        /// Microseconds since the epoch.
        pub updated_at: i64,
        /// Microseconds since the epoch.
        pub last_used_at: Option<i64>,
        /// Its authentication; does not cover the uses, which are counted by the database.
        pub mac: Vec<u8>,
    }
}

/// The columns of a [`ClientSecretRow`], from `c`.
macro_rules! client_secret_columns {
    () => {
        "c.id, c.org_id, c.auth_method_id, c.description, c.prefix, c.secret_hash, c.uses,
            c.uses_limit, c.ttl, c.revoked, c.created_at, c.updated_at, c.last_used_at, c.mac"
    };
}

pub(crate) use client_secret_columns;

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT ", client_secret_columns!(), " FROM client_secrets c ", $rest)
    };
}

const FIND: &str = select!("WHERE c.org_id = $1 AND c.auth_method_id = $2 AND c.id = $3");
const LIST: &str =
    select!("WHERE c.org_id = $1 AND c.auth_method_id = $2 ORDER BY c.created_at, c.id");
const INSERT: &str = "INSERT INTO client_secrets (id, org_id, auth_method_id, description, prefix,
        secret_hash, uses, uses_limit, ttl, revoked, created_at, updated_at, last_used_at, mac)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
const REVOKE: &str = "UPDATE client_secrets SET revoked = TRUE, updated_at = $3, mac = $4
    WHERE org_id = $1 AND id = $2";
const TAKE_USE: &str = "UPDATE client_secrets SET uses = uses + 1, last_used_at = $2
    WHERE id = $1 AND revoked = FALSE AND uses < uses_limit";
const ADD_USES: &str = "UPDATE client_secrets SET uses = uses + $2, last_used_at = $3
    WHERE id = $1";

/// A client secret.
pub async fn find(
    source: impl Source,
    org: OrganizationId,
    method: AuthMethodId,
    id: ClientSecretId,
) -> Result<Option<ClientSecretRow>, StoreError> {
    source.fetch_optional(FIND, (org, method, id)).await
}

/// All client secrets of a universal auth, oldest first.
pub async fn list(
    source: impl Source,
    org: OrganizationId,
    method: AuthMethodId,
) -> Result<Vec<ClientSecretRow>, StoreError> {
    source.fetch_all(LIST, (org, method)).await
}

/// Adds a client secret.
pub async fn insert(tx: &mut Tx, row: &ClientSecretRow) -> Result<(), StoreError> {
    let params = (
        row.id,
        row.org_id,
        row.auth_method_id,
        row.description.as_str(),
        row.prefix.as_str(),
        row.secret_hash.as_slice(),
        row.uses,
        row.uses_limit,
        row.ttl,
        row.revoked,
        row.created_at,
        row.updated_at,
        row.last_used_at,
        row.mac.as_slice(),
    );
    tx.execute(INSERT, params).await?;
    Ok(())
}

/// Revokes a client secret; `row` holds the new authentication and time.
pub async fn revoke(tx: &mut Tx, row: &ClientSecretRow) -> Result<bool, StoreError> {
    let params = (row.org_id, row.id, row.updated_at, row.mac.as_slice());
    Ok(tx.execute(REVOKE, params).await? == 1)
}

/// Takes one of the uses of a client secret with a limit; false when there is none left. One
/// statement, so that of two who take the last one only one gets it.
pub async fn take_use(tx: &mut Tx, id: ClientSecretId, now: i64) -> Result<bool, StoreError> {
    Ok(tx.execute(TAKE_USE, (id, now)).await? == 1)
}

/// Adds uses of a client secret without a limit.
pub async fn add_uses(
    tx: &mut Tx,
    id: ClientSecretId,
    uses: i64,
    last_used_at: i64,
) -> Result<(), StoreError> {
    tx.execute(ADD_USES, (id, uses, last_used_at)).await?;
    Ok(())
}
