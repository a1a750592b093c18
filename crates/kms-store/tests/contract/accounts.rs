//! What is mailed, what the instance allows, and accounts as administrators see them.

use kms_api::OrganizationId;
use kms_store::{
    Store,
    instance::{self, SettingsRow},
    mailed_proofs::{self, MailedProofRow},
    organization_memberships, organizations,
    users::{self, UserFilter},
};
use uuid::Uuid;

use crate::{
    tenancy::id,
    tenants::{member, organization, user},
};

fn proof(address: &str, sent_at: i64) -> MailedProofRow {
    MailedProofRow {
        purpose: "sign-up".into(),
        address: address.into(),
        org_id: OrganizationId::from(Uuid::nil()),
        token_hash: vec![u8::try_from(sent_at % 251).unwrap(); 32],
        code_hash: Some(vec![2; 32]),
        tries: 3,
        mailed: true,
        sent_at,
        expires_at: sent_at + 100,
        failed: 0,
        window_ends_at: sent_at,
    }
}

async fn put(store: &Store, row: &MailedProofRow, sent_before: i64) -> bool {
    let mut tx = store.begin().await.unwrap();
    let put = mailed_proofs::put(&mut tx, row, sent_before).await.unwrap();
    tx.commit().await.unwrap();
    put
}

async fn found(store: &Store, row: &MailedProofRow) -> Option<MailedProofRow> {
    let MailedProofRow { purpose, address, org_id, .. } = row;
    mailed_proofs::find(store, purpose, address, *org_id).await.unwrap()
}

pub(crate) async fn what_is_mailed_replaces_what_was_mailed_long_enough_before(store: &Store) {
    let first = proof("ada@example.test", 10);
    assert!(put(store, &first, 0).await);
    let read = found(store, &first).await.unwrap();
    assert_eq!(format!("{read:?}"), format!("{first:?}"));
    let second = proof("ada@example.test", 20);
    assert!(!put(store, &second, 9).await, "the first was sent a moment ago");
    assert_eq!(found(store, &first).await.unwrap().token_hash, first.token_hash);
    assert!(put(store, &second, 10).await);
    assert_eq!(found(store, &first).await.unwrap().token_hash, second.token_hash);
    // Neither another purpose nor another organization is the same.
    let mut other = proof("ada@example.test", 30);
    other.org_id = id();
    assert!(found(store, &other).await.is_none());
    other = proof("ada@example.test", 30);
    other.purpose = "recovery".into();
    assert!(found(store, &other).await.is_none());
}

pub(crate) async fn h11_what_is_mailed_is_taken_once(store: &Store) {
    let row = proof("ada@example.test", 10);
    put(store, &row, 0).await;
    let mut tx = store.begin().await.unwrap();
    let mut stale = row.clone();
    stale.token_hash = vec![7; 32];
    assert!(!mailed_proofs::take(&mut tx, &stale).await.unwrap());
    assert!(mailed_proofs::take(&mut tx, &row).await.unwrap());
    assert!(!mailed_proofs::take(&mut tx, &row).await.unwrap());
    tx.commit().await.unwrap();
    assert!(found(store, &row).await.is_none());
}

pub(crate) async fn h9_tries_and_the_budget_of_an_address_are_counted_exactly(store: &Store) {
    let row = proof("ada@example.test", 10);
    put(store, &row, 0).await;
    let take = async |row: &MailedProofRow, now: i64| {
        let mut tx = store.begin().await.unwrap();
        let taken = mailed_proofs::take_try(&mut tx, row, now, now + 1_000, 4).await.unwrap();
        tx.commit().await.unwrap();
        taken
    };
    for _ in 0..3 {
        assert!(take(&row, 20).await);
    }
    assert!(!take(&row, 20).await, "no try is left for this code");
    let next = proof("ada@example.test", 90);
    put(store, &next, 90).await;
    assert!(take(&next, 95).await, "the fourth of the budget");
    assert!(!take(&next, 95).await, "another code is no new budget");
    assert!(take(&next, 1_020).await, "the window ended");
    assert_eq!(found(store, &next).await.unwrap().failed, 1);
    let parallel = proof("bob@example.test", 10);
    put(store, &parallel, 0).await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (store, row) = (store.clone(), parallel.clone());
        tasks.spawn(async move {
            let mut tx = store.begin().await.unwrap();
            let taken = mailed_proofs::take_try(&mut tx, &row, 20, 1_020, 30).await.unwrap();
            tx.commit().await.unwrap();
            taken
        });
    }
    assert_eq!(tasks.join_all().await.into_iter().filter(|taken| *taken).count(), 3);
}

pub(crate) async fn d4_proofs_and_unfinished_accounts_are_swept(store: &Store) {
    let row = proof("ada@example.test", 10);
    put(store, &row, 0).await;
    let (mut lost, mut invited, complete) =
        (user("lost@example.test"), user("invited@example.test"), user("whole@example.test"));
    (lost.is_accepted, invited.is_accepted) = (false, false);
    let org = organization("one");
    let mut tx = store.begin().await.unwrap();
    organizations::insert(&mut tx, &org).await.unwrap();
    for user in [&lost, &invited, &complete] {
        users::insert(&mut tx, user).await.unwrap();
    }
    let membership = member(org.id, "user", invited.id.uuid());
    organizations::insert_membership(&mut tx, &membership).await.unwrap();
    assert_eq!(mailed_proofs::sweep(&mut tx, 109).await.unwrap(), 0);
    assert_eq!(mailed_proofs::sweep(&mut tx, 110).await.unwrap(), 1);
    assert_eq!(users::sweep(&mut tx, lost.updated_at - 1).await.unwrap(), 0);
    assert_eq!(users::sweep(&mut tx, lost.updated_at).await.unwrap(), 1);
    tx.commit().await.unwrap();
    assert!(users::find(store, lost.id).await.unwrap().is_none());
    assert!(users::find(store, invited.id).await.unwrap().is_some());
}

pub(crate) async fn settings_are_written_once_and_again(store: &Store) {
    assert!(instance::settings(store).await.unwrap().is_none());
    for (allow_sign_up, domain) in [(true, Some("example.test".to_owned())), (false, None)] {
        let row = SettingsRow {
            allow_sign_up,
            allowed_sign_up_domain: domain,
            updated_at: 5,
            mac: vec![1; 32],
        };
        let mut tx = store.begin().await.unwrap();
        instance::put_settings(&mut tx, &row).await.unwrap();
        tx.commit().await.unwrap();
        let read = instance::settings(store).await.unwrap().unwrap();
        assert_eq!(format!("{read:?}"), format!("{row:?}"));
    }
}

pub(crate) async fn accounts_are_listed_page_by_page_and_taken_literally(store: &Store) {
    let mut tx = store.begin().await.unwrap();
    for name in ["a_b@example.test", "axb@example.test", "c%d@example.test"] {
        let mut row = user(name);
        row.super_admin = name.starts_with('c');
        users::insert(&mut tx, &row).await.unwrap();
    }
    tx.commit().await.unwrap();
    let filter = |part: Option<&str>, only_admins| UserFilter {
        part: part.map(Into::into),
        only_admins,
        offset: 0,
        limit: 10,
    };
    for (part, only_admins, found) in [
        (None, false, 3),
        (None, true, 1),
        (Some("A_B"), false, 1),
        (Some("%"), false, 1),
        (Some("%"), true, 1),
        (Some("a_b"), true, 0),
    ] {
        let filter = filter(part, only_admins);
        assert_eq!(users::page(store, &filter).await.unwrap().len(), found, "{filter:?}");
        let count = users::count(store, &filter).await.unwrap();
        assert_eq!(usize::try_from(count).unwrap(), found, "{filter:?}");
    }
    let second = UserFilter { offset: 1, limit: 1, ..filter(None, false) };
    assert_eq!(users::page(store, &second).await.unwrap()[0].username, "axb@example.test");
}

pub(crate) async fn an_organization_takes_those_below_it_along(store: &Store) {
    let root = organization("root");
    let mut below = organization("below");
    (below.parent_id, below.root_id, below.tree_id) =
        (Some(root.id), Some(root.id), root.id.uuid());
    let other = organization("other");
    let ada = user("ada@example.test");
    let mut tx = store.begin().await.unwrap();
    for row in [&root, &below, &other] {
        organizations::insert(&mut tx, row).await.unwrap();
    }
    users::insert(&mut tx, &ada).await.unwrap();
    for org in [root.id, below.id, other.id] {
        let row = member(org, "user", ada.id.uuid());
        organizations::insert_membership(&mut tx, &row).await.unwrap();
    }
    tx.commit().await.unwrap();
    let listed = organizations::below(store, root.id).await.unwrap();
    assert_eq!(listed.iter().map(|row| row.id).collect::<Vec<_>>(), [below.id]);
    let tree = organization_memberships::in_tree(store, root.id, ada.id.uuid(), "user").await;
    let tree = tree.unwrap();
    assert_eq!(tree.len(), 2);
    let mut tx = store.begin().await.unwrap();
    assert!(organization_memberships::delete(&mut tx, &tree[0]).await.unwrap());
    assert!(!organization_memberships::delete(&mut tx, &tree[0]).await.unwrap());
    assert!(organizations::lock(&mut tx, root.id).await.unwrap());
    assert!(organizations::delete(&mut tx, root.id).await.unwrap());
    assert!(!organizations::lock(&mut tx, root.id).await.unwrap());
    tx.commit().await.unwrap();
    assert!(organizations::find(store, below.id).await.unwrap().is_none());
    let left = organizations::memberships_of(store, ada.id.uuid(), "user").await.unwrap();
    assert_eq!(left.iter().map(|row| row.org_id).collect::<Vec<_>>(), [other.id]);
}
