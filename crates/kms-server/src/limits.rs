//! Rate limits: so many requests of a class in 60 seconds, counted by identity or user where one
//! is known and by address where none is.

use std::{net::IpAddr, num::NonZeroU32, time::Duration};

use governor::{
    Quota, RateLimiter,
    clock::{Clock as _, DefaultClock},
    middleware::StateInformationMiddleware,
    state::keyed::DefaultKeyedStateStore,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use kms_core::Error;
use uuid::Uuid;

use crate::route::Class;

const WINDOW: Duration = Duration::from_mins(1);

/// Requests in 60 seconds; 0 is without a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimits {
    /// Logins, by address.
    pub login: u32,
    /// Reads.
    pub read: u32,
    /// Changes.
    pub write: u32,
    /// New identities, projects and organizations.
    pub creation: u32,
}

impl RateLimits {
    /// No limits at all.
    pub const OFF: Self = Self { login: 0, read: 0, write: 0, creation: 0 };
}

impl Default for RateLimits {
    /// More than a team and its machines need, less than a runaway loop makes.
    fn default() -> Self {
        Self { login: 1_200, read: 60_000, write: 12_000, creation: 600 }
    }
}

/// Whom a request is counted for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    /// A user or identity.
    Actor(Uuid),
    /// An address.
    Address(IpAddr),
}

/// What is left of a limit, as the contract's headers tell it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allowance {
    limit: u32,
    remaining: u32,
    reset: u64,
}

impl Allowance {
    /// Writes the headers.
    pub(crate) fn tell(&self, headers: &mut HeaderMap) {
        let mut set = |name, value| headers.insert(HeaderName::from_static(name), value);
        set("x-ratelimit-limit", HeaderValue::from(self.limit));
        set("x-ratelimit-remaining", HeaderValue::from(self.remaining));
        set("x-ratelimit-reset", HeaderValue::from(self.reset));
    }
}

type Counter =
    RateLimiter<Key, DefaultKeyedStateStore<Key>, DefaultClock, StateInformationMiddleware>;

/// Counts requests.
pub(crate) struct Limiter {
    login: Option<Counter>,
    read: Option<Counter>,
    write: Option<Counter>,
    creation: Option<Counter>,
}

impl Limiter {
    pub(crate) fn new(limits: RateLimits) -> Self {
        Self {
            login: counter(limits.login),
            read: counter(limits.read),
            write: counter(limits.write),
            creation: counter(limits.creation),
        }
    }

    /// Counts one request: what is left, or nothing where there is no limit.
    pub(crate) fn count(&self, class: Class, key: &Key) -> Result<Option<Allowance>, Limited> {
        let Some(counter) = self.counter(class) else { return Ok(None) };
        match counter.check_key(key) {
            Ok(state) => {
                let limit = state.quota().burst_size().get();
                let remaining = state.remaining_burst_capacity();
                let used = u64::from(limit - remaining.min(limit));
                let reset = (used * WINDOW.as_secs()).div_ceil(u64::from(limit));
                Ok(Some(Allowance { limit, remaining, reset }))
            }
            Err(refused) => {
                let wait = refused.wait_time_from(DefaultClock::default().now());
                let retry_after = wait.as_secs() + 1;
                let limit = refused.quota().burst_size().get();
                Err(Limited {
                    allowance: Allowance { limit, remaining: 0, reset: retry_after },
                    error: Error::RateLimited { retry_after },
                })
            }
        }
    }

    /// Forgets who has not been seen for long.
    pub(crate) fn tidy(&self) {
        for class in [Class::Login, Class::Read, Class::Write, Class::Creation] {
            if let Some(counter) = self.counter(class) {
                counter.retain_recent();
                counter.shrink_to_fit();
            }
        }
    }

    fn counter(&self, class: Class) -> Option<&Counter> {
        match class {
            Class::Exempt => None,
            Class::Login => self.login.as_ref(),
            Class::Read => self.read.as_ref(),
            Class::Write => self.write.as_ref(),
            Class::Creation => self.creation.as_ref(),
        }
    }
}

/// A limit is reached.
pub(crate) struct Limited {
    pub(crate) allowance: Allowance,
    pub(crate) error: Error,
}

fn counter(limit: u32) -> Option<Counter> {
    let limit = NonZeroU32::new(limit)?;
    let quota = Quota::with_period(WINDOW / limit.get())?.allow_burst(limit);
    Some(RateLimiter::dashmap(quota).with_middleware())
}
