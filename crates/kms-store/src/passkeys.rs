//! Passkeys of people, and the challenges that were met with them.

use kms_api::{PasskeyId, UserId};

use crate::{Source, StoreError, Tx, record};

record! {
    /// A passkey of a person.
    #[derive(Clone, Debug)]
    pub struct PasskeyRow {
        /// Its id here.
        pub id: PasskeyId,
        /// Whose.
        pub user_id: UserId,
        /// What the device calls it.
        pub credential_id: Vec<u8>,
        /// What an assertion is checked against; JSON.
        pub credential: String,
        /// The person's word for it.
        pub name: String,
        /// Microseconds since the epoch.
        pub created_at: i64,
        /// Microseconds since the epoch; none before its first use.
        pub last_used_at: Option<i64>,
        /// Its authentication.
        pub mac: Vec<u8>,
    }
}

record! {
    /// What a person could give as second factor.
    #[derive(Clone, Copy, Debug)]
    pub struct HeldRow {
        /// Whether there is an authenticator app that was set up.
        pub has_app: bool,
        /// Whether there are passkeys.
        pub has_passkeys: bool,
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, user_id, credential_id, credential, name, created_at, last_used_at, mac
                FROM passkeys ",
            $rest
        )
    };
}

const OF_USER: &str = select!("WHERE user_id = $1 ORDER BY created_at, id");
const BY_CREDENTIAL: &str = select!("WHERE credential_id = $1");
const INSERT: &str = "INSERT INTO passkeys (id, user_id, credential_id, credential, name,
        created_at, last_used_at, mac)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
    ON CONFLICT (credential_id) DO NOTHING";
const USE: &str = "UPDATE passkeys SET credential = $3, last_used_at = $4, mac = $5
    WHERE id = $1 AND user_id = $2 AND mac = $6";
const RENAME: &str = "UPDATE passkeys SET name = $3 WHERE id = $1 AND user_id = $2";
const DELETE: &str = "DELETE FROM passkeys WHERE id = $1 AND user_id = $2";
const HELD: &str = "SELECT
    EXISTS (SELECT 1 FROM user_totp WHERE user_id = $1 AND is_confirmed = TRUE) AS has_app,
    EXISTS (SELECT 1 FROM passkeys WHERE user_id = $1) AS has_passkeys";
const MEET: &str = "INSERT INTO passkey_challenges (challenge, expires_at) VALUES ($1, $2)
    ON CONFLICT (challenge) DO NOTHING";
const SWEEP: &str = "DELETE FROM passkey_challenges WHERE expires_at <= $1";

/// The passkeys of a person, oldest first.
pub async fn of_user(source: impl Source, user: UserId) -> Result<Vec<PasskeyRow>, StoreError> {
    source.fetch_all(OF_USER, (user,)).await
}

/// The passkey that a device names, whosever it is.
pub async fn by_credential(
    source: impl Source,
    credential: &[u8],
) -> Result<Option<PasskeyRow>, StoreError> {
    source.fetch_optional(BY_CREDENTIAL, (credential,)).await
}

/// Adds a passkey; false when it is somebody's already.
pub async fn insert(tx: &mut Tx, row: &PasskeyRow) -> Result<bool, StoreError> {
    let params = (
        row.id,
        row.user_id,
        row.credential_id.as_slice(),
        row.credential.as_str(),
        row.name.as_str(),
        row.created_at,
        row.last_used_at,
        row.mac.as_slice(),
    );
    Ok(tx.execute(INSERT, params).await? == 1)
}

/// Keeps what a use changed in a row that was read with `former` as its authentication; false
/// when it was used or removed since.
pub async fn used(tx: &mut Tx, row: &PasskeyRow, former: &[u8]) -> Result<bool, StoreError> {
    let params = (
        row.id,
        row.user_id,
        row.credential.as_str(),
        row.last_used_at,
        row.mac.as_slice(),
        former,
    );
    Ok(tx.execute(USE, params).await? == 1)
}

/// Changes a person's word for a passkey of theirs; false when there is none.
pub async fn rename(
    tx: &mut Tx,
    user: UserId,
    id: PasskeyId,
    name: &str,
) -> Result<bool, StoreError> {
    Ok(tx.execute(RENAME, (id, user, name)).await? == 1)
}

/// Removes a passkey of a person; false when there is none.
pub async fn delete(tx: &mut Tx, user: UserId, id: PasskeyId) -> Result<bool, StoreError> {
    Ok(tx.execute(DELETE, (id, user)).await? == 1)
}

/// What a person could give as second factor, besides mail.
pub async fn held(source: impl Source, user: UserId) -> Result<Option<HeldRow>, StoreError> {
    source.fetch_optional(HELD, (user,)).await
}

/// Takes a challenge, once; false when it was met before.
pub async fn meet(tx: &mut Tx, challenge: &[u8], expires_at: i64) -> Result<bool, StoreError> {
    Ok(tx.execute(MEET, (challenge, expires_at)).await? == 1)
}

/// Removes challenges that nobody can meet any more at `now`.
pub async fn sweep(tx: &mut Tx, now: i64) -> Result<u64, StoreError> {
    tx.execute(SWEEP, (now,)).await
}
