//! When a request is sent again, and after how long.

use std::time::Duration;

use reqwest::{Response, StatusCode, header::RETRY_AFTER};

use crate::error::is_tls;

/// How often a request is sent at most.
pub(crate) const TRIES: u32 = 4;
/// How long all tries and the waits between them may take together.
pub(crate) const BUDGET: Duration = Duration::from_mins(1);
const FIRST_WAIT: Duration = Duration::from_millis(200);

/// How long to wait before try number `next` (from 1) because of this answer: the server's
/// `Retry-After` in seconds, else twice as long each time. `None` when the answer is final.
pub(crate) fn after_answer(response: &Response, next: u32) -> Option<Duration> {
    if response.status() != StatusCode::TOO_MANY_REQUESTS {
        return None;
    }
    Some(with_jitter(asked(response).unwrap_or_else(|| backoff(next))))
}

/// How long the server asks to wait, where it says so in seconds.
pub(crate) fn asked(response: &Response) -> Option<Duration> {
    let text = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

/// How long to wait before try number `next` because nobody answered. Only a request that asks
/// for something may be repeated blindly, and only a failure that came at once is worth it.
pub(crate) fn after_failure(
    error: &reqwest::Error,
    idempotent: bool,
    next: u32,
) -> Option<Duration> {
    // Who answers with the wrong certificate will do so again.
    let refused = error.is_connect() && !error.is_timeout() && !is_tls(error);
    (idempotent && refused).then(|| with_jitter(backoff(next)))
}

fn backoff(next: u32) -> Duration {
    FIRST_WAIT * 2_u32.pow(next.saturating_sub(1).min(8))
}

/// Up to a fifth longer, never shorter than the server asked, so that a fleet that was turned
/// away together does not come back together.
fn with_jitter(wait: Duration) -> Duration {
    wait + wait.mul_f64(rand::random::<f64>() / 5.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_are_never_shorter_than_asked() {
        for next in 1..TRIES {
            let wait = with_jitter(backoff(next));
            assert!(wait >= backoff(next) && wait <= backoff(next).mul_f64(1.2));
            assert_eq!(backoff(next + 1), backoff(next) * 2);
        }
    }
}
