//! Proofs of machine logins that were used.

use kms_store::{
    Store,
    used_proofs::{self, Use},
};
use tokio::task::JoinSet;

/// Microseconds in which the sender of a proof may repeat it.
const REPEATED_FOR: i64 = 10;

async fn take(store: &Store, id: &str, peer: &str, now: i64) -> bool {
    let repeatable_after = now - REPEATED_FOR;
    let used = Use { id, peer, now, repeatable_after, expires_at: 1_000 };
    let mut tx = store.begin().await.unwrap();
    let taken = used_proofs::take(&mut tx, &used).await.unwrap();
    tx.commit().await.unwrap();
    taken
}

pub(crate) async fn c4_a_proof_is_used_again_only_by_its_sender_and_only_for_a_while(
    store: &Store,
) {
    assert!(take(store, "a", "192.0.2.1", 100).await);
    assert!(!take(store, "a", "192.0.2.2", 100).await, "somebody else at once");
    assert!(take(store, "a", "192.0.2.1", 109).await, "its sender in time");
    // Counted from the first use, so that repeating does not prolong.
    assert!(!take(store, "a", "192.0.2.1", 110).await, "its sender, too late");
    assert!(!take(store, "a", "192.0.2.2", 110).await);
    assert!(take(store, "b", "192.0.2.2", 110).await, "another proof is another proof");
    let mut dropped = store.begin().await.unwrap();
    let used = Use { id: "c", peer: "192.0.2.1", now: 1, repeatable_after: 0, expires_at: 1_000 };
    assert!(used_proofs::take(&mut dropped, &used).await.unwrap());
    drop(dropped);
    assert!(take(store, "c", "192.0.2.2", 1).await, "a login that failed used nothing");
}

pub(crate) async fn c4_of_many_senders_of_a_proof_one_uses_it(store: &Store) {
    let mut uses = JoinSet::new();
    for peer in 0..40 {
        let store = store.clone();
        uses.spawn(async move { take(&store, "one", &format!("192.0.2.{peer}"), 100).await });
    }
    let taken = uses.join_all().await.into_iter().filter(|taken| *taken).count();
    assert_eq!(taken, 1);
}

pub(crate) async fn d4_used_proofs_are_swept_once_nobody_believes_them(store: &Store) {
    assert!(take(store, "a", "192.0.2.1", 100).await);
    let sweep = async |now| {
        let mut tx = store.begin().await.unwrap();
        let swept = used_proofs::sweep(&mut tx, now).await.unwrap();
        tx.commit().await.unwrap();
        swept
    };
    assert_eq!(sweep(999).await, 0);
    assert!(!take(store, "a", "192.0.2.2", 999).await);
    assert_eq!(sweep(1_000).await, 1);
    assert_eq!(sweep(1_000).await, 0);
}
