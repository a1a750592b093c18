//! Former versions of secrets, each sealed to the place that it was written in.

use kms_api::{EnvironmentId, FolderId, OrganizationId, SecretId};
use uuid::Uuid;

use crate::{
    Source, StoreError,
    folders::Place,
    record,
    secrets::{PlacedRow, SHARED},
};

record! {
    /// One version of a secret.
    #[derive(Clone, Debug)]
    pub struct VersionRow {
        /// The environment it was written in.
        pub env_id: EnvironmentId,
        /// The folder it was written in.
        pub folder_id: FolderId,
        /// Counts from 1.
        pub version: i64,
        /// The name it had.
        pub name: String,
        /// Value, comment and metadata.
        pub sealed: Vec<u8>,
        /// Whether clients write real newlines.
        pub skip_multiline_encoding: Option<bool>,
        /// `user` or `identity`.
        pub actor_kind: String,
        /// Who wrote it.
        pub actor_id: Option<Uuid>,
        /// What the writer was called.
        pub actor_name: Option<String>,
        /// Microseconds since the epoch.
        pub created_at: i64,
        /// Over all of the row but what is sealed; empty when it was written before rows had one.
        pub mac: Vec<u8>,
        /// The slug of the environment it was written in; none when that is gone.
        pub environment: Option<String>,
        /// The path that the folder it was written in has today; none when that is gone.
        pub path: Option<String>,
    }
}

record! {
    /// A secret that was in a folder at a point in time.
    #[derive(Clone, Debug)]
    pub struct PastRow {
        /// The slug of the environment that it is in now.
        pub environment: String,
        /// What it is now, and where.
        pub now: PlacedRow,
        /// What it was then, and where.
        pub then: VersionRow,
    }
}

macro_rules! versions {
    ($rest:literal) => {
        concat!(
            "SELECT v.env_id, v.folder_id, v.version, v.name, v.sealed, v.skip_multiline_encoding,
                v.actor_kind, v.actor_id, v.actor_name, v.created_at, v.mac, e.slug, f.path
            FROM secret_versions v LEFT JOIN folders f ON f.id = v.folder_id
                LEFT JOIN environments e ON e.id = f.env_id
            WHERE v.org_id = $1 AND v.secret_id = $2 ",
            $rest
        )
    };
}

const FIND: &str = versions!("AND v.version = $3");
const LIST: &str = versions!("ORDER BY v.version DESC LIMIT $3 OFFSET $4");

macro_rules! past {
    ($with:literal, $from:literal) => {
        concat!(
            $with,
            " SELECT ne.slug, nf.env_id, nf.id, nf.path, s.id, s.name, s.owner_id, s.version, s.sealed,
                s.skip_multiline_encoding, s.reminder_note, s.reminder_days, s.actor_kind,
                s.actor_id, s.actor_name, s.created_at, s.updated_at, s.mac, v.env_id,
                v.folder_id, v.version, v.name, v.sealed, v.skip_multiline_encoding, v.actor_kind,
                v.actor_id, v.actor_name, v.created_at, v.mac, e.slug, f.path ",
            $from,
            " JOIN secret_versions v ON v.folder_id = f.id AND v.owner_id = $5
                AND v.created_at <= $6
            JOIN secrets s ON s.id = v.secret_id JOIN folders nf ON nf.id = s.folder_id
            JOIN environments ne ON ne.id = nf.env_id
            WHERE e.org_id = $1 AND e.project_id = $2 AND e.slug = $3 AND f.org_id = $1
                AND NOT EXISTS (SELECT 1 FROM secret_versions l WHERE l.secret_id = v.secret_id
                    AND l.version > v.version AND l.created_at <= $6)"
        )
    };
}

const PAST: &str =
    past!("", "FROM environments e JOIN folders f ON f.env_id = e.id AND f.path = $4");
const PAST_BELOW: &str = past!(
    "WITH RECURSIVE below (id) AS (
        SELECT f.id FROM environments e JOIN folders f ON f.env_id = e.id
        WHERE e.org_id = $1 AND e.project_id = $2 AND e.slug = $3 AND f.org_id = $1 AND f.path = $4
        UNION ALL
        SELECT f.id FROM below b JOIN folders f ON f.parent_id = b.id
    )",
    "FROM below b JOIN folders f ON f.id = b.id JOIN environments e ON e.id = f.env_id"
);

/// One version of a secret.
pub async fn find(
    source: impl Source,
    org: OrganizationId,
    id: SecretId,
    version: i64,
) -> Result<Option<VersionRow>, StoreError> {
    source.fetch_optional(FIND, (org, id, version)).await
}

/// Versions of a secret, newest first.
pub async fn list(
    source: impl Source,
    org: OrganizationId,
    id: SecretId,
    limit: i64,
    offset: i64,
) -> Result<Vec<VersionRow>, StoreError> {
    source.fetch_all(LIST, (org, id, limit, offset)).await
}

/// What is left of the shared secrets that were in a folder, or in it and all that are below it
/// today, at a point in time: each with its version of then, in no order.
pub async fn at(
    source: impl Source,
    place: &Place<'_>,
    recursive: bool,
    time: i64,
) -> Result<Vec<PastRow>, StoreError> {
    let sql = if recursive { PAST_BELOW } else { PAST };
    let params = (place.org, place.project, place.environment, place.path, SHARED, time);
    source.fetch_all(sql, params).await
}
