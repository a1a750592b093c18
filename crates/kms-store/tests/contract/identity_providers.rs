//! Identity providers of organizations, and whose account a subject of theirs is.

use kms_api::{OrganizationId, ProviderId};
use kms_store::{
    Store, StoreError,
    identity_providers::{self, LinkRow, ProviderRow},
    organizations, users,
};

use crate::{
    tenancy::id,
    tenants::{organization, user},
};

fn provider(org_id: OrganizationId) -> ProviderRow {
    ProviderRow {
        id: id(),
        org_id,
        issuer: "https://id.example.com".into(),
        client_id: "kms".into(),
        sealed: vec![1, 2, 3],
        config: "{}".into(),
        email_domains: "[]".into(),
        is_active: true,
        created_at: 1,
        updated_at: 2,
        mac: vec![7; 32],
    }
}

async fn add(store: &Store, slug: &str, domains: &[&str]) -> ProviderRow {
    let organization = organization(slug);
    let row = provider(organization.id);
    let domains: Vec<_> = domains.iter().map(|&domain| domain.to_owned()).collect();
    let mut tx = store.begin().await.unwrap();
    organizations::insert(&mut tx, &organization).await.unwrap();
    identity_providers::insert(&mut tx, &row, &domains).await.unwrap();
    tx.commit().await.unwrap();
    row
}

pub(crate) async fn a_provider_is_found_by_its_organization_and_its_domains(store: &Store) {
    let one = add(store, "one", &["corp.example", "shared.example"]).await;
    let two = add(store, "two", &["shared.example"]).await;
    let found = identity_providers::of_organization(store, one.org_id).await.unwrap().unwrap();
    assert_eq!(format!("{found:?}"), format!("{one:?}"));
    let found = async |domain: &str| -> Vec<ProviderId> {
        let rows = identity_providers::by_domain(store, domain).await.unwrap();
        rows.into_iter().map(|row| row.id).collect()
    };
    assert_eq!(found("corp.example").await, [one.id]);
    assert_eq!(found("shared.example").await.len(), 2);
    assert!(found("example").await.is_empty());

    let mut tx = store.begin().await.unwrap();
    let again = identity_providers::insert(&mut tx, &provider(one.org_id), &[]).await;
    assert!(matches!(again, Err(StoreError::Duplicate)), "{again:?}");
    drop(tx);
    let changed = ProviderRow { is_active: false, client_id: "other".into(), ..one.clone() };
    let mut tx = store.begin().await.unwrap();
    let domains = ["shared.example".to_owned()];
    assert!(identity_providers::update(&mut tx, &changed, &domains).await.unwrap());
    // Another organization's is not there to be changed.
    let foreign = ProviderRow { org_id: two.org_id, ..one.clone() };
    assert!(!identity_providers::update(&mut tx, &foreign, &[]).await.unwrap());
    tx.commit().await.unwrap();
    assert!(found("corp.example").await.is_empty(), "inactive, and not its domain any more");
    assert_eq!(found("shared.example").await, [two.id]);
    let found = identity_providers::find(store, one.id).await.unwrap().unwrap();
    assert_eq!((found.client_id.as_str(), found.is_active), ("other", false));

    let mut tx = store.begin().await.unwrap();
    organizations::delete(&mut tx, one.org_id).await.unwrap();
    tx.commit().await.unwrap();
    assert!(identity_providers::find(store, one.id).await.unwrap().is_none());
}

pub(crate) async fn h6_a_subject_is_somebodys_at_one_provider_and_issuer(store: &Store) {
    let (one, two) = (add(store, "one", &[]).await, add(store, "two", &[]).await);
    let (ada, bob) = (user("ada@example.test"), user("bob@example.test"));
    let link = LinkRow {
        provider_id: one.id,
        issuer: one.issuer.clone(),
        subject: "subject".into(),
        user_id: ada.id,
        created_at: 3,
        mac: vec![7; 32],
    };
    let mut tx = store.begin().await.unwrap();
    users::insert(&mut tx, &ada).await.unwrap();
    users::insert(&mut tx, &bob).await.unwrap();
    identity_providers::insert_link(&mut tx, &link).await.unwrap();
    tx.commit().await.unwrap();
    let find = async |provider, issuer: &str, subject: &str| {
        let found = identity_providers::link(store, provider, issuer, subject).await.unwrap();
        found.map(|link| link.user_id)
    };
    let issuer = one.issuer.as_str();
    assert_eq!(find(one.id, issuer, "subject").await, Some(ada.id));
    assert_eq!(find(two.id, issuer, "subject").await, None, "another provider");
    assert_eq!(find(one.id, "https://other.example.com", "subject").await, None);
    assert_eq!(find(one.id, issuer, "Subject").await, None);
    let mut tx = store.begin().await.unwrap();
    let theirs = LinkRow { user_id: bob.id, ..link };
    let taken = identity_providers::insert_link(&mut tx, &theirs).await;
    assert!(matches!(taken, Err(StoreError::Duplicate)), "{taken:?}");
    drop(tx);
    let mut tx = store.begin().await.unwrap();
    users::delete(&mut tx, ada.id).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(find(one.id, issuer, "subject").await, None, "gone with the account");
}
