use std::sync::Arc;

use kms_crypto::{LocalRootKey, OsEntropy, RootKeyProvider as _};
use kms_store::{Source as _, Store};

use super::KeyError;
use crate::{Core, Options, testing::root_key};

/// Everything in the tables that an instance starts with.
async fn contents(store: &Store) -> Vec<String> {
    let sql = "SELECT 'instance ' || HEX(instance_id) || root_fingerprint || created_at
        FROM instance UNION ALL
        SELECT purpose || version || HEX(wrapped) || created_at FROM instance_keys ORDER BY 1";
    let rows = store.fetch_all::<(String,)>(sql, ()).await.unwrap();
    rows.into_iter().map(|row| row.0).collect()
}

async fn opened() -> (tempfile::TempDir, Store) {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open_embedded(directory.path()).await.unwrap();
    Core::open(store.clone(), root_key(), Options::default()).await.unwrap();
    (directory, store)
}

#[tokio::test]
async fn k4_a_wrong_root_key_is_refused_by_name_before_anything_is_written() {
    let (_directory, store) = opened().await;
    let before = contents(&store).await;
    let other = Arc::new(LocalRootKey::generate(&OsEntropy));
    let given = other.fingerprint();
    let refused = Core::open(store.clone(), other, Options::default()).await.err().unwrap();
    let text = refused.to_string();
    assert!(matches!(refused, KeyError::WrongRootKey { .. }), "{text}");
    assert!(text.contains(&root_key().fingerprint().to_string()), "{text}");
    assert!(text.contains(&given.to_string()), "{text}");
    assert_eq!(contents(&store).await, before);
}

#[tokio::test]
async fn k3_a_fingerprint_edited_to_fit_another_key_opens_nothing() {
    let (_directory, store) = opened().await;
    let other = Arc::new(LocalRootKey::generate(&OsEntropy));
    let mut tx = store.begin().await.unwrap();
    let fingerprint = other.fingerprint().to_string();
    tx.execute("UPDATE instance SET root_fingerprint = $1", (fingerprint,)).await.unwrap();
    tx.commit().await.unwrap();
    let refused = Core::open(store, other, Options::default()).await.err().unwrap();
    assert!(matches!(refused, KeyError::Damaged(_)), "{refused}");
}

#[tokio::test]
async fn k4_a_damaged_moved_or_missing_key_is_named_and_never_made_anew() {
    for (damage, named) in [
        ("UPDATE instance_keys SET wrapped = X'00' WHERE purpose = 'audit-chain'", "audit-chain"),
        ("DELETE FROM instance_keys WHERE purpose = 'lookup-hash'", "lookup-hash"),
        (
            "UPDATE instance_keys SET wrapped = (SELECT k.wrapped FROM instance_keys k
                WHERE k.purpose = 'lookup-hash') WHERE purpose = 'row-authentication'",
            "row-authentication",
        ),
    ] {
        let (_directory, store) = opened().await;
        let mut tx = store.begin().await.unwrap();
        assert_eq!(tx.execute(damage, ()).await.unwrap(), 1);
        tx.commit().await.unwrap();
        let before = contents(&store).await;
        let refused = Core::open(store.clone(), root_key(), Options::default()).await.err();
        let text = refused.unwrap().to_string();
        assert!(text.contains(named), "{text}");
        assert_eq!(contents(&store).await, before, "{named}");
    }
}

#[tokio::test]
async fn the_same_root_key_opens_the_same_instance_again() {
    let (_directory, store) = opened().await;
    let before = contents(&store).await;
    let one = Core::open(store.clone(), root_key(), Options::default()).await.unwrap();
    let two = Core::open(store.clone(), root_key(), Options::default()).await.unwrap();
    assert_eq!(one.instance_id(), two.instance_id());
    assert_eq!(contents(&store).await, before);
}

/// What a start does with an instance whose key for authenticator seeds is not there.
async fn without_seeds_key(sealed: bool) -> Result<(), KeyError> {
    let (_directory, store) = opened().await;
    let mut tx = store.begin().await.unwrap();
    tx.execute("DELETE FROM instance_keys WHERE purpose = 'authenticator-seeds'", ())
        .await
        .unwrap();
    if sealed {
        tx.execute(
            "INSERT INTO users (id, username, email, super_admin, created_at, updated_at, mac)
                VALUES (X'00', 'a', 'a', FALSE, 0, 0, X'00')",
            (),
        )
        .await
        .unwrap();
        tx.execute("INSERT INTO user_totp VALUES (X'00', X'00', TRUE, 0, 0)", ()).await.unwrap();
    }
    tx.commit().await.unwrap();
    Core::open(store, root_key(), Options::default()).await.map(|_| ())
}

#[tokio::test]
async fn k4_the_key_of_authenticator_seeds_is_made_for_an_older_instance_and_never_anew() {
    without_seeds_key(false).await.unwrap();
    let refused = without_seeds_key(true).await.err().unwrap();
    assert!(refused.to_string().contains("authenticator-seeds"), "{refused}");
}
