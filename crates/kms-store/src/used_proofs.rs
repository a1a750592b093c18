//! Proofs of machine logins that were used, shared by all servers of an instance (attack C4).

use crate::{StoreError, Tx};

/// The use of a proof that could be sent again by whoever saw it.
#[derive(Clone, Copy, Debug)]
pub struct Use<'a> {
    /// Names the proof.
    pub id: &'a str,
    /// Who sent it.
    pub peer: &'a str,
    /// Microseconds since the epoch.
    pub now: i64,
    /// A first use after this, by the same peer, may be repeated; in microseconds.
    pub repeatable_after: i64,
    /// When nobody believes the proof any more, in microseconds.
    pub expires_at: i64,
}

const TAKE: &str = "INSERT INTO used_proofs (id, peer, used_at, expires_at)
    VALUES ($1, $2, $3, $4)
    ON CONFLICT (id) DO UPDATE SET peer = used_proofs.peer
        WHERE used_proofs.peer = $2 AND used_proofs.used_at > $5";
const SWEEP: &str = "DELETE FROM used_proofs WHERE expires_at <= $1";

/// Uses a proof; false when somebody else did, or its sender too long ago.
///
/// One statement, so that of many uses at once only those of the first peer count.
pub async fn take(tx: &mut Tx, used: &Use<'_>) -> Result<bool, StoreError> {
    let params = (used.id, used.peer, used.now, used.expires_at, used.repeatable_after);
    Ok(tx.execute(TAKE, params).await? == 1)
}

/// Removes what nobody would believe any more.
pub async fn sweep(tx: &mut Tx, now: i64) -> Result<u64, StoreError> {
    tx.execute(SWEEP, (now,)).await
}
