//! Accounts, sessions, failures and second factors of people.

use kms_api::UserId;
use kms_store::{
    Store,
    authorization_codes::{self, AuthorizationCodeRow},
    login_failures::{self, NewFailure},
    passkeys::{self, PasskeyRow},
    second_factors::{self, MailedCodeRow, TotpRow},
    user_sessions::{self, SessionRow},
    user_sources,
    users::{self, UserRow},
};
use tokio::task::JoinSet;

use crate::tenancy::id;

fn person(username: &str) -> UserRow {
    UserRow {
        id: id(),
        username: username.into(),
        email: username.into(),
        first_name: None,
        last_name: None,
        password_hash: None,
        super_admin: false,
        is_accepted: false,
        is_email_verified: false,
        epoch: 3,
        is_mfa_enabled: false,
        selected_mfa_method: None,
        created_at: 1,
        updated_at: 2,
        mac: vec![9; 32],
    }
}

async fn add(store: &Store, row: &UserRow) -> UserId {
    let mut tx = store.begin().await.unwrap();
    users::insert(&mut tx, row).await.unwrap();
    tx.commit().await.unwrap();
    row.id
}

pub(crate) async fn an_account_is_found_by_name_and_changes_within_its_epoch(store: &Store) {
    let mut ada = person("ada@example.test");
    add(store, &ada).await;
    assert!(users::by_username(store, "bob@example.test").await.unwrap().is_none());
    ada.password_hash = Some("hash".into());
    (ada.is_accepted, ada.is_email_verified, ada.is_mfa_enabled) = (true, true, true);
    ada.selected_mfa_method = Some("totp".into());
    ada.epoch = 4;
    let mut tx = store.begin().await.unwrap();
    assert!(!users::update(&mut tx, &ada, 2).await.unwrap(), "of another epoch");
    assert!(users::update(&mut tx, &ada, 3).await.unwrap());
    user_sources::seen(&mut tx, ada.id, "192.0.2.1", 10).await.unwrap();
    user_sources::seen(&mut tx, ada.id, "192.0.2.1", 20).await.unwrap();
    tx.commit().await.unwrap();
    let found = users::by_username(store, &ada.username).await.unwrap().unwrap();
    assert!(found.is_accepted && found.is_email_verified && found.is_mfa_enabled);
    assert_eq!((found.epoch, found.selected_mfa_method.as_deref()), (4, Some("totp")));
    for (source, seen_at) in [("192.0.2.1", Some(20)), ("192.0.2.2", None)] {
        let found = user_sources::person(store, &ada.username, source).await.unwrap().unwrap();
        assert_eq!(found.seen_at, seen_at, "{source}");
    }
    let mut tx = store.begin().await.unwrap();
    assert_eq!(user_sources::sweep(&mut tx, 19).await.unwrap(), 0);
    assert_eq!(user_sources::sweep(&mut tx, 20).await.unwrap(), 1);
    tx.commit().await.unwrap();
}

fn session(user_id: UserId) -> SessionRow {
    SessionRow {
        id: id(),
        user_id,
        user_epoch: 3,
        auth_method: "email".into(),
        access_version: 1,
        refresh_version: 1,
        refresh_used: None,
        refresh_floor: 1,
        org_id: None,
        ip: None,
        user_agent: None,
        login_at: 1,
        created_at: 1,
        last_used_at: 1,
        expires_at: 100,
        provider_id: None,
        mac: vec![7; 32],
    }
}

pub(crate) async fn a_session_moves_on_for_one_of_many(store: &Store) {
    let ada = add(store, &person("ada@example.test")).await;
    let (former, other) = (session(ada), session(ada));
    let mut tx = store.begin().await.unwrap();
    user_sessions::insert(&mut tx, &former).await.unwrap();
    user_sessions::insert(&mut tx, &other).await.unwrap();
    tx.commit().await.unwrap();
    let mut racers = JoinSet::new();
    for _ in 0..8 {
        let (store, former) = (store.clone(), former.clone());
        racers.spawn(async move {
            let next = SessionRow {
                refresh_version: 2,
                refresh_used: Some(id()),
                org_id: Some(id()),
                ..former.clone()
            };
            let mut tx = store.begin().await.unwrap();
            let moved = user_sessions::update(&mut tx, &next, &former).await.unwrap();
            tx.commit().await.unwrap();
            moved
        });
    }
    let outcomes = racers.join_all().await;
    assert_eq!(outcomes.into_iter().filter(|moved| *moved).count(), 1);
    let found = user_sessions::find(store, ada, former.id).await.unwrap().unwrap();
    assert_eq!((found.refresh_version, found.refresh_floor), (2, 1));
    assert!(found.refresh_used.is_some() && found.org_id.is_some());
    assert_eq!(user_sessions::of_user(store, ada, 99).await.unwrap().len(), 2);
    assert_eq!(user_sessions::of_user(store, ada, 100).await.unwrap().len(), 0, "ended");
    let mut tx = store.begin().await.unwrap();
    assert!(!user_sessions::delete(&mut tx, id(), former.id).await.unwrap(), "another's");
    assert!(user_sessions::delete(&mut tx, ada, former.id).await.unwrap());
    assert_eq!(user_sessions::delete_others(&mut tx, ada, other.id).await.unwrap(), 0);
    assert_eq!(
        user_sessions::delete_others(&mut tx, id(), former.id).await.unwrap(),
        0,
        "another's"
    );
    user_sessions::insert(&mut tx, &former).await.unwrap();
    assert_eq!(user_sessions::delete_others(&mut tx, ada, other.id).await.unwrap(), 1);
    assert_eq!(user_sessions::delete_of_user(&mut tx, ada).await.unwrap(), 1);
    tx.commit().await.unwrap();
}

pub(crate) async fn failures_are_counted_together_and_forgotten(store: &Store) {
    let count = async |account: &[u8], source: &str, now: i64, is_put_off: bool| {
        let failure = NewFailure { account, source, now, expires_at: now + 10, is_put_off };
        let mut tx = store.begin().await.unwrap();
        let counted = login_failures::count(&mut tx, &failure).await.unwrap();
        tx.commit().await.unwrap();
        (counted.failed, counted.previous_at)
    };
    assert_eq!(count(b"ada", "here", 1, true).await, (1, 0));
    assert_eq!(count(b"ada", "here", 5, true).await, (2, 1));
    assert_eq!(count(b"ada", "here", 14, true).await, (3, 5), "put off each time");
    assert_eq!(count(b"", "here", 1, false).await, (1, 0));
    assert_eq!(count(b"", "here", 10, false).await, (2, 1));
    assert_eq!(count(b"", "here", 11, false).await, (1, 0), "the first one decides");
    assert_eq!(count(b"", "", 14, false).await, (1, 0));
    assert_eq!(count(b"bob", "here", 14, true).await, (1, 0));
    let mut found = login_failures::find(store, b"ada", "here", 15).await.unwrap();
    found.sort_by_key(|row| (row.account.clone(), row.source.clone()));
    let found: Vec<_> = found.iter().map(|row| (row.failed, row.last_at)).collect();
    assert_eq!(found, [(1, 14), (1, 11), (3, 14)], "all, the source, the account here");
    assert_eq!(login_failures::find(store, b"ada", "here", 24).await.unwrap().len(), 0);
    let mut tx = store.begin().await.unwrap();
    login_failures::forget(&mut tx, b"ada", "here").await.unwrap();
    assert_eq!(login_failures::sweep(&mut tx, 24).await.unwrap(), 3);
    tx.commit().await.unwrap();
}

fn app(user_id: UserId) -> TotpRow {
    let sealed = vec![1, 2, 3];
    TotpRow { user_id, sealed, is_confirmed: false, last_step: 0, created_at: 1 }
}

pub(crate) async fn h3_a_step_is_accepted_once_by_many(store: &Store) {
    let ada = add(store, &person("ada@example.test")).await;
    let row = app(ada);
    let mut tx = store.begin().await.unwrap();
    assert!(second_factors::put_totp(&mut tx, &row).await.unwrap());
    assert!(second_factors::put_totp(&mut tx, &row).await.unwrap(), "not confirmed yet");
    tx.commit().await.unwrap();
    let mut tries = JoinSet::new();
    for _ in 0..8 {
        let (store, row) = (store.clone(), row.clone());
        tries.spawn(async move {
            let mut tx = store.begin().await.unwrap();
            let taken = second_factors::take_step(&mut tx, &row, 7).await.unwrap();
            tx.commit().await.unwrap();
            taken
        });
    }
    let taken = tries.join_all().await;
    assert_eq!(taken.into_iter().filter(|taken| *taken).count(), 1);
    let found = second_factors::totp(store, ada).await.unwrap().unwrap();
    assert!(found.is_confirmed && found.last_step == 7);
    let mut tx = store.begin().await.unwrap();
    assert!(!second_factors::take_step(&mut tx, &row, 6).await.unwrap(), "older");
    let other = TotpRow { sealed: vec![4], ..row.clone() };
    assert!(!second_factors::take_step(&mut tx, &other, 8).await.unwrap(), "another seed");
    assert!(!second_factors::put_totp(&mut tx, &other).await.unwrap(), "confirmed");
    assert!(second_factors::delete_totp(&mut tx, ada).await.unwrap());
    assert!(!second_factors::delete_totp(&mut tx, ada).await.unwrap());
    tx.commit().await.unwrap();
}

pub(crate) async fn codes_are_taken_once_and_tried_as_often(store: &Store) {
    let ada = add(store, &person("ada@example.test")).await;
    let code_hash = vec![5; 32];
    let mailed = MailedCodeRow { user_id: ada, code_hash, tries: 2, sent_at: 1, expires_at: 10 };
    let mut tx = store.begin().await.unwrap();
    second_factors::put_mailed_code(&mut tx, &mailed).await.unwrap();
    second_factors::put_mailed_code(&mut tx, &mailed).await.unwrap();
    assert!(!second_factors::try_mailed_code(&mut tx, ada, 10).await.unwrap(), "expired");
    assert!(second_factors::try_mailed_code(&mut tx, ada, 9).await.unwrap());
    assert!(!second_factors::take_mailed_code(&mut tx, ada, &[6; 32]).await.unwrap());
    assert!(second_factors::try_mailed_code(&mut tx, ada, 9).await.unwrap());
    assert!(!second_factors::try_mailed_code(&mut tx, ada, 9).await.unwrap(), "two tries");
    assert!(second_factors::take_mailed_code(&mut tx, ada, &mailed.code_hash).await.unwrap());
    assert!(!second_factors::take_mailed_code(&mut tx, ada, &mailed.code_hash).await.unwrap());
    for hash in [[1; 32], [2; 32], [2; 32]] {
        second_factors::add_recovery_code(&mut tx, ada, &hash).await.unwrap();
    }
    assert!(second_factors::take_recovery_code(&mut tx, ada, &[1; 32]).await.unwrap());
    assert!(!second_factors::take_recovery_code(&mut tx, ada, &[1; 32]).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(second_factors::count_recovery_codes(store, ada).await.unwrap(), 1);
    assert!(second_factors::mailed_code(store, ada).await.unwrap().is_none());
}

pub(crate) async fn l2_a_code_is_taken_by_one_of_many(store: &Store) {
    let ada = add(store, &person("ada@example.test")).await;
    let code = |hash: u8, expires_at| AuthorizationCodeRow {
        code_hash: vec![hash; 32],
        client_id: "kms-cli".into(),
        redirect_uri: "http://127.0.0.1:50123/".into(),
        challenge: "challenge".into(),
        user_id: ada,
        session_id: id(),
        root_id: id(),
        sub_id: Some(id()),
        factor: Some("totp".into()),
        expires_at,
        made_session_id: None,
        mac: vec![7; 32],
    };
    let (row, later) = (code(1, 10), code(2, 11));
    let mut tx = store.begin().await.unwrap();
    authorization_codes::insert(&mut tx, &row).await.unwrap();
    authorization_codes::insert(&mut tx, &later).await.unwrap();
    tx.commit().await.unwrap();
    let mut racers = JoinSet::new();
    for _ in 0..8 {
        let (store, row) = (store.clone(), row.clone());
        racers.spawn(async move {
            let used =
                AuthorizationCodeRow { made_session_id: Some(id()), mac: vec![8; 32], ..row };
            let mut tx = store.begin().await.unwrap();
            let taken = authorization_codes::take(&mut tx, &used).await.unwrap();
            tx.commit().await.unwrap();
            taken.then_some(used.made_session_id)
        });
    }
    let taken: Vec<_> = racers.join_all().await.into_iter().flatten().collect();
    assert_eq!(taken.len(), 1);
    let found = authorization_codes::find(store, &row.code_hash).await.unwrap().unwrap();
    assert_eq!((found.made_session_id, found.mac), (taken[0], vec![8; 32]));
    assert_eq!((found.session_id, found.root_id), (row.session_id, row.root_id));
    assert_eq!((found.sub_id, found.factor, found.expires_at), (row.sub_id, row.factor, 10));
    let mut tx = store.begin().await.unwrap();
    assert_eq!(authorization_codes::sweep(&mut tx, 9).await.unwrap(), 0);
    assert_eq!(authorization_codes::sweep(&mut tx, 10).await.unwrap(), 1);
    tx.execute("DELETE FROM users", ()).await.unwrap();
    tx.commit().await.unwrap();
    assert!(authorization_codes::find(store, &later.code_hash).await.unwrap().is_none());
}

fn passkey(user_id: UserId, credential: &[u8]) -> PasskeyRow {
    PasskeyRow {
        id: id(),
        user_id,
        credential_id: credential.to_vec(),
        credential: "{\"counter\":1}".into(),
        name: "Phone".into(),
        created_at: 1,
        last_used_at: None,
        mac: vec![7; 32],
    }
}

pub(crate) async fn a_passkey_is_one_persons_and_used_by_one_of_many(store: &Store) {
    let (ada, bob) = (person("ada@example.test"), person("bob@example.test"));
    let (ada, bob) = (add(store, &ada).await, add(store, &bob).await);
    let held = passkeys::held(store, ada).await.unwrap().unwrap();
    assert!(!held.has_app && !held.has_passkeys);
    let row = passkey(ada, b"one");
    let mut tx = store.begin().await.unwrap();
    assert!(passkeys::insert(&mut tx, &row).await.unwrap());
    assert!(!passkeys::insert(&mut tx, &passkey(bob, b"one")).await.unwrap(), "somebody else's");
    assert!(!passkeys::rename(&mut tx, bob, row.id, "Mine").await.unwrap());
    assert!(!passkeys::delete(&mut tx, bob, row.id).await.unwrap());
    assert!(passkeys::rename(&mut tx, ada, row.id, "Old phone").await.unwrap());
    tx.commit().await.unwrap();
    assert!(passkeys::held(store, ada).await.unwrap().unwrap().has_passkeys);
    assert!(!passkeys::held(store, bob).await.unwrap().unwrap().has_passkeys);
    assert!(passkeys::by_credential(store, b"two").await.unwrap().is_none());

    let mut uses = JoinSet::new();
    for mac in 0..8 {
        let (store, former) = (store.clone(), row.mac.clone());
        let row = PasskeyRow { mac: vec![mac; 32], last_used_at: Some(9), ..row.clone() };
        uses.spawn(async move {
            let mut tx = store.begin().await.unwrap();
            let is_first = passkeys::used(&mut tx, &row, &former).await.unwrap();
            tx.commit().await.unwrap();
            is_first && row.mac != former
        });
    }
    let uses = uses.join_all().await;
    assert_eq!(uses.iter().filter(|is_first| **is_first).count(), 1);
    let found = passkeys::by_credential(store, b"one").await.unwrap().unwrap();
    assert_eq!((found.name.as_str(), found.last_used_at), ("Old phone", Some(9)));
    let mut tx = store.begin().await.unwrap();
    assert!(passkeys::delete(&mut tx, ada, row.id).await.unwrap());
    assert!(passkeys::of_user(&mut tx, ada).await.unwrap().is_empty());
    tx.commit().await.unwrap();
}

pub(crate) async fn h3_a_challenge_is_met_once_by_many(store: &Store) {
    let mut tries = JoinSet::new();
    for _ in 0..8 {
        let store = store.clone();
        tries.spawn(async move {
            let mut tx = store.begin().await.unwrap();
            let is_first = passkeys::meet(&mut tx, b"challenge", 10).await.unwrap();
            tx.commit().await.unwrap();
            is_first
        });
    }
    let tries = tries.join_all().await;
    assert_eq!(tries.iter().filter(|is_first| **is_first).count(), 1);
    let mut tx = store.begin().await.unwrap();
    assert_eq!(passkeys::sweep(&mut tx, 9).await.unwrap(), 0);
    assert_eq!(passkeys::sweep(&mut tx, 10).await.unwrap(), 1);
    tx.commit().await.unwrap();
}
