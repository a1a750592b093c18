//! Codes that a program trades for the session that a person confirmed in a browser.

use kms_api::{OrganizationId, SessionId, UserId};

use crate::{Source, StoreError, Tx, record};

record! {
    /// What was confirmed, by the hash of the code.
    #[derive(Clone, Debug)]
    pub struct AuthorizationCodeRow {
        /// The keyed hash of the code.
        pub code_hash: Vec<u8>,
        /// The program.
        pub client_id: String,
        /// Where the code was sent.
        pub redirect_uri: String,
        /// What the program shows that it has the text for.
        pub challenge: String,
        /// Who confirmed.
        pub user_id: UserId,
        /// The session of the page that it was confirmed at.
        pub session_id: SessionId,
        /// The root organization to act in.
        pub root_id: OrganizationId,
        /// The sub-organization, where one was chosen.
        pub sub_id: Option<OrganizationId>,
        /// Which second factor was given.
        pub factor: Option<String>,
        /// Until when it is good, in microseconds.
        pub expires_at: i64,
        /// The session that it was traded for.
        pub made_session_id: Option<SessionId>,
        /// Its authentication.
        pub mac: Vec<u8>,
    }
}

const FIND: &str = "SELECT code_hash, client_id, redirect_uri, challenge, user_id, session_id,
        root_id, sub_id, factor, expires_at, made_session_id, mac
    FROM authorization_codes WHERE code_hash = $1";
const INSERT: &str = "INSERT INTO authorization_codes (code_hash, client_id, redirect_uri,
        challenge, user_id, session_id, root_id, sub_id, factor, expires_at, made_session_id, mac)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
const TAKE: &str = "UPDATE authorization_codes SET made_session_id = $2, mac = $3
    WHERE code_hash = $1 AND made_session_id IS NULL";
const SWEEP: &str = "DELETE FROM authorization_codes WHERE expires_at <= $1";

/// What a code stands for, used or not.
pub async fn find(
    source: impl Source,
    code_hash: &[u8],
) -> Result<Option<AuthorizationCodeRow>, StoreError> {
    source.fetch_optional(FIND, (code_hash,)).await
}

/// Adds a code.
pub async fn insert(tx: &mut Tx, row: &AuthorizationCodeRow) -> Result<(), StoreError> {
    let params = (
        row.code_hash.as_slice(),
        row.client_id.as_str(),
        row.redirect_uri.as_str(),
        row.challenge.as_str(),
        row.user_id,
        row.session_id,
        row.root_id,
        row.sub_id,
        row.factor.as_deref(),
        row.expires_at,
        row.made_session_id,
        row.mac.as_slice(),
    );
    tx.execute(INSERT, params).await?;
    Ok(())
}

/// Uses a code up for the session that the row names by now; true for exactly one caller.
pub async fn take(tx: &mut Tx, row: &AuthorizationCodeRow) -> Result<bool, StoreError> {
    let params = (row.code_hash.as_slice(), row.made_session_id, row.mac.as_slice());
    Ok(tx.execute(TAKE, params).await? == 1)
}

/// Removes what had expired by `before`.
pub async fn sweep(tx: &mut Tx, before: i64) -> Result<u64, StoreError> {
    tx.execute(SWEEP, (before,)).await
}
