//! What can go wrong between us and the database.

/// An error of the database or of what it holds.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused or could not be reached.
    #[error("the database failed")]
    Database(#[source] sqlx::Error),
    /// A unique index refused the row.
    #[error("the row already exists")]
    Duplicate,
    /// A foreign key refused the row: what it points to is gone.
    #[error("a row that this one belongs to is gone")]
    Orphan,
    /// Rows that cannot both be there.
    #[error("the database contradicts itself: {0}")]
    Contradiction(&'static str),
    /// The transaction ended before it was committed.
    #[error("the write was not committed")]
    NotCommitted,
    /// The schema could not be brought up to date.
    #[error("the database schema could not be migrated")]
    Migration(#[source] sqlx::migrate::MigrateError),
    /// Another server holds the data directory.
    #[error("another server is using this data directory")]
    InUse,
    /// A file of the embedded database could not be opened.
    #[error("the database file could not be opened")]
    File(#[source] std::io::Error),
    /// A database file is not as it should be.
    #[error("the database is damaged: {0}")]
    Damaged(String),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error.as_database_error().map(sqlx::error::DatabaseError::kind) {
            Some(sqlx::error::ErrorKind::UniqueViolation) => Self::Duplicate,
            Some(sqlx::error::ErrorKind::ForeignKeyViolation) => Self::Orphan,
            _ => Self::Database(error),
        }
    }
}
