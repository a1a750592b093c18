//! Logins of devices that have no browser: asked for by a program, answered by a person.

use kms_api::{OrganizationId, SessionId, UserId};
use uuid::Uuid;

use crate::{Joined, Source, StoreError, Tx, record};

/// The state of a login that nobody answered yet.
pub const PENDING: &str = "pending";
/// The state of a login that a person approved.
pub const APPROVED: &str = "approved";
/// The state of a login that a person denied.
pub const DENIED: &str = "denied";

record! {
    /// A login that a device asked for.
    #[derive(Clone, Debug)]
    pub struct DeviceLoginRow {
        /// Names it in the audit log.
        pub id: Uuid,
        /// The keyed hash of what the device has.
        pub device_hash: Vec<u8>,
        /// The keyed hash of what its owner types.
        pub user_hash: Vec<u8>,
        /// The source that asked, by which logins are counted.
        pub source: String,
        /// What the machine calls itself.
        pub host: Option<String>,
        /// The address that asked.
        pub ip: Option<String>,
        /// The program that asked.
        pub user_agent: Option<String>,
        /// The organization that it wants to act in.
        pub org_id: Option<OrganizationId>,
        /// Microseconds since the epoch.
        pub asked_at: i64,
        /// Microseconds since the epoch.
        pub expires_at: i64,
        /// [`PENDING`], [`APPROVED`] or [`DENIED`].
        pub state: String,
        /// What was approved; nothing before that.
        pub approval: Joined<DeviceApprovalRow>,
        /// Seconds between two questions.
        pub poll_seconds: i64,
        /// The last question, in microseconds since the epoch; 0 before the first.
        pub polled_at: i64,
        /// Its authentication.
        pub mac: Vec<u8>,
    }
}

record! {
    /// What a person approved at a page.
    #[derive(Clone, Debug)]
    pub struct DeviceApprovalRow {
        /// Who.
        pub user_id: UserId,
        /// The session of the page.
        pub session_id: SessionId,
        /// The organization at the root of where the device may act.
        pub root_id: OrganizationId,
        /// The sub-organization, where one was chosen.
        pub sub_id: Option<OrganizationId>,
        /// Which second factor was given at the page.
        pub factor: Option<String>,
    }
}

record! {
    /// How many logins there are.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct WaitingRow {
        /// From everywhere.
        pub all: i64,
        /// From one source.
        pub of_source: i64,
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, device_hash, user_hash, source, host, ip, user_agent, org_id, asked_at,
                expires_at, state, user_id, session_id, root_id, sub_id, factor, poll_seconds,
                polled_at, mac
            FROM device_logins ",
            $rest
        )
    };
}

const BY_DEVICE: &str = select!("WHERE device_hash = $1");
const BY_USER_CODE: &str =
    select!("WHERE user_hash = $1 AND state = 'pending' AND expires_at > $2");
const WAITING: &str = "SELECT (SELECT COUNT(*) FROM device_logins),
    (SELECT COUNT(*) FROM device_logins WHERE source = $1)";
const INSERT: &str = "INSERT INTO device_logins (id, device_hash, user_hash, source, host, ip,
        user_agent, org_id, asked_at, expires_at, state, poll_seconds, polled_at, mac)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
const ANSWER: &str = "UPDATE device_logins SET state = $3, user_id = $4, session_id = $5,
        root_id = $6, sub_id = $7, factor = $8, mac = $9
    WHERE id = $1 AND state = 'pending' AND expires_at > $2";
const POLL: &str = "UPDATE device_logins SET polled_at = $2
    WHERE id = $1 AND polled_at + poll_seconds * 1000000 <= $3";
const SLOW_DOWN: &str = "UPDATE device_logins SET polled_at = $2,
        poll_seconds = CASE WHEN poll_seconds + $3 > $4 THEN $4 ELSE poll_seconds + $3 END
    WHERE id = $1";
const TAKE: &str = "DELETE FROM device_logins WHERE id = $1 AND state = 'approved'";
const SWEEP: &str = "DELETE FROM device_logins WHERE expires_at <= $1";

/// The login that a device code of this hash belongs to, in whatever state.
pub async fn by_device(
    source: impl Source,
    hash: &[u8],
) -> Result<Option<DeviceLoginRow>, StoreError> {
    source.fetch_optional(BY_DEVICE, (hash,)).await
}

/// The login that a user code of this hash belongs to, while it waits for an answer.
pub async fn by_user_code(
    source: impl Source,
    hash: &[u8],
    now: i64,
) -> Result<Option<DeviceLoginRow>, StoreError> {
    source.fetch_optional(BY_USER_CODE, (hash, now)).await
}

/// How many logins there are in all and from a source, whatever their state.
pub async fn waiting(source: impl Source, at: &str) -> Result<WaitingRow, StoreError> {
    let row: Option<WaitingRow> = source.fetch_optional(WAITING, (at,)).await?;
    // The statement always answers one row.
    Ok(row.unwrap_or(WaitingRow { all: 0, of_source: 0 }))
}

/// Adds a login that nobody answered; [`StoreError::Duplicate`] when one of its codes is in use.
pub async fn insert(tx: &mut Tx, row: &DeviceLoginRow) -> Result<(), StoreError> {
    let params = (
        row.id,
        row.device_hash.as_slice(),
        row.user_hash.as_slice(),
        row.source.as_str(),
        row.host.as_deref(),
        row.ip.as_deref(),
        row.user_agent.as_deref(),
        row.org_id,
        row.asked_at,
        row.expires_at,
        row.state.as_str(),
        row.poll_seconds,
        row.polled_at,
        row.mac.as_slice(),
    );
    tx.execute(INSERT, params).await?;
    Ok(())
}

/// Writes a person's answer; true for exactly one of many, and for none once it is too late.
pub async fn answer(tx: &mut Tx, row: &DeviceLoginRow, now: i64) -> Result<bool, StoreError> {
    let approval = row.approval.0.as_ref();
    let params = (
        row.id,
        now,
        row.state.as_str(),
        approval.map(|approval| approval.user_id),
        approval.map(|approval| approval.session_id),
        approval.map(|approval| approval.root_id),
        approval.and_then(|approval| approval.sub_id),
        approval.and_then(|approval| approval.factor.as_deref()),
        row.mac.as_slice(),
    );
    Ok(tx.execute(ANSWER, params).await? == 1)
}

/// Notes that a device asked; false when it had to wait longer. `early` is how many microseconds
/// too early still count as in time.
pub async fn poll(tx: &mut Tx, id: Uuid, now: i64, early: i64) -> Result<bool, StoreError> {
    Ok(tx.execute(POLL, (id, now, now.saturating_add(early))).await? == 1)
}

/// Makes a device wait so many seconds more from now on, up to the longest wait.
pub async fn slow_down(
    tx: &mut Tx,
    id: Uuid,
    now: i64,
    more: i64,
    longest: i64,
) -> Result<(), StoreError> {
    tx.execute(SLOW_DOWN, (id, now, more, longest)).await?;
    Ok(())
}

/// Uses an approved login up; true for exactly one of many.
pub async fn take(tx: &mut Tx, id: Uuid) -> Result<bool, StoreError> {
    Ok(tx.execute(TAKE, (id,)).await? == 1)
}

/// Removes what expired by `now`.
pub async fn sweep(tx: &mut Tx, now: i64) -> Result<u64, StoreError> {
    tx.execute(SWEEP, (now,)).await
}
