//! A copy of the embedded database, made while a server uses it.

use std::path::Path;

use sqlx::{ConnectOptions as _, Connection as _, sqlite::SqliteConnectOptions};

use crate::{
    Store, StoreError,
    store::{BUSY_FOR, DATABASE_FILE},
};

/// SQLite alone: everything that is committed at one moment, without the pages that are free.
const COPY: &str = "VACUUM INTO $1";
/// SQLite alone: `ok`, or what is wrong.
const CHECK: &str = "PRAGMA integrity_check(1)";

impl Store {
    /// Copies the embedded database of a directory into a file that is empty or not there, and
    /// checks the copy. It reads as any reader does, so that nobody who writes waits.
    pub async fn back_up(directory: &Path, to: &Path) -> Result<(), StoreError> {
        let name = to.to_str().ok_or_else(|| {
            StoreError::File(std::io::Error::other("its name is not Unicode text"))
        })?;
        let from = SqliteConnectOptions::new().filename(directory.join(DATABASE_FILE));
        let from = from.busy_timeout(BUSY_FOR).disable_statement_logging();
        let mut connection = from.connect().await?;
        sqlx::query(COPY).bind(name).execute(&mut connection).await?;
        connection.close().await?;
        let copy = SqliteConnectOptions::new().filename(to).read_only(true);
        let mut connection = copy.disable_statement_logging().connect().await?;
        let checked: String = sqlx::query_scalar(CHECK).fetch_one(&mut connection).await?;
        connection.close().await?;
        if checked == "ok" { Ok(()) } else { Err(StoreError::Damaged(checked)) }
    }
}
