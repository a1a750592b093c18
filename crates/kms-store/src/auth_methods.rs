//! How identities may log in: one row for each auth method of an identity.

use kms_api::{AuthMethodId, IdentityId, OrganizationId};
use uuid::Uuid;

use crate::{Source, StoreError, Tx, record};

record! {
    /// An auth method of an identity.
    #[derive(Clone, Debug)]
    pub struct AuthMethodRow {
        /// Its id.
        pub id: AuthMethodId,
        /// The identity's home organization.
        pub org_id: OrganizationId,
        /// The identity.
        pub identity_id: IdentityId,
        /// The method's name, such as `universal-auth`.
        pub method: String,
        /// What universal auth is looked up by.
        pub client_id: Option<Uuid>,
        /// Seconds that a token lives; 0 for as long as allowed.
        pub access_token_ttl: i64,
        /// Seconds since the login after which renewal ends; 0 for never.
        pub access_token_max_ttl: i64,
        /// How often a token may be used; 0 for without a limit.
        pub access_token_uses_limit: i64,
        /// Where tokens may be used, as JSON.
        pub access_token_trusted_ips: String,
        /// What only this method has, as JSON.
        pub config: String,
        /// What only this method has and must stay secret, sealed.
        pub sealed: Option<Vec<u8>>,
        /// Microseconds since the epoch.
        pub created_at: i64,
        /// Microseconds since the epoch.
        pub updated_at: i64,
        /// Its authentication.
        pub mac: Vec<u8>,
    }
}

/// The columns of an [`AuthMethodRow`], from `a`.
macro_rules! auth_method_columns {
    () => {
        "a.id, a.org_id, a.identity_id, a.method, a.client_id, a.access_token_ttl,
            a.access_token_max_ttl, a.access_token_uses_limit, a.access_token_trusted_ips,
            a.config, a.sealed, a.created_at, a.updated_at, a.mac"
    };
}

pub(crate) use auth_method_columns;

const FIND: &str = concat!(
    "SELECT ",
    auth_method_columns!(),
    " FROM identity_auth_methods a
    WHERE a.org_id = $1 AND a.identity_id = $2 AND a.method = $3"
);
const INSERT: &str =
    "INSERT INTO identity_auth_methods (id, org_id, identity_id, method, client_id,
        access_token_ttl, access_token_max_ttl, access_token_uses_limit, access_token_trusted_ips,
        config, sealed, created_at, updated_at, mac)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
const UPDATE: &str = "UPDATE identity_auth_methods SET access_token_ttl = $3,
        access_token_max_ttl = $4, access_token_uses_limit = $5, access_token_trusted_ips = $6,
        config = $7, sealed = $8, updated_at = $9, mac = $10
    WHERE org_id = $1 AND id = $2 AND mac = $11";
const DELETE: &str = "DELETE FROM identity_auth_methods WHERE org_id = $1 AND id = $2";

/// An auth method of an identity.
pub async fn find(
    source: impl Source,
    org: OrganizationId,
    identity: IdentityId,
    method: &str,
) -> Result<Option<AuthMethodRow>, StoreError> {
    source.fetch_optional(FIND, (org, identity, method)).await
}

/// Adds an auth method; [`StoreError::Duplicate`] when the identity has it already.
pub async fn insert(tx: &mut Tx, row: &AuthMethodRow) -> Result<(), StoreError> {
    let params = (
        row.id,
        row.org_id,
        row.identity_id,
        row.method.as_str(),
        row.client_id,
        row.access_token_ttl,
        row.access_token_max_ttl,
        row.access_token_uses_limit,
        row.access_token_trusted_ips.as_str(),
        row.config.as_str(),
        row.sealed.as_deref(),
        row.created_at,
        row.updated_at,
        row.mac.as_slice(),
    );
    tx.execute(INSERT, params).await?;
    Ok(())
}

/// Writes what may change of an auth method, unless it is not any more what was read: `read` is the
/// authentication that it had, which covers all of it.
pub async fn update(tx: &mut Tx, row: &AuthMethodRow, read: &[u8]) -> Result<bool, StoreError> {
    let params = (
        row.org_id,
        row.id,
        row.access_token_ttl,
        row.access_token_max_ttl,
        row.access_token_uses_limit,
        row.access_token_trusted_ips.as_str(),
        row.config.as_str(),
        row.sealed.as_deref(),
        row.updated_at,
        row.mac.as_slice(),
        read,
    );
    Ok(tx.execute(UPDATE, params).await? == 1)
}

/// Removes an auth method with its client secrets.
pub async fn delete(
    tx: &mut Tx,
    org: OrganizationId,
    id: AuthMethodId,
) -> Result<bool, StoreError> {
    Ok(tx.execute(DELETE, (org, id)).await? == 1)
}
