//! What becomes of everybody's overrides when the shared secret changes.

use std::sync::LazyLock;

use kms_api::{FolderId, OrganizationId, SecretId};

use super::{MANY, SHARED, Texts, list_text, runs};
use crate::{StoreError, Then, Tx, bind::nameless};

const DELETE_OVERRIDES_HEAD: &str = "DELETE FROM secrets
    WHERE org_id = $1 AND owner_id <> $2 AND (folder_id, name) IN
        (SELECT s.folder_id, s.name FROM secrets s WHERE s.owner_id = $3 AND s.id";
static DELETE_OVERRIDES: Texts = texts!(|rows| list_text(DELETE_OVERRIDES_HEAD, 3, rows) + ")");
const RENAME_OVERRIDES: &str = "UPDATE secrets SET name = $5
    WHERE org_id = $1 AND folder_id = $2 AND name = $3 AND owner_id <> $4";

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

/// Everybody's overrides of a secret follow when it gets another name.
pub async fn rename_overrides(
    tx: &mut Tx,
    org: OrganizationId,
    folder: FolderId,
    (old, new): (&str, &str),
) -> Result<(), StoreError> {
    tx.execute(RENAME_OVERRIDES, (org, folder, old, SHARED, new)).await?;
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
