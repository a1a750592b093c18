//! Second factors: who owes one, giving one, and setting one up.
//!
//! [`owed`] alone decides whether somebody has to give one. A code is counted against the person,
//! whatever login it belongs to (attack H4), before it is looked at.

mod app;
mod change;
mod codes;
mod owed;
mod verify;

pub use change::Missing;
pub(super) use owed::owed;
pub use verify::PendingLogin;

use kms_api::UserId;
use kms_store::{
    Tx,
    login_failures::{self, CountedRow, NewFailure},
};

use crate::{Core, Error, Result};

/// A code that is mailed.
pub(super) const MAIL: &str = "email";
/// A code of an authenticator app.
pub(super) const APP: &str = "totp";

const COUNTER: &str = "second-factor";
/// Wrong codes between two pauses.
const TRIES: i64 = 3;
/// Seconds of the first pauses; those after them double from one day on, so that nobody comes to
/// 100 guesses (NIST 800-63B).
const PAUSES: [i64; 3] = [300, 1_800, 3_600];
const DAY: i64 = 86_400;
/// Seconds that wrong codes are remembered: longer than any pause.
const MEMORY: i64 = 600 * DAY;

/// Seconds that the next code waits after so many wrong ones.
fn pause(failed: i64) -> i64 {
    if failed == 0 || failed % TRIES != 0 {
        return 0;
    }
    let nth = failed / TRIES - 1;
    let short = usize::try_from(nth).ok().and_then(|nth| PAUSES.get(nth));
    short.copied().unwrap_or_else(|| DAY << (nth - 3).clamp(0, 9))
}

impl Core {
    fn counter(&self, user: UserId) -> [u8; 32] {
        self.keys.lookup.hash(COUNTER, user.uuid().as_bytes()).0
    }

    /// Counts a code before it is looked at; refuses it during a pause, which counts nothing.
    async fn count_code(&self, tx: &mut Tx, user: UserId) -> Result<()> {
        let now = self.now().micros();
        let failure = NewFailure {
            account: &self.counter(user),
            source: "",
            now,
            expires_at: now + MEMORY * 1_000_000,
            is_put_off: true,
        };
        let CountedRow { failed, previous_at } = login_failures::count(tx, &failure).await?;
        let wait = previous_at + pause(failed - 1) * 1_000_000 - now;
        if failed == 1 || wait <= 0 {
            return Ok(());
        }
        Err(locked(wait))
    }

    async fn forget_codes(&self, tx: &mut Tx, user: UserId) -> Result<()> {
        Ok(login_failures::forget(tx, &self.counter(user), "").await?)
    }
}

/// Too many wrong codes (wire contract, MFA); `wait` in microseconds.
fn locked(wait: i64) -> Error {
    let minutes = u64::try_from(wait).unwrap_or_default().div_ceil(60_000_000);
    let text = format!("Too many wrong codes, try again in {minutes} minutes");
    Error::Forbidden { name: "UserLocked".into(), message: text.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h4_pauses_grow_so_that_a_year_has_few_guesses() {
        let pauses: Vec<_> = (0..=15).map(pause).collect();
        let day = DAY;
        assert_eq!(pauses, [0, 0, 0, 300, 0, 0, 1_800, 0, 0, 3_600, 0, 0, day, 0, 0, 2 * day]);
        let year = 365 * DAY;
        let (mut spent, mut guesses) = (0, 0);
        while spent < year {
            guesses += 1;
            spent += pause(guesses);
        }
        assert!(guesses <= 40, "{guesses}");
    }
}
