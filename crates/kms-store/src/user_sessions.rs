//! Sessions of people, one for each login.

use kms_api::{OrganizationId, ProviderId, SessionId, UserId};
use uuid::Uuid;

use crate::{Source, StoreError, Tx, record};

record! {
    /// A login of a person that has not ended.
    #[derive(Clone, Debug)]
    pub struct SessionRow {
        /// Its id, `tokenVersionId` of its tokens.
        pub id: SessionId,
        /// Whose.
        pub user_id: UserId,
        /// The user's epoch that it holds in.
        pub user_epoch: i64,
        /// How the person logged in.
        pub auth_method: String,
        /// What its access tokens must say; raising it ends them all.
        pub access_version: i64,
        /// The newest generation of its refresh tokens.
        pub refresh_version: i64,
        /// The refresh token whose use began that generation.
        pub refresh_used: Option<Uuid>,
        /// Refresh tokens of a generation below were set aside, used or not.
        pub refresh_floor: i64,
        /// The organization that it acts in, once one was chosen.
        pub org_id: Option<OrganizationId>,
        /// The address of the login.
        pub ip: Option<String>,
        /// The program of the login.
        pub user_agent: Option<String>,
        /// When the person logged in, in microseconds since the epoch.
        pub login_at: i64,
        /// Microseconds since the epoch.
        pub created_at: i64,
        /// Microseconds since the epoch.
        pub last_used_at: i64,
        /// When it ends at the latest, in microseconds since the epoch.
        pub expires_at: i64,
        /// The organization's identity provider whose word it rests on; none for a login of the
        /// person's own.
        pub provider_id: Option<ProviderId>,
        /// Its authentication.
        pub mac: Vec<u8>,
    }
}

/// The columns of a [`SessionRow`], from `s`.
macro_rules! session_columns {
    () => {
        "s.id, s.user_id, s.user_epoch, s.auth_method, s.access_version, s.refresh_version,
            s.refresh_used, s.refresh_floor, s.org_id, s.ip, s.user_agent, s.login_at, s.created_at, s.last_used_at,
            s.expires_at, s.provider_id, s.mac"
    };
}

pub(crate) use session_columns;

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT ", session_columns!(), " FROM user_sessions s ", $rest)
    };
}

const FIND: &str = select!("WHERE s.id = $1 AND s.user_id = $2");
const OF_USER: &str =
    select!("WHERE s.user_id = $1 AND s.expires_at > $2 ORDER BY s.created_at, s.id");
const INSERT: &str = "INSERT INTO user_sessions (id, user_id, user_epoch, auth_method,
        access_version, refresh_version, refresh_used, refresh_floor, org_id, ip, user_agent,
        login_at, created_at, last_used_at, expires_at, provider_id, mac)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";
const UPDATE: &str = "UPDATE user_sessions SET user_epoch = $3, access_version = $4,
        refresh_version = $5, refresh_used = $6, refresh_floor = $7, org_id = $8, last_used_at = $9,
        expires_at = $10, mac = $11
    WHERE id = $1 AND user_id = $2 AND access_version = $12 AND refresh_version = $13";
const DELETE: &str = "DELETE FROM user_sessions WHERE id = $1 AND user_id = $2";
const DELETE_OF_USER: &str = "DELETE FROM user_sessions WHERE user_id = $1";
const DELETE_OF_USER_BY: &str = "DELETE FROM user_sessions WHERE user_id = $1 AND provider_id = $2";
const DELETE_OF_PROVIDER: &str = "DELETE FROM user_sessions WHERE provider_id = $1";
const DELETE_OTHERS: &str = "DELETE FROM user_sessions WHERE user_id = $1 AND id <> $2";
const SWEEP: &str = "DELETE FROM user_sessions WHERE expires_at <= $1";

/// A session of a user.
pub async fn find(
    source: impl Source,
    user: UserId,
    id: SessionId,
) -> Result<Option<SessionRow>, StoreError> {
    source.fetch_optional(FIND, (id, user)).await
}

/// The sessions of a user that have not ended by `now`, oldest first.
pub async fn of_user(
    source: impl Source,
    user: UserId,
    now: i64,
) -> Result<Vec<SessionRow>, StoreError> {
    source.fetch_all(OF_USER, (user, now)).await
}

/// Adds a session.
pub async fn insert(tx: &mut Tx, row: &SessionRow) -> Result<(), StoreError> {
    let params = (
        row.id,
        row.user_id,
        row.user_epoch,
        row.auth_method.as_str(),
        row.access_version,
        row.refresh_version,
        row.refresh_used,
        row.refresh_floor,
        row.org_id,
        row.ip.as_deref(),
        row.user_agent.as_deref(),
        row.login_at,
        row.created_at,
        row.last_used_at,
        row.expires_at,
        row.provider_id,
        row.mac.as_slice(),
    );
    tx.execute(INSERT, params).await?;
    Ok(())
}

/// Writes a session that was read as `former`; false when somebody else moved it on since.
pub async fn update(
    tx: &mut Tx,
    row: &SessionRow,
    former: &SessionRow,
) -> Result<bool, StoreError> {
    let params = (
        row.id,
        row.user_id,
        row.user_epoch,
        row.access_version,
        row.refresh_version,
        row.refresh_used,
        row.refresh_floor,
        row.org_id,
        row.last_used_at,
        row.expires_at,
        row.mac.as_slice(),
        former.access_version,
        former.refresh_version,
    );
    Ok(tx.execute(UPDATE, params).await? == 1)
}

/// Ends a session of a user; false when there is none.
pub async fn delete(tx: &mut Tx, user: UserId, id: SessionId) -> Result<bool, StoreError> {
    Ok(tx.execute(DELETE, (id, user)).await? == 1)
}

/// Ends all sessions of a user and says how many there were.
pub async fn delete_of_user(tx: &mut Tx, user: UserId) -> Result<u64, StoreError> {
    tx.execute(DELETE_OF_USER, (user,)).await
}

/// Ends all sessions of a user but one and says how many there were.
pub async fn delete_others(tx: &mut Tx, user: UserId, but: SessionId) -> Result<u64, StoreError> {
    tx.execute(DELETE_OTHERS, (user, but)).await
}

/// Ends the sessions of a user that rest on the word of one identity provider.
pub async fn delete_of_user_by(
    tx: &mut Tx,
    user: UserId,
    provider: ProviderId,
) -> Result<u64, StoreError> {
    tx.execute(DELETE_OF_USER_BY, (user, provider)).await
}

/// Ends all sessions that rest on the word of an identity provider and says how many there were.
pub async fn delete_of_provider(tx: &mut Tx, provider: ProviderId) -> Result<u64, StoreError> {
    tx.execute(DELETE_OF_PROVIDER, (provider,)).await
}

/// Removes what has ended by `now`.
pub async fn sweep(tx: &mut Tx, now: i64) -> Result<u64, StoreError> {
    tx.execute(SWEEP, (now,)).await
}
