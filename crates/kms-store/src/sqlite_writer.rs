//! The one writer of the embedded database, with group commit.
//!
//! Writes take turns on one connection, each inside a savepoint of a transaction that they
//! share. Whoever commits hands its savepoint over and waits; a task of its own takes the next
//! turn (turns are first come, first served, so it comes after those who wait already), adds
//! all audit records in a few statements and syncs once for all of them. Only that task commits,
//! so a caller who goes away can neither stop a commit nor miss what must follow it.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
};

use sqlx::{ConnectOptions as _, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::sync::{Mutex, Notify, OwnedMutexGuard, oneshot};

use crate::{
    StoreError,
    audit::{ChainHasher, ChainHead, NewAuditRecord, append_sqlite},
    tx::OnCommit,
};

pub(crate) struct SqliteWriter {
    state: Arc<Mutex<State>>,
    flush: Arc<Notify>,
    hasher: Arc<OnceLock<ChainHasher>>,
}

struct State {
    /// `None` once closed.
    connection: Option<SqliteConnection>,
    /// Whether the shared transaction is open.
    open: bool,
    /// Whether a write went away inside its savepoint, which must then be undone.
    abandoned: bool,
    audit: Vec<NewAuditRecord>,
    waiting: Vec<Waiting>,
    heads: HashMap<uuid::Uuid, ChainHead>,
    /// Keeps the data directory ours.
    _lock: std::fs::File,
}

struct Waiting {
    done: oneshot::Sender<bool>,
    on_commit: Vec<OnCommit>,
}

/// One write's turn on the connection.
pub(crate) struct Job {
    state: OwnedMutexGuard<State>,
    flush: Arc<Notify>,
    in_savepoint: bool,
}

impl SqliteWriter {
    pub(crate) async fn open(
        options: &SqliteConnectOptions,
        lock: std::fs::File,
    ) -> Result<Arc<Self>, StoreError> {
        let mut connection = options.connect().await?;
        crate::migrate::run(&mut connection).await?;
        let state = State {
            connection: Some(connection),
            open: false,
            abandoned: false,
            audit: Vec::new(),
            waiting: Vec::new(),
            heads: HashMap::new(),
            _lock: lock,
        };
        let writer = Arc::new(Self {
            state: Arc::new(Mutex::new(state)),
            flush: Arc::new(Notify::new()),
            hasher: Arc::default(),
        });
        tokio::spawn(flush_when_asked(
            Arc::downgrade(&writer.state),
            Arc::clone(&writer.flush),
            Arc::clone(&writer.hasher),
        ));
        Ok(writer)
    }

    pub(crate) fn hasher(&self) -> &OnceLock<ChainHasher> {
        &self.hasher
    }

    pub(crate) async fn begin(&self) -> Result<Job, StoreError> {
        let state = Arc::clone(&self.state).lock_owned().await;
        Ok(Job { state, flush: Arc::clone(&self.flush), in_savepoint: false })
    }

    pub(crate) async fn close(&self) {
        let mut state = self.state.lock().await;
        state.flush(self.hasher.get()).await;
        if let Some(connection) = state.connection.take() {
            let _ = sqlx::Connection::close(connection).await;
        }
    }
}

async fn flush_when_asked(
    state: std::sync::Weak<Mutex<State>>,
    flush: Arc<Notify>,
    hasher: Arc<OnceLock<ChainHasher>>,
) {
    loop {
        flush.notified().await;
        let Some(state) = state.upgrade() else { return };
        state.lock().await.flush(hasher.get()).await;
    }
}

impl State {
    fn connection(&mut self) -> Result<&mut SqliteConnection, StoreError> {
        self.connection.as_mut().ok_or(StoreError::NotCommitted)
    }

    async fn run(&mut self, sql: &'static str) -> Result<(), StoreError> {
        sqlx::query(sql).execute(self.connection()?).await?;
        Ok(())
    }

    /// Opens the shared transaction, and undoes what an abandoned write left in it.
    async fn prepare(&mut self) -> Result<(), StoreError> {
        if self.abandoned {
            self.run("ROLLBACK TO job").await?;
            self.run("RELEASE job").await?;
            self.abandoned = false;
        }
        if !self.open {
            // Set first: a caller who goes away while this runs leaves it begun.
            self.open = true;
            self.run("BEGIN IMMEDIATE").await.inspect_err(|_| self.open = false)?;
        }
        Ok(())
    }

    /// Commits the shared transaction and tells everybody who waits for it.
    async fn flush(&mut self, hasher: Option<&ChainHasher>) {
        if self.waiting.is_empty() && !self.open {
            return;
        }
        let durable = match self.try_commit(hasher).await {
            Ok(()) => true,
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "a commit failed");
                self.heads.clear();
                let _ = self.run("ROLLBACK").await;
                false
            }
        };
        self.open = false;
        self.abandoned = false;
        self.audit.clear();
        for waiting in self.waiting.drain(..) {
            if durable {
                waiting.on_commit.into_iter().for_each(|action| action());
            }
            let _ = waiting.done.send(durable);
        }
    }

    async fn try_commit(&mut self, hasher: Option<&ChainHasher>) -> Result<(), StoreError> {
        self.prepare().await?;
        if !self.audit.is_empty() {
            let hasher = hasher.ok_or(StoreError::NotCommitted)?;
            let records = std::mem::take(&mut self.audit);
            let connection = self.connection.as_mut().ok_or(StoreError::NotCommitted)?;
            append_sqlite(connection, hasher, &mut self.heads, records).await?;
        }
        self.run("COMMIT").await
    }
}

impl Job {
    /// The connection, inside this write's savepoint. A write that only audits never asks.
    pub(crate) async fn connection(&mut self) -> Result<&mut SqliteConnection, StoreError> {
        if !self.in_savepoint {
            self.state.prepare().await?;
            // Set first: should the caller go away now, undoing a savepoint that was not made
            // yet is an error that rolls the whole group back, never a half-written group.
            self.in_savepoint = true;
            self.state.run("SAVEPOINT job").await?;
        }
        self.state.connection()
    }

    pub(crate) async fn commit(
        mut self,
        audit: Vec<NewAuditRecord>,
        on_commit: Vec<OnCommit>,
    ) -> Result<(), StoreError> {
        if self.in_savepoint {
            self.state.run("RELEASE job").await?;
            self.in_savepoint = false;
        }
        let (done, committed) = oneshot::channel();
        self.state.audit.extend(audit);
        self.state.waiting.push(Waiting { done, on_commit });
        self.flush.notify_one();
        drop(self);
        match committed.await {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(StoreError::NotCommitted),
        }
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        if self.in_savepoint {
            self.state.abandoned = true;
            self.flush.notify_one();
        }
    }
}
