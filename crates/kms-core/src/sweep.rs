//! What has to be done once in a while.

use kms_store::{lockouts, tokens, user_sessions};

use crate::{Core, Result};

impl Core {
    /// Writes what logins add up to and removes what has expired; to be called once a minute.
    pub async fn sweep(&self) -> Result<()> {
        self.write_ledger().await?;
        let now = self.now().micros();
        let mut tx = self.store.begin().await?;
        // A session that ended is told from one that never was while access tokens of it live.
        let stale = self.options.user_access_ttl.saturating_mul(1_000_000);
        let swept = lockouts::sweep(&mut tx, now).await?
            + tokens::sweep(&mut tx, now).await?
            + user_sessions::sweep(&mut tx, now.saturating_sub(stale)).await?;
        tx.commit().await?;
        tracing::debug!(rows = swept, "expired rows were removed");
        Ok(())
    }
}
