//! What has to be done once in a while.

use kms_store::{
    authorization_codes, device_logins, lockouts, login_failures, mailed_proofs, passkeys,
    second_factors, tokens, used_proofs, user_sessions, user_sources, users,
};

use crate::{Core, Result};

/// How long an account that nobody completes is kept, in microseconds: a day.
const UNFINISHED: i64 = 86_400 * 1_000_000;
/// How long it is remembered from where somebody logged in, in microseconds: 90 days.
const KNOWN: i64 = 90 * 86_400 * 1_000_000;
/// How long a code is remembered after its end, in microseconds, so that using it again is told
/// from making it up: an hour.
const USED_CODES: i64 = 3_600 * 1_000_000;
/// How long the login of a device is remembered after its end, in microseconds, so that the device
/// is told that it was too late: a minute.
const LATE_DEVICES: i64 = 60 * 1_000_000;

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
            + used_proofs::sweep(&mut tx, now).await?
            + user_sessions::sweep(&mut tx, now.saturating_sub(stale)).await?
            + login_failures::sweep(&mut tx, now).await?
            + second_factors::sweep(&mut tx, now).await?
            + passkeys::sweep(&mut tx, now).await?
            + user_sources::sweep(&mut tx, now.saturating_sub(KNOWN)).await?
            + mailed_proofs::sweep(&mut tx, now).await?
            + authorization_codes::sweep(&mut tx, now.saturating_sub(USED_CODES)).await?
            + device_logins::sweep(&mut tx, now.saturating_sub(LATE_DEVICES)).await?
            + users::sweep(&mut tx, now.saturating_sub(UNFINISHED)).await?;
        tx.commit().await?;
        tracing::debug!(rows = swept, "expired rows were removed");
        Ok(())
    }
}
