//! What becomes of everybody's overrides when the shared secret changes.

use std::sync::LazyLock;

use kms_api::{FolderId, OrganizationId, SecretId};

use super::{MANY, PlacedRow, SHARED, SecretRow, Texts, list_text, runs};
use crate::{Source, StoreError, Then, Tx, bind::nameless};

const DELETE_OVERRIDES_HEAD: &str = "DELETE FROM secrets
    WHERE org_id = $1 AND owner_id <> $2 AND (folder_id, name) IN
        (SELECT s.folder_id, s.name FROM secrets s WHERE s.owner_id = $3 AND s.id";
static DELETE_OVERRIDES: Texts = texts!(|rows| list_text(DELETE_OVERRIDES_HEAD, 3, rows) + ")");
const OVERRIDES: &str = placed!(
    "",
    "FROM folders f JOIN secrets s ON s.folder_id = f.id
    WHERE f.org_id = $1 AND f.id = $2 AND s.name = $3 AND s.owner_id <> $4"
);
const RENAME_OVERRIDE: &str =
    "UPDATE secrets SET name = $3, sealed = $4, mac = $5 WHERE org_id = $1 AND id = $2";

/// Removes everybody's overrides of shared secrets, of which there are one or [`MANY`].
pub(super) async fn delete(
    tx: &mut Tx,
    org: OrganizationId,
    shared: &[SecretId],
) -> Result<(), StoreError> {
    let sql = DELETE_OVERRIDES.of(tx, shared.len());
    let params = Then((org, SHARED, SHARED), shared.iter().map(|id| (*id,)).collect());
    tx.execute(sql, params).await?;
    Ok(())
}

/// Everybody's overrides of a secret, in no order.
pub async fn overrides_of(
    tx: &mut Tx,
    org: OrganizationId,
    folder: FolderId,
    name: &str,
) -> Result<Vec<SecretRow>, StoreError> {
    let rows = tx.fetch_all::<PlacedRow>(OVERRIDES, (org, folder, name, SHARED)).await?;
    Ok(rows.into_iter().filter_map(|row| row.split().1).collect())
}

/// Gives an override another name, at the version that it has; [`StoreError::Duplicate`] when its
/// user has one of that name there.
pub async fn rename_override(
    tx: &mut Tx,
    org: OrganizationId,
    row: &SecretRow,
) -> Result<(), StoreError> {
    let params = (org, row.id, row.name.as_str(), row.sealed.as_slice(), row.mac.as_slice());
    tx.execute(RENAME_OVERRIDE, params).await?;
    Ok(())
}

/// Removes everybody's overrides of shared secrets.
pub async fn delete_overrides(
    tx: &mut Tx,
    org: OrganizationId,
    shared: &[SecretId],
) -> Result<(), StoreError> {
    for run in runs(shared) {
        delete(tx, org, run).await?;
    }
    Ok(())
}
