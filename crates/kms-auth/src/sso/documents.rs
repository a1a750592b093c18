//! Documents of providers, remembered: each is asked for by one caller at a time, and not again for
//! some time, whatever anybody sends (attack J9).

use std::{sync::Arc, time::Duration};

use http::{Method, Request, StatusCode, header::ACCEPT};
use moka::sync::Cache;
use serde_json::Value;
use tokio::sync::Mutex;

use super::SsoError;
use crate::outbound::{Outbound, Target, Trust};

/// Bytes of a document at most; in memory it takes some thirty times as many.
const LONGEST: usize = 64 * 1024;
/// Documents remembered at most.
const DOCUMENTS: u64 = 256;
/// Seconds that a document counts.
const LASTS: i64 = 3_600;
/// How long a document stays that nobody asks for.
const IDLE: Duration = Duration::from_hours(1);
/// Seconds between two calls at least, where somebody asks for what the document does not hold.
const INTERVAL: i64 = 60;
/// Seconds that a provider is left alone after a call that failed.
const PAUSE: i64 = 10;

/// The memory.
pub(super) struct Documents {
    outbound: Outbound,
    slots: Cache<String, Arc<Mutex<Option<Kept>>>>,
}

/// What came of the last call, and when it was, in Unix seconds.
struct Kept {
    at: i64,
    document: Option<Arc<Value>>,
}

impl Documents {
    pub(super) fn new(outbound: Outbound) -> Self {
        let slots = Cache::builder().max_capacity(DOCUMENTS).time_to_idle(IDLE).build();
        Self { outbound, slots }
    }

    /// A document as it is remembered, or as it is now.
    pub(super) async fn get(&self, target: &Target, now: i64) -> Result<Arc<Value>, SsoError> {
        self.get_within(target, now, LASTS).await
    }

    /// A document that is as new as may be asked for.
    pub(super) async fn newest(&self, target: &Target, now: i64) -> Result<Arc<Value>, SsoError> {
        self.get_within(target, now, INTERVAL).await
    }

    /// Forgets a document, for an administrator who has just changed something there.
    pub(super) fn forget(&self, target: &Target) {
        self.slots.invalidate(target.url().as_str());
    }

    async fn get_within(
        &self,
        target: &Target,
        now: i64,
        lasts: i64,
    ) -> Result<Arc<Value>, SsoError> {
        let slot = self.slots.get_with_by_ref(target.url().as_str(), Arc::default);
        // Held while the call is made: whoever comes meanwhile finds its answer.
        let mut kept = slot.lock().await;
        if let Some(Kept { at, document }) = &*kept {
            let age = now - at;
            match document {
                Some(document) if (0..lasts).contains(&age) => return Ok(Arc::clone(document)),
                None if (0..PAUSE).contains(&age) => return Err(SsoError::Unreachable(None)),
                _ => {}
            }
        }
        let fetched = self.fetch(target).await;
        let document = fetched.as_ref().ok().map(Arc::clone);
        *kept = Some(Kept { at: now, document });
        fetched
    }

    async fn fetch(&self, target: &Target) -> Result<Arc<Value>, SsoError> {
        let request = Request::builder()
            .method(Method::GET)
            .uri(target.url().as_str())
            .header(ACCEPT, "application/json")
            .body(Vec::new())
            .map_err(|_| SsoError::Unreachable(None))?;
        let answer = self.outbound.send(request, &Trust::public()).await?;
        if answer.status() != StatusCode::OK || answer.body().len() > LONGEST {
            return Err(SsoError::Unreachable(None));
        }
        let document = serde_json::from_slice(answer.body());
        document.map(Arc::new).map_err(|_| SsoError::Unreachable(None))
    }
}
