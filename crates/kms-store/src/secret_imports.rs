//! Imports: folders whose secrets are seen in another folder.

use std::sync::LazyLock;

use kms_api::{EnvironmentId, FolderId, OrganizationId, ProjectId, SecretImportId};

use crate::{
    Here, Source, Store, StoreError, Tx,
    folders::Place,
    record,
    wanted::{Texts, fetch, texts},
};

record! {
    /// An import with the environments at both ends.
    #[derive(Clone, Debug)]
    pub struct ImportRow {
        /// Its id.
        pub id: SecretImportId,
        /// Its project.
        pub project_id: ProjectId,
        /// The folder that imports.
        pub folder_id: FolderId,
        /// The absolute path of the folder that imports.
        pub path: String,
        /// The environment of the folder that imports.
        pub env_id: EnvironmentId,
        /// Its slug.
        pub env_slug: String,
        /// Its name.
        pub env_name: String,
        /// The environment of the source.
        pub source_env_id: EnvironmentId,
        /// Its slug.
        pub source_env_slug: String,
        /// Its name.
        pub source_env_name: String,
        /// The absolute path of the source, where a folder need not be.
        pub source_path: String,
        /// Counts from 1 in the folder that imports.
        pub position: i64,
        /// Counts from 1, by one for every change.
        pub version: i64,
        /// Microseconds since the epoch.
        pub created_at: i64,
        /// Microseconds since the epoch.
        pub updated_at: i64,
    }
}

macro_rules! select {
    ($from:literal) => {
        concat!(
            "SELECT i.id, i.project_id, i.folder_id, f.path, e.id, e.slug, e.name, t.id, t.slug,
                t.name, i.source_path, i.position, i.version, i.created_at, i.updated_at ",
            $from
        )
    };
}

const FIND: &str = select!(
    "FROM secret_imports i JOIN folders f ON f.id = i.folder_id
        JOIN environments e ON e.id = f.env_id JOIN environments t ON t.id = i.source_env_id
    WHERE i.org_id = $1 AND i.id = $2"
);
/// The order of the joins is said, since only one of them is quick.
static IN_FOLDERS: Texts = LazyLock::new(|| {
    let select = select!(
        "FROM here h CROSS JOIN wanted w CROSS JOIN environments e CROSS JOIN folders f
            CROSS JOIN secret_imports i CROSS JOIN environments t
        WHERE e.org_id = h.org AND e.project_id = h.project AND e.slug = w.env
            AND f.env_id = e.id AND f.org_id = h.org AND f.path = w.path
            AND i.folder_id = f.id AND t.id = i.source_env_id"
    );
    texts(&["env", "path"], select)
});
const IN_FOLDER: &str = select!(
    "FROM environments e JOIN folders f ON f.env_id = e.id
        JOIN secret_imports i ON i.folder_id = f.id JOIN environments t ON t.id = i.source_env_id
    WHERE e.org_id = $1 AND e.project_id = $2 AND e.slug = $3 AND f.org_id = $1 AND f.path = $4
    ORDER BY i.position"
);
const INSERT: &str = "INSERT INTO secret_imports (id, org_id, project_id, folder_id, source_env_id,
        source_path, position, version, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8, $8)";
const UPDATE: &str = "UPDATE secret_imports SET source_env_id = $3, source_path = $4,
        position = $5, version = version + 1, updated_at = $6
    WHERE org_id = $1 AND id = $2";
const SHIFT: &str = "UPDATE secret_imports SET position = position + $5
    WHERE org_id = $1 AND folder_id = $2 AND position >= $3 AND position <= $4";
const DELETE: &str = "DELETE FROM secret_imports WHERE org_id = $1 AND id = $2";
/// `$5` is the first character of the old path that stays. Paths are compared whole or up to a
/// slash, never by order.
const FOLLOW: &str = "UPDATE secret_imports
    SET source_path = $4 || substr(source_path, CAST($5 AS INTEGER))
    WHERE org_id = $1 AND source_env_id = $2 AND (source_path = $3
        OR substr(source_path, 1, CAST($5 AS INTEGER)) = $3 || '/')";

/// Imports that led nowhere so far, of folders that also import what comes there now. The last of a
/// folder first, so that closing one's gap moves none of those that follow here.
const OVERTAKEN: &str = select!(
    "FROM secret_imports i JOIN secret_imports o
        ON o.folder_id = i.folder_id AND o.source_env_id = i.source_env_id
        JOIN folders f ON f.id = i.folder_id JOIN environments e ON e.id = f.env_id
        JOIN environments t ON t.id = i.source_env_id
    WHERE i.org_id = $1 AND i.source_env_id = $2
        AND o.source_path = $3 || substr(i.source_path, CAST($5 AS INTEGER))
        AND (i.source_path = $4 OR substr(i.source_path, 1, CAST($5 AS INTEGER)) = $4 || '/')
    ORDER BY i.position DESC"
);

/// An import of an organization.
pub async fn find(
    source: impl Source,
    org: OrganizationId,
    id: SecretImportId,
) -> Result<Option<ImportRow>, StoreError> {
    source.fetch_optional(FIND, (org, id)).await
}

/// The imports of a folder by position; none where there is no such folder.
pub async fn in_folder(
    source: impl Source,
    place: &Place<'_>,
) -> Result<Vec<ImportRow>, StoreError> {
    let params = (place.org, place.project, place.environment, place.path);
    source.fetch_all(IN_FOLDER, params).await
}

/// The imports of all of these folders (slug of the environment and path), in no order.
pub async fn in_folders(
    store: &Store,
    here: &Here,
    folders: &[[&str; 2]],
) -> Result<Vec<ImportRow>, StoreError> {
    fetch(store, &IN_FOLDERS, here, folders).await
}

/// Adds an import at its first version; [`StoreError::Duplicate`] when the folder imports the
/// source already.
pub async fn insert(tx: &mut Tx, org: OrganizationId, row: &ImportRow) -> Result<(), StoreError> {
    let params = (
        row.id,
        org,
        row.project_id,
        row.folder_id,
        row.source_env_id,
        row.source_path.as_str(),
        row.position,
        row.created_at,
    );
    tx.execute(INSERT, params).await?;
    Ok(())
}

/// Writes source and position; [`StoreError::Duplicate`] when the folder imports the source
/// already.
pub async fn update(tx: &mut Tx, org: OrganizationId, row: &ImportRow) -> Result<bool, StoreError> {
    let path = row.source_path.as_str();
    let params = (org, row.id, row.source_env_id, path, row.position, row.updated_at);
    Ok(tx.execute(UPDATE, params).await? == 1)
}

/// Moves the imports of a folder whose positions are within `from` and `to` by `by`.
pub async fn shift(
    tx: &mut Tx,
    org: OrganizationId,
    folder: FolderId,
    (from, to): (i64, i64),
    by: i64,
) -> Result<(), StoreError> {
    tx.execute(SHIFT, (org, folder, from, to, by)).await?;
    Ok(())
}

/// Removes an import; the caller closes the gap.
pub async fn delete(
    tx: &mut Tx,
    org: OrganizationId,
    id: SecretImportId,
) -> Result<bool, StoreError> {
    Ok(tx.execute(DELETE, (org, id)).await? == 1)
}

/// Imports of a folder that got another path, and of those below it, lead there. One that led there
/// before the folder did makes room for one that follows; [`StoreError::Duplicate`] when such a one
/// is made at the same moment.
pub async fn follow(
    tx: &mut Tx,
    org: OrganizationId,
    environment: EnvironmentId,
    (old_path, new_path): (&str, &str),
) -> Result<(), StoreError> {
    // Paths are ASCII: bytes and characters are the same count.
    let after = |path: &str| i64::try_from(path.len()).unwrap_or(i64::MAX).saturating_add(1);
    let params = (org, environment, old_path, new_path, after(new_path));
    for row in tx.fetch_all::<ImportRow>(OVERTAKEN, params).await? {
        delete(tx, org, row.id).await?;
        shift(tx, org, row.folder_id, (row.position + 1, i64::MAX), -1).await?;
    }
    let kept = after(old_path);
    tx.execute(FOLLOW, (org, environment, old_path, new_path, kept)).await?;
    Ok(())
}
