//! What others publish about their keys, kept for a while.
//!
//! However many logins want it, and whatever names of keys they invent, an address is asked once
//! at a time and once in an interval (attack J9). What was fetched is used for some minutes more
//! when its place does not answer, and not longer: a key that was withdrawn must end.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use http::{Request, StatusCode, header};
use moka::sync::Cache;
use tokio::sync::Mutex;

use super::KeyError;
use crate::{
    AuthError,
    outbound::{Outbound, Trust},
};

/// Bytes that are remembered of what addresses publish.
const BYTES: u64 = 32 << 20;
/// What one address costs besides what it publishes, in bytes.
const OVERHEAD: usize = 1_024;
/// How long one is remembered that nobody asks for.
const IDLE: Duration = Duration::from_hours(1);
/// Seconds that what was fetched is used without asking again.
pub(crate) const FRESH: i64 = 300;
/// Seconds that it is used when asking again fails.
pub(crate) const STALE: i64 = 900;
/// Seconds between two questions to one address.
pub(crate) const INTERVAL: i64 = 15;

/// Something that is remembered.
pub(crate) trait Weigh {
    /// What it takes in memory, in bytes.
    fn weight(&self) -> usize;
}

/// What addresses publish, read by one reader.
pub(crate) struct Remote<T> {
    read: fn(&[u8]) -> Result<T, KeyError>,
    entries: Cache<(String, Trust), Arc<Entry<T>>>,
}

struct Entry<T> {
    held: RwLock<Held<T>>,
    flight: Arc<Mutex<()>>,
}

struct Held<T> {
    value: Option<Arc<T>>,
    fetched_at: i64,
    asked_at: Option<i64>,
}

impl<T: Weigh + Send + Sync + 'static> Remote<T> {
    /// Remembers what the reader makes of answers.
    pub(crate) fn new(read: fn(&[u8]) -> Result<T, KeyError>) -> Self {
        Self::within(BYTES, read)
    }

    /// The same within so many bytes.
    pub(crate) fn within(bytes: u64, read: fn(&[u8]) -> Result<T, KeyError>) -> Self {
        let weight = |(url, trust): &(String, Trust), entry: &Arc<Entry<T>>| {
            let held = entry.read(|held| held.value.as_ref().map_or(0, |value| value.weight()));
            u32::try_from(OVERHEAD + url.len() + trust.weight() + held).unwrap_or(u32::MAX)
        };
        let entries =
            Cache::builder().max_capacity(bytes).weigher(weight).time_to_idle(IDLE).build();
        Self { read, entries }
    }

    /// What an address publishes, at `now` in Unix seconds. Asks anew if what is known does not
    /// hold what is wanted, if it may; the answer need not hold it either.
    pub(crate) async fn get(
        &self,
        outbound: &Outbound,
        url: &str,
        trust: &Trust,
        now: i64,
        wanted: impl Fn(&T) -> bool,
    ) -> Result<Arc<T>, AuthError> {
        let key = (url.to_owned(), trust.clone());
        let entry = self.entries.get_with(key.clone(), || Arc::new(Entry::new()));
        if let Some(value) = entry.fresh(now, &wanted) {
            return Ok(value);
        }
        // Who else is asking is waited for: their answer is the answer.
        let flight = Arc::clone(&entry.flight).lock_owned().await;
        if let Some(known) = entry.without_asking(now, &wanted) {
            return known;
        }
        entry.write(|held| held.asked_at = Some(now));
        let (outbound, read) = (outbound.clone(), self.read);
        let (url, trust, filled) = (url.to_owned(), trust.clone(), Arc::clone(&entry));
        let entries = self.entries.clone();
        // A task of its own: whoever hangs up must not keep others from the answer.
        let asked = tokio::spawn(async move {
            let answer = fetch(&outbound, &url, &trust, read).await;
            let failed = answer.map(|value| {
                filled.write(|held| {
                    held.value = Some(Arc::new(value));
                    held.fetched_at = now;
                });
                // Weighed again, and what is too much is let go of now.
                entries.insert(key, filled);
                entries.run_pending_tasks();
            });
            drop(flight);
            failed
        });
        let failed = match asked.await {
            Ok(Ok(())) => AuthError::unreachable("the answer is too old"),
            Ok(Err(error)) => error,
            Err(_) => AuthError::unreachable("the question was dropped"),
        };
        entry.usable(now).ok_or(failed)
    }
}

impl<T> Entry<T> {
    fn new() -> Self {
        let held = Held { value: None, fetched_at: 0, asked_at: None };
        Self { held: RwLock::new(held), flight: Arc::default() }
    }

    fn write(&self, change: impl FnOnce(&mut Held<T>)) {
        change(&mut self.held.write().unwrap_or_else(PoisonError::into_inner));
    }

    fn read<R>(&self, look: impl FnOnce(&Held<T>) -> R) -> R {
        look(&self.held.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What holds what is wanted and need not be asked for.
    fn fresh(&self, now: i64, wanted: impl Fn(&T) -> bool) -> Option<Arc<T>> {
        let fresh = |held: &Held<T>| held.value.clone().filter(|_| now < held.fetched_at + FRESH);
        self.read(fresh).filter(|value| wanted(value))
    }

    /// What can be used, whatever it holds.
    fn usable(&self, now: i64) -> Option<Arc<T>> {
        self.read(|held| held.value.clone().filter(|_| now < held.fetched_at + STALE))
    }

    /// What there is to say if nobody may be asked now.
    fn without_asking(
        &self,
        now: i64,
        wanted: impl Fn(&T) -> bool,
    ) -> Option<Result<Arc<T>, AuthError>> {
        if let Some(value) = self.fresh(now, wanted) {
            return Some(Ok(value));
        }
        let asked = self.read(|held| held.asked_at.is_some_and(|asked| now < asked + INTERVAL));
        let silent = || AuthError::unreachable("did not answer when it was asked a moment ago");
        asked.then(|| self.usable(now).ok_or_else(silent))
    }
}

async fn fetch<T>(
    outbound: &Outbound,
    url: &str,
    trust: &Trust,
    read: fn(&[u8]) -> Result<T, KeyError>,
) -> Result<T, AuthError> {
    let request = Request::get(url)
        .header(header::ACCEPT, "application/json")
        .body(Vec::new())
        .map_err(|_| AuthError::unreachable("not an address"))?;
    let answer = outbound.send(request, trust).await?;
    if answer.status() != StatusCode::OK {
        return Err(AuthError::unreachable(format!("answered with status {}", answer.status())));
    }
    read(answer.body()).map_err(|error| AuthError::unreachable(format!("the answer {error}")))
}
