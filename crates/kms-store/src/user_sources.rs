//! From where people logged in before.

use kms_api::UserId;

use crate::{
    Source, StoreError, Tx, record,
    users::{UserRow, user_columns},
};

record! {
    /// Who logs in, and whether they did so from there before.
    #[derive(Clone)]
    pub struct PersonRow {
        /// The account.
        pub user: UserRow,
        /// When the person last logged in from the source, in microseconds since the epoch.
        pub seen_at: Option<i64>,
    }
}

const PERSON: &str = concat!(
    "SELECT ",
    user_columns!(),
    ", k.last_at FROM users u
    LEFT JOIN user_sources k ON k.user_id = u.id AND k.source = $2
    WHERE u.username = $1"
);
const SEEN: &str = "INSERT INTO user_sources (user_id, source, last_at) VALUES ($1, $2, $3)
    ON CONFLICT (user_id, source) DO UPDATE SET last_at = $3";
const SWEEP: &str = "DELETE FROM user_sources WHERE last_at <= $1";

/// An account by the name that its owner logs in with, and whether its owner was at a source.
pub async fn person(
    source: impl Source,
    username: &str,
    at: &str,
) -> Result<Option<PersonRow>, StoreError> {
    source.fetch_optional(PERSON, (username, at)).await
}

/// Notes that a person logged in from a source.
pub async fn seen(tx: &mut Tx, user: UserId, at: &str, now: i64) -> Result<(), StoreError> {
    tx.execute(SEEN, (user, at, now)).await?;
    Ok(())
}

/// Removes the sources where nobody was since `before`.
pub async fn sweep(tx: &mut Tx, before: i64) -> Result<u64, StoreError> {
    tx.execute(SWEEP, (before,)).await
}
