//! Whose turn it is to call.
//!
//! Tenants name hosts, and one that never answers holds a call until its time is up. So a host has
//! turns of its own, fewer than there are, and a call waits for one of those before it waits for
//! one of everybody's: whoever waits for a slow host keeps nobody else from calling.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

/// Hosts that are called or waited for at the same time. A host is forgotten with its last call.
const HOSTS: usize = 4_096;

/// Turns of everybody, and of each host.
pub(super) struct Turns {
    everybody: Semaphore,
    hosts: Mutex<HashMap<String, Arc<Semaphore>>>,
}

/// Leave to call a host; ends when it is dropped.
pub(super) struct Turn<'a> {
    _of_everybody: SemaphorePermit<'a>,
    _of_host: AtHost<'a>,
}

/// A call to a host that is under way or waits.
struct AtHost<'a> {
    turns: &'a Turns,
    host: &'a str,
    held: Option<OwnedSemaphorePermit>,
}

impl Turns {
    /// As many calls at the same time, whatever host they go to.
    pub(super) fn new(calls: usize) -> Self {
        Self { everybody: Semaphore::new(calls), hosts: Mutex::default() }
    }

    /// Waits for a turn at a host that may have `most` of them; none if too many hosts are called.
    pub(super) async fn take<'a>(&'a self, host: &'a str, most: usize) -> Option<Turn<'a>> {
        let of_host = {
            let mut hosts = self.hosts();
            if hosts.len() >= HOSTS && !hosts.contains_key(host) {
                return None;
            }
            Arc::clone(
                hosts.entry(host.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(most))),
            )
        };
        // From here on whoever gives up is counted out.
        let mut at_host = AtHost { turns: self, host, held: None };
        at_host.held = Some(of_host.acquire_owned().await.ok()?);
        let of_everybody = self.everybody.acquire().await.ok()?;
        Some(Turn { _of_everybody: of_everybody, _of_host: at_host })
    }

    fn hosts(&self) -> MutexGuard<'_, HashMap<String, Arc<Semaphore>>> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        self.hosts().len()
    }
}

impl Drop for AtHost<'_> {
    fn drop(&mut self) {
        drop(self.held.take());
        let mut hosts = self.turns.hosts();
        // The map's own, and nobody's who calls or waits.
        if hosts.get(self.host).is_some_and(|turns| Arc::strong_count(turns) == 1) {
            hosts.remove(self.host);
        }
    }
}
