//! A person types the code of a device, sees what asks, and approves or denies it.

use kms_api::{OrganizationId, Timestamp};
use kms_store::{
    Joined, Tx,
    device_logins::{self, APPROVED, DENIED, DeviceApprovalRow, DeviceLoginRow},
    login_failures::{self, NewFailure},
};

use super::{LIFETIME, SECOND, USER_CODE, event, user_code::UserCode};
use crate::{
    Core, Error, Result, SignedIn,
    access::device_login_mac,
    audit::Event,
    login::source_of,
    people::{Approval, Attempt, Chosen},
};

/// What wrong codes of a person are counted as.
const COUNTER: &str = "wrong-user-code";
/// Wrong codes of a person within the life of a code.
const TRIES: i64 = 5;

/// What asks for a login, as the person sees it who decides. Every text is a stranger's.
#[derive(Clone, Debug)]
pub struct DeviceLogin {
    /// The code, to be compared with what the device shows.
    pub user_code: String,
    /// What the machine calls itself.
    pub host: Option<String>,
    /// The program.
    pub program: Option<String>,
    /// The address that it asks from.
    pub address: Option<String>,
    /// When it asked.
    pub asked_at: Timestamp,
    /// The organization that it wants to act in, where it said so.
    pub organization: Option<OrganizationId>,
}

impl Core {
    /// What asks for a login with this code.
    pub async fn device_login(&self, signed_in: &SignedIn, user_code: &str) -> Result<DeviceLogin> {
        let (code, row) = self.typed(signed_in, user_code).await?;
        Ok(to_shown(code, row))
    }

    /// Whether a person may approve devices in an organization or sub-organization: where they may
    /// act there, owe nothing more, and the organization has not switched it off (attacks H5, L5).
    pub async fn may_approve_devices(
        &self,
        signed_in: &SignedIn,
        organization: OrganizationId,
    ) -> Result<()> {
        self.device_approval(signed_in, organization).await.map(|_| ())
    }

    /// Approves the login of a device: it may act as the person in an organization.
    pub async fn approve_device(
        &self,
        signed_in: &SignedIn,
        user_code: &str,
        organization: OrganizationId,
    ) -> Result<DeviceLogin> {
        let (code, row) = self.typed(signed_in, user_code).await?;
        if row.org_id.is_some_and(|asked| asked != organization) {
            return Err(Error::bad_request("The device asks for another organization"));
        }
        let approval = self.device_approval(signed_in, organization).await?;
        let approval = DeviceApprovalRow {
            user_id: approval.user,
            session_id: approval.session,
            root_id: approval.chosen.root,
            sub_id: approval.chosen.sub,
            factor: approval.factor,
        };
        let there = SignedIn { organization: Some(organization), ..signed_in.clone() };
        let row =
            DeviceLoginRow { state: APPROVED.into(), approval: Joined(Some(approval)), ..row };
        let row = self.answer_device(&there, row, "device-login-approved").await?;
        Ok(to_shown(code, row))
    }

    /// Denies the login of a device.
    pub async fn deny_device(&self, signed_in: &SignedIn, user_code: &str) -> Result<DeviceLogin> {
        let (code, row) = self.typed(signed_in, user_code).await?;
        let row = DeviceLoginRow { state: DENIED.into(), ..row };
        let row = self.answer_device(signed_in, row, "device-login-denied").await?;
        Ok(to_shown(code, row))
    }

    async fn answer_device(
        &self,
        signed_in: &SignedIn,
        mut row: DeviceLoginRow,
        kind: &'static str,
    ) -> Result<DeviceLoginRow> {
        row.mac = device_login_mac(&self.keys.rows, &row).finish().to_vec();
        let mut tx = self.store.begin().await?;
        if !device_logins::answer(&mut tx, &row, self.now().micros()).await? {
            return Err(unknown());
        }
        tx.audit(self.signed_in_record(signed_in, &event(kind, &row)));
        tx.commit().await?;
        Ok(row)
    }

    async fn device_approval(
        &self,
        signed_in: &SignedIn,
        organization: OrganizationId,
    ) -> Result<Approval> {
        let approval = self.approve(signed_in, organization).await?;
        match self.require_device_login(approval.chosen).await {
            Err(error @ Error::Forbidden { .. }) => {
                let there = SignedIn { organization: Some(organization), ..signed_in.clone() };
                self.log_refused_device(&there, "switched-off").await?;
                Err(error)
            }
            other => other.map(|()| approval),
        }
    }

    /// Refuses where the root organization has switched logins of devices off (attack L5).
    pub(super) async fn require_device_login(&self, chosen: Chosen) -> Result<()> {
        if self.genuine(chosen.root).await?.device_login {
            return Ok(());
        }
        Err(Error::Forbidden {
            name: "DeviceLoginOff".into(),
            message: "This organization does not let its members log in devices by a code; log in \
                with a browser on that machine, or ask an administrator"
                .into(),
        })
    }

    /// The login that a code belongs to. A code is counted before it is looked at, and not counted
    /// after all where it was right: a code of one's own is no new budget.
    async fn typed(
        &self,
        signed_in: &SignedIn,
        user_code: &str,
    ) -> Result<(UserCode, DeviceLoginRow)> {
        // What cannot be a code is told nothing by the answer.
        let code = UserCode::read(user_code).ok_or_else(unknown)?;
        let answer = self.look_up(signed_in, code).await;
        if matches!(answer, Err(Error::RateLimited { .. })) {
            self.log_refused_device(signed_in, "throttled").await?;
        }
        answer.map(|row| (code, row))
    }

    async fn look_up(&self, signed_in: &SignedIn, code: UserCode) -> Result<DeviceLoginRow> {
        // Counted apart from passwords: strangers at the same address keep nobody from their device.
        let source = format!("device-code {}", source_of(signed_in.origin.ip));
        let attempt = Attempt::from_source(source);
        self.require_turn(&attempt).await?;
        let mut tx = self.store.begin().await?;
        if self.count_user_code(&mut tx, signed_in).await? > TRIES {
            return Err(Error::RateLimited { retry_after: LIFETIME.unsigned_abs() });
        }
        let hash = self.keys.lookup.hash(USER_CODE, code.as_bytes());
        let now = self.now().micros();
        let found = device_logins::by_user_code(&mut tx, hash.as_bytes(), now).await?;
        if let Some(row) = found.filter(|row| hash.ct_eq(&row.user_hash)) {
            device_login_mac(&self.keys.rows, &row).verify(&row.mac)?;
            return Ok(row);
        }
        self.count_failure(&mut tx, &attempt).await?;
        tx.audit(self.signed_in_record(signed_in, &Event::new("device-login-wrong-code")));
        tx.commit().await?;
        Err(unknown())
    }

    /// Counts a code of a person, whatever session it was typed in (attack L6).
    async fn count_user_code(&self, tx: &mut Tx, signed_in: &SignedIn) -> Result<i64> {
        let now = self.now().micros();
        let failure = NewFailure {
            account: &self.keys.lookup.hash(COUNTER, signed_in.user.id.uuid().as_bytes()).0,
            source: "",
            now,
            expires_at: now + LIFETIME * SECOND,
            is_put_off: true,
        };
        Ok(login_failures::count(tx, &failure).await?.failed)
    }

    async fn log_refused_device(&self, signed_in: &SignedIn, reason: &'static str) -> Result<()> {
        let event = Event::new("device-login-refused").details([("reason", reason.into())]);
        self.log_now(self.signed_in_record(signed_in, &event)).await
    }
}

fn to_shown(code: UserCode, row: DeviceLoginRow) -> DeviceLogin {
    DeviceLogin {
        user_code: code.shown(),
        host: row.host,
        program: row.user_agent,
        address: row.ip,
        asked_at: Timestamp(row.asked_at),
        organization: row.org_id,
    }
}

/// What a code answers that no login waits for, whatever it is.
fn unknown() -> Error {
    Error::BadRequest {
        name: "UnknownUserCode",
        message: "No login waits for this code: it is mistyped, used, or older than ten minutes"
            .into(),
    }
}
