//! Who waits to hear that a project changed, and how they hear of it.
//!
//! Waiting costs a place in memory and nothing else: one signal per project is raised by whatever
//! raises an epoch ([`crate::epochs`]). The embedded server raises it with the write. On
//! PostgreSQL one task per server reads the epochs of all watched projects while somebody waits,
//! so that the database is asked the same few things for one watcher and for ten thousand.
//!
//! A signal says "look again". Who may still look, and whether they would see anything new, is
//! asked anew each time ([`crate::secrets`]).

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use kms_api::ProjectId;
use kms_store::{Store, epochs};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use uuid::Uuid;

use crate::{Error, Result};

/// How often the epochs of watched projects are read where several servers share a database.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How many of those who wait look at one time: whoever may write wakes many, and those who ask for
/// something else must not wait for all of them.
const LOOKS: usize = 16;
/// Over how long those are spread who look because something changed that decides who may: it wakes
/// everybody, of every organization.
const SPREAD: Duration = Duration::from_millis(250);
/// Seconds after which somebody may try again who finds no place to wait.
const TRY_AGAIN_AFTER: u64 = 30;

/// Everybody who waits on this server.
pub(crate) struct Changes {
    waiting: Mutex<Waiting>,
    turns: Arc<Semaphore>,
}

impl Default for Changes {
    fn default() -> Self {
        Self { waiting: Mutex::default(), turns: Arc::new(Semaphore::new(LOOKS)) }
    }
}

/// What changed, counted: what is told is the difference to what was heard before.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Raised {
    project: u64,
    rights: u64,
}

#[derive(Default)]
struct Waiting {
    signals: HashMap<ProjectId, watch::Sender<Raised>>,
    by_actor: HashMap<Uuid, usize>,
    total: usize,
    /// Whether the server stops.
    is_over: bool,
    /// Whether a task reads the epochs.
    is_read: bool,
}

/// A place among those who wait; it is given back when dropped.
pub(crate) struct Waiter {
    changes: Arc<Changes>,
    project: ProjectId,
    actor: Uuid,
    signal: watch::Receiver<Raised>,
    heard: Raised,
}

/// What a signal was about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// What the project holds, and perhaps who may.
    Project,
    /// Who may, and nothing else.
    Rights,
}

/// How many may wait.
#[derive(Clone, Copy)]
pub(crate) struct Room {
    pub(crate) for_all: usize,
    pub(crate) for_one: usize,
}

impl Changes {
    /// A place for one more, if there is room.
    pub(crate) fn wait(
        self: &Arc<Self>,
        project: ProjectId,
        actor: Uuid,
        room: Room,
    ) -> Result<Waiter> {
        let mut waiting = self.lock();
        if waiting.is_over {
            return Err(Error::Unavailable("The server is stopping"));
        }
        let own = waiting.by_actor.get(&actor).copied().unwrap_or_default();
        if waiting.total >= room.for_all || own >= room.for_one {
            return Err(Error::RateLimited { retry_after: TRY_AGAIN_AFTER });
        }
        waiting.total += 1;
        waiting.by_actor.insert(actor, own + 1);
        let signal = waiting.signals.entry(project).or_default().subscribe();
        let heard = *signal.borrow();
        Ok(Waiter { changes: Arc::clone(self), project, actor, signal, heard })
    }

    /// Something in a project changed.
    pub(crate) fn tell(&self, project: ProjectId) {
        if let Some(signal) = self.lock().signals.get(&project) {
            signal.send_modify(|raised| raised.project += 1);
        }
    }

    /// Something changed that decides who may.
    pub(crate) fn tell_all(&self) {
        for signal in self.lock().signals.values() {
            signal.send_modify(|raised| raised.rights += 1);
        }
    }

    /// Sends everybody away, and lets nobody in any more.
    pub(crate) fn end(&self) {
        let mut waiting = self.lock();
        waiting.is_over = true;
        waiting.signals.clear();
    }

    /// How many wait.
    pub(crate) fn count(&self) -> usize {
        self.lock().total
    }

    /// Reads the epochs of the shared database for as long as somebody waits.
    pub(crate) fn read(self: &Arc<Self>, store: &Store) {
        let mut waiting = self.lock();
        if !waiting.is_read {
            waiting.is_read = true;
            tokio::spawn(Arc::clone(self).keep_reading(store.clone()));
        }
    }

    async fn keep_reading(self: Arc<Self>, store: Store) {
        let mut known: HashMap<Uuid, i64> = HashMap::new();
        while let Some(scopes) = self.scopes() {
            match epochs::read_many(&store, &scopes).await {
                Ok(rows) => {
                    for row in rows {
                        // What was not known may have changed since whoever waits has looked.
                        if known.insert(row.scope, row.value) == Some(row.value) {
                            continue;
                        }
                        if row.scope == epochs::RIGHTS {
                            self.tell_all();
                        } else {
                            self.tell(row.scope.into());
                        }
                    }
                    known.retain(|scope, _| scopes.contains(scope));
                }
                Err(error) => {
                    let error: &dyn std::error::Error = &error;
                    tracing::warn!(error, "the epochs of watched projects were not read");
                }
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// What the task has to read; nothing once nobody waits, which ends it.
    fn scopes(&self) -> Option<Vec<Uuid>> {
        let mut waiting = self.lock();
        if waiting.signals.is_empty() {
            waiting.is_read = false;
            return None;
        }
        let mut scopes: Vec<Uuid> = waiting.signals.keys().map(|project| project.uuid()).collect();
        scopes.push(epochs::RIGHTS);
        Some(scopes)
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiter {
    /// Waits for the next signal; nothing when the server stops.
    pub(crate) async fn signalled(&mut self) -> Option<Signal> {
        self.signal.changed().await.ok()?;
        let raised = *self.signal.borrow_and_update();
        let is_project = raised.project != self.heard.project;
        self.heard = raised;
        Some(if is_project { Signal::Project } else { Signal::Rights })
    }

    /// The turns in which those who wait look.
    pub(crate) fn turns(&self) -> Turns {
        Turns(Arc::clone(&self.changes.turns))
    }
}

/// Who may look now.
pub(crate) struct Turns(Arc<Semaphore>);

impl Turns {
    /// The next turn, for as long as it is held.
    pub(crate) async fn next(self) -> Option<OwnedSemaphorePermit> {
        // Nobody closes it.
        self.0.acquire_owned().await.ok()
    }
}

impl Signal {
    /// How long to wait before looking. `chance` is any number: it decides where everybody was woken.
    pub(crate) fn delay(self, chance: u8) -> Duration {
        match self {
            Self::Project => Duration::ZERO,
            Self::Rights => SPREAD * u32::from(chance) / u32::from(u8::MAX),
        }
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let mut waiting = self.changes.lock();
        waiting.total -= 1;
        if let Some(own) = waiting.by_actor.get_mut(&self.actor) {
            *own -= 1;
            if *own == 0 {
                waiting.by_actor.remove(&self.actor);
            }
        }
        let last = |signal: &watch::Sender<Raised>| signal.receiver_count() <= 1;
        if waiting.signals.get(&self.project).is_some_and(last) {
            waiting.signals.remove(&self.project);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: Room = Room { for_all: 3, for_one: 2 };

    fn id(n: u128) -> ProjectId {
        Uuid::from_u128(n).into()
    }

    #[tokio::test]
    async fn whoever_waits_hears_of_their_own_project_alone() {
        let changes = Arc::new(Changes::default());
        let mut ours = changes.wait(id(1), Uuid::nil(), ROOM).unwrap();
        let mut theirs = changes.wait(id(2), Uuid::nil(), ROOM).unwrap();
        changes.tell(id(1));
        changes.tell(id(1));
        assert_eq!(ours.signalled().await, Some(Signal::Project));
        assert!(!theirs.signal.has_changed().unwrap() && !ours.signal.has_changed().unwrap());
        changes.tell_all();
        assert_eq!(theirs.signalled().await, Some(Signal::Rights));
        changes.tell_all();
        changes.tell(id(2));
        assert_eq!(theirs.signalled().await, Some(Signal::Project));
        changes.end();
        ours.signal.mark_unchanged();
        assert_eq!(ours.signalled().await, None);
        assert!(changes.wait(id(1), Uuid::nil(), ROOM).is_err());
    }

    /// A write to rights, of whatever organization, wakes everybody.
    #[tokio::test]
    async fn s4_those_who_are_woken_look_a_few_at_a_time_and_spread() {
        let changes = Arc::new(Changes::default());
        let waiter = changes.wait(id(1), Uuid::nil(), ROOM).unwrap();
        let mut turns = Vec::new();
        for _ in 0..LOOKS {
            turns.push(waiter.turns().next().await.unwrap());
        }
        let more = tokio::time::timeout(Duration::ZERO, waiter.turns().next()).await;
        assert!(more.is_err(), "no more than so many");
        turns.pop();
        assert!(waiter.turns().next().await.is_some());
        assert_eq!(Signal::Project.delay(u8::MAX), Duration::ZERO, "told at once");
        assert_eq!(Signal::Rights.delay(0), Duration::ZERO);
        assert_eq!(Signal::Rights.delay(u8::MAX), SPREAD);
    }

    #[tokio::test]
    async fn room_is_bounded_and_given_back() {
        let changes = Arc::new(Changes::default());
        let wait = |actor| changes.wait(id(1), Uuid::from_u128(actor), ROOM);
        let (first, second) = (wait(1).unwrap(), wait(1).unwrap());
        assert!(matches!(wait(1), Err(Error::RateLimited { .. })), "one actor");
        let third = wait(2).unwrap();
        assert!(matches!(wait(3), Err(Error::RateLimited { .. })), "all");
        drop((first, second, third));
        assert_eq!(changes.count(), 0);
        let waiting = changes.lock();
        assert!(waiting.signals.is_empty() && waiting.by_actor.is_empty());
    }
}
