//! What has to be done once in a while.

use kms_store::{lockouts, tokens};

use crate::{Core, Result};

impl Core {
    /// Writes what logins add up to and removes what has expired; to be called once a minute.
    pub async fn sweep(&self) -> Result<()> {
        self.write_ledger().await?;
        let now = self.now().micros();
        let mut tx = self.store.begin().await?;
        let swept = lockouts::sweep(&mut tx, now).await? + tokens::sweep(&mut tx, now).await?;
        tx.commit().await?;
        tracing::debug!(rows = swept, "expired rows were removed");
        Ok(())
    }
}
