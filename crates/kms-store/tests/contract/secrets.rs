//! Secrets: one query from a place to what is in it.

use kms_api::FolderId;
use kms_store::{
    Store, StoreError, folders, secret_versions,
    secrets::{self, SecretRow},
};

use crate::tenancy::{Tenant, id};

pub(crate) fn row(tenant: &Tenant, folder_id: FolderId, name: &str) -> SecretRow {
    SecretRow {
        env_id: tenant.dev,
        folder_id,
        id: id(),
        name: name.to_owned(),
        owner_id: secrets::SHARED,
        version: 1,
        sealed: vec![1, 2, 3],
        skip_multiline_encoding: Some(true),
        reminder_note: Some("note".into()),
        reminder_days: None,
        actor_kind: "identity".into(),
        actor_id: None,
        actor_name: Some("ci".into()),
        created_at: 5,
        updated_at: 5,
        mac: vec![6; 32],
        version_mac: Vec::new(),
    }
}

pub(crate) async fn insert(
    store: &Store,
    tenant: &Tenant,
    rows: &[SecretRow],
) -> Result<(), StoreError> {
    let mut tx = store.begin().await.unwrap();
    secrets::insert(&mut tx, tenant.org, tenant.project, rows).await?;
    tx.commit().await
}

async fn names(store: &Store, tenant: &Tenant, path: &str, recursive: bool) -> Vec<String> {
    let rows = secrets::list(store, &tenant.at("dev", path), recursive).await.unwrap();
    let mut names: Vec<_> = rows
        .into_iter()
        .filter_map(|row| {
            let (path, secret) = row.split();
            secret.map(|secret| format!("{path}:{}", secret.name))
        })
        .collect();
    names.sort();
    names
}

pub(crate) async fn an_empty_folder_is_told_from_a_missing_one(store: &Store) {
    let tenant = Tenant::new(store).await;
    for recursive in [false, true] {
        let empty = secrets::list(store, &tenant.at("dev", "/"), recursive).await.unwrap();
        assert_eq!(empty.len(), 1);
        assert!(empty[0].clone().split().1.is_none());
        for place in [tenant.at("dev", "/nope"), tenant.at("nope", "/")] {
            assert!(secrets::list(store, &place, recursive).await.unwrap().is_empty());
        }
    }
    assert!(secrets::find(store, &tenant.at("dev", "/nope"), "A").await.unwrap().is_none());
    let missing = secrets::find(store, &tenant.at("dev", "/"), "A").await.unwrap().unwrap();
    assert!(missing.split().1.is_none());
}

pub(crate) async fn a_list_holds_what_its_path_holds_and_nothing_else(store: &Store) {
    let (tenant, other) = (Tenant::new(store).await, Tenant::new(store).await);
    let mut rows = vec![row(&tenant, tenant.root, "TOP")];
    for path in ["/a", "/a/b", "/a-b", "/ab"] {
        let folder = tenant.folder(store, path).await;
        rows.push(row(&tenant, folder, "IN"));
    }
    insert(store, &tenant, &rows).await.unwrap();
    insert(store, &other, &[row(&other, other.root, "FOREIGN")]).await.unwrap();
    assert_eq!(names(store, &tenant, "/", false).await, ["/:TOP"]);
    assert_eq!(names(store, &tenant, "/a", false).await, ["/a:IN"]);
    assert_eq!(names(store, &tenant, "/a", true).await, ["/a/b:IN", "/a:IN"]);
    assert_eq!(names(store, &tenant, "/", true).await.len(), 5);
    let foreign = kms_store::folders::Place { org: other.org, ..tenant.at("dev", "/") };
    assert!(secrets::list(store, &foreign, true).await.unwrap().is_empty());
}

pub(crate) async fn every_field_comes_back_as_it_was_written(store: &Store) {
    let tenant = Tenant::new(store).await;
    let written = row(&tenant, tenant.root, "ünï cödé");
    let of_version = SecretRow { version_mac: vec![7; 32], ..written.clone() };
    insert(store, &tenant, std::slice::from_ref(&of_version)).await.unwrap();
    let found = secrets::find(store, &tenant.at("dev", "/"), "ünï cödé").await.unwrap().unwrap();
    let (path, read) = found.split();
    assert_eq!(path, "/");
    assert_eq!(format!("{:?}", read.unwrap()), format!("{written:?}"));
    let version = secret_versions::find(store, tenant.org, written.id, 1).await.unwrap().unwrap();
    assert_eq!((version.name, version.sealed), (written.name.clone(), written.sealed.clone()));
    assert_eq!(version.mac, [7; 32]);
    assert_eq!(version.folder_id, tenant.root);
    let place = secrets::locate(store, tenant.org, written.id).await.unwrap().unwrap();
    assert_eq!((place.environment.as_str(), place.path.as_str()), ("dev", "/"));
    let other = Tenant::new(store).await;
    assert!(secrets::locate(store, other.org, written.id).await.unwrap().is_none());
    assert!(secret_versions::find(store, other.org, written.id, 1).await.unwrap().is_none());
}

pub(crate) async fn many_rows_are_written_found_and_removed_together(store: &Store) {
    let tenant = Tenant::new(store).await;
    let rows: Vec<_> = (0..100).map(|n| row(&tenant, tenant.root, &format!("NAME_{n}"))).collect();
    insert(store, &tenant, &rows).await.unwrap();
    let wanted: Vec<_> = rows.iter().map(|row| row.name.as_str()).chain(["NOPE"]).collect();
    let mut tx = store.begin().await.unwrap();
    let found = secrets::find_named(&mut tx, tenant.org, tenant.root, &wanted).await.unwrap();
    assert_eq!(found.len(), 100);
    let ids: Vec<_> = found.iter().skip(1).map(|row| row.id).collect();
    assert_eq!(secrets::delete(&mut tx, tenant.org, &ids).await.unwrap(), 99);
    tx.commit().await.unwrap();
    assert_eq!(names(store, &tenant, "/", false).await.len(), 1);
    assert!(secret_versions::find(store, tenant.org, ids[0], 1).await.unwrap().is_none());
}

pub(crate) async fn an_update_of_a_stale_version_writes_nothing(store: &Store) {
    let tenant = Tenant::new(store).await;
    let mut secret = row(&tenant, tenant.root, "A");
    insert(store, &tenant, std::slice::from_ref(&secret)).await.unwrap();
    secret.version = 2;
    for expected in [true, false] {
        let mut tx = store.begin().await.unwrap();
        let rows = std::slice::from_ref(&secret);
        let done = secrets::update(&mut tx, tenant.org, tenant.project, rows).await.unwrap();
        assert_eq!(done, expected);
        if done {
            tx.commit().await.unwrap();
        }
    }
    let versions = secret_versions::list(store, tenant.org, secret.id, 10, 0).await.unwrap();
    assert_eq!(versions.iter().map(|row| row.version).collect::<Vec<_>>(), [2, 1]);
    let older = secret_versions::list(store, tenant.org, secret.id, 1, 1).await.unwrap();
    assert_eq!(older.iter().map(|row| row.version).collect::<Vec<_>>(), [1]);
}

pub(crate) async fn a_name_is_taken_once_in_a_folder(store: &Store) {
    let tenant = Tenant::new(store).await;
    let folder = tenant.folder(store, "/a").await;
    let rows =
        [row(&tenant, tenant.root, "A"), row(&tenant, folder, "A"), row(&tenant, folder, "a")];
    insert(store, &tenant, &rows).await.unwrap();
    let clash = insert(store, &tenant, &[row(&tenant, folder, "A")]).await;
    assert!(matches!(clash, Err(StoreError::Duplicate)), "{clash:?}");
}

pub(crate) async fn secrets_go_with_their_folder_and_cannot_outlive_it(store: &Store) {
    let tenant = Tenant::new(store).await;
    let folder = tenant.folder(store, "/a").await;
    let secret = row(&tenant, folder, "A");
    insert(store, &tenant, std::slice::from_ref(&secret)).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    assert!(folders::delete(&mut tx, tenant.org, folder).await.unwrap());
    tx.commit().await.unwrap();
    assert!(secrets::locate(store, tenant.org, secret.id).await.unwrap().is_none());
    let orphan = insert(store, &tenant, &[secret]).await;
    assert!(matches!(orphan, Err(StoreError::Orphan)), "{orphan:?}");
}

pub(crate) async fn many_rows_change_and_move_together(store: &Store) {
    let tenant = Tenant::new(store).await;
    let folder = tenant.folder(store, "/a").await;
    let mut rows: Vec<_> = (0..70).map(|n| row(&tenant, tenant.root, &format!("N_{n}"))).collect();
    insert(store, &tenant, &rows).await.unwrap();
    for row in &mut rows {
        row.version = 2;
        row.folder_id = folder;
        row.name.push('x');
        row.sealed = row.id.uuid().as_bytes().to_vec();
        row.skip_multiline_encoding = None;
        row.reminder_note = None;
        row.reminder_days = Some(3);
        row.actor_id = Some(id());
        row.updated_at = 9;
    }
    let mut tx = store.begin().await.unwrap();
    assert!(secrets::update(&mut tx, tenant.org, tenant.project, &rows).await.unwrap());
    let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
    let mut found = secrets::find_by_ids(&mut tx, tenant.org, folder, &ids).await.unwrap();
    assert!(secrets::find_by_ids(&mut tx, tenant.org, tenant.root, &ids).await.unwrap().is_empty());
    tx.commit().await.unwrap();
    found.sort_by_key(|row| row.id);
    rows.sort_by_key(|row| row.id);
    assert_eq!(format!("{found:?}"), format!("{rows:?}"));
    let all = secrets::list_project(store, tenant.org, tenant.project).await.unwrap();
    assert_eq!((all.len(), all[0].environment.as_str()), (70, "dev"));
    // One that is stale spoils all of them.
    for (index, row) in rows.iter_mut().enumerate() {
        row.version = if index == 40 { 2 } else { 3 };
    }
    let mut tx = store.begin().await.unwrap();
    assert!(!secrets::update(&mut tx, tenant.org, tenant.project, &rows).await.unwrap());
    drop(tx);
    let other = Tenant::new(store).await;
    let mut tx = store.begin().await.unwrap();
    assert!(!secrets::update(&mut tx, other.org, other.project, &rows[..1]).await.unwrap());
}

pub(crate) async fn a_folder_is_listed_as_it_was(store: &Store) {
    let (tenant, other) = (Tenant::new(store).await, Tenant::new(store).await);
    let folder = tenant.folder(store, "/a").await;
    let (mut kept, moved) = (row(&tenant, tenant.root, "KEPT"), row(&tenant, folder, "MOVED"));
    insert(store, &tenant, &[kept.clone(), moved.clone()]).await.unwrap();
    insert(store, &other, &[row(&other, other.root, "FOREIGN")]).await.unwrap();
    kept.version = 2;
    kept.updated_at = 10;
    let mut there = moved.clone();
    there.version = 2;
    there.updated_at = 20;
    there.folder_id = tenant.root;
    let mut tx = store.begin().await.unwrap();
    let rows = [kept.clone(), there];
    assert!(secrets::update(&mut tx, tenant.org, tenant.project, &rows).await.unwrap());
    tx.commit().await.unwrap();
    let at = async |path: &str, recursive, time| {
        let place = tenant.at("dev", path);
        let rows = secret_versions::at(store, &place, recursive, time).await.unwrap();
        let mut lines: Vec<_> = rows
            .into_iter()
            .map(|row| {
                let now = row.now.path.clone();
                let then = row.then.path.unwrap_or_default();
                format!("{} {then} {} now {now}", row.then.name, row.then.version)
            })
            .collect();
        lines.sort();
        lines
    };
    assert!(at("/", true, 4).await.is_empty());
    assert_eq!(at("/", true, 5).await, ["KEPT / 1 now /", "MOVED /a 1 now /"]);
    assert_eq!(at("/", false, 19).await, ["KEPT / 2 now /"]);
    assert_eq!(at("/a", false, 19).await, ["MOVED /a 1 now /"]);
    assert_eq!(at("/", false, 20).await, ["KEPT / 2 now /", "MOVED / 2 now /"]);
    assert!(at("/a", true, 20).await.is_empty());
    let foreign = kms_store::folders::Place { org: other.org, ..tenant.at("dev", "/") };
    assert!(secret_versions::at(store, &foreign, true, 20).await.unwrap().is_empty());
    // A folder that is gone is no place any more; the version is.
    let mut tx = store.begin().await.unwrap();
    assert!(folders::delete(&mut tx, tenant.org, folder).await.unwrap());
    tx.commit().await.unwrap();
    let first = secret_versions::find(store, tenant.org, moved.id, 1).await.unwrap().unwrap();
    assert_eq!((first.environment, first.path), (None, None));
    let now = secret_versions::find(store, tenant.org, moved.id, 2).await.unwrap().unwrap();
    assert_eq!((now.environment.as_deref(), now.path.as_deref()), (Some("dev"), Some("/")));
}
