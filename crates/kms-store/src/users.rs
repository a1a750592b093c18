//! People's accounts.

use kms_api::{OrganizationId, UserId};

use crate::{Source, StoreError, Tx, identities::CountRow, record};

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
        /// Whether the account is complete; an invited person's is not.
        pub is_accepted: bool,
        /// Whether the address was shown to be the person's.
        pub is_email_verified: bool,
        /// Sessions of an older epoch are over.
        pub epoch: i64,
        /// Whether the person asks for a second factor everywhere.
        pub is_mfa_enabled: bool,
        /// Which: `email` or `totp`.
        pub selected_mfa_method: Option<String>,
        /// Microseconds since the epoch.
        pub created_at: i64,
        /// Microseconds since the epoch.
        pub updated_at: i64,
        /// Its authentication.
        pub mac: Vec<u8>,
    }
}

/// The columns of a [`UserRow`], from `u`.
macro_rules! user_columns {
    () => {
        "u.id, u.username, u.email, u.first_name, u.last_name, u.password_hash, u.super_admin,
            u.is_accepted, u.is_email_verified, u.epoch, u.is_mfa_enabled, u.selected_mfa_method,
            u.created_at, u.updated_at, u.mac"
    };
}

pub(crate) use user_columns;

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
const BY_USERNAME: &str = select!("WHERE u.username = $1");
const INSERT: &str = "INSERT INTO users (id, username, email, first_name, last_name, password_hash,
        super_admin, is_accepted, is_email_verified, epoch, is_mfa_enabled, selected_mfa_method,
        created_at, updated_at, mac)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
const UPDATE: &str = "UPDATE users SET first_name = $2, last_name = $3, password_hash = $4,
        is_accepted = $5, is_email_verified = $6, epoch = $7, is_mfa_enabled = $8,
        selected_mfa_method = $9, updated_at = $10, mac = $11
    WHERE id = $1 AND epoch = $12";

const PAGE: &str = select!(
    "WHERE ($1 IS NULL OR u.username LIKE $1 ESCAPE '!') AND ($2 = FALSE OR u.super_admin = TRUE)
    ORDER BY u.username LIMIT $3 OFFSET $4"
);
const COUNT: &str = "SELECT COUNT(*) FROM users u
    WHERE ($1 IS NULL OR u.username LIKE $1 ESCAPE '!') AND ($2 = FALSE OR u.super_admin = TRUE)";
const SET_SUPER_ADMIN: &str = "UPDATE users SET super_admin = $2 WHERE id = $1";
const DELETE: &str = "DELETE FROM users WHERE id = $1";
const SWEEP: &str = "DELETE FROM users WHERE is_accepted = FALSE AND updated_at <= $1
    AND NOT EXISTS (SELECT 1 FROM organization_memberships m
        WHERE m.principal_id = users.id AND m.principal_kind = 'user')";

/// An account.
pub async fn find(source: impl Source, id: UserId) -> Result<Option<UserRow>, StoreError> {
    source.fetch_optional(FIND, (id,)).await
}

/// An account by the name that its owner logs in with, canonical.
pub async fn by_username(
    source: impl Source,
    username: &str,
) -> Result<Option<UserRow>, StoreError> {
    source.fetch_optional(BY_USERNAME, (username,)).await
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
        row.is_accepted,
        row.is_email_verified,
        row.epoch,
        row.is_mfa_enabled,
        row.selected_mfa_method.as_deref(),
        row.created_at,
        row.updated_at,
        row.mac.as_slice(),
    );
    tx.execute(INSERT, params).await?;
    Ok(())
}

/// Writes what may change of an account that was read in an epoch; false when it is gone or has
/// moved on to another.
pub async fn update(tx: &mut Tx, row: &UserRow, epoch: i64) -> Result<bool, StoreError> {
    let params = (
        row.id,
        row.first_name.as_deref(),
        row.last_name.as_deref(),
        row.password_hash.as_deref(),
        row.is_accepted,
        row.is_email_verified,
        row.epoch,
        row.is_mfa_enabled,
        row.selected_mfa_method.as_deref(),
        row.updated_at,
        row.mac.as_slice(),
        epoch,
    );
    Ok(tx.execute(UPDATE, params).await? == 1)
}

/// What a list of accounts is narrowed to.
#[derive(Clone, Debug)]
pub struct UserFilter {
    /// Part of the name to log in with.
    pub part: Option<String>,
    /// Only those who administer the instance.
    pub only_admins: bool,
    /// Rows to pass over.
    pub offset: i64,
    /// Rows to answer.
    pub limit: i64,
}

impl UserFilter {
    /// The part as a pattern with `!` before what `LIKE` would not take literally.
    fn pattern(&self) -> Option<String> {
        let part = self.part.as_ref()?.to_lowercase();
        let literal = part.replace('!', "!!").replace('%', "!%").replace('_', "!_");
        Some(format!("%{literal}%"))
    }
}

/// One page of all accounts, by name.
pub async fn page(source: impl Source, filter: &UserFilter) -> Result<Vec<UserRow>, StoreError> {
    let params = (filter.pattern(), filter.only_admins, filter.limit, filter.offset);
    source.fetch_all(PAGE, params).await
}

/// How many accounts there are under a filter's part and right.
pub async fn count(source: impl Source, filter: &UserFilter) -> Result<i64, StoreError> {
    let params = (filter.pattern(), filter.only_admins);
    let row: Option<CountRow> = source.fetch_optional(COUNT, params).await?;
    Ok(row.map_or(0, |row| row.count))
}

/// Writes whether somebody administers the instance, which no other write changes.
pub async fn set_super_admin(
    tx: &mut Tx,
    id: UserId,
    super_admin: bool,
) -> Result<bool, StoreError> {
    Ok(tx.execute(SET_SUPER_ADMIN, (id, super_admin)).await? == 1)
}

/// Removes an account and its sessions; its memberships are ended before.
pub async fn delete(tx: &mut Tx, id: UserId) -> Result<bool, StoreError> {
    Ok(tx.execute(DELETE, (id,)).await? == 1)
}

/// Removes accounts that nobody completed and that no organization waits for.
pub async fn sweep(tx: &mut Tx, untouched_since: i64) -> Result<u64, StoreError> {
    tx.execute(SWEEP, (untouched_since,)).await
}
