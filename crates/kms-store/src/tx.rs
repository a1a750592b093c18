//! A write: statements that persist together, with their audit records, or not at all.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use uuid::Uuid;

use crate::{
    Source, Store, StoreError,
    audit::NewAuditRecord,
    bind::{Params, Record, postgres, sqlite},
    epochs,
    postgres_writer::PostgresJob,
    sqlite_writer::Job,
    store::{Answer, Engine},
};

/// A write in progress. Dropped without [`Tx::commit`], it leaves nothing behind.
pub struct Tx {
    inner: Inner,
    audit: Vec<NewAuditRecord>,
    on_commit: Vec<OnCommit>,
    /// In one order for everybody: each is a row lock until the commit.
    epochs: BTreeSet<Uuid>,
    statements: Arc<AtomicU64>,
}

/// Something to do once the write is durable and before its caller hears of it.
pub(crate) type OnCommit = Box<dyn FnOnce() + Send>;

enum Inner {
    Sqlite(Job),
    Postgres(PostgresJob),
}

impl Tx {
    pub(crate) async fn begin(store: &Store) -> Result<Self, StoreError> {
        let inner = match &store.engine {
            Engine::Sqlite { writer, .. } => Inner::Sqlite(writer.begin().await?),
            Engine::Postgres { writer } => Inner::Postgres(writer.begin()),
        };
        let statements = Arc::clone(&store.statements);
        Ok(Self {
            inner,
            audit: Vec::new(),
            on_commit: Vec::new(),
            epochs: BTreeSet::new(),
            statements,
        })
    }

    /// Runs a statement and says how many rows it changed.
    pub async fn execute<'p>(
        &mut self,
        sql: &'static str,
        params: impl Params<'p>,
    ) -> Result<u64, StoreError> {
        self.statements.fetch_add(1, Ordering::Relaxed);
        Ok(match &mut self.inner {
            Inner::Sqlite(job) => {
                let query = sqlx::query_with(sql, sqlite(params)?);
                query.execute(job.connection().await?).await?.rows_affected()
            }
            Inner::Postgres(job) => {
                let query = sqlx::query_with(sql, postgres(params)?);
                query.execute(job.connection().await?).await?.rows_affected()
            }
        })
    }

    /// Whether this is a write to the embedded database.
    pub(crate) fn is_embedded(&self) -> bool {
        matches!(self.inner, Inner::Sqlite(_))
    }

    /// Adds an audit record to the write.
    pub fn audit(&mut self, record: NewAuditRecord) {
        self.audit.push(record);
    }

    /// Does something once the write is durable, before [`Tx::commit`] returns; also when the
    /// caller has gone away by then. Memory that the write made stale is dropped here.
    pub fn on_commit(&mut self, action: impl FnOnce() + Send + 'static) {
        self.on_commit.push(Box::new(action));
    }

    /// Says that what other servers on the database may remember of this scope is stale with this
    /// write; see [`epochs`](crate::epochs).
    pub fn raise_epoch(&mut self, scope: Uuid) {
        self.epochs.insert(scope);
    }

    /// As [`Tx::raise_epoch`], at once: who raises the same epoch waits until this write ends.
    pub async fn raise_epoch_now(&mut self, scope: Uuid) -> Result<(), StoreError> {
        epochs::raise(self, scope).await
    }

    /// Makes the write durable.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        // Last, so that the rows are locked for no longer than the commit takes.
        for scope in std::mem::take(&mut self.epochs) {
            epochs::raise(&mut self, scope).await?;
        }
        match self.inner {
            Inner::Sqlite(job) => job.commit(self.audit, self.on_commit).await,
            Inner::Postgres(job) => job.commit(self.audit, self.on_commit).await,
        }
    }
}

impl Source for &mut Tx {
    fn fetch_all<'p, 'f, T: Record + 'f>(
        self,
        sql: &'static str,
        params: impl Params<'p>,
    ) -> Answer<'f, Vec<T>>
    where
        Self: 'f,
    {
        self.statements.fetch_add(1, Ordering::Relaxed);
        match &mut self.inner {
            Inner::Sqlite(job) => {
                let arguments = sqlite(params);
                Box::pin(async move {
                    let query = sqlx::query_as_with(sql, arguments?);
                    Ok(query.fetch_all(job.connection().await?).await?)
                })
            }
            Inner::Postgres(job) => {
                let arguments = postgres(params);
                Box::pin(async move {
                    let query = sqlx::query_as_with(sql, arguments?);
                    Ok(query.fetch_all(job.connection().await?).await?)
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
        match &mut self.inner {
            Inner::Sqlite(job) => {
                let arguments = sqlite(params);
                Box::pin(async move {
                    let query = sqlx::query_as_with(sql, arguments?);
                    Ok(query.fetch_optional(job.connection().await?).await?)
                })
            }
            Inner::Postgres(job) => {
                let arguments = postgres(params);
                Box::pin(async move {
                    let query = sqlx::query_as_with(sql, arguments?);
                    Ok(query.fetch_optional(job.connection().await?).await?)
                })
            }
        }
    }
}
