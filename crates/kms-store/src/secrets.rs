//! Secrets and their versions. What is sealed stays sealed here.

use std::sync::LazyLock;

use kms_api::{EnvironmentId, FolderId, OrganizationId, ProjectId, SecretId};
use uuid::Uuid;

use crate::{Params, Source, StoreError, Then, Tx, bind::nameless, folders::Place, record};

/// The owner of a secret that everybody shares; a personal override is owned by its user.
pub const SHARED: Uuid = Uuid::nil();

record! {
    /// A folder joined with one of its secrets; without secrets, one row with none.
    #[derive(Clone, Debug)]
    pub struct PlacedRow {
        /// The environment.
        pub env_id: EnvironmentId,
        /// The folder.
        pub folder_id: FolderId,
        /// The folder's absolute path.
        pub path: String,
        /// See [`SecretRow`], as are all that follow.
        pub id: Option<SecretId>,
        /// See [`SecretRow`].
        pub name: Option<String>,
        /// See [`SecretRow`].
        pub owner_id: Option<Uuid>,
        /// See [`SecretRow`].
        pub version: Option<i64>,
        /// See [`SecretRow`].
        pub sealed: Option<Vec<u8>>,
        /// See [`SecretRow`].
        pub skip_multiline_encoding: Option<bool>,
        /// See [`SecretRow`].
        pub reminder_note: Option<String>,
        /// See [`SecretRow`].
        pub reminder_days: Option<i64>,
        /// See [`SecretRow`].
        pub actor_kind: Option<String>,
        /// See [`SecretRow`].
        pub actor_id: Option<Uuid>,
        /// See [`SecretRow`].
        pub actor_name: Option<String>,
        /// See [`SecretRow`].
        pub created_at: Option<i64>,
        /// See [`SecretRow`].
        pub updated_at: Option<i64>,
        /// See [`SecretRow`].
        pub mac: Option<Vec<u8>>,
    }
}

/// A secret in a folder.
#[derive(Clone, Debug)]
pub struct SecretRow {
    /// Its environment.
    pub env_id: EnvironmentId,
    /// Its folder.
    pub folder_id: FolderId,
    /// Its id.
    pub id: SecretId,
    /// Its name, unique in the folder.
    pub name: String,
    /// [`SHARED`], or the user whose own override of the shared secret it is.
    pub owner_id: Uuid,
    /// Counts from 1, by one for every change.
    pub version: i64,
    /// Value, comment and metadata.
    pub sealed: Vec<u8>,
    /// Whether clients write real newlines.
    pub skip_multiline_encoding: Option<bool>,
    /// The reminder's note.
    pub reminder_note: Option<String>,
    /// Days between reminders.
    pub reminder_days: Option<i64>,
    /// `user` or `identity`.
    pub actor_kind: String,
    /// Who wrote this version.
    pub actor_id: Option<Uuid>,
    /// What the writer was called.
    pub actor_name: Option<String>,
    /// Microseconds since the epoch.
    pub created_at: i64,
    /// Microseconds since the epoch.
    pub updated_at: i64,
    /// Over all of the row but what is sealed; empty when it was written before rows had one.
    pub mac: Vec<u8>,
    /// That of the version which is written along with the row; empty in a row that was read.
    pub version_mac: Vec<u8>,
}

impl PlacedRow {
    /// The folder's path and the secret, if there is one.
    pub fn split(self) -> (String, Option<SecretRow>) {
        let Self { env_id, folder_id, path, .. } = self;
        let secret = (|| {
            Some(SecretRow {
                env_id,
                folder_id,
                id: self.id?,
                name: self.name?,
                owner_id: self.owner_id?,
                version: self.version?,
                sealed: self.sealed?,
                skip_multiline_encoding: self.skip_multiline_encoding,
                reminder_note: self.reminder_note,
                reminder_days: self.reminder_days,
                actor_kind: self.actor_kind?,
                actor_id: self.actor_id,
                actor_name: self.actor_name,
                created_at: self.created_at?,
                updated_at: self.updated_at?,
                mac: self.mac?,
                version_mac: Vec::new(),
            })
        })();
        (path, secret)
    }
}

record! {
    /// Where a secret is.
    #[derive(Clone, Debug)]
    pub struct LocationRow {
        /// Its project.
        pub project_id: ProjectId,
        /// Its environment's slug.
        pub environment: String,
        /// Its folder's absolute path.
        pub path: String,
        /// Its name.
        pub name: String,
    }
}

record! {
    /// How much there is in a folder and below it.
    #[derive(Clone, Copy, Debug)]
    pub struct SizeRow {
        /// Folders, itself included; 0 when there is no such folder.
        pub folders: i64,
        /// Shared secrets.
        pub secrets: i64,
        /// Bytes of them, sealed.
        pub bytes: i64,
    }
}

macro_rules! columns {
    () => {
        "f.env_id, f.id, f.path, s.id, s.name, s.owner_id, s.version, s.sealed,
            s.skip_multiline_encoding, s.reminder_note, s.reminder_days, s.actor_kind,
            s.actor_id, s.actor_name, s.created_at, s.updated_at, s.mac "
    };
}

mod many;

pub use many::{FoundRow, NamedRow, find_many, list_many, list_project, names_of_project};

macro_rules! placed {
    ($with:literal, $from:literal) => {
        concat!($with, " SELECT ", columns!(), $from)
    };
}

const LIST: &str = placed!(
    "",
    "FROM environments e JOIN folders f ON f.env_id = e.id
        LEFT JOIN secrets s ON s.folder_id = f.id AND (s.owner_id = $5 OR s.owner_id = $6)
    WHERE e.org_id = $1 AND e.project_id = $2 AND e.slug = $3 AND f.org_id = $1 AND f.path = $4"
);
const LIST_BELOW: &str = placed!(
    "WITH RECURSIVE below (id) AS (
        SELECT f.id FROM environments e JOIN folders f ON f.env_id = e.id
        WHERE e.org_id = $1 AND e.project_id = $2 AND e.slug = $3 AND f.org_id = $1 AND f.path = $4
        UNION ALL
        SELECT f.id FROM below b JOIN folders f ON f.parent_id = b.id
    )",
    "FROM below b JOIN folders f ON f.id = b.id
        LEFT JOIN secrets s ON s.folder_id = f.id AND (s.owner_id = $5 OR s.owner_id = $6)"
);
const MEASURE_BELOW: &str = "WITH RECURSIVE below (id) AS (
        SELECT f.id FROM environments e JOIN folders f ON f.env_id = e.id
        WHERE e.org_id = $1 AND e.project_id = $2 AND e.slug = $3 AND f.org_id = $1 AND f.path = $4
        UNION ALL
        SELECT f.id FROM below b JOIN folders f ON f.parent_id = b.id
    )
    SELECT COUNT(DISTINCT b.id) AS folders, COUNT(s.id) AS secrets,
        CAST(COALESCE(SUM(LENGTH(s.sealed)), 0) AS BIGINT) AS bytes
    FROM below b LEFT JOIN secrets s ON s.folder_id = b.id AND s.owner_id = $5";
const FIND: &str = placed!(
    "",
    "FROM environments e JOIN folders f ON f.env_id = e.id
        LEFT JOIN secrets s ON s.folder_id = f.id AND s.owner_id = $5 AND s.name = $6
    WHERE e.org_id = $1 AND e.project_id = $2 AND e.slug = $3 AND f.org_id = $1 AND f.path = $4"
);
const LOCATE: &str = "SELECT s.project_id, e.slug, f.path, s.name
    FROM secrets s JOIN folders f ON f.id = s.folder_id JOIN environments e ON e.id = f.env_id
    WHERE s.org_id = $1 AND s.id = $2 AND s.owner_id = $3";

/// Rows in the larger of the two texts of a statement about many rows: few statements for many
/// rows, few prepared statements in all.
const MANY: usize = 32;

/// A statement for one row and the same for [`MANY`].
struct Texts {
    one: LazyLock<String>,
    many: LazyLock<String>,
    /// The latter for the embedded engine, see [`nameless`].
    nameless: LazyLock<String>,
}

macro_rules! texts {
    ($make:expr) => {
        Texts {
            one: LazyLock::new(|| $make(1)),
            many: LazyLock::new(|| $make(MANY)),
            nameless: LazyLock::new(|| nameless(&$make(MANY))),
        }
    };
}

mod overrides;

pub use overrides::{overrides_of, overrides_of_all, place_override};

impl Texts {
    fn of(&'static self, tx: &Tx, rows: usize) -> &'static str {
        match (rows, tx.is_embedded()) {
            (1, _) => &self.one,
            (_, true) => &self.nameless,
            (_, false) => &self.many,
        }
    }
}

fn insert_text(head: &str, columns: usize, rows: usize) -> String {
    let row = |row: usize| {
        let places = (1..=columns).map(|column| format!("${}", row * columns + column));
        format!("({})", places.collect::<Vec<_>>().join(","))
    };
    format!("{head} VALUES {}", (0..rows).map(row).collect::<Vec<_>>().join(","))
}

/// A statement that ends with a list of texts or ids after `first` other parameters.
fn list_text(head: &str, first: usize, rows: usize) -> String {
    let places = (1..=rows).map(|row| format!("${}", first + row));
    format!("{head} IN ({})", places.collect::<Vec<_>>().join(","))
}

const SECRET_COLUMNS: usize = 18;
const INSERT_HEAD: &str = "INSERT INTO secrets (id, org_id, project_id, env_id, folder_id, name,
    owner_id, version, sealed, skip_multiline_encoding, reminder_note, reminder_days, actor_kind,
    actor_id, actor_name, created_at, updated_at, mac)";
static INSERT: Texts = texts!(|rows| insert_text(INSERT_HEAD, SECRET_COLUMNS, rows));

const VERSION_COLUMNS: usize = 15;
const INSERT_VERSION_HEAD: &str = "INSERT INTO secret_versions (secret_id, version, org_id,
    project_id, env_id, folder_id, name, owner_id, sealed, skip_multiline_encoding, actor_kind,
    actor_id, actor_name, created_at, mac)";
static INSERT_VERSION: Texts =
    texts!(|rows| insert_text(INSERT_VERSION_HEAD, VERSION_COLUMNS, rows));

const UPDATE_COLUMNS: usize = 15;
/// What a list of values calls its columns is the same on both engines.
const UPDATE_HEAD: &str = "UPDATE secrets SET version = secrets.version + 1, name = v.column4,
        env_id = v.column5, folder_id = v.column6, sealed = v.column7,
        skip_multiline_encoding = v.column8, reminder_note = v.column9, reminder_days = v.column10,
        actor_kind = v.column11, actor_id = v.column12, actor_name = v.column13,
        updated_at = v.column14, mac = v.column15
    FROM (";
const UPDATE_TAIL: &str = ") AS v
    WHERE secrets.org_id = v.column1 AND secrets.id = v.column2 AND secrets.version = v.column3";
static UPDATE: Texts = texts!(|rows| insert_text(UPDATE_HEAD, UPDATE_COLUMNS, rows) + UPDATE_TAIL);

const NAMED_HEAD: &str = placed!(
    "",
    "FROM folders f JOIN secrets s ON s.folder_id = f.id
    WHERE f.org_id = $1 AND f.id = $2 AND s.owner_id = $3 AND s.name"
);
static NAMED: Texts = texts!(|rows| list_text(NAMED_HEAD, 3, rows));

const OF_IDS_HEAD: &str = placed!(
    "",
    "FROM folders f JOIN secrets s ON s.folder_id = f.id
    WHERE f.org_id = $1 AND f.id = $2 AND s.owner_id = $3 AND s.id"
);
static OF_IDS: Texts = texts!(|rows| list_text(OF_IDS_HEAD, 3, rows));

const DELETE_HEAD: &str = "DELETE FROM secrets WHERE org_id = $1 AND id";
static DELETE: Texts = texts!(|rows| list_text(DELETE_HEAD, 1, rows));

/// Runs of [`MANY`], and what remains one by one.
fn runs<T>(rows: &[T]) -> impl Iterator<Item = &[T]> {
    let (many, rest) = rows.split_at(rows.len() / MANY * MANY);
    many.chunks(MANY).chain(rest.chunks(1))
}

/// The shared secrets of a folder, or of it and all below, in no order; empty when there is no
/// such folder, one row without a secret for a folder that is empty.
pub async fn list(
    source: impl Source,
    place: &Place<'_>,
    recursive: bool,
) -> Result<Vec<PlacedRow>, StoreError> {
    list_with(source, place, recursive, SHARED).await
}

/// As [`list`], with the overrides that belong to one user.
pub async fn list_with(
    source: impl Source,
    place: &Place<'_>,
    recursive: bool,
    owner: Uuid,
) -> Result<Vec<PlacedRow>, StoreError> {
    let sql = if recursive { LIST_BELOW } else { LIST };
    let params = (place.org, place.project, place.environment, place.path, SHARED, owner);
    source.fetch_all(sql, params).await
}

/// How much [`list`] would read of a folder and all below.
pub async fn measure(source: impl Source, place: &Place<'_>) -> Result<SizeRow, StoreError> {
    let params = (place.org, place.project, place.environment, place.path, SHARED);
    let found = source.fetch_optional(MEASURE_BELOW, params).await?;
    Ok(found.unwrap_or(SizeRow { folders: 0, secrets: 0, bytes: 0 }))
}

/// The shared secret of a name in a folder; none when there is no such folder, a row without a
/// secret when the folder has none of that name.
pub async fn find(
    source: impl Source,
    place: &Place<'_>,
    name: &str,
) -> Result<Option<PlacedRow>, StoreError> {
    find_of(source, place, name, SHARED).await
}

/// As [`find`], for an owner's own secret.
pub async fn find_of(
    source: impl Source,
    place: &Place<'_>,
    name: &str,
    owner: Uuid,
) -> Result<Option<PlacedRow>, StoreError> {
    let params = (place.org, place.project, place.environment, place.path, owner, name);
    source.fetch_optional(FIND, params).await
}

/// The shared secrets of these names in a folder, in no order.
pub async fn find_named(
    tx: &mut Tx,
    org: OrganizationId,
    folder: FolderId,
    names: &[&str],
) -> Result<Vec<SecretRow>, StoreError> {
    let mut found = Vec::with_capacity(names.len());
    for run in runs(names) {
        let sql = NAMED.of(tx, run.len());
        let params = Then((org, folder, SHARED), run.iter().map(|name| (*name,)).collect());
        let rows = tx.fetch_all::<PlacedRow>(sql, params).await?;
        found.extend(rows.into_iter().filter_map(|row| row.split().1));
    }
    Ok(found)
}

/// The shared secrets of these ids that are in a folder, in no order.
pub async fn find_by_ids(
    tx: &mut Tx,
    org: OrganizationId,
    folder: FolderId,
    ids: &[SecretId],
) -> Result<Vec<SecretRow>, StoreError> {
    let mut found = Vec::with_capacity(ids.len());
    for run in runs(ids) {
        let sql = OF_IDS.of(tx, run.len());
        let params = Then((org, folder, SHARED), run.iter().map(|id| (*id,)).collect());
        let rows = tx.fetch_all::<PlacedRow>(sql, params).await?;
        found.extend(rows.into_iter().filter_map(|row| row.split().1));
    }
    Ok(found)
}

/// Where a shared secret of an organization is.
pub async fn locate(
    source: impl Source,
    org: OrganizationId,
    id: SecretId,
) -> Result<Option<LocationRow>, StoreError> {
    source.fetch_optional(LOCATE, (org, id, SHARED)).await
}

fn secret_params(org: OrganizationId, project: ProjectId, row: &SecretRow) -> impl Params<'_> {
    (
        row.id,
        org,
        project,
        row.env_id,
        row.folder_id,
        row.name.as_str(),
        row.owner_id,
        row.version,
        row.sealed.as_slice(),
        row.skip_multiline_encoding,
        row.reminder_note.as_deref(),
        row.reminder_days,
        row.actor_kind.as_str(),
        row.actor_id,
        row.actor_name.as_deref(),
        row.created_at,
        row.updated_at,
        row.mac.as_slice(),
    )
}

fn version_params(org: OrganizationId, project: ProjectId, row: &SecretRow) -> impl Params<'_> {
    (
        row.id,
        row.version,
        org,
        project,
        row.env_id,
        row.folder_id,
        row.name.as_str(),
        row.owner_id,
        row.sealed.as_slice(),
        row.skip_multiline_encoding,
        row.actor_kind.as_str(),
        row.actor_id,
        row.actor_name.as_deref(),
        row.updated_at,
        row.version_mac.as_slice(),
    )
}

/// Adds secrets and their first versions, of which overrides keep none; [`StoreError::Duplicate`] when a name is taken.
pub async fn insert(
    tx: &mut Tx,
    org: OrganizationId,
    project: ProjectId,
    rows: &[SecretRow],
) -> Result<(), StoreError> {
    for run in runs(rows) {
        let sql = INSERT.of(tx, run.len());
        let params = run.iter().map(|row| secret_params(org, project, row)).collect();
        tx.execute(sql, Then((), params)).await?;
    }
    insert_versions(tx, org, project, rows).await
}

async fn insert_versions(
    tx: &mut Tx,
    org: OrganizationId,
    project: ProjectId,
    rows: &[SecretRow],
) -> Result<(), StoreError> {
    let rows: Vec<_> = rows.iter().filter(|row| row.owner_id == SHARED).collect();
    for run in runs(&rows) {
        let sql = INSERT_VERSION.of(tx, run.len());
        let params = run.iter().map(|row| version_params(org, project, row)).collect();
        tx.execute(sql, Then((), params)).await?;
    }
    Ok(())
}

fn update_params(org: OrganizationId, row: &SecretRow) -> impl Params<'_> {
    (
        org,
        row.id,
        row.version - 1,
        row.name.as_str(),
        row.env_id,
        row.folder_id,
        row.sealed.as_slice(),
        row.skip_multiline_encoding,
        row.reminder_note.as_deref(),
        row.reminder_days,
        row.actor_kind.as_str(),
        row.actor_id,
        row.actor_name.as_deref(),
        row.updated_at,
        row.mac.as_slice(),
    )
}

/// Writes the next versions of secrets, wherever they are from now on. Each must still be at the
/// version before its row's: otherwise nothing may be committed and the answer is `false`.
/// [`StoreError::Duplicate`] when a name is taken there, [`StoreError::Contradiction`] when there
/// is such a version already.
pub async fn update(
    tx: &mut Tx,
    org: OrganizationId,
    project: ProjectId,
    rows: &[SecretRow],
) -> Result<bool, StoreError> {
    let mut written = 0;
    for run in runs(rows) {
        let sql = UPDATE.of(tx, run.len());
        let params = run.iter().map(|row| update_params(org, row)).collect();
        written += tx.execute(sql, Then((), params)).await?;
    }
    if usize::try_from(written) != Ok(rows.len()) {
        return Ok(false);
    }
    match insert_versions(tx, org, project, rows).await {
        // The row was put back to what it once was, behind the server's back.
        Err(StoreError::Duplicate) => {
            Err(StoreError::Contradiction("a secret has versions after its current one"))
        }
        done => done.map(|()| true),
    }
}

/// Removes secrets with their history, shared ones with everybody's overrides, and says how many
/// there were.
pub async fn delete(tx: &mut Tx, org: OrganizationId, ids: &[SecretId]) -> Result<u64, StoreError> {
    let mut deleted = 0;
    for run in runs(ids) {
        overrides::delete(tx, org, run).await?;
        let sql = DELETE.of(tx, run.len());
        let params = Then((org,), run.iter().map(|id| (*id,)).collect());
        deleted += tx.execute(sql, params).await?;
    }
    Ok(deleted)
}
