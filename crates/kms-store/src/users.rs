//! People's accounts and their sessions.

use kms_api::{OrganizationId, SessionId, UserId};

use crate::{Source, StoreError, Tx, record};

record! {
    /// A person's account.
    #[derive(Clone)]
    pub struct UserRow {
        /// Its id.
        pub id: UserId,
        /// The name to log in with, in canonical form.
        pub username: String,
        /// The e-mail address, in canonical form.
        pub email: String,
        /// The first name.
        pub first_name: Option<String>,
        /// The last name.
        pub last_name: Option<String>,
        /// The password as a PHC string; none for somebody who has none.
        pub password_hash: Option<String>,
        /// Whether the user administers the instance.
        pub super_admin: bool,
        /// Microseconds since the epoch.
        pub created_at: i64,
        /// Microseconds since the epoch.
        pub updated_at: i64,
        /// Its authentication.
        pub mac: Vec<u8>,
    }
}

record! {
    /// A login of a person that has not ended.
    #[derive(Clone, Debug)]
    pub struct SessionRow {
        /// Its id, `tokenVersionId` of its tokens.
        pub id: SessionId,
        /// Whose.
        pub user_id: UserId,
        /// What its access tokens must say; raising it ends them all.
        pub access_version: i64,
        /// What its refresh token must say.
        pub refresh_version: i64,
        /// The address of the login.
        pub ip: Option<String>,
        /// The program of the login.
        pub user_agent: Option<String>,
        /// Microseconds since the epoch.
        pub created_at: i64,
        /// Microseconds since the epoch.
        pub last_used_at: i64,
    }
}

/// The columns of a [`UserRow`], from `u`.
macro_rules! user_columns {
    () => {
        "u.id, u.username, u.email, u.first_name, u.last_name, u.password_hash, u.super_admin,
            u.created_at, u.updated_at, u.mac"
    };
}

/// The columns of a [`SessionRow`], from `s`.
macro_rules! session_columns {
    () => {
        "s.id, s.user_id, s.access_version, s.refresh_version, s.ip, s.user_agent, s.created_at,
            s.last_used_at"
    };
}

pub(crate) use {session_columns, user_columns};

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT ", user_columns!(), " FROM users u ", $rest)
    };
}

const FIND: &str = select!("WHERE u.id = $1");
const OF_ORGANIZATION: &str = select!(
    "JOIN organization_memberships m ON m.principal_id = u.id AND m.principal_kind = 'user'
    WHERE m.org_id = $1"
);
const INSERT: &str = "INSERT INTO users (id, username, email, first_name, last_name, password_hash,
        super_admin, created_at, updated_at, mac)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
const FIND_SESSION: &str = concat!(
    "SELECT ",
    session_columns!(),
    " FROM user_sessions s WHERE s.id = $1 AND s.user_id = $2"
);
const INSERT_SESSION: &str = "INSERT INTO user_sessions (id, user_id, access_version,
        refresh_version, ip, user_agent, created_at, last_used_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

/// An account.
pub async fn find(source: impl Source, id: UserId) -> Result<Option<UserRow>, StoreError> {
    source.fetch_optional(FIND, (id,)).await
}

/// The accounts that are members of an organization, in whatever state.
pub async fn of_organization(
    source: impl Source,
    org: OrganizationId,
) -> Result<Vec<UserRow>, StoreError> {
    source.fetch_all(OF_ORGANIZATION, (org,)).await
}

/// Adds an account; [`StoreError::Duplicate`] when the name is taken.
pub async fn insert(tx: &mut Tx, row: &UserRow) -> Result<(), StoreError> {
    let params = (
        row.id,
        row.username.as_str(),
        row.email.as_str(),
        row.first_name.as_deref(),
        row.last_name.as_deref(),
        row.password_hash.as_deref(),
        row.super_admin,
        row.created_at,
        row.updated_at,
        row.mac.as_slice(),
    );
    tx.execute(INSERT, params).await?;
    Ok(())
}

/// A session of a user.
pub async fn find_session(
    source: impl Source,
    user: UserId,
    id: SessionId,
) -> Result<Option<SessionRow>, StoreError> {
    source.fetch_optional(FIND_SESSION, (id, user)).await
}

/// Adds a session.
pub async fn insert_session(tx: &mut Tx, row: &SessionRow) -> Result<(), StoreError> {
    let params = (
        row.id,
        row.user_id,
        row.access_version,
        row.refresh_version,
        row.ip.as_deref(),
        row.user_agent.as_deref(),
        row.created_at,
        row.last_used_at,
    );
    tx.execute(INSERT_SESSION, params).await?;
    Ok(())
}
