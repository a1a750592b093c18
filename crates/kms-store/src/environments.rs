//! Environments of projects.

use kms_api::{EnvironmentId, OrganizationId, ProjectId};
use uuid::Uuid;

use crate::{Source, StoreError, Tx, record};

record! {
    /// An environment.
    #[derive(Clone, Debug)]
    pub struct EnvironmentRow {
        /// Its id.
        pub id: EnvironmentId,
        /// The organization.
        pub org_id: OrganizationId,
        /// Its project.
        pub project_id: ProjectId,
        /// Its name.
        pub name: String,
        /// Its slug, unique in the project.
        pub slug: String,
        /// Its place, from 1, without gaps.
        pub position: i64,
        /// Microseconds since the epoch.
        pub created_at: i64,
        /// Microseconds since the epoch.
        pub updated_at: i64,
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT e.id, e.org_id, e.project_id, e.name, e.slug, e.position, e.created_at,
                e.updated_at
            FROM environments e ",
            $rest
        )
    };
}

const LIST: &str =
    select!("WHERE e.org_id = $1 AND e.project_id = $2 ORDER BY e.position, e.created_at, e.id");
const OF_PRINCIPAL: &str = select!(
    "JOIN project_memberships m ON m.project_id = e.project_id
    WHERE e.org_id = $1 AND m.principal_id = $2 AND m.principal_kind = $3
    ORDER BY e.project_id, e.position, e.created_at, e.id"
);
const FIND: &str = select!("WHERE e.org_id = $1 AND e.project_id = $2 AND e.id = $3");
const FIND_BY_ID: &str = select!("WHERE e.org_id = $1 AND e.id = $2");
const FIND_BY_SLUG: &str = select!("WHERE e.org_id = $1 AND e.project_id = $2 AND e.slug = $3");
const INSERT: &str = "INSERT INTO environments (id, org_id, project_id, name, slug, position,
        created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
const UPDATE: &str = "UPDATE environments SET name = $3, slug = $4, updated_at = $5
    WHERE org_id = $1 AND id = $2";
const SET_POSITION: &str = "UPDATE environments SET position = $3 WHERE org_id = $1 AND id = $2";
const DELETE: &str = "DELETE FROM environments WHERE org_id = $1 AND id = $2";

/// The environments of a project in their order.
pub async fn list(
    source: impl Source,
    org: OrganizationId,
    project: ProjectId,
) -> Result<Vec<EnvironmentRow>, StoreError> {
    source.fetch_all(LIST, (org, project)).await
}

/// The environments of all projects that a principal is a member of, project by project in their
/// order.
pub async fn of_principal(
    source: impl Source,
    org: OrganizationId,
    principal: Uuid,
    kind: &str,
) -> Result<Vec<EnvironmentRow>, StoreError> {
    source.fetch_all(OF_PRINCIPAL, (org, principal, kind)).await
}

/// An environment of a project.
pub async fn find(
    source: impl Source,
    org: OrganizationId,
    project: ProjectId,
    id: EnvironmentId,
) -> Result<Option<EnvironmentRow>, StoreError> {
    source.fetch_optional(FIND, (org, project, id)).await
}

/// An environment of an organization, whichever project it is in.
pub async fn find_by_id(
    source: impl Source,
    org: OrganizationId,
    id: EnvironmentId,
) -> Result<Option<EnvironmentRow>, StoreError> {
    source.fetch_optional(FIND_BY_ID, (org, id)).await
}

/// An environment of a project by its slug.
pub async fn find_by_slug(
    source: impl Source,
    org: OrganizationId,
    project: ProjectId,
    slug: &str,
) -> Result<Option<EnvironmentRow>, StoreError> {
    source.fetch_optional(FIND_BY_SLUG, (org, project, slug)).await
}

/// Adds an environment; [`StoreError::Duplicate`] when the slug is taken in the project.
pub async fn insert(tx: &mut Tx, row: &EnvironmentRow) -> Result<(), StoreError> {
    let params = (
        row.id,
        row.org_id,
        row.project_id,
        row.name.as_str(),
        row.slug.as_str(),
        row.position,
        row.created_at,
        row.updated_at,
    );
    tx.execute(INSERT, params).await?;
    Ok(())
}

/// Writes name and slug; [`StoreError::Duplicate`] when the slug is taken in the project.
pub async fn update(tx: &mut Tx, row: &EnvironmentRow) -> Result<bool, StoreError> {
    let params = (row.org_id, row.id, row.name.as_str(), row.slug.as_str(), row.updated_at);
    Ok(tx.execute(UPDATE, params).await? == 1)
}

/// Moves an environment to another place; the caller keeps the places without gaps.
pub async fn set_position(
    tx: &mut Tx,
    org: OrganizationId,
    id: EnvironmentId,
    position: i64,
) -> Result<(), StoreError> {
    tx.execute(SET_POSITION, (org, id, position)).await?;
    Ok(())
}

/// Removes an environment with everything in it.
pub async fn delete(
    tx: &mut Tx,
    org: OrganizationId,
    id: EnvironmentId,
) -> Result<bool, StoreError> {
    Ok(tx.execute(DELETE, (org, id)).await? == 1)
}
