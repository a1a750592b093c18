//! Tags of projects.

use kms_store::{
    Store, StoreError,
    tags::{self, TagRow},
};

use crate::tenancy::{Tenant, id};

fn row(tenant: &Tenant, slug: &str) -> TagRow {
    TagRow {
        id: id(),
        org_id: tenant.org,
        project_id: tenant.project,
        slug: slug.to_owned(),
        name: "Näme".into(),
        color: String::new(),
        actor_kind: "user".into(),
        actor_id: Some(id()),
        created_at: 5,
        updated_at: 6,
        mac: vec![1, 2, 3],
    }
}

async fn insert(store: &Store, row: &TagRow) -> Result<(), StoreError> {
    let mut tx = store.begin().await.unwrap();
    tags::insert(&mut tx, row).await?;
    tx.commit().await
}

pub(crate) async fn a_tag_is_found_by_its_id_and_its_slug_within_its_tenant(store: &Store) {
    let (ours, theirs) = (Tenant::new(store).await, Tenant::new(store).await);
    let tag = row(&ours, "pci");
    insert(store, &tag).await.unwrap();
    insert(store, &row(&theirs, "pci")).await.unwrap();
    let found = tags::find(store, ours.org, ours.project, tag.id).await.unwrap().unwrap();
    assert_eq!(format!("{found:?}"), format!("{tag:?}"));
    let found = tags::find_by_slug(store, ours.org, ours.project, "pci").await.unwrap().unwrap();
    assert_eq!(found.id, tag.id);
    assert_eq!(tags::list(store, ours.org, ours.project).await.unwrap().len(), 1);
    for (org, project) in [(theirs.org, ours.project), (ours.org, theirs.project)] {
        assert!(tags::find(store, org, project, tag.id).await.unwrap().is_none());
        assert!(tags::find_by_slug(store, org, project, "pci").await.unwrap().is_none());
        assert!(tags::list(store, org, project).await.unwrap().is_empty());
    }
}

pub(crate) async fn a_slug_is_taken_once_in_a_project(store: &Store) {
    let tenant = Tenant::new(store).await;
    let (one, mut other) = (row(&tenant, "a"), row(&tenant, "b"));
    insert(store, &one).await.unwrap();
    insert(store, &other).await.unwrap();
    let clash = insert(store, &row(&tenant, "a")).await;
    assert!(matches!(clash, Err(StoreError::Duplicate)), "{clash:?}");
    other.slug = "a".into();
    let mut tx = store.begin().await.unwrap();
    let clash = tags::update(&mut tx, &other).await;
    assert!(matches!(clash, Err(StoreError::Duplicate)), "{clash:?}");
}

pub(crate) async fn a_tag_changes_and_ends_within_its_tenant(store: &Store) {
    let (ours, theirs) = (Tenant::new(store).await, Tenant::new(store).await);
    let mut tag = row(&ours, "a");
    insert(store, &tag).await.unwrap();
    tag.slug = "b".into();
    tag.color = "#fff".into();
    tag.updated_at = 9;
    tag.mac = vec![4];
    let foreign = TagRow { org_id: theirs.org, ..tag.clone() };
    let mut tx = store.begin().await.unwrap();
    assert!(!tags::update(&mut tx, &foreign).await.unwrap());
    assert!(!tags::delete(&mut tx, theirs.org, tag.id).await.unwrap());
    assert!(tags::update(&mut tx, &tag).await.unwrap());
    tx.commit().await.unwrap();
    let found = tags::find(store, ours.org, ours.project, tag.id).await.unwrap().unwrap();
    assert_eq!(format!("{found:?}"), format!("{tag:?}"));
    let mut tx = store.begin().await.unwrap();
    assert!(tags::delete(&mut tx, ours.org, tag.id).await.unwrap());
    tx.commit().await.unwrap();
    assert!(tags::list(store, ours.org, ours.project).await.unwrap().is_empty());
}
