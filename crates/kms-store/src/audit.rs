//! The audit log: a chain of records for every organization.
//!
//! How a record is hashed is the caller's business ([`ChainHasher`]): the key of the chain never
//! comes here.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, LazyLock},
};

use kms_api::{AuditId, OrganizationId, ProjectId};
use sqlx::{PgConnection, SqliteConnection, postgres::PgArguments, sqlite::SqliteArguments};
use uuid::Uuid;

use crate::{
    Source, Store, StoreError,
    bind::{Params, nameless},
    record,
};

/// Links a record to the one before it: previous hash and the record's bytes in, new hash out.
pub type ChainHasher = Arc<dyn Fn(&[u8; 32], &[u8]) -> [u8; 32] + Send + Sync>;

/// A record that is not in the chain yet.
#[derive(Clone, Debug)]
pub struct NewAuditRecord {
    /// The chain it belongs to; nil for what belongs to no organization.
    pub org_id: Uuid,
    /// Its id.
    pub id: Uuid,
    /// Microseconds since the epoch.
    pub created_at: i64,
    /// The project it is about.
    pub project_id: Option<Uuid>,
    /// `user`, `identity`, `platform`, `unknownUser`.
    pub actor_type: &'static str,
    /// The user's or identity's id.
    pub actor_id: Option<Uuid>,
    /// JSON.
    pub actor_metadata: Arc<str>,
    /// Such as `create-secret`.
    pub event_type: &'static str,
    /// JSON; never a secret value.
    pub event_metadata: Arc<str>,
    /// The environment's slug.
    pub environment: Option<Arc<str>>,
    /// The folder.
    pub secret_path: Option<Arc<str>>,
    /// The secret's name.
    pub secret_key: Option<Arc<str>>,
    /// The caller's address.
    pub ip: Option<Arc<str>>,
    /// The caller's program.
    pub user_agent: Option<Arc<str>>,
    /// The kind of program.
    pub user_agent_type: &'static str,
}

record! {
    /// A record of the chain.
    #[derive(Clone, Debug)]
    pub struct AuditRow {
        /// The chain.
        pub org_id: OrganizationId,
        /// Counts from 1.
        pub seq: i64,
        /// Its id.
        pub id: AuditId,
        /// Microseconds since the epoch.
        pub created_at: i64,
        /// The project it is about.
        pub project_id: Option<ProjectId>,
        /// See [`NewAuditRecord`].
        pub actor_type: String,
        /// See [`NewAuditRecord`].
        pub actor_id: Option<Uuid>,
        /// See [`NewAuditRecord`].
        pub actor_metadata: String,
        /// See [`NewAuditRecord`].
        pub event_type: String,
        /// See [`NewAuditRecord`].
        pub event_metadata: String,
        /// See [`NewAuditRecord`].
        pub environment: Option<String>,
        /// See [`NewAuditRecord`].
        pub secret_path: Option<String>,
        /// See [`NewAuditRecord`].
        pub secret_key: Option<String>,
        /// See [`NewAuditRecord`].
        pub ip: Option<String>,
        /// See [`NewAuditRecord`].
        pub user_agent: Option<String>,
        /// See [`NewAuditRecord`].
        pub user_agent_type: Option<String>,
        /// Its link.
        pub chain: Vec<u8>,
    }
}

impl AuditRow {
    /// The bytes that its link is made of.
    pub fn canonical(&self) -> Vec<u8> {
        canonical(&Fields {
            org_id: self.org_id.uuid(),
            seq: self.seq,
            id: self.id.into(),
            created_at: self.created_at,
            project_id: self.project_id.map(Into::into),
            actor_id: self.actor_id,
            texts: [
                Some(&self.actor_type),
                Some(&self.actor_metadata),
                Some(&self.event_type),
                Some(&self.event_metadata),
                self.environment.as_deref(),
                self.secret_path.as_deref(),
                self.secret_key.as_deref(),
                self.ip.as_deref(),
                self.user_agent.as_deref(),
                self.user_agent_type.as_deref(),
            ],
        })
    }
}

/// The newest link of a chain.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ChainHead {
    seq: i64,
    hash: [u8; 32],
}

record! {
    /// The newest link of a chain, as stored.
    #[derive(Clone, Debug)]
    pub struct ChainRow {
        /// How many records the chain has.
        pub seq: i64,
        /// The newest link.
        pub hash: Vec<u8>,
    }
}

impl From<ChainRow> for ChainHead {
    fn from(row: ChainRow) -> Self {
        Self { seq: row.seq, hash: row.hash.try_into().unwrap_or_default() }
    }
}

struct Fields<'a> {
    org_id: Uuid,
    seq: i64,
    id: Uuid,
    created_at: i64,
    project_id: Option<Uuid>,
    actor_id: Option<Uuid>,
    texts: [Option<&'a str>; 10],
}

/// Fixed-length fields first, then every text with its length: no two records share their bytes.
fn canonical(fields: &Fields<'_>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(512);
    bytes.extend_from_slice(fields.org_id.as_bytes());
    bytes.extend_from_slice(&fields.seq.to_be_bytes());
    bytes.extend_from_slice(fields.id.as_bytes());
    bytes.extend_from_slice(&fields.created_at.to_be_bytes());
    for id in [fields.project_id, fields.actor_id] {
        bytes.push(u8::from(id.is_some()));
        bytes.extend_from_slice(id.unwrap_or_default().as_bytes());
    }
    for text in fields.texts {
        let length = text.map_or(u64::MAX, |text| text.len() as u64);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(text.unwrap_or_default().as_bytes());
    }
    bytes
}

fn link(head: &mut ChainHead, record: &NewAuditRecord, hasher: &ChainHasher) {
    head.seq += 1;
    let bytes = canonical(&Fields {
        org_id: record.org_id,
        seq: head.seq,
        id: record.id,
        created_at: record.created_at,
        project_id: record.project_id,
        actor_id: record.actor_id,
        texts: [
            Some(record.actor_type),
            Some(&record.actor_metadata),
            Some(record.event_type),
            Some(&record.event_metadata),
            record.environment.as_deref(),
            record.secret_path.as_deref(),
            record.secret_key.as_deref(),
            record.ip.as_deref(),
            record.user_agent.as_deref(),
            Some(record.user_agent_type),
        ],
    });
    head.hash = hasher(&head.hash, &bytes);
}

const COLUMNS: usize = 17;
const HEAD: &str = "SELECT seq, hash FROM audit_chains WHERE org_id = $1";
const SET_HEAD: &str = "INSERT INTO audit_chains (org_id, seq, hash) VALUES ($1, $2, $3)
    ON CONFLICT (org_id) DO UPDATE SET seq = excluded.seq, hash = excluded.hash";
/// Takes the row lock that orders writers of one chain, and makes the chain if it is new.
const LOCK_HEAD: &str = "INSERT INTO audit_chains (org_id, seq, hash) VALUES ($1, 0, $2)
    ON CONFLICT (org_id) DO UPDATE SET seq = audit_chains.seq RETURNING seq, hash";
const INSERT: &str = "INSERT INTO audit_logs (org_id, seq, id, created_at, project_id, actor_type,
    actor_id, actor_metadata, event_type, event_metadata, environment, secret_path, secret_key, ip,
    user_agent, user_agent_type, chain) VALUES ";

/// Rows of the statements that records are inserted with, the largest first: few statements for
/// many records or for some, few prepared statements in all.
const SIZES: [usize; 4] = [64, 16, 4, 1];

/// The statement for so many rows, one of [`SIZES`].
fn insert_sql(rows: usize) -> &'static str {
    static TEXTS: LazyLock<[String; SIZES.len()]> = LazyLock::new(|| SIZES.map(insert_text));
    text_of(&TEXTS, rows)
}

/// The same for the embedded engine, see [`nameless`].
fn insert_sqlite(rows: usize) -> &'static str {
    static TEXTS: LazyLock<[String; SIZES.len()]> =
        LazyLock::new(|| SIZES.map(|rows| nameless(&insert_text(rows))));
    text_of(&TEXTS, rows)
}

fn text_of(texts: &'static [String; SIZES.len()], rows: usize) -> &'static str {
    let place = SIZES.iter().position(|size| *size == rows);
    &texts[place.expect("records come in chunks of these sizes")]
}

fn insert_text(rows: usize) -> String {
    let row = |row: usize| {
        let columns = (1..=COLUMNS).map(|column| format!("${}", row * COLUMNS + column));
        format!("({})", columns.collect::<Vec<_>>().join(","))
    };
    format!("{INSERT}{}", (0..rows).map(row).collect::<Vec<_>>().join(","))
}

fn row_params<'p>(record: &'p NewAuditRecord, head: &ChainHead) -> impl Params<'p> {
    (
        record.org_id,
        head.seq,
        record.id,
        record.created_at,
        record.project_id,
        record.actor_type,
        record.actor_id,
        &*record.actor_metadata,
        record.event_type,
        &*record.event_metadata,
        record.environment.as_deref(),
        record.secret_path.as_deref(),
        record.secret_key.as_deref(),
        record.ip.as_deref(),
        record.user_agent.as_deref(),
        record.user_agent_type,
        head.hash.to_vec(),
    )
}

/// The records in order, in chunks of [`SIZES`], each as large as it can be.
fn chunks(mut records: &[NewAuditRecord]) -> impl Iterator<Item = &[NewAuditRecord]> {
    std::iter::from_fn(move || {
        let size = SIZES.into_iter().find(|size| *size <= records.len())?;
        let (chunk, rest) = records.split_at(size);
        records = rest;
        Some(chunk)
    })
}

/// Appends records to their chains on the embedded database, whose only writer keeps the heads.
pub(crate) async fn append_sqlite(
    connection: &mut SqliteConnection,
    hasher: &ChainHasher,
    heads: &mut HashMap<Uuid, ChainHead>,
    records: Vec<NewAuditRecord>,
) -> Result<(), StoreError> {
    let mut touched = Vec::new();
    for chunk in chunks(&records) {
        let mut arguments = SqliteArguments::default();
        for record in chunk {
            let head = match heads.entry(record.org_id) {
                Entry::Occupied(head) => head.into_mut(),
                Entry::Vacant(place) => {
                    let row = sqlx::query_as::<_, ChainRow>(HEAD).bind(record.org_id);
                    let row = row.fetch_optional(&mut *connection).await?;
                    place.insert(row.map(Into::into).unwrap_or_default())
                }
            };
            link(head, record, hasher);
            if !touched.contains(&record.org_id) {
                touched.push(record.org_id);
            }
            row_params(record, head).add_sqlite(&mut arguments).map_err(sqlx::Error::Encode)?;
        }
        sqlx::query_with(insert_sqlite(chunk.len()), arguments).execute(&mut *connection).await?;
    }
    for org_id in touched {
        let head = heads.get(&org_id).copied().unwrap_or_default();
        let query = sqlx::query(SET_HEAD).bind(org_id).bind(head.seq).bind(head.hash.to_vec());
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

/// Appends records to their chains on PostgreSQL, where a row lock orders the replicas.
pub(crate) async fn append_postgres(
    connection: &mut PgConnection,
    hasher: &ChainHasher,
    mut records: Vec<NewAuditRecord>,
) -> Result<(), StoreError> {
    // One order of locking for everybody, or two writers of two chains could wait for each other.
    records.sort_by_key(|record| record.org_id);
    for chain in records.chunk_by(|a, b| a.org_id == b.org_id) {
        let org_id = chain[0].org_id;
        let row = sqlx::query_as::<_, ChainRow>(LOCK_HEAD).bind(org_id).bind(vec![0u8; 32]);
        let mut head: ChainHead = row.fetch_one(&mut *connection).await?.into();
        for chunk in chunks(chain) {
            let mut arguments = PgArguments::default();
            for record in chunk {
                link(&mut head, record, hasher);
                row_params(record, &head)
                    .add_postgres(&mut arguments)
                    .map_err(sqlx::Error::Encode)?;
            }
            sqlx::query_with(insert_sql(chunk.len()), arguments).execute(&mut *connection).await?;
        }
        let query = sqlx::query(SET_HEAD).bind(org_id).bind(head.seq).bind(head.hash.to_vec());
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

/// What a read of the log is narrowed to.
#[derive(Clone, Debug)]
pub struct AuditFilter {
    /// The chain; always there.
    pub org_id: OrganizationId,
    /// One project.
    pub project_id: Option<ProjectId>,
    /// One environment's slug.
    pub environment: Option<String>,
    /// One folder.
    pub secret_path: Option<String>,
    /// One secret's name.
    pub secret_key: Option<String>,
    /// Event types, each between commas (`,create-secret,get-secret,`).
    pub event_types: Option<String>,
    /// One kind of actor.
    pub actor_type: Option<String>,
    /// One actor.
    pub actor_id: Option<Uuid>,
    /// From this microsecond on.
    pub from: i64,
    /// Up to and with this microsecond.
    pub to: i64,
    /// Rows to pass over.
    pub offset: i64,
    /// Rows to answer.
    pub limit: i64,
}

const LIST: &str = "SELECT org_id, seq, id, created_at, project_id, actor_type, actor_id,
        actor_metadata, event_type, event_metadata, environment, secret_path, secret_key, ip,
        user_agent, user_agent_type, chain
    FROM audit_logs
    WHERE org_id = $1 AND created_at >= $2 AND created_at <= $3
        AND ($4 IS NULL OR project_id = $4)
        AND ($5 IS NULL OR environment = $5)
        AND ($6 IS NULL OR secret_path = $6)
        AND ($7 IS NULL OR secret_key = $7)
        AND ($8 IS NULL OR $8 LIKE '%,' || event_type || ',%')
        AND ($9 IS NULL OR actor_type = $9)
        AND ($10 IS NULL OR actor_id = $10)
    ORDER BY created_at DESC, seq DESC LIMIT $11 OFFSET $12";

/// Reads the log of one organization, newest first.
pub async fn list(store: &Store, filter: &AuditFilter) -> Result<Vec<AuditRow>, StoreError> {
    let params = (
        filter.org_id,
        filter.from,
        filter.to,
        filter.project_id,
        filter.environment.as_deref(),
        filter.secret_path.as_deref(),
        filter.secret_key.as_deref(),
        filter.event_types.as_deref(),
        filter.actor_type.as_deref(),
        filter.actor_id,
        filter.limit,
        filter.offset,
    );
    store.fetch_all(LIST, params).await
}

const CHAIN: &str = "SELECT org_id, seq, id, created_at, project_id, actor_type, actor_id,
        actor_metadata, event_type, event_metadata, environment, secret_path, secret_key, ip,
        user_agent, user_agent_type, chain
    FROM audit_logs WHERE org_id = $1 AND seq > $2 ORDER BY seq LIMIT $3";

/// Reads a chain from one link on, for verification.
pub async fn chain(
    store: &Store,
    org_id: OrganizationId,
    after: i64,
    limit: i64,
) -> Result<Vec<AuditRow>, StoreError> {
    store.fetch_all(CHAIN, (org_id, after, limit)).await
}

/// Reads the newest link of a chain.
pub async fn head(store: &Store, org_id: OrganizationId) -> Result<Option<ChainRow>, StoreError> {
    store.fetch_optional(HEAD, (org_id,)).await
}
