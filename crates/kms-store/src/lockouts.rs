//! Wrong client secrets, counted per client id and source address.

use uuid::Uuid;

use crate::{StoreError, Tx};

/// A wrong client secret, and what it counts towards.
#[derive(Clone, Copy, Debug)]
pub struct Failure<'a> {
    /// The client id as it was sent, known or not.
    pub client_id: Uuid,
    /// Where it came from.
    pub source: &'a str,
    /// Microseconds since the epoch.
    pub now: i64,
    /// Failures until the lockout.
    pub threshold: i64,
    /// Until when a lockout that begins now lasts, in microseconds.
    pub locked_until: i64,
    /// When counting starts anew unless there is another failure, in microseconds.
    pub forgotten_at: i64,
}

const COUNT: &str = "INSERT INTO login_lockouts (client_id, source, failed, locked_until,
        expires_at)
    VALUES ($1, $2, 1, CASE WHEN $4 <= 1 THEN $5 ELSE 0 END,
        CASE WHEN $4 <= 1 THEN $5 ELSE $6 END)
    ON CONFLICT (client_id, source) DO UPDATE SET
        failed = CASE WHEN login_lockouts.expires_at <= $3 THEN 1
            ELSE login_lockouts.failed + 1 END,
        locked_until = CASE WHEN $4 <= CASE WHEN login_lockouts.expires_at <= $3 THEN 1
            ELSE login_lockouts.failed + 1 END THEN $5 ELSE 0 END,
        expires_at = CASE WHEN $4 <= CASE WHEN login_lockouts.expires_at <= $3 THEN 1
            ELSE login_lockouts.failed + 1 END THEN $5 ELSE $6 END
    WHERE login_lockouts.locked_until <= $3";
const FORGET: &str = "DELETE FROM login_lockouts WHERE client_id = $1 AND source = $2";
const CLEAR: &str = "DELETE FROM login_lockouts WHERE client_id = $1";
const SWEEP: &str = "DELETE FROM login_lockouts WHERE expires_at <= $1";

/// Counts a failure; false when the source is locked out already, which counts nothing.
///
/// One statement, so that of many guesses at once no more than the threshold are counted before
/// the lockout begins.
pub async fn count(tx: &mut Tx, failure: &Failure<'_>) -> Result<bool, StoreError> {
    let params = (
        failure.client_id,
        failure.source,
        failure.now,
        failure.threshold,
        failure.locked_until,
        failure.forgotten_at,
    );
    Ok(tx.execute(COUNT, params).await? == 1)
}

/// Forgets the failures of one source.
pub async fn forget(tx: &mut Tx, client_id: Uuid, source: &str) -> Result<(), StoreError> {
    tx.execute(FORGET, (client_id, source)).await?;
    Ok(())
}

/// Forgets the failures of all sources and says how many there were.
pub async fn clear(tx: &mut Tx, client_id: Uuid) -> Result<u64, StoreError> {
    tx.execute(CLEAR, (client_id,)).await
}

/// Removes what has expired.
pub async fn sweep(tx: &mut Tx, now: i64) -> Result<u64, StoreError> {
    tx.execute(SWEEP, (now,)).await
}
