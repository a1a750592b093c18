//! What was mailed to an address, so that its reader can show who they are.

use kms_api::OrganizationId;

use crate::{Source, StoreError, Tx, record};

record! {
    /// What was mailed, by its hashes.
    #[derive(Clone, Debug)]
    pub struct MailedProofRow {
        /// What it is good for.
        pub purpose: String,
        /// The address, canonical.
        pub address: String,
        /// The organization of an invitation, nil for all else.
        pub org_id: OrganizationId,
        /// The keyed hash of the long text.
        pub token_hash: Vec<u8>,
        /// The keyed hash of the short code, where there is one.
        pub code_hash: Option<Vec<u8>>,
        /// Tries that are left for the code.
        pub tries: i64,
        /// Whether it went by mail, or was handed to somebody else to pass on.
        pub mailed: bool,
        /// When, in microseconds.
        pub sent_at: i64,
        /// Until when it is good, in microseconds.
        pub expires_at: i64,
        /// Wrong codes of the address in the window.
        pub failed: i64,
        /// When the window ends, in microseconds.
        pub window_ends_at: i64,
    }
}

const FIND: &str = "SELECT purpose, address, org_id, token_hash, code_hash, tries, mailed, sent_at,
        expires_at, failed, window_ends_at
    FROM mailed_proofs WHERE purpose = $1 AND address = $2 AND org_id = $3";
const PUT: &str = "INSERT INTO mailed_proofs (purpose, address, org_id, token_hash, code_hash,
        tries, mailed, sent_at, expires_at, failed, window_ends_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $8)
    ON CONFLICT (purpose, address, org_id) DO UPDATE SET token_hash = $4, code_hash = $5,
        tries = $6, mailed = $7, sent_at = $8, expires_at = $9
    WHERE mailed_proofs.sent_at <= $10";
const TAKE: &str = "DELETE FROM mailed_proofs
    WHERE purpose = $1 AND address = $2 AND org_id = $3 AND token_hash = $4";
const TAKE_TRY: &str = "UPDATE mailed_proofs SET tries = tries - 1,
        failed = CASE WHEN window_ends_at <= $5 THEN 1 ELSE failed + 1 END,
        window_ends_at = CASE WHEN window_ends_at <= $5 THEN $6 ELSE window_ends_at END
    WHERE purpose = $1 AND address = $2 AND org_id = $3 AND token_hash = $4 AND tries > 0
        AND (failed < $7 OR window_ends_at <= $5)";
const SWEEP: &str = "DELETE FROM mailed_proofs WHERE expires_at <= $1 AND window_ends_at <= $1";

/// What was mailed to an address last.
pub async fn find(
    source: impl Source,
    purpose: &str,
    address: &str,
    org: OrganizationId,
) -> Result<Option<MailedProofRow>, StoreError> {
    source.fetch_optional(FIND, (purpose, address, org)).await
}

/// Puts what is mailed in the place of what was mailed before; false when that was sent after
/// `sent_before`, and stays.
///
/// Wrong codes stay counted: a new code is no new budget.
pub async fn put(tx: &mut Tx, row: &MailedProofRow, sent_before: i64) -> Result<bool, StoreError> {
    let params = (
        row.purpose.as_str(),
        row.address.as_str(),
        row.org_id,
        row.token_hash.as_slice(),
        row.code_hash.as_deref(),
        row.tries,
        row.mailed,
        row.sent_at,
        row.expires_at,
        sent_before,
    );
    Ok(tx.execute(PUT, params).await? == 1)
}

/// Uses a proof up; true for exactly one caller.
pub async fn take(tx: &mut Tx, row: &MailedProofRow) -> Result<bool, StoreError> {
    let params =
        (row.purpose.as_str(), row.address.as_str(), row.org_id, row.token_hash.as_slice());
    Ok(tx.execute(TAKE, params).await? == 1)
}

/// Takes one of the tries of a code and counts it towards the budget of its address, before the
/// code is looked at; false when there is none left of either. One statement, so that guesses at
/// once get no more tries than there are.
pub async fn take_try(
    tx: &mut Tx,
    row: &MailedProofRow,
    now: i64,
    window_ends_at: i64,
    budget: i64,
) -> Result<bool, StoreError> {
    let params = (
        row.purpose.as_str(),
        row.address.as_str(),
        row.org_id,
        row.token_hash.as_slice(),
        now,
        window_ends_at,
        budget,
    );
    Ok(tx.execute(TAKE_TRY, params).await? == 1)
}

/// Removes what has expired.
pub async fn sweep(tx: &mut Tx, now: i64) -> Result<u64, StoreError> {
    tx.execute(SWEEP, (now,)).await
}
