//! What people give besides their password: authenticator apps, recovery codes, mailed codes.

use kms_api::UserId;

use crate::{Source, StoreError, Tx, identities::CountRow, record};

record! {
    /// An authenticator app of a person.
    #[derive(Clone, Debug)]
    pub struct TotpRow {
        /// Whose.
        pub user_id: UserId,
        /// The seed, sealed for its owner.
        pub sealed: Vec<u8>,
        /// Whether its owner showed that the app has it.
        pub is_confirmed: bool,
        /// The newest time step whose code was accepted.
        pub last_step: i64,
        /// Microseconds since the epoch.
        pub created_at: i64,
    }
}

record! {
    /// The code that was mailed to a person last.
    #[derive(Clone, Debug)]
    pub struct MailedCodeRow {
        /// Whose.
        pub user_id: UserId,
        /// Its keyed hash.
        pub code_hash: Vec<u8>,
        /// How many wrong ones may still be given.
        pub tries: i64,
        /// Microseconds since the epoch.
        pub sent_at: i64,
        /// Microseconds since the epoch.
        pub expires_at: i64,
    }
}

const TOTP: &str = "SELECT user_id, sealed, is_confirmed, last_step, created_at FROM user_totp
    WHERE user_id = $1";
const PUT_TOTP: &str =
    "INSERT INTO user_totp (user_id, sealed, is_confirmed, last_step, created_at)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (user_id) DO UPDATE SET sealed = $2, last_step = $4, created_at = $5
        WHERE user_totp.is_confirmed = FALSE";
const TAKE_STEP: &str = "UPDATE user_totp SET last_step = $2, is_confirmed = TRUE
    WHERE user_id = $1 AND last_step < $2 AND sealed = $3";
const DELETE_TOTP: &str = "DELETE FROM user_totp WHERE user_id = $1";
const ADD_RECOVERY: &str = "INSERT INTO user_recovery_codes (user_id, code_hash) VALUES ($1, $2)
    ON CONFLICT (user_id, code_hash) DO NOTHING";
const TAKE_RECOVERY: &str = "DELETE FROM user_recovery_codes WHERE user_id = $1 AND code_hash = $2";
const DELETE_RECOVERY: &str = "DELETE FROM user_recovery_codes WHERE user_id = $1";
const COUNT_RECOVERY: &str = "SELECT COUNT(*) FROM user_recovery_codes WHERE user_id = $1";
const MAILED: &str = "SELECT user_id, code_hash, tries, sent_at, expires_at
    FROM user_mailed_codes WHERE user_id = $1";
const PUT_MAILED: &str = "INSERT INTO user_mailed_codes (user_id, code_hash, tries, sent_at,
        expires_at)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (user_id) DO UPDATE SET code_hash = $2, tries = $3, sent_at = $4, expires_at = $5";
const TRY_MAILED: &str = "UPDATE user_mailed_codes SET tries = tries - 1
    WHERE user_id = $1 AND tries > 0 AND expires_at > $2";
const TAKE_MAILED: &str = "DELETE FROM user_mailed_codes WHERE user_id = $1 AND code_hash = $2";
const SWEEP_MAILED: &str = "DELETE FROM user_mailed_codes WHERE expires_at <= $1";

/// The authenticator app of a person, confirmed or not.
pub async fn totp(source: impl Source, user: UserId) -> Result<Option<TotpRow>, StoreError> {
    source.fetch_optional(TOTP, (user,)).await
}

/// Sets the authenticator app of a person; false when there is a confirmed one.
pub async fn put_totp(tx: &mut Tx, row: &TotpRow) -> Result<bool, StoreError> {
    let params =
        (row.user_id, row.sealed.as_slice(), row.is_confirmed, row.last_step, row.created_at);
    Ok(tx.execute(PUT_TOTP, params).await? == 1)
}

/// Accepts the code of a step, which confirms the app; false when this step or a later one was
/// accepted before, or when the seed is another by now.
pub async fn take_step(tx: &mut Tx, row: &TotpRow, step: i64) -> Result<bool, StoreError> {
    Ok(tx.execute(TAKE_STEP, (row.user_id, step, row.sealed.as_slice())).await? == 1)
}

/// Removes the authenticator app of a person; false when there is none.
pub async fn delete_totp(tx: &mut Tx, user: UserId) -> Result<bool, StoreError> {
    Ok(tx.execute(DELETE_TOTP, (user,)).await? == 1)
}

/// Adds a recovery code.
pub async fn add_recovery_code(tx: &mut Tx, user: UserId, hash: &[u8]) -> Result<(), StoreError> {
    tx.execute(ADD_RECOVERY, (user, hash)).await?;
    Ok(())
}

/// Takes a recovery code, once; false when there is none of this hash.
pub async fn take_recovery_code(
    tx: &mut Tx,
    user: UserId,
    hash: &[u8],
) -> Result<bool, StoreError> {
    Ok(tx.execute(TAKE_RECOVERY, (user, hash)).await? == 1)
}

/// Removes the recovery codes of a person.
pub async fn delete_recovery_codes(tx: &mut Tx, user: UserId) -> Result<(), StoreError> {
    tx.execute(DELETE_RECOVERY, (user,)).await?;
    Ok(())
}

/// How many recovery codes a person has left.
pub async fn count_recovery_codes(source: impl Source, user: UserId) -> Result<i64, StoreError> {
    let row: Option<CountRow> = source.fetch_optional(COUNT_RECOVERY, (user,)).await?;
    Ok(row.map_or(0, |row| row.count))
}

/// The code that was mailed to a person last.
pub async fn mailed_code(
    source: impl Source,
    user: UserId,
) -> Result<Option<MailedCodeRow>, StoreError> {
    source.fetch_optional(MAILED, (user,)).await
}

/// Sets the code that was mailed to a person last.
pub async fn put_mailed_code(tx: &mut Tx, row: &MailedCodeRow) -> Result<(), StoreError> {
    let params = (row.user_id, row.code_hash.as_slice(), row.tries, row.sent_at, row.expires_at);
    tx.execute(PUT_MAILED, params).await?;
    Ok(())
}

/// Spends a try of the mailed code; false when there is none left, or no code.
pub async fn try_mailed_code(tx: &mut Tx, user: UserId, now: i64) -> Result<bool, StoreError> {
    Ok(tx.execute(TRY_MAILED, (user, now)).await? == 1)
}

/// Takes the mailed code, once; false when it is another.
pub async fn take_mailed_code(tx: &mut Tx, user: UserId, hash: &[u8]) -> Result<bool, StoreError> {
    Ok(tx.execute(TAKE_MAILED, (user, hash)).await? == 1)
}

/// Removes mailed codes that have expired by `now`.
pub async fn sweep(tx: &mut Tx, now: i64) -> Result<u64, StoreError> {
    tx.execute(SWEEP_MAILED, (now,)).await
}
