//! Records of reads on their way to the audit log.
//!
//! A read leaves its record here and goes on; one task commits all that came within 100 ms, in
//! one write. A read costs no wake-up of that task: it sleeps its time out once the first record
//! is there. What cannot be written is kept and tried again, and reads are refused meanwhile.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use kms_store::{Store, audit::NewAuditRecord};
use tokio::{
    sync::{Notify, oneshot},
    time::{Instant, timeout, timeout_at},
};

use crate::{Error, Result};

/// Reads that may wait for their record at one time.
const QUEUE: usize = 65_536;
/// How long a read's record waits at most for others to be committed with.
const BATCH_EVERY: Duration = Duration::from_millis(100);
/// How long a read waits for a place in a full queue before it is refused.
const PATIENCE: Duration = Duration::from_secs(2);
/// Records in one commit, and how many end the wait for others.
const BATCH: usize = 8_192;

/// The queue.
pub(crate) struct ReadLog {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    /// There is something to write.
    work: Notify,
    /// It shall be written now.
    hurry: Notify,
    /// There is room again.
    room: Notify,
    failing: AtomicBool,
}

#[derive(Default)]
struct Waiting {
    records: Vec<NewAuditRecord>,
    flushed: Vec<oneshot::Sender<()>>,
    closed: bool,
}

impl ReadLog {
    pub(crate) fn start(store: Store) -> Self {
        let shared = Arc::new(Shared::default());
        tokio::spawn(write(store, Arc::clone(&shared)));
        Self { shared }
    }

    pub(crate) async fn push(&self, record: NewAuditRecord) -> Result<()> {
        if self.shared.failing.load(Ordering::Acquire) {
            return Err(Error::Unavailable("The audit log cannot be written; reads are refused"));
        }
        match self.shared.add(record) {
            None => Ok(()),
            // A burst is slowed down to what the log can take; only what lasts is refused.
            Some(record) => timeout(PATIENCE, self.shared.add_patiently(record))
                .await
                .map_err(|_| Error::Unavailable("The audit log cannot keep up; try again")),
        }
    }

    /// Waits until everything that was queued is written.
    pub(crate) async fn flush(&self) {
        let (done, flushed) = oneshot::channel();
        self.shared.waiting().flushed.push(done);
        self.shared.work.notify_one();
        self.shared.hurry.notify_one();
        let _ = flushed.await;
    }
}

impl Drop for ReadLog {
    fn drop(&mut self) {
        self.shared.waiting().closed = true;
        self.shared.work.notify_one();
        self.shared.hurry.notify_one();
    }
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a record, or gives it back where there is no room.
    fn add(&self, record: NewAuditRecord) -> Option<NewAuditRecord> {
        let mut waiting = self.waiting();
        if waiting.records.len() >= QUEUE {
            return Some(record);
        }
        waiting.records.push(record);
        let count = waiting.records.len();
        drop(waiting);
        match count {
            1 => self.work.notify_one(),
            BATCH => self.hurry.notify_one(),
            _ => {}
        }
        None
    }

    async fn add_patiently(&self, mut record: NewAuditRecord) {
        loop {
            // Asked for before the try, so that room made in between is noticed.
            let room = self.room.notified();
            match self.add(record) {
                None => return,
                Some(back) => record = back,
            }
            room.await;
        }
    }
}

async fn write(store: Store, shared: Arc<Shared>) {
    loop {
        shared.work.notified().await;
        let deadline = Instant::now() + BATCH_EVERY;
        let in_no_hurry = {
            let waiting = shared.waiting();
            waiting.flushed.is_empty() && !waiting.closed && waiting.records.len() < BATCH
        };
        if in_no_hurry {
            let _ = timeout_at(deadline, shared.hurry.notified()).await;
        }
        let Waiting { records, flushed, closed } = {
            let mut waiting = shared.waiting();
            let closed = waiting.closed;
            Waiting { closed, ..std::mem::take(&mut *waiting) }
        };
        shared.room.notify_waiters();
        let patient = flushed.is_empty() && !closed;
        for batch in records.chunks(BATCH) {
            persist(&store, batch, &shared.failing, patient).await;
        }
        for done in flushed {
            let _ = done.send(());
        }
        if closed {
            return;
        }
    }
}

/// Writes records; where that fails, again until it works, unless somebody waits for the end.
async fn persist(store: &Store, batch: &[NewAuditRecord], failing: &AtomicBool, patient: bool) {
    while let Err(error) = append(store, batch).await {
        failing.store(true, Ordering::Release);
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "the audit log could not be written; reads are refused"
        );
        if !patient {
            return;
        }
        tokio::time::sleep(BATCH_EVERY).await;
    }
    failing.store(false, Ordering::Release);
}

async fn append(store: &Store, batch: &[NewAuditRecord]) -> Result<(), kms_store::StoreError> {
    let mut tx = store.begin().await?;
    for record in batch {
        tx.audit(record.clone());
    }
    tx.commit().await
}
