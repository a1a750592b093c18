//! Imports and what many places hold: few statements, in the tenant that asks.

use kms_store::{
    Here, Store, StoreError, environments, folders,
    secret_imports::{self, ImportRow},
    secret_versions,
    secrets::{self, SHARED},
};
use uuid::Uuid;

use crate::{
    secrets::{insert, row},
    tenancy::{Tenant, id},
};

fn here(tenant: &Tenant, owner: Uuid) -> Here {
    Here { org: tenant.org, project: tenant.project, owner }
}

async fn import(store: &Store, tenant: &Tenant, path: &str, source: &str) -> ImportRow {
    let folder = folders::find_at(store, &tenant.at("dev", path)).await.unwrap().unwrap();
    let prod = environments::find_by_slug(store, tenant.org, tenant.project, "prod").await;
    let prod = prod.unwrap().unwrap();
    let position = secret_imports::in_folder(store, &tenant.at("dev", path)).await.unwrap().len();
    let row = ImportRow {
        id: id(),
        project_id: tenant.project,
        folder_id: folder.id,
        path: folder.path,
        env_id: tenant.dev,
        env_slug: "dev".into(),
        env_name: "dev".into(),
        source_env_id: prod.id,
        source_env_slug: "prod".into(),
        source_env_name: "prod".into(),
        source_path: source.into(),
        position: i64::try_from(position).unwrap() + 1,
        version: 1,
        created_at: 5,
        updated_at: 5,
    };
    let mut tx = store.begin().await.unwrap();
    secret_imports::insert(&mut tx, tenant.org, &row).await.unwrap();
    tx.commit().await.unwrap();
    row
}

async fn sources(store: &Store, tenant: &Tenant) -> Vec<(i64, String)> {
    let rows = secret_imports::in_folder(store, &tenant.at("dev", "/")).await.unwrap();
    rows.into_iter().map(|row| (row.position, row.source_path)).collect()
}

pub(crate) async fn an_import_is_found_by_its_folder_and_within_its_tenant(store: &Store) {
    let (tenant, other) = (Tenant::new(store).await, Tenant::new(store).await);
    tenant.folder(store, "/a").await;
    let first = import(store, &tenant, "/", "/x").await;
    import(store, &tenant, "/", "/y").await;
    import(store, &tenant, "/a", "/x").await;
    let read = secret_imports::find(store, tenant.org, first.id).await.unwrap().unwrap();
    assert_eq!(format!("{read:?}"), format!("{first:?}"));
    assert!(secret_imports::find(store, other.org, first.id).await.unwrap().is_none());
    assert_eq!(sources(store, &tenant).await, [(1, "/x".into()), (2, "/y".into())]);
    let both = [["dev", "/"], ["dev", "/a"], ["dev", "/none"], ["none", "/"]];
    let found = secret_imports::in_folders(store, &here(&tenant, SHARED), &both).await.unwrap();
    assert_eq!(found.len(), 3);
    let foreign = secret_imports::in_folders(store, &here(&other, SHARED), &both).await.unwrap();
    assert!(foreign.is_empty());
    let mut tx = store.begin().await.unwrap();
    let taken = ImportRow { id: id(), ..first.clone() };
    let clash = secret_imports::insert(&mut tx, tenant.org, &taken).await;
    assert!(matches!(clash, Err(StoreError::Duplicate)), "{clash:?}");
    drop(tx);
    let mut tx = store.begin().await.unwrap();
    assert!(!secret_imports::delete(&mut tx, other.org, first.id).await.unwrap());
    assert!(!secret_imports::update(&mut tx, other.org, &first).await.unwrap());
}

pub(crate) async fn an_import_moves_with_its_source_and_goes_with_its_folder(store: &Store) {
    let tenant = Tenant::new(store).await;
    let folder = tenant.folder(store, "/a").await;
    for source in ["/x", "/x/y", "/xy", "/"] {
        import(store, &tenant, "/", source).await;
    }
    let inner = import(store, &tenant, "/a", "/x").await;
    let mut tx = store.begin().await.unwrap();
    let paths = ("/x", "/longer");
    secret_imports::follow(&mut tx, tenant.org, inner.source_env_id, paths).await.unwrap();
    secret_imports::follow(&mut tx, tenant.org, tenant.dev, ("/xy", "/no")).await.unwrap();
    tx.commit().await.unwrap();
    let paths: Vec<_> = sources(store, &tenant).await.into_iter().map(|(_, path)| path).collect();
    assert_eq!(paths, ["/longer", "/longer/y", "/xy", "/"]);
    // What already led where others follow to makes room, and leaves no gap.
    for source in ["/n/y", "/nn", "/n"] {
        import(store, &tenant, "/", source).await;
    }
    import(store, &tenant, "/a", "/n/y").await;
    let mut tx = store.begin().await.unwrap();
    let paths = ("/longer", "/n");
    secret_imports::follow(&mut tx, tenant.org, inner.source_env_id, paths).await.unwrap();
    tx.commit().await.unwrap();
    let left = ["/n", "/n/y", "/xy", "/", "/nn"];
    let left: Vec<_> = (1..).zip(left.map(str::to_owned)).collect();
    assert_eq!(sources(store, &tenant).await, left);
    let others = secret_imports::in_folder(store, &tenant.at("dev", "/a")).await.unwrap();
    let others: Vec<_> = others.into_iter().map(|row| row.source_path).collect();
    assert_eq!(others, ["/n", "/n/y"]);
    let mut tx = store.begin().await.unwrap();
    folders::delete(&mut tx, tenant.org, folder).await.unwrap();
    tx.commit().await.unwrap();
    assert!(secret_imports::find(store, tenant.org, inner.id).await.unwrap().is_none());
    let mut tx = store.begin().await.unwrap();
    environments::delete(&mut tx, tenant.org, inner.source_env_id).await.unwrap();
    tx.commit().await.unwrap();
    assert!(sources(store, &tenant).await.is_empty());
}

pub(crate) async fn secrets_of_many_places_are_found_in_one_statement(store: &Store) {
    let (tenant, other) = (Tenant::new(store).await, Tenant::new(store).await);
    let folder = tenant.folder(store, "/a").await;
    tenant.folder(store, "/empty").await;
    let user = Uuid::now_v7();
    let mut rows: Vec<_> = (0..1_000).map(|n| row(&tenant, folder, &format!("K{n}"))).collect();
    rows.push(row(&tenant, tenant.root, "K0"));
    let mut own = row(&tenant, folder, "K0");
    own.owner_id = user;
    rows.push(own.clone());
    insert(store, &tenant, &rows).await.unwrap();
    insert(store, &other, &[row(&other, other.root, "K0")]).await.unwrap();
    let names: Vec<_> = (0..1_500).map(|n| format!("K{n}")).collect();
    let wanted: Vec<_> = names.iter().map(|name| ["dev", "/a", name.as_str()]).collect();
    let before = store.statements();
    for (owner, count) in [(SHARED, 1_000), (user, 1_001), (Uuid::now_v7(), 1_000)] {
        let found = secrets::find_many(store, &here(&tenant, owner), &wanted).await.unwrap();
        assert_eq!(found.len(), count);
        assert!(found.iter().all(|row| row.environment == "dev" && row.placed.path == "/a"));
    }
    assert_eq!(store.statements() - before, 3);
    for count in [0, 1, 2, 9, 65] {
        let found = secrets::find_many(store, &here(&tenant, SHARED), &wanted[..count]).await;
        assert_eq!(found.unwrap().len(), count);
    }
    let folders = [["dev", "/a"], ["dev", "/empty"], ["dev", "/none"], ["prod", "/"]];
    let found = secrets::list_many(store, &here(&tenant, user), &folders).await.unwrap();
    let empty = found.iter().filter(|row| row.placed.id.is_none()).count();
    assert_eq!((found.len(), empty), (1_002, 2), "overrides are not in it");
    assert!(
        secrets::list_many(store, &here(&other, SHARED), &folders[..1]).await.unwrap().is_empty()
    );
    let all = secrets::list_project(store, tenant.org, tenant.project).await.unwrap();
    assert_eq!(all.len(), 1_001);
    assert!(secrets::list_project(store, other.org, tenant.project).await.unwrap().is_empty());
    assert!(secrets::locate(store, tenant.org, own.id).await.unwrap().is_none());
    assert!(secret_versions::find(store, tenant.org, own.id, 1).await.unwrap().is_none());
}

pub(crate) async fn overrides_go_with_the_shared_secret_and_with_nothing_else(store: &Store) {
    let tenant = Tenant::new(store).await;
    let folder = tenant.folder(store, "/a").await;
    let owners: Vec<_> = (0..3).map(|_| Uuid::now_v7()).collect();
    let mut rows = Vec::new();
    for (folder, name) in [(tenant.root, "A"), (tenant.root, "B"), (folder, "A")] {
        rows.push(row(&tenant, folder, name));
        for owner in &owners {
            let mut own = row(&tenant, folder, name);
            own.owner_id = *owner;
            rows.push(own);
        }
    }
    insert(store, &tenant, &rows).await.unwrap();
    let count = async |path: &str| {
        let mut count = 0;
        for owner in &owners {
            let place = tenant.at("dev", path);
            let rows = secrets::list_with(store, &place, false, *owner).await.unwrap();
            count += rows.iter().filter(|row| row.owner_id == Some(*owner)).count();
        }
        count
    };
    let mut tx = store.begin().await.unwrap();
    secrets::delete(&mut tx, tenant.org, &[rows[1].id]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!((count("/").await, count("/a").await), (5, 3), "one's own alone");
    let mut tx = store.begin().await.unwrap();
    let mut found = secrets::overrides_of(&mut tx, tenant.org, tenant.root, "A").await.unwrap();
    assert!(!found.is_empty());
    for row in &mut found {
        (row.name, row.sealed, row.mac) = ("Z".into(), vec![9], vec![8; 32]);
        secrets::place_override(&mut tx, tenant.org, row).await.unwrap();
    }
    let of_all = secrets::overrides_of_all(&mut tx, tenant.org, &[rows[4].id]).await.unwrap();
    assert_eq!(of_all.len(), 3, "{of_all:?}");
    let other = kms_api::OrganizationId::from(uuid::Uuid::nil());
    assert!(secrets::overrides_of_all(&mut tx, other, &[rows[4].id]).await.unwrap().is_empty());
    secrets::delete(&mut tx, tenant.org, &[rows[4].id]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!((count("/").await, count("/a").await), (2, 3));
    let place = tenant.at("dev", "/");
    let renamed = secrets::find_of(store, &place, "Z", owners[1]).await.unwrap().unwrap();
    let renamed = renamed.split().1.unwrap();
    assert_eq!((renamed.version, renamed.sealed, renamed.mac), (1, vec![9], vec![8; 32]));
}
