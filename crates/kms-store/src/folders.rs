//! Folders. Each keeps its absolute path, so that finding one is one look-up in an index.
//!
//! What is below a folder is found through its parent, never by comparing paths: engines differ
//! in how they order text.

use kms_api::{EnvironmentId, FolderId, OrganizationId, ProjectId};

use crate::{Source, StoreError, Tx, record};

record! {
    /// A folder with its environment.
    #[derive(Clone, Debug)]
    pub struct FolderRow {
        /// Its id.
        pub id: FolderId,
        /// Its project.
        pub project_id: ProjectId,
        /// Its environment.
        pub env_id: EnvironmentId,
        /// The parent; none for the root folder.
        pub parent_id: Option<FolderId>,
        /// Its name; `root` for the root folder.
        pub name: String,
        /// Its absolute path.
        pub path: String,
        /// What it is for.
        pub description: Option<String>,
        /// Counts from 1, by one for every change.
        pub version: i64,
        /// When a secret in it last changed, in microseconds since the epoch.
        pub last_secret_modified: Option<i64>,
        /// Microseconds since the epoch.
        pub created_at: i64,
        /// Microseconds since the epoch.
        pub updated_at: i64,
        /// The environment's slug.
        pub env_slug: String,
        /// The environment's name.
        pub env_name: String,
    }
}

/// The name of every root folder.
pub const ROOT: &str = "root";

macro_rules! select {
    ($with:literal, $rest:literal) => {
        concat!(
            $with,
            " SELECT f.id, f.project_id, f.env_id, f.parent_id, f.name, f.path, f.description,
                f.version, f.last_secret_modified, f.created_at, f.updated_at, e.slug, e.name
            FROM folders f JOIN environments e ON e.id = f.env_id ",
            $rest
        )
    };
}

const FIND: &str = select!("", "WHERE f.org_id = $1 AND f.id = $2");
const FIND_AT: &str = select!(
    "",
    "WHERE e.org_id = $1 AND e.project_id = $2 AND e.slug = $3 AND f.org_id = $1 AND f.path = $4"
);
const LIST: &str = select!(
    "WITH RECURSIVE below (id, depth) AS (
        SELECT f.id, CAST(0 AS BIGINT) FROM folders f JOIN environments e ON e.id = f.env_id
        WHERE e.org_id = $1 AND e.project_id = $2 AND e.slug = $3 AND f.org_id = $1 AND f.path = $4
        UNION ALL
        SELECT f.id, b.depth + 1 FROM below b JOIN folders f ON f.parent_id = b.id
        WHERE b.depth < $5
    )",
    "JOIN below b ON b.id = f.id"
);
const INSERT: &str = "INSERT INTO folders (id, org_id, project_id, env_id, parent_id, name, path,
        description, version, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9, $9)";
const RENAME: &str = "UPDATE folders SET name = $3, description = $4, version = version + 1,
        updated_at = $5
    WHERE org_id = $1 AND id = $2";
/// `$4` is the first character of the old path that stays.
const MOVE: &str = "WITH RECURSIVE below (id) AS (
        SELECT id FROM folders WHERE org_id = $1 AND id = $2
        UNION ALL
        SELECT f.id FROM below b JOIN folders f ON f.parent_id = b.id
    )
    UPDATE folders SET path = $3 || substr(path, CAST($4 AS INTEGER))
    WHERE org_id = $1 AND id IN (SELECT id FROM below)";
const DELETE: &str = "DELETE FROM folders WHERE org_id = $1 AND id = $2";
/// The row lock orders those who write in one folder.
const TOUCH: &str = "UPDATE folders SET last_secret_modified = $5
    WHERE org_id = $1 AND path = $4 AND env_id =
        (SELECT id FROM environments WHERE org_id = $1 AND project_id = $2 AND slug = $3)";
/// Changes nothing: the row lock orders those who change the folders of one environment.
const LOCK: &str = "UPDATE environments SET position = position
    WHERE org_id = $1 AND project_id = $2 AND slug = $3";

/// A place in a project: an environment by its slug and the path of a folder in it.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The organization.
    pub org: OrganizationId,
    /// The project.
    pub project: ProjectId,
    /// The environment's slug.
    pub environment: &'a str,
    /// The folder's absolute path.
    pub path: &'a str,
}

/// A folder of an organization.
pub async fn find(
    source: impl Source,
    org: OrganizationId,
    id: FolderId,
) -> Result<Option<FolderRow>, StoreError> {
    source.fetch_optional(FIND, (org, id)).await
}

/// The folder at a place; none when there is no such environment or no such folder.
pub async fn find_at(
    source: impl Source,
    place: &Place<'_>,
) -> Result<Option<FolderRow>, StoreError> {
    source.fetch_optional(FIND_AT, (place.org, place.project, place.environment, place.path)).await
}

/// The folder at a place and those below it, at most `depth` levels down, in no order.
pub async fn list(
    source: impl Source,
    place: &Place<'_>,
    depth: i64,
) -> Result<Vec<FolderRow>, StoreError> {
    let params = (place.org, place.project, place.environment, place.path, depth);
    source.fetch_all(LIST, params).await
}

/// A folder to add.
#[derive(Clone, Copy, Debug)]
pub struct NewFolder<'a> {
    /// Its id.
    pub id: FolderId,
    /// Its organization.
    pub org: OrganizationId,
    /// Its project.
    pub project: ProjectId,
    /// Its environment.
    pub environment: EnvironmentId,
    /// The parent; none for the root folder.
    pub parent: Option<FolderId>,
    /// Its name.
    pub name: &'a str,
    /// Its absolute path.
    pub path: &'a str,
    /// What it is for.
    pub description: Option<&'a str>,
}

/// Adds a folder; [`StoreError::Duplicate`] when there is one at its path.
pub async fn insert(tx: &mut Tx, folder: &NewFolder<'_>, now: i64) -> Result<(), StoreError> {
    let params = (
        folder.id,
        folder.org,
        folder.project,
        folder.environment,
        folder.parent,
        folder.name,
        folder.path,
        folder.description,
        now,
    );
    tx.execute(INSERT, params).await?;
    Ok(())
}

/// Adds the root folder of a new environment.
pub async fn insert_root(
    tx: &mut Tx,
    org: OrganizationId,
    project: ProjectId,
    environment: EnvironmentId,
    id: FolderId,
    now: i64,
) -> Result<(), StoreError> {
    let root = NewFolder {
        id,
        org,
        project,
        environment,
        parent: None,
        name: ROOT,
        path: "/",
        description: None,
    };
    insert(tx, &root, now).await
}

/// What changes of a folder.
#[derive(Clone, Copy, Debug)]
pub struct Rename<'a> {
    /// The name it gets.
    pub name: &'a str,
    /// What it is for from now on.
    pub description: Option<&'a str>,
    /// The absolute path it had.
    pub old_path: &'a str,
    /// The absolute path it gets, and with it everything below.
    pub new_path: &'a str,
}

/// Renames a folder; [`StoreError::Duplicate`] when there is one at the new path.
pub async fn rename(
    tx: &mut Tx,
    org: OrganizationId,
    id: FolderId,
    rename: &Rename<'_>,
    now: i64,
) -> Result<bool, StoreError> {
    let changed = tx.execute(RENAME, (org, id, rename.name, rename.description, now)).await?;
    if rename.old_path != rename.new_path {
        // Paths are ASCII: bytes and characters are the same count.
        let kept = i64::try_from(rename.old_path.len()).unwrap_or(i64::MAX).saturating_add(1);
        tx.execute(MOVE, (org, id, rename.new_path, kept)).await?;
    }
    Ok(changed == 1)
}

/// Removes a folder with everything below it.
pub async fn delete(tx: &mut Tx, org: OrganizationId, id: FolderId) -> Result<bool, StoreError> {
    Ok(tx.execute(DELETE, (org, id)).await? == 1)
}

/// Notes that a secret in the folder changes; `false` when there is no such folder. Until the
/// write ends, nobody else can say so.
pub async fn touch_at(tx: &mut Tx, place: &Place<'_>, now: i64) -> Result<bool, StoreError> {
    let params = (place.org, place.project, place.environment, place.path, now);
    Ok(tx.execute(TOUCH, params).await? == 1)
}

/// Holds the folders of an environment, so that paths read afterwards stay what they are until
/// the write ends; `false` when there is no such environment.
pub async fn lock(
    tx: &mut Tx,
    org: OrganizationId,
    project: ProjectId,
    environment: &str,
) -> Result<bool, StoreError> {
    Ok(tx.execute(LOCK, (org, project, environment)).await? == 1)
}
