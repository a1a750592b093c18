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
const OVERRIDES_OF_ALL_HEAD: &str = placed!(
    "",
    "FROM folders f JOIN secrets s ON s.folder_id = f.id
    WHERE f.org_id = $1 AND s.owner_id <> $2 AND (s.folder_id, s.name) IN
        (SELECT o.folder_id, o.name FROM secrets o WHERE o.owner_id = $3 AND o.id"
);
static OVERRIDES_OF_ALL: Texts = texts!(|rows| list_text(OVERRIDES_OF_ALL_HEAD, 3, rows) + ")");
const PLACE_OVERRIDE: &str =
    "UPDATE secrets SET env_id = $3, folder_id = $4, name = $5, sealed = $6,
    mac = $7 WHERE org_id = $1 AND id = $2";

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

/// Everybody's overrides of shared secrets, in no order.
pub async fn overrides_of_all(
    tx: &mut Tx,
    org: OrganizationId,
    shared: &[SecretId],
) -> Result<Vec<SecretRow>, StoreError> {
    let mut found = Vec::new();
    for run in runs(shared) {
        let sql = OVERRIDES_OF_ALL.of(tx, run.len());
        let params = Then((org, SHARED, SHARED), run.iter().map(|id| (*id,)).collect());
        let rows = tx.fetch_all::<PlacedRow>(sql, params).await?;
        found.extend(rows.into_iter().filter_map(|row| row.split().1));
    }
    Ok(found)
}

/// Gives an override another folder or name, at the version that it has; [`StoreError::Duplicate`]
/// when its user has one of that name there.
pub async fn place_override(
    tx: &mut Tx,
    org: OrganizationId,
    row: &SecretRow,
) -> Result<(), StoreError> {
    let (sealed, mac) = (row.sealed.as_slice(), row.mac.as_slice());
    let params = (org, row.id, row.env_id, row.folder_id, row.name.as_str(), sealed, mac);
    tx.execute(PLACE_OVERRIDE, params).await?;
    Ok(())
}
