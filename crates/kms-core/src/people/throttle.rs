//! How often a password may be guessed, without anybody being able to keep others out (attacks
//! H9, H10).
//!
//! Failures are counted for the account at the source they came from, for the account anywhere,
//! for the source against all accounts, and for all. From some number on each failure makes the
//! next try wait, twice as long each time. Where the account's owner logged in before, or with a
//! session of theirs at hand, only the first count matters: strangers elsewhere cannot fill it.
//! An account is named by a keyed hash of what was typed, so unknown ones count like known ones.

use kms_store::{
    Tx,
    login_failures::{self, FailuresRow, NewFailure},
};

use crate::{Core, Error, Result};

const ACCOUNT: &str = "login-account";

/// Whose failures count together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    /// One account from one source.
    Here,
    /// One account from anywhere.
    Account,
    /// Any account from one source.
    Source,
    /// Everything.
    All,
}

/// How many failures are free, how long the next try waits at most after that, and when they are
/// forgotten; in seconds.
struct Budget {
    free: i64,
    longest: i64,
    memory: i64,
    /// Whether each failure starts the memory anew; otherwise the first one does.
    is_put_off: bool,
}

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

impl Scope {
    const fn budget(self) -> Budget {
        match self {
            // A person who mistypes.
            Self::Here => Budget { free: 5, longest: 900, memory: DAY, is_put_off: true },
            // No more than 100 guesses in a row, from however many addresses (NIST 800-63B).
            Self::Account => Budget { free: 20, longest: DAY, memory: 30 * DAY, is_put_off: true },
            // An office behind one address may mistype more than a person.
            Self::Source => Budget { free: 100, longest: 900, memory: HOUR, is_put_off: false },
            // Slows down whoever has many addresses and many accounts; everybody else who is new
            // somewhere waits a second.
            Self::All => Budget { free: 1_000, longest: 1, memory: 600, is_put_off: false },
        }
    }
}

impl Budget {
    /// Seconds that the next try waits after so many failures.
    fn delay(&self, failed: i64) -> i64 {
        let over = failed - self.free;
        if over < 0 { 0 } else { (1 << over.min(40)).min(self.longest) }
    }
}

/// A try of a password.
pub(crate) struct Attempt {
    account: [u8; 32],
    source: String,
    scopes: &'static [Scope],
}

/// What counts for a try that comes from where the owner was before, or from a session of theirs.
const AT_HOME: &[Scope] = &[Scope::Here];
const ELSEWHERE: &[Scope] = &[Scope::Here, Scope::Account, Scope::Source, Scope::All];

impl Attempt {
    /// A try of something that is no account's, from a source: only the source is answerable.
    pub(crate) fn from_source(source: String) -> Self {
        Self { account: [0; 32], source, scopes: &[Scope::Source] }
    }

    fn key(&self, scope: Scope) -> (&[u8], &str) {
        match scope {
            Scope::Here => (&self.account, &self.source),
            Scope::Account => (&self.account, ""),
            Scope::Source => (&[], &self.source),
            Scope::All => (&[], ""),
        }
    }

    /// Microseconds that the try has to wait from `now` on.
    fn wait(&self, rows: &[FailuresRow], now: i64) -> i64 {
        let wait = |scope: &Scope| {
            let (account, source) = self.key(*scope);
            let is_it = |row: &&FailuresRow| row.account == account && row.source == source;
            rows.iter()
                .find(is_it)
                .map_or(0, |row| row.last_at + scope.budget().delay(row.failed) * 1_000_000 - now)
        };
        self.scopes.iter().map(wait).max().unwrap_or_default()
    }
}

impl Core {
    /// A try of the password of the account that is called `name`, from a source.
    pub(crate) fn attempt(&self, name: &str, source: String, is_at_home: bool) -> Attempt {
        let scopes = if is_at_home { AT_HOME } else { ELSEWHERE };
        Attempt { account: self.keys.lookup.hash(ACCOUNT, name).0, source, scopes }
    }

    /// Refuses a try that has to wait; whether there are failures of this account here otherwise.
    pub(crate) async fn require_turn(&self, attempt: &Attempt) -> Result<bool> {
        let now = self.now().micros();
        let rows =
            login_failures::find(&self.store, &attempt.account, &attempt.source, now).await?;
        let wait = attempt.wait(&rows, now);
        if wait > 0 {
            let seconds = u64::try_from(wait).unwrap_or_default().div_ceil(1_000_000);
            return Err(Error::RateLimited { retry_after: seconds });
        }
        let here = attempt.key(Scope::Here);
        Ok(rows.iter().any(|row| (row.account.as_slice(), row.source.as_str()) == here))
    }

    /// Counts a wrong password.
    pub(crate) async fn count_failure(&self, tx: &mut Tx, attempt: &Attempt) -> Result<()> {
        let now = self.now().micros();
        for scope in attempt.scopes {
            let (account, source) = attempt.key(*scope);
            let budget = scope.budget();
            let failure = NewFailure {
                account,
                source,
                now,
                expires_at: now + budget.memory * 1_000_000,
                is_put_off: budget.is_put_off,
            };
            login_failures::count(tx, &failure).await?;
        }
        Ok(())
    }

    /// Forgets the wrong passwords of an account at a source, after a right one.
    pub(crate) async fn forget_failures(&self, tx: &mut Tx, attempt: &Attempt) -> Result<()> {
        Ok(login_failures::forget(tx, &attempt.account, &attempt.source).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h9_waits_double_up_to_their_longest() {
        let budget = Scope::Here.budget();
        let waits: Vec<_> = (3..18).map(|failed| budget.delay(failed)).collect();
        assert_eq!(waits, [0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]);
        assert_eq!(Scope::Account.budget().delay(i64::MAX), DAY);
    }
}
