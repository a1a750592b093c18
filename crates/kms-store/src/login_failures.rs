//! Wrong passwords and wrong codes of people, counted by whom and from where.

use crate::{Source, StoreError, Tx, record};

record! {
    /// Failures that are counted together.
    #[derive(Clone, Debug)]
    pub struct FailuresRow {
        /// The account's keyed hash; empty for all accounts.
        pub account: Vec<u8>,
        /// The source; empty for all sources.
        pub source: String,
        /// How many.
        pub failed: i64,
        /// The last one, in microseconds since the epoch.
        pub last_at: i64,
    }
}

record! {
    /// A failure that was just counted.
    #[derive(Clone, Copy, Debug)]
    pub struct CountedRow {
        /// How many there are with it.
        pub failed: i64,
        /// When the one before it was, in microseconds since the epoch; 0 if there was none.
        pub previous_at: i64,
    }
}

/// A failure to count.
#[derive(Clone, Copy, Debug)]
pub struct NewFailure<'a> {
    /// The account's keyed hash; empty for all accounts.
    pub account: &'a [u8],
    /// The source; empty for all sources.
    pub source: &'a str,
    /// Microseconds since the epoch.
    pub now: i64,
    /// When the count is forgotten, in microseconds since the epoch.
    pub expires_at: i64,
    /// Whether each failure puts that off.
    pub is_put_off: bool,
}

const FIND: &str = "SELECT account, source, failed, last_at FROM login_failures
    WHERE account IN ($1, $2) AND source IN ($3, $4) AND expires_at > $5";
const COUNT: &str = "INSERT INTO login_failures (account, source, failed, last_at, previous_at,
        expires_at)
    VALUES ($1, $2, 1, $3, 0, $4)
    ON CONFLICT (account, source) DO UPDATE SET
        failed = CASE WHEN login_failures.expires_at <= $3 THEN 1
            ELSE login_failures.failed + 1 END,
        previous_at = CASE WHEN login_failures.expires_at <= $3 THEN 0
            ELSE login_failures.last_at END,
        last_at = $3,
        expires_at = CASE WHEN $5 OR login_failures.expires_at <= $3 THEN $4
            ELSE login_failures.expires_at END
    RETURNING failed, previous_at";
const FORGET: &str = "DELETE FROM login_failures WHERE account = $1 AND source = $2";
const SWEEP: &str = "DELETE FROM login_failures WHERE expires_at <= $1";

/// The failures of an account at a source, of it anywhere, of all accounts at the source, and of
/// all: as far as there are any.
pub async fn find(
    source: impl Source,
    account: &[u8],
    at: &str,
    now: i64,
) -> Result<Vec<FailuresRow>, StoreError> {
    source.fetch_all(FIND, (account, &[][..], at, "", now)).await
}

/// Counts a failure. Whoever counts for the same account and source waits until this write is
/// over.
pub async fn count(tx: &mut Tx, failure: &NewFailure<'_>) -> Result<CountedRow, StoreError> {
    let params =
        (failure.account, failure.source, failure.now, failure.expires_at, failure.is_put_off);
    let counted: Option<CountedRow> = tx.fetch_optional(COUNT, params).await?;
    // The statement always answers one row.
    Ok(counted.unwrap_or(CountedRow { failed: 1, previous_at: 0 }))
}

/// Forgets the failures of an account at a source.
pub async fn forget(tx: &mut Tx, account: &[u8], at: &str) -> Result<(), StoreError> {
    tx.execute(FORGET, (account, at)).await?;
    Ok(())
}

/// Removes what is forgotten by `now`.
pub async fn sweep(tx: &mut Tx, now: i64) -> Result<u64, StoreError> {
    tx.execute(SWEEP, (now,)).await
}
