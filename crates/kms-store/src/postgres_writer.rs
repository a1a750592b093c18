//! Writes on PostgreSQL, and group commit for those that only audit.
//!
//! A chain of audit records has one newest link, so every write to it waits for the one before
//! to be durable. Logins change nothing else: one task appends the records of all that wait in
//! one transaction, and they share its sync. A write with statements has a transaction of its
//! own.

use std::sync::{Arc, OnceLock};

use sqlx::{PgConnection, PgPool, Postgres, Transaction};
use tokio::sync::{mpsc, oneshot};

use crate::{
    StoreError,
    audit::{ChainHasher, NewAuditRecord, append_postgres},
    tx::OnCommit,
};

/// Records in one shared transaction at most.
const BATCH: usize = 8_192;

pub(crate) struct PostgresWriter {
    pub(crate) pool: PgPool,
    hasher: Arc<OnceLock<ChainHasher>>,
    appends: mpsc::UnboundedSender<Append>,
}

/// What a write that only audits hands over.
struct Append {
    records: Vec<NewAuditRecord>,
    on_commit: Vec<OnCommit>,
    done: oneshot::Sender<bool>,
}

/// One write; its transaction begins with its first statement.
pub(crate) struct PostgresJob {
    writer: Arc<PostgresWriter>,
    tx: Option<Transaction<'static, Postgres>>,
}

impl PostgresWriter {
    pub(crate) fn start(pool: PgPool) -> Arc<Self> {
        let (appends, waiting) = mpsc::unbounded_channel();
        let hasher = Arc::default();
        tokio::spawn(append_for_all(pool.clone(), Arc::clone(&hasher), waiting));
        Arc::new(Self { pool, hasher, appends })
    }

    pub(crate) fn hasher(&self) -> &OnceLock<ChainHasher> {
        &self.hasher
    }

    pub(crate) fn begin(self: &Arc<Self>) -> PostgresJob {
        PostgresJob { writer: Arc::clone(self), tx: None }
    }
}

impl PostgresJob {
    /// The connection, inside this write's transaction. A write that only audits never asks.
    pub(crate) async fn connection(&mut self) -> Result<&mut PgConnection, StoreError> {
        let tx = match self.tx.take() {
            Some(tx) => tx,
            None => self.writer.pool.begin().await?,
        };
        Ok(self.tx.insert(tx))
    }

    pub(crate) async fn commit(
        self,
        records: Vec<NewAuditRecord>,
        on_commit: Vec<OnCommit>,
    ) -> Result<(), StoreError> {
        let Some(mut tx) = self.tx else {
            let (done, committed) = oneshot::channel();
            let append = Append { records, on_commit, done };
            self.writer.appends.send(append).map_err(|_| StoreError::NotCommitted)?;
            return match committed.await {
                Ok(true) => Ok(()),
                Ok(false) | Err(_) => Err(StoreError::NotCommitted),
            };
        };
        if !records.is_empty() {
            let hasher = self.writer.hasher.get().ok_or(StoreError::NotCommitted)?;
            append_postgres(&mut tx, hasher, records).await?;
        }
        // On a task of its own, so that a caller who goes away cannot stop it half-way.
        let commit = tokio::spawn(async move {
            tx.commit().await?;
            for action in on_commit {
                action();
            }
            Ok(())
        });
        commit.await.unwrap_or(Err(StoreError::NotCommitted))
    }
}

async fn append_for_all(
    pool: PgPool,
    hasher: Arc<OnceLock<ChainHasher>>,
    mut waiting: mpsc::UnboundedReceiver<Append>,
) {
    while let Some(first) = waiting.recv().await {
        let mut group = vec![first];
        let mut size = group[0].records.len();
        while size < BATCH
            && let Ok(next) = waiting.try_recv()
        {
            size += next.records.len();
            group.push(next);
        }
        let records = group.iter_mut().flat_map(|append| append.records.drain(..)).collect();
        let durable = match append(&pool, hasher.get(), records).await {
            Ok(()) => true,
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "a commit failed");
                false
            }
        };
        for append in group {
            if durable {
                for action in append.on_commit {
                    action();
                }
            }
            let _ = append.done.send(durable);
        }
    }
}

async fn append(
    pool: &PgPool,
    hasher: Option<&ChainHasher>,
    records: Vec<NewAuditRecord>,
) -> Result<(), StoreError> {
    if records.is_empty() {
        return Ok(());
    }
    let hasher = hasher.ok_or(StoreError::NotCommitted)?;
    let mut tx = pool.begin().await?;
    append_postgres(&mut tx, hasher, records).await?;
    Ok(tx.commit().await?)
}
