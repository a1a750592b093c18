//! The one dispatch over SQLite and PostgreSQL.

use std::{
    path::Path,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use sqlx::{
    ConnectOptions as _, SqlitePool,
    postgres::PgPoolOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use crate::{
    StoreError,
    audit::ChainHasher,
    bind::{Params, Record, postgres, sqlite},
    postgres_writer::PostgresWriter,
    sqlite_writer::SqliteWriter,
    tx::Tx,
};

/// The embedded database within its directory.
pub(crate) const DATABASE_FILE: &str = "kms.db";
/// How long a connection waits for another one that holds what it needs.
pub(crate) const BUSY_FOR: Duration = Duration::from_secs(10);

/// Bytes of page cache for every connection to the embedded database, in KiB as SQLite takes it.
const CACHE_KIB: &str = "-2048";
/// Rows that a reader may be ahead of whoever waits for them; each time it is not, two threads
/// change places.
const ROWS_AHEAD: usize = 1_024;

/// A database that is open and migrated.
///
/// Cheap to clone. Reads go through `&Store` (see [`Source`]), writes through [`Store::begin`].
#[derive(Clone)]
pub struct Store {
    pub(crate) engine: Engine,
    pub(crate) statements: Arc<AtomicU64>,
}

#[derive(Clone)]
pub(crate) enum Engine {
    Sqlite { read: SqlitePool, writer: Arc<SqliteWriter> },
    Postgres { writer: Arc<PostgresWriter> },
}

impl Store {
    /// Opens (and creates) the embedded database in a directory that must exist.
    ///
    /// One process owns a data directory: a second one gets [`StoreError::InUse`]. Durable
    /// (`synchronous=FULL`), no memory map, deleted rows are overwritten (`secure_delete`).
    pub async fn open_embedded(directory: &Path) -> Result<Self, StoreError> {
        let lock = lock(directory)?;
        let options = SqliteConnectOptions::new()
            .filename(directory.join(DATABASE_FILE))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_FOR)
            .row_buffer_size(ROWS_AHEAD)
            .pragma("secure_delete", "ON")
            .pragma("cache_size", CACHE_KIB)
            .pragma("journal_size_limit", "16777216")
            .disable_statement_logging();
        let writer = SqliteWriter::open(&options, lock).await?;
        let read = SqlitePoolOptions::new()
            .max_connections(readers())
            .min_connections(1)
            .max_lifetime(None)
            .idle_timeout(None)
            .connect_with(options.pragma("query_only", "ON"))
            .await?;
        Ok(Self { engine: Engine::Sqlite { read, writer }, statements: Arc::default() })
    }

    /// Connects to PostgreSQL and brings the schema up to date.
    pub async fn connect(url: &str, max_connections: u32) -> Result<Self, StoreError> {
        let options = url
            .parse::<sqlx::postgres::PgConnectOptions>()?
            .application_name("kms")
            .disable_statement_logging();
        let pool = PgPoolOptions::new()
            .max_connections(max_connections)
            .acquire_timeout(Duration::from_secs(10))
            .connect_with(options)
            .await?;
        crate::migrate::run(&mut *pool.acquire().await?).await?;
        let engine = Engine::Postgres { writer: PostgresWriter::start(pool) };
        Ok(Self { engine, statements: Arc::default() })
    }

    /// Whether this process is the only owner of the data, so that it may answer from memory
    /// what every write updates.
    pub fn is_embedded(&self) -> bool {
        matches!(self.engine, Engine::Sqlite { .. })
    }

    /// How many statements were asked for so far, for metrics and for tests that count work. What
    /// a commit adds by itself (audit records, the commit) is not in it.
    pub fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    /// Says how audit records are chained; must be set before the first record is written.
    pub fn set_chain_hasher(&self, hasher: ChainHasher) {
        let slot = match &self.engine {
            Engine::Sqlite { writer, .. } => writer.hasher(),
            Engine::Postgres { writer } => writer.hasher(),
        };
        // A second call is refused by the slot: one process has one chain key.
        let _ = slot.set(hasher);
    }

    /// Starts a write. Nothing persists until [`Tx::commit`] returns.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        Tx::begin(self).await
    }

    /// Finishes what was accepted and closes every connection.
    pub async fn close(&self) {
        match &self.engine {
            Engine::Sqlite { read, writer } => {
                read.close().await;
                writer.close().await;
            }
            Engine::Postgres { writer } => writer.pool.close().await,
        }
    }
}

/// Four readers keep two cores busy; more threads would only cost memory.
fn readers() -> u32 {
    let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    u32::try_from(cores).unwrap_or(2).clamp(2, 8)
}

fn lock(directory: &Path) -> Result<std::fs::File, StoreError> {
    let file = std::fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(directory.join("kms.lock"))
        .map_err(StoreError::File)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(StoreError::InUse),
        Err(std::fs::TryLockError::Error(error)) => Err(StoreError::File(error)),
    }
}

/// An answer on its way. Boxed, since the compiler cannot tell that an unnamed future of a trait
/// is `Send` for every lifetime (rust-lang/rust#100013).
pub type Answer<'f, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'f>>;

/// Where a query can be run: `&Store` for reads of what is committed, `&mut Tx` inside a write.
pub trait Source: Send + Sized {
    /// All rows.
    fn fetch_all<'p, 'f, T: Record + 'f>(
        self,
        sql: &'static str,
        params: impl Params<'p>,
    ) -> Answer<'f, Vec<T>>
    where
        Self: 'f;

    /// The first row, if there is one.
    fn fetch_optional<'p, 'f, T: Record + 'f>(
        self,
        sql: &'static str,
        params: impl Params<'p>,
    ) -> Answer<'f, Option<T>>
    where
        Self: 'f;
}

impl Source for &Store {
    fn fetch_all<'p, 'f, T: Record + 'f>(
        self,
        sql: &'static str,
        params: impl Params<'p>,
    ) -> Answer<'f, Vec<T>>
    where
        Self: 'f,
    {
        self.statements.fetch_add(1, Ordering::Relaxed);
        match &self.engine {
            Engine::Sqlite { read, .. } => {
                let arguments = sqlite(params);
                Box::pin(
                    async move { Ok(sqlx::query_as_with(sql, arguments?).fetch_all(read).await?) },
                )
            }
            Engine::Postgres { writer } => {
                let arguments = postgres(params);
                Box::pin(async move {
                    Ok(sqlx::query_as_with(sql, arguments?).fetch_all(&writer.pool).await?)
                })
            }
        }
    }

    fn fetch_optional<'p, 'f, T: Record + 'f>(
        self,
        sql: &'static str,
        params: impl Params<'p>,
    ) -> Answer<'f, Option<T>>
    where
        Self: 'f,
    {
        self.statements.fetch_add(1, Ordering::Relaxed);
        match &self.engine {
            Engine::Sqlite { read, .. } => {
                let arguments = sqlite(params);
                Box::pin(async move {
                    Ok(sqlx::query_as_with(sql, arguments?).fetch_optional(read).await?)
                })
            }
            Engine::Postgres { writer } => {
                let arguments = postgres(params);
                Box::pin(async move {
                    Ok(sqlx::query_as_with(sql, arguments?).fetch_optional(&writer.pool).await?)
                })
            }
        }
    }
}
