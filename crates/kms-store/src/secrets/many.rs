//! Secrets of many places at once.

use std::sync::LazyLock;

use kms_api::{OrganizationId, ProjectId, SecretId};

use super::{PlacedRow, SHARED};
use crate::{
    Here, Source, Store, StoreError, record,
    wanted::{Texts, fetch, texts},
};

record! {
    /// A secret of one of many places, or such a place without secrets.
    #[derive(Clone, Debug)]
    pub struct FoundRow {
        /// The environment's slug.
        pub environment: String,
        /// Folder and secret.
        pub placed: PlacedRow,
    }
}

record! {
    /// Where a secret is and which version it has, without what it holds.
    #[derive(Clone, Debug)]
    pub struct NamedRow {
        /// The environment's slug.
        pub environment: String,
        /// Its folder's absolute path.
        pub path: String,
        /// Its name.
        pub name: String,
        /// Names it for good.
        pub id: SecretId,
        /// Counts from 1, by one for every change.
        pub version: i64,
    }
}

/// The order of the joins is said, since only one of them is quick.
static FIND_MANY: Texts = LazyLock::new(|| {
    let select = concat!(
        "SELECT e.slug, ",
        columns!(),
        "FROM here h CROSS JOIN wanted w CROSS JOIN environments e CROSS JOIN folders f
            CROSS JOIN secrets s
        WHERE e.org_id = h.org AND e.project_id = h.project AND e.slug = w.env
            AND f.env_id = e.id AND f.org_id = h.org AND f.path = w.path
            AND s.folder_id = f.id AND s.name = w.name
            AND (s.owner_id = h.shared OR s.owner_id = h.own)"
    );
    texts(&["env", "path", "name"], select)
});
static LIST_MANY: Texts = LazyLock::new(|| {
    let select = concat!(
        "SELECT e.slug, ",
        columns!(),
        "FROM here h CROSS JOIN wanted w CROSS JOIN environments e CROSS JOIN folders f
            LEFT JOIN secrets s ON s.folder_id = f.id AND s.owner_id = h.shared
        WHERE e.org_id = h.org AND e.project_id = h.project AND e.slug = w.env
            AND f.env_id = e.id AND f.org_id = h.org AND f.path = w.path"
    );
    texts(&["env", "path"], select)
});
const LIST_PROJECT: &str = concat!(
    "SELECT e.slug, ",
    columns!(),
    "FROM environments e JOIN folders f ON f.env_id = e.id JOIN secrets s ON s.folder_id = f.id
    WHERE e.org_id = $1 AND e.project_id = $2 AND f.org_id = $1 AND s.owner_id = $3"
);

const NAMES_OF_PROJECT: &str = "SELECT e.slug, f.path, s.name, s.id, s.version
    FROM environments e JOIN folders f ON f.env_id = e.id JOIN secrets s ON s.folder_id = f.id
    WHERE e.org_id = $1 AND e.project_id = $2 AND f.org_id = $1 AND s.owner_id = $3";

/// The secrets of these names (slug of the environment, path, name), shared ones and those of
/// [`Here::owner`], in no order.
pub async fn find_many(
    store: &Store,
    here: &Here,
    names: &[[&str; 3]],
) -> Result<Vec<FoundRow>, StoreError> {
    fetch(store, &FIND_MANY, here, names).await
}

/// The shared secrets of all of these folders (slug of the environment, path), in no order; one
/// row without a secret for a folder that is empty, none for one that is not there.
pub async fn list_many(
    store: &Store,
    here: &Here,
    folders: &[[&str; 2]],
) -> Result<Vec<FoundRow>, StoreError> {
    fetch(store, &LIST_MANY, here, folders).await
}

/// Where all shared secrets of a project are, in no order.
pub async fn names_of_project(
    source: impl Source,
    org: OrganizationId,
    project: ProjectId,
) -> Result<Vec<NamedRow>, StoreError> {
    source.fetch_all(NAMES_OF_PROJECT, (org, project, SHARED)).await
}

/// All shared secrets of a project, in no order.
pub async fn list_project(
    source: impl Source,
    org: OrganizationId,
    project: ProjectId,
) -> Result<Vec<FoundRow>, StoreError> {
    source.fetch_all(LIST_PROJECT, (org, project, SHARED)).await
}
