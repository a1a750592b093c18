//! When memory is stale.
//!
//! Everything remembered carries the epoch that was read *before* the data was, and every write
//! raises the epoch. So what is remembered under the current epoch is what is stored.
//!
//! The embedded server is the only owner of its data: it counts in memory, after the write is
//! durable and before its caller hears of it. On PostgreSQL the counters are rows, raised by the
//! write itself, and every request reads them in the one small query that stands in for all that
//! it would have to look up ([`Seen`]): several servers remember, and none is ever late.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use kms_api::ProjectId;
use kms_store::{Tx, epochs};
use uuid::Uuid;

use crate::{Caller, Core, Result, changes::Changes, context::Inner};

/// Microseconds for which the epochs that a request was admitted under count. What takes longer
/// has waited for its body, and asks again.
const ADMITTED_FOR: i64 = 100_000;

/// The epochs that a caller was admitted under.
#[derive(Clone, Default)]
pub(crate) struct Seen {
    rights: u64,
    project: Option<(ProjectId, u64)>,
    /// Microseconds since the epoch.
    at: i64,
    asked: Arc<LastAsked>,
}

/// The project that a token was last used for: the next request will ask for the same, so its
/// epoch is read along with that of rights.
#[derive(Default)]
struct LastAsked(Mutex<Option<ProjectId>>);

impl LastAsked {
    fn get(&self) -> Option<ProjectId> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, project: ProjectId) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(project);
    }
}

impl Seen {
    /// Of everything that decides who may.
    pub(crate) fn rights(&self) -> u64 {
        self.rights
    }
}

impl Core {
    /// The epochs of now; `before` is what a caller of the same token was admitted under.
    pub(crate) async fn see(&self, before: Option<&Seen>) -> Result<Seen> {
        let asked = before.map(|seen| Arc::clone(&seen.asked)).unwrap_or_default();
        if self.store.is_embedded() {
            return Ok(Seen { rights: self.epochs.rights(), asked, ..Seen::default() });
        }
        let at = self.now().micros();
        let project = asked.get();
        let scope = project.map_or(epochs::RIGHTS, ProjectId::uuid);
        let read = epochs::read(&self.store, scope).await?;
        let project = project.map(|project| (project, read.project.unsigned_abs()));
        Ok(Seen { rights: read.rights.unsigned_abs(), project, at, asked })
    }

    /// The epoch of rights for a caller's request.
    pub(crate) async fn rights_epoch(&self, caller: &Caller) -> Result<u64> {
        if self.store.is_embedded() {
            return Ok(self.epochs.rights());
        }
        if self.is_recent(&caller.seen) {
            return Ok(caller.seen.rights);
        }
        Ok(epochs::read(&self.store, epochs::RIGHTS).await?.rights.unsigned_abs())
    }

    /// The epoch of what a project holds for a caller's request.
    pub(crate) async fn project_epoch(&self, caller: &Caller, project: ProjectId) -> Result<u64> {
        if self.store.is_embedded() {
            return Ok(self.epochs.project(project));
        }
        match caller.seen.project {
            Some((seen, epoch)) if seen == project && self.is_recent(&caller.seen) => Ok(epoch),
            _ => {
                caller.seen.asked.set(project);
                Ok(epochs::read(&self.store, project.uuid()).await?.project.unsigned_abs())
            }
        }
    }

    fn is_recent(&self, seen: &Seen) -> bool {
        (0..ADMITTED_FOR).contains(&(self.now().micros() - seen.at))
    }
}

impl Inner {
    /// Says that a write changes who may.
    pub(crate) fn touches_rights(&self, tx: &mut Tx) {
        self.touches(tx, epochs::RIGHTS, Epochs::raise_rights);
    }

    /// Says that a write changes what a project holds.
    pub(crate) fn touches_project(&self, tx: &mut Tx, project: ProjectId) {
        self.touches(tx, project.uuid(), move |epochs| epochs.raise_project(project));
    }

    /// Makes every other write to a project wait for this one from here on, however many servers
    /// there are. Folders are entered before.
    pub(crate) async fn hold_project(&self, tx: &mut Tx, project: ProjectId) -> Result<()> {
        // Writes of the embedded server take turns anyway.
        if !self.store.is_embedded() {
            tx.raise_epoch_now(project.uuid()).await?;
        }
        Ok(())
    }

    /// Says that a write counts a wrong client secret. Only the embedded server remembers logins.
    pub(crate) fn counts_a_failed_login(&self, tx: &mut Tx) {
        let epochs = Arc::clone(&self.epochs);
        tx.on_commit(move || epochs.raise_failed_logins());
    }

    fn touches(&self, tx: &mut Tx, scope: Uuid, raise: impl FnOnce(&Epochs) + Send + 'static) {
        if self.store.is_embedded() {
            let epochs = Arc::clone(&self.epochs);
            tx.on_commit(move || raise(&epochs));
        } else {
            tx.raise_epoch(scope);
        }
    }
}

/// The counters of the embedded server, and those who wait for a change on any.
#[derive(Default)]
pub(crate) struct Epochs {
    pub(crate) changes: Arc<Changes>,
    rights: AtomicU64,
    failed_logins: AtomicU64,
    projects: RwLock<HashMap<ProjectId, Arc<AtomicU64>>>,
}

impl Epochs {
    /// Of everything that decides who may: identities, memberships, roles, tokens, organizations.
    pub(crate) fn rights(&self) -> u64 {
        self.rights.load(Ordering::Acquire)
    }

    pub(crate) fn raise_rights(&self) {
        self.rights.fetch_add(1, Ordering::AcqRel);
        self.changes.tell_all();
    }

    /// Of the counters that lock out whoever guesses client secrets.
    pub(crate) fn failed_logins(&self) -> u64 {
        self.failed_logins.load(Ordering::Acquire)
    }

    fn raise_failed_logins(&self) {
        self.failed_logins.fetch_add(1, Ordering::AcqRel);
    }

    /// Of what a project holds: environments, folders, secrets.
    pub(crate) fn project(&self, project: ProjectId) -> u64 {
        let projects = self.projects.read().unwrap_or_else(PoisonError::into_inner);
        projects.get(&project).map_or(0, |epoch| epoch.load(Ordering::Acquire))
    }

    pub(crate) fn raise_project(&self, project: ProjectId) {
        let mut projects = self.projects.write().unwrap_or_else(PoisonError::into_inner);
        projects.entry(project).or_default().fetch_add(1, Ordering::AcqRel);
        drop(projects);
        self.changes.tell(project);
    }
}
