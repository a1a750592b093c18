//! A program asks whether its login was approved.

use kms_api::oauth::{TokenRequest, TokenResponse};
use kms_store::device_logins::{self, APPROVED, DENIED, DeviceLoginRow};
use secrecy::ExposeSecret as _;

use super::{DEVICE_CODE, LIFETIME, event};
use crate::{
    Core, Error, Origin, Result,
    access::device_login_mac,
    oauth::{OAuthError, require_client, secret, text},
    people::{Approval, Chosen},
};

/// Seconds that a device waits longer each time it asked too soon (RFC 8628, section 3.5).
const SLOWER: i64 = 5;
/// Microseconds that a question may come too soon, since clocks and networks are not exact.
const EARLY: i64 = 500_000;
/// How a program comes by its session here, for the audit log.
const BY_DEVICE: &str = "device-code";

impl Core {
    /// Trades a device code for the session that was approved.
    ///
    /// Whatever is asked, nothing is added: a question moves one row on, and questions that come too
    /// soon are not answered (attack L6).
    pub(in crate::oauth) async fn redeem_device_code(
        &self,
        body: &TokenRequest,
        origin: &Origin,
    ) -> Result<TokenResponse, OAuthError> {
        let code = secret(body.device_code.as_ref(), "device_code is missing")?;
        require_client(text(body.client_id.as_deref(), "client_id is missing")?)?;
        let hash = self.keys.lookup.hash(DEVICE_CODE, code.expose_secret());
        let found = device_logins::by_device(&self.store, hash.as_bytes()).await?;
        let row = found.filter(|row| hash.ct_eq(&row.device_hash)).ok_or_else(invalid)?;
        device_login_mac(&self.keys.rows, &row).verify(&row.mac)?;
        self.require_pace(&row).await?;
        if row.expires_at <= self.now().micros() {
            return Err(OAuthError::ExpiredToken);
        }
        match row.state.as_str() {
            APPROVED => self.admit_device(&row, origin).await,
            DENIED => Err(OAuthError::AccessDenied),
            _ => Err(OAuthError::AuthorizationPending),
        }
    }

    /// Refuses whoever asks sooner than told, who waits longer from then on.
    async fn require_pace(&self, row: &DeviceLoginRow) -> Result<(), OAuthError> {
        let now = self.now().micros();
        let mut tx = self.store.begin().await?;
        let is_in_time = device_logins::poll(&mut tx, row.id, now, EARLY).await?;
        if !is_in_time {
            device_logins::slow_down(&mut tx, row.id, now, SLOWER, LIFETIME).await?;
        }
        tx.commit().await?;
        if is_in_time { Ok(()) } else { Err(OAuthError::SlowDown) }
    }

    /// Uses an approval up and starts the session, both or neither.
    async fn admit_device(
        &self,
        row: &DeviceLoginRow,
        origin: &Origin,
    ) -> Result<TokenResponse, OAuthError> {
        let approval = approval_of(row)?;
        let admission = match self.require_device_login(approval.chosen).await {
            Ok(()) => self.admit_program(&approval).await,
            Err(error) => Err(error),
        };
        let admission = match admission.map_err(OAuthError::no_longer) {
            Ok(admission) => admission,
            Err(error @ OAuthError::Core(_)) => return Err(error),
            Err(error) => {
                self.drop_approval(row, &approval, origin).await?;
                return Err(error);
            }
        };
        let mut tx = self.store.begin().await?;
        if !device_logins::take(&mut tx, row.id).await? {
            return Err(invalid());
        }
        let opened = self.open_session(&mut tx, admission, BY_DEVICE, origin).await;
        let session = opened.map_err(OAuthError::no_longer)?;
        tx.commit().await?;
        Ok(session.answer)
    }

    /// Uses an approval up that no longer stands, and records that it was refused.
    async fn drop_approval(
        &self,
        row: &DeviceLoginRow,
        approval: &Approval,
        origin: &Origin,
    ) -> Result<()> {
        let mut tx = self.store.begin().await?;
        if device_logins::take(&mut tx, row.id).await? {
            let organization = Some(approval.chosen.organization());
            let event = event("device-login-refused", row);
            tx.audit(self.person_record(organization, approval.user, origin, &event));
            tx.commit().await?;
        }
        Ok(())
    }
}

fn approval_of(row: &DeviceLoginRow) -> Result<Approval> {
    let approval = row.approval.0.clone();
    let approval = approval.ok_or_else(|| Error::Internal("an approval of nobody".into()))?;
    Ok(Approval {
        user: approval.user_id,
        session: approval.session_id,
        chosen: Chosen { root: approval.root_id, sub: approval.sub_id },
        factor: approval.factor,
    })
}

/// What a device code answers that is none, or none any more.
fn invalid() -> OAuthError {
    OAuthError::InvalidGrant("The device code is not good, or no longer; log in again")
}
