//! Tags of projects.

use kms_api::{OrganizationId, ProjectId, TagId};
use uuid::Uuid;

use crate::{Source, StoreError, Tx, record};

record! {
    /// A tag of a project.
    #[derive(Clone, Debug)]
    pub struct TagRow {
        /// Its id.
        pub id: TagId,
        /// The organization.
        pub org_id: OrganizationId,
        /// Its project.
        pub project_id: ProjectId,
        /// What rules and clients name it by, unique in the project.
        pub slug: String,
        /// What people call it.
        pub name: String,
        /// Its colour as it was sent; may be empty.
        pub color: String,
        /// `user` or `identity`.
        pub actor_kind: String,
        /// Who made it.
        pub actor_id: Option<Uuid>,
        /// Microseconds since the epoch.
        pub created_at: i64,
        /// Microseconds since the epoch.
        pub updated_at: i64,
        /// Rules may grant by slug.
        pub mac: Vec<u8>,
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, org_id, project_id, slug, name, color, actor_kind, actor_id, created_at,
                updated_at, mac
            FROM tags WHERE org_id = $1 AND project_id = $2",
            $rest
        )
    };
}

const LIST: &str = select!("");
const FIND: &str = select!(" AND id = $3");
const FIND_BY_SLUG: &str = select!(" AND slug = $3");
const INSERT: &str = "INSERT INTO tags (id, org_id, project_id, slug, name, color, actor_kind,
        actor_id, created_at, updated_at, mac)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
const UPDATE: &str = "UPDATE tags SET slug = $3, name = $4, color = $5, updated_at = $6, mac = $7
    WHERE org_id = $1 AND id = $2";
const DELETE: &str = "DELETE FROM tags WHERE org_id = $1 AND id = $2";

/// The tags of a project, in no order.
pub async fn list(
    source: impl Source,
    org: OrganizationId,
    project: ProjectId,
) -> Result<Vec<TagRow>, StoreError> {
    source.fetch_all(LIST, (org, project)).await
}

/// A tag of a project.
pub async fn find(
    source: impl Source,
    org: OrganizationId,
    project: ProjectId,
    id: TagId,
) -> Result<Option<TagRow>, StoreError> {
    source.fetch_optional(FIND, (org, project, id)).await
}

/// The tag of a project that has a slug.
pub async fn find_by_slug(
    source: impl Source,
    org: OrganizationId,
    project: ProjectId,
    slug: &str,
) -> Result<Option<TagRow>, StoreError> {
    source.fetch_optional(FIND_BY_SLUG, (org, project, slug)).await
}

/// Adds a tag; [`StoreError::Duplicate`] when its slug is taken.
pub async fn insert(tx: &mut Tx, row: &TagRow) -> Result<(), StoreError> {
    let params = (
        row.id,
        row.org_id,
        row.project_id,
        row.slug.as_str(),
        row.name.as_str(),
        row.color.as_str(),
        row.actor_kind.as_str(),
        row.actor_id,
        row.created_at,
        row.updated_at,
        row.mac.as_slice(),
    );
    tx.execute(INSERT, params).await?;
    Ok(())
}

/// Writes what may change of a tag; [`StoreError::Duplicate`] when its slug is taken.
pub async fn update(tx: &mut Tx, row: &TagRow) -> Result<bool, StoreError> {
    let params = (
        row.org_id,
        row.id,
        row.slug.as_str(),
        row.name.as_str(),
        row.color.as_str(),
        row.updated_at,
        row.mac.as_slice(),
    );
    Ok(tx.execute(UPDATE, params).await? == 1)
}

/// Removes a tag.
pub async fn delete(tx: &mut Tx, org: OrganizationId, id: TagId) -> Result<bool, StoreError> {
    Ok(tx.execute(DELETE, (org, id)).await? == 1)
}
