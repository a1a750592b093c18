//! Logins of devices.

use kms_store::{
    Joined, Store, StoreError,
    device_logins::{
        self, APPROVED, DENIED, DeviceApprovalRow, DeviceLoginRow, PENDING, WaitingRow,
    },
    users,
};
use tokio::task::JoinSet;

use crate::{tenancy::id, tenants::user};

fn login(code: u8) -> DeviceLoginRow {
    DeviceLoginRow {
        id: id(),
        device_hash: vec![code; 32],
        user_hash: vec![code, 1],
        source: "192.0.2.1".into(),
        host: Some("laptop".into()),
        ip: Some("192.0.2.1".into()),
        user_agent: None,
        org_id: Some(id()),
        asked_at: 10,
        expires_at: 100,
        state: PENDING.into(),
        approval: Joined(None),
        poll_seconds: 5,
        polled_at: 0,
        mac: vec![7; 32],
    }
}

async fn add(store: &Store, row: &DeviceLoginRow) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    device_logins::insert(&mut tx, row).await?;
    tx.commit().await
}

async fn answer(store: &Store, row: &DeviceLoginRow, now: i64) -> bool {
    let mut tx = store.begin().await.unwrap();
    let answered = device_logins::answer(&mut tx, row, now).await.unwrap();
    tx.commit().await.unwrap();
    answered
}

async fn take(store: &Store, row: &DeviceLoginRow) -> bool {
    let mut tx = store.begin().await.unwrap();
    let taken = device_logins::take(&mut tx, row.id).await.unwrap();
    tx.commit().await.unwrap();
    taken
}

/// A login that a person of the store approved.
async fn approved(store: &Store, row: &DeviceLoginRow) -> DeviceLoginRow {
    let ada = user(&format!("{}@example.test", row.id));
    let mut tx = store.begin().await.unwrap();
    users::insert(&mut tx, &ada).await.unwrap();
    tx.commit().await.unwrap();
    let approval = DeviceApprovalRow {
        user_id: ada.id,
        session_id: id(),
        root_id: id(),
        sub_id: Some(id()),
        factor: Some("totp".into()),
    };
    let mac = vec![8; 32];
    DeviceLoginRow { state: APPROVED.into(), approval: Joined(Some(approval)), mac, ..row.clone() }
}

pub(crate) async fn a_device_login_is_found_by_its_codes_while_it_waits(store: &Store) {
    let row = login(1);
    add(store, &row).await.unwrap();
    let found = device_logins::by_device(store, &row.device_hash).await.unwrap().unwrap();
    assert_eq!(format!("{found:?}"), format!("{row:?}"));
    let by_code =
        async |now| device_logins::by_user_code(store, &row.user_hash, now).await.unwrap();
    assert_eq!(by_code(99).await.unwrap().id, row.id);
    assert!(by_code(100).await.is_none(), "expired");
    assert!(device_logins::by_device(store, &[2; 32]).await.unwrap().is_none());
    assert!(device_logins::by_user_code(store, &row.device_hash, 1).await.unwrap().is_none());
    let mut other = login(2);
    other.user_hash.clone_from(&row.user_hash);
    let taken = add(store, &other).await;
    assert!(matches!(taken, Err(StoreError::Duplicate)), "{taken:?}");
    let given = approved(store, &row).await;
    assert!(answer(store, &given, 50).await);
    assert!(by_code(50).await.is_none(), "it does not wait any more");
    let found = device_logins::by_device(store, &row.device_hash).await.unwrap().unwrap();
    assert_eq!(format!("{found:?}"), format!("{given:?}"));
}

pub(crate) async fn a_device_login_is_answered_and_taken_once_by_many(store: &Store) {
    let row = login(1);
    add(store, &row).await.unwrap();
    assert!(!take(store, &row).await, "nobody approved it");
    let given = approved(store, &row).await;
    assert!(!answer(store, &given, 100).await, "too late");
    let mut racers = JoinSet::new();
    for turn in 0..8 {
        let (store, given, row) = (store.clone(), given.clone(), row.clone());
        let denied = DeviceLoginRow { state: DENIED.into(), ..row };
        let mine = if turn % 2 == 0 { given } else { denied };
        racers.spawn(async move { answer(&store, &mine, 50).await });
    }
    assert_eq!(racers.join_all().await.into_iter().filter(|won| *won).count(), 1);
    let other = login(2);
    add(store, &other).await.unwrap();
    assert!(answer(store, &approved(store, &other).await, 50).await);
    let mut racers = JoinSet::new();
    for _ in 0..8 {
        let (store, other) = (store.clone(), other.clone());
        racers.spawn(async move { take(&store, &other).await });
    }
    assert_eq!(racers.join_all().await.into_iter().filter(|won| *won).count(), 1);
    assert!(device_logins::by_device(store, &other.device_hash).await.unwrap().is_none());
}

pub(crate) async fn a_device_that_asks_too_soon_waits_longer_each_time(store: &Store) {
    const SECOND: i64 = 1_000_000;
    let row = login(1);
    add(store, &row).await.unwrap();
    let poll = async |now: i64, early: i64| {
        let mut tx = store.begin().await.unwrap();
        let in_time = device_logins::poll(&mut tx, row.id, now, early).await.unwrap();
        if !in_time {
            device_logins::slow_down(&mut tx, row.id, now, 5, 12).await.unwrap();
        }
        tx.commit().await.unwrap();
        let found = device_logins::by_device(store, &row.device_hash).await.unwrap().unwrap();
        assert_eq!(found.polled_at, now);
        (in_time, found.poll_seconds)
    };
    assert_eq!(poll(10 * SECOND, 0).await, (true, 5));
    assert_eq!(poll(15 * SECOND, 0).await, (true, 5));
    assert_eq!(poll(20 * SECOND - 2, 1).await, (false, 10));
    assert_eq!(poll(30 * SECOND - 3, 1).await, (true, 10), "counted from the last question");
    assert_eq!(poll(31 * SECOND, 0).await, (false, 12), "no longer than the longest");
    assert_eq!(poll(32 * SECOND, 0).await, (false, 12));
}

pub(crate) async fn d4_device_logins_are_counted_and_swept(store: &Store) {
    let (one, mut other, mut late) = (login(1), login(2), login(3));
    other.source = "192.0.2.2".into();
    late.expires_at = 101;
    for row in [&one, &other, &late] {
        add(store, row).await.unwrap();
    }
    let given = approved(store, &late).await;
    assert!(answer(store, &given, 50).await);
    let waiting = device_logins::waiting(store, "192.0.2.1").await.unwrap();
    assert_eq!(waiting, WaitingRow { all: 3, of_source: 2 });
    let mut tx = store.begin().await.unwrap();
    assert_eq!(device_logins::sweep(&mut tx, 99).await.unwrap(), 0);
    assert_eq!(device_logins::sweep(&mut tx, 100).await.unwrap(), 2);
    assert!(users::delete(&mut tx, given.approval.0.unwrap().user_id).await.unwrap());
    tx.commit().await.unwrap();
    let waiting = device_logins::waiting(store, "192.0.2.1").await.unwrap();
    assert_eq!(waiting, WaitingRow { all: 0, of_source: 0 }, "it goes with whoever approved it");
}
