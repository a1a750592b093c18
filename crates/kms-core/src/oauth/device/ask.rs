//! A program asks for a login.

use kms_api::{
    oauth::{DeviceAuthorizationRequest, DeviceAuthorizationResponse},
    routes,
};
use kms_store::{
    Joined, StoreError, Tx,
    device_logins::{self, DeviceLoginRow, PENDING},
};
use secrecy::{ExposeSecret as _, SecretString};

use super::{DEVICE_CODE, LIFETIME, SECOND, USER_CODE, event, user_code::UserCode};
use crate::{
    Core, Error, Origin, Result,
    access::device_login_mac,
    audit::{AuditActor, Event},
    login::source_of,
    oauth::{LONGEST_HOST, OAuthError, require_client},
    people::nowhere,
    text,
};

/// Seconds between two questions of one device, to begin with.
const INTERVAL: i64 = 5;
/// Logins of one address that may wait at once: an office may be behind it.
const WAITING_OF_SOURCE: i64 = 100;
/// Logins that may wait at once, under a kilobyte each.
const WAITING: i64 = 10_000;
/// Seconds after which one that was refused for that may try again.
const AGAIN: u64 = 60;
/// Characters of a program's name that are shown.
const LONGEST_PROGRAM: usize = 120;
/// How often codes are drawn at most until nobody else has them.
const DRAWS: usize = 3;

/// Two codes that were drawn.
struct Codes {
    device: SecretString,
    user: UserCode,
}

impl Core {
    /// Gives a program the codes that it logs in with, once somebody approves at the page of the
    /// server at `issuer`.
    pub async fn ask_device(
        &self,
        body: &DeviceAuthorizationRequest,
        issuer: &str,
        origin: &Origin,
    ) -> Result<DeviceAuthorizationResponse, OAuthError> {
        require_client(&body.client_id)?;
        for _ in 0..DRAWS {
            let device = self.random_text::<32>().into();
            let codes = Codes { device, user: UserCode::draw(self.entropy()) };
            let row = self.new_device_login(body, &codes, origin);
            let mut tx = self.store.begin().await?;
            if let Err(full) = require_room(&mut tx, &row.source).await {
                drop(tx);
                self.log_now(self.refused_device("too-many", origin)).await?;
                return Err(full.into());
            }
            match device_logins::insert(&mut tx, &row).await {
                Err(StoreError::Duplicate) => continue,
                other => other?,
            }
            let actor = AuditActor { kind: "unknownUser", id: None, metadata: "{}".into() };
            let event = event("device-login-asked", &row);
            tx.audit(self.record_of(nowhere(), &actor, origin, &event));
            tx.commit().await?;
            return Ok(answer(&codes, issuer));
        }
        Err(Error::Internal("codes that are in use were drawn again and again".into()).into())
    }

    fn new_device_login(
        &self,
        body: &DeviceAuthorizationRequest,
        codes: &Codes,
        origin: &Origin,
    ) -> DeviceLoginRow {
        let now = self.now().micros();
        let shown = |text: Option<&str>, longest| {
            text.map(|text| text::shown(text, longest)).filter(|text| !text.is_empty())
        };
        let device_hash = self.keys.lookup.hash(DEVICE_CODE, codes.device.expose_secret());
        let mut row = DeviceLoginRow {
            id: self.new_id(),
            device_hash: device_hash.as_bytes().to_vec(),
            user_hash: self.keys.lookup.hash(USER_CODE, codes.user.as_bytes()).as_bytes().to_vec(),
            source: source_of(origin.ip),
            host: shown(body.host.as_deref(), LONGEST_HOST),
            ip: origin.ip.map(|ip| ip.to_string()),
            user_agent: shown(origin.user_agent.as_deref(), LONGEST_PROGRAM),
            org_id: body.organization_id,
            asked_at: now,
            expires_at: now + LIFETIME * SECOND,
            state: PENDING.into(),
            approval: Joined(None),
            poll_seconds: INTERVAL,
            polled_at: 0,
            mac: Vec::new(),
        };
        row.mac = device_login_mac(&self.keys.rows, &row).finish().to_vec();
        row
    }

    fn refused_device(
        &self,
        reason: &'static str,
        origin: &Origin,
    ) -> kms_store::audit::NewAuditRecord {
        let actor = AuditActor { kind: "unknownUser", id: None, metadata: "{}".into() };
        let event = Event::new("device-login-refused").details([("reason", reason.into())]);
        self.record_of(nowhere(), &actor, origin, &event)
    }
}

/// Refuses more logins than may wait. Counted within the write that adds one: exact where writes
/// take turns, and no more than a few too many where several servers write at once.
async fn require_room(tx: &mut Tx, source: &str) -> Result<()> {
    let waiting = device_logins::waiting(tx, source).await?;
    if waiting.of_source >= WAITING_OF_SOURCE {
        return Err(Error::RateLimited { retry_after: AGAIN });
    }
    if waiting.all >= WAITING {
        return Err(Error::Unavailable(
            "Too many logins wait for their approval; try again in a minute, or log in another way",
        ));
    }
    Ok(())
}

fn answer(codes: &Codes, issuer: &str) -> DeviceAuthorizationResponse {
    let user_code = codes.user.shown();
    let page = format!("{issuer}{}", routes::DEVICE);
    DeviceAuthorizationResponse {
        device_code: codes.device.expose_secret().into(),
        verification_uri_complete: Some(format!("{page}?user_code={user_code}")),
        verification_uri: page,
        user_code,
        expires_in: LIFETIME,
        interval: INTERVAL,
    }
}
