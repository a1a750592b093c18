//! Epochs: raised with the write that they belong to, and with no other.

use kms_store::{Store, epochs};
use uuid::Uuid;

pub(crate) async fn an_epoch_rises_with_its_write_and_with_no_other(store: &Store) {
    let (ours, theirs) = (Uuid::now_v7(), Uuid::now_v7());
    let read = async |project| epochs::read(store, project).await.unwrap();
    assert_eq!(read(ours).await, epochs::Epochs::default());

    let mut tx = store.begin().await.unwrap();
    tx.raise_epoch(ours);
    tx.raise_epoch(ours);
    assert_eq!(read(ours).await.project, 0, "nobody sees what is not committed");
    tx.commit().await.unwrap();
    assert_eq!((read(ours).await.project, read(ours).await.rights), (1, 0));

    let mut tx = store.begin().await.unwrap();
    tx.raise_epoch(ours);
    drop(tx);
    assert_eq!(read(ours).await.project, 1, "a dropped write raises nothing");

    let mut tx = store.begin().await.unwrap();
    tx.raise_epoch(epochs::RIGHTS);
    tx.raise_epoch(theirs);
    tx.commit().await.unwrap();
    assert_eq!((read(ours).await.project, read(ours).await.rights), (1, 1));
    assert_eq!(read(theirs).await.project, 1);
    assert_eq!(read(epochs::RIGHTS).await, epochs::Epochs { rights: 1, project: 0 });
}

pub(crate) async fn no_raise_of_many_writers_is_lost(store: &Store) {
    let scopes: [Uuid; 3] = std::array::from_fn(|_| Uuid::now_v7());
    let writers = (0..60_usize).map(|writer| {
        let store = store.clone();
        tokio::spawn(async move {
            let mut tx = store.begin().await.unwrap();
            // In different orders, which must not make two of them wait for each other.
            for turn in 0..scopes.len() {
                tx.raise_epoch(scopes[(writer + turn) % scopes.len()]);
            }
            tx.commit().await.unwrap();
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    for scope in scopes {
        assert_eq!(epochs::read(store, scope).await.unwrap().project, 60);
    }
}

pub(crate) async fn many_epochs_are_read_at_one_go(store: &Store) {
    let scopes: Vec<Uuid> = (0..150).map(|_| Uuid::now_v7()).collect();
    assert!(epochs::read_many(store, &scopes).await.unwrap().is_empty());
    let mut tx = store.begin().await.unwrap();
    for scope in &scopes {
        tx.raise_epoch(*scope);
    }
    tx.commit().await.unwrap();
    let mut tx = store.begin().await.unwrap();
    tx.raise_epoch(scopes[100]);
    tx.commit().await.unwrap();
    let rows = epochs::read_many(store, &scopes).await.unwrap();
    assert_eq!(rows.len(), 150);
    for row in rows {
        assert_eq!(row.value, if row.scope == scopes[100] { 2 } else { 1 });
    }
}
