//! Writes: together or not at all, and seen as soon as they are acknowledged.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use kms_store::{Source as _, Store, StoreError, instance};
use uuid::Uuid;

const INSERT: &str = "INSERT INTO token_uses (token_id, org_id, remaining, expires_at)
    VALUES ($1, $2, $3, 0)";
const COUNT: &str = "SELECT COUNT(*) FROM token_uses WHERE org_id = $1";

async fn rows(store: &Store, org: Uuid) -> i64 {
    store.fetch_all::<(i64,)>(COUNT, (org,)).await.unwrap()[0].0
}

pub(crate) async fn a_write_is_seen_once_it_is_committed(store: &Store) {
    let org = Uuid::now_v7();
    let mut tx = store.begin().await.unwrap();
    tx.execute(INSERT, (Uuid::now_v7(), org, 1_i64)).await.unwrap();
    assert_eq!(rows(store, org).await, 0, "nobody sees what is not committed");
    tx.commit().await.unwrap();
    assert_eq!(rows(store, org).await, 1);
}

pub(crate) async fn a_dropped_write_leaves_nothing_behind(store: &Store) {
    let org = Uuid::now_v7();
    let mut tx = store.begin().await.unwrap();
    tx.execute(INSERT, (Uuid::now_v7(), org, 1_i64)).await.unwrap();
    drop(tx);
    let mut next = store.begin().await.unwrap();
    next.execute(INSERT, (Uuid::now_v7(), org, 2_i64)).await.unwrap();
    next.commit().await.unwrap();
    assert_eq!(rows(store, org).await, 1);
}

pub(crate) async fn a_failed_write_does_not_take_others_with_it(store: &Store) {
    let org = Uuid::now_v7();
    let taken = Uuid::now_v7();
    let mut tx = store.begin().await.unwrap();
    tx.execute(INSERT, (taken, org, 0_i64)).await.unwrap();
    tx.commit().await.unwrap();
    let writers = (0..40_i64).map(|writer| {
        let store = store.clone();
        tokio::spawn(async move {
            let mut tx = store.begin().await?;
            tx.execute(INSERT, (Uuid::now_v7(), org, writer)).await?;
            if writer % 2 == 0 {
                tx.execute(INSERT, (taken, org, writer)).await?;
            }
            tx.commit().await
        })
    });
    let mut done = 0;
    for writer in writers.collect::<Vec<_>>() {
        done += i64::from(writer.await.unwrap().is_ok());
    }
    assert_eq!(done, 20);
    assert_eq!(rows(store, org).await, 21, "the failed writers left nothing");
}

pub(crate) async fn parallel_writers_lose_nothing(store: &Store) {
    let org = Uuid::now_v7();
    let writers = (0..8).map(|_| {
        let store = store.clone();
        tokio::spawn(async move {
            for count in 0..25_i64 {
                let mut tx = store.begin().await.unwrap();
                tx.execute(INSERT, (Uuid::now_v7(), org, count)).await.unwrap();
                tx.commit().await.unwrap();
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    assert_eq!(rows(store, org).await, 200);
}

pub(crate) async fn what_follows_a_commit_runs_before_its_caller_hears_of_it(store: &Store) {
    let ran = Arc::new(AtomicU64::new(0));
    let mut tx = store.begin().await.unwrap();
    tx.execute(INSERT, (Uuid::now_v7(), Uuid::now_v7(), 1_i64)).await.unwrap();
    let count = Arc::clone(&ran);
    tx.on_commit(move || {
        count.fetch_add(1, Ordering::SeqCst);
    });
    tx.commit().await.unwrap();
    assert_eq!(ran.load(Ordering::SeqCst), 1);
    let mut dropped = store.begin().await.unwrap();
    let count = Arc::clone(&ran);
    dropped.on_commit(move || {
        count.fetch_add(1, Ordering::SeqCst);
    });
    drop(dropped);
    assert_eq!(ran.load(Ordering::SeqCst), 1, "nothing follows a write that was dropped");
}

pub(crate) async fn a_duplicate_is_told_from_other_errors(store: &Store) {
    let id = Uuid::now_v7();
    let mut tx = store.begin().await.unwrap();
    tx.execute(INSERT, (id, id, 1_i64)).await.unwrap();
    let again = tx.execute(INSERT, (id, id, 1_i64)).await;
    assert!(matches!(again, Err(StoreError::Duplicate)), "{again:?}");
}

pub(crate) async fn only_one_of_many_sets_the_instance_up(store: &Store) {
    let row = instance::InstanceRow {
        instance_id: Uuid::now_v7(),
        root_fingerprint: "f".into(),
        initialized: false,
        setup_token_hash: None,
    };
    let mut tx = store.begin().await.unwrap();
    assert!(instance::insert(&mut tx, &row, 1).await.unwrap());
    tx.commit().await.unwrap();
    let tries = (0..20).map(|_| {
        let store = store.clone();
        tokio::spawn(async move {
            let mut tx = store.begin().await.unwrap();
            let first = instance::initialize(&mut tx).await.unwrap();
            tx.commit().await.unwrap();
            first
        })
    });
    let mut winners = 0;
    for one in tries.collect::<Vec<_>>() {
        winners += u32::from(one.await.unwrap());
    }
    assert_eq!(winners, 1);
}
