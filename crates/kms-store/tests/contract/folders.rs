//! Folders: found by their path, listed through their parents.

use kms_store::{
    Store, StoreError,
    folders::{self, NewFolder, Rename},
};

use crate::tenancy::{Tenant, id};

async fn paths(store: &Store, tenant: &Tenant, path: &str, depth: i64) -> Vec<String> {
    let rows = folders::list(store, &tenant.at("dev", path), depth).await.unwrap();
    let mut paths: Vec<_> = rows.into_iter().map(|row| row.path).collect();
    paths.sort();
    paths
}

/// Siblings whose names begin alike, and in every order that a collation might choose.
const TREE: [&str; 7] = ["/a", "/a/b", "/a/b/c", "/a-b", "/A", "/a/B", "/ab"];

pub(crate) async fn a_folder_is_found_by_its_path_within_its_tenant(store: &Store) {
    let (tenant, other) = (Tenant::new(store).await, Tenant::new(store).await);
    let folder = tenant.folder(store, "/a").await;
    let found = folders::find_at(store, &tenant.at("dev", "/a")).await.unwrap().unwrap();
    assert_eq!((found.id, found.parent_id), (folder, Some(tenant.root)));
    assert_eq!((found.env_slug.as_str(), found.version), ("dev", 1));
    for place in [
        tenant.at("prod", "/a"),
        tenant.at("dev", "/b"),
        tenant.at("nope", "/a"),
        other.at("dev", "/a"),
        kms_store::folders::Place { org: other.org, ..tenant.at("dev", "/a") },
    ] {
        assert!(folders::find_at(store, &place).await.unwrap().is_none());
    }
    assert!(folders::find(store, tenant.org, folder).await.unwrap().is_some());
    assert!(folders::find(store, other.org, folder).await.unwrap().is_none());
}

pub(crate) async fn a_list_holds_the_folder_and_what_is_below_it_and_nothing_else(store: &Store) {
    let tenant = Tenant::new(store).await;
    for path in TREE {
        tenant.folder(store, path).await;
    }
    assert_eq!(paths(store, &tenant, "/a", 1).await, ["/a", "/a/B", "/a/b"]);
    assert_eq!(paths(store, &tenant, "/a", 20).await, ["/a", "/a/B", "/a/b", "/a/b/c"]);
    assert_eq!(paths(store, &tenant, "/", 1).await, ["/", "/A", "/a", "/a-b", "/ab"]);
    assert_eq!(paths(store, &tenant, "/", 20).await.len(), TREE.len() + 1);
    assert!(paths(store, &tenant, "/nope", 20).await.is_empty());
}

pub(crate) async fn a_rename_takes_everything_below_along(store: &Store) {
    let tenant = Tenant::new(store).await;
    for path in TREE {
        tenant.folder(store, path).await;
    }
    let folder = folders::find_at(store, &tenant.at("dev", "/a")).await.unwrap().unwrap();
    let mut rename =
        Rename { name: "moved", description: Some("d"), old_path: "/a", new_path: "/moved" };
    let mut tx = store.begin().await.unwrap();
    assert!(folders::rename(&mut tx, tenant.org, folder.id, &rename, 7).await.unwrap());
    tx.commit().await.unwrap();
    let all = paths(store, &tenant, "/", 20).await;
    let expected = ["/", "/A", "/a-b", "/ab", "/moved", "/moved/B", "/moved/b", "/moved/b/c"];
    assert_eq!(all, expected);
    let after = folders::find_at(store, &tenant.at("dev", "/moved")).await.unwrap().unwrap();
    assert_eq!((after.version, after.updated_at, after.id), (2, 7, folder.id));
    assert_eq!(after.description.as_deref(), Some("d"));

    rename = Rename { old_path: "/moved", new_path: "/ab", name: "ab", description: None };
    let mut tx = store.begin().await.unwrap();
    let clash = folders::rename(&mut tx, tenant.org, folder.id, &rename, 8).await;
    assert!(matches!(clash, Err(StoreError::Duplicate)), "{clash:?}");
}

pub(crate) async fn a_delete_takes_the_whole_subtree_and_only_that(store: &Store) {
    let tenant = Tenant::new(store).await;
    for path in TREE {
        tenant.folder(store, path).await;
    }
    let folder = folders::find_at(store, &tenant.at("dev", "/a")).await.unwrap().unwrap();
    let foreign = Tenant::new(store).await;
    let mut tx = store.begin().await.unwrap();
    assert!(!folders::delete(&mut tx, foreign.org, folder.id).await.unwrap());
    assert!(folders::delete(&mut tx, tenant.org, folder.id).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(paths(store, &tenant, "/", 20).await, ["/", "/A", "/a-b", "/ab"]);
}

pub(crate) async fn a_path_is_taken_once(store: &Store) {
    let tenant = Tenant::new(store).await;
    tenant.folder(store, "/a").await;
    let again = NewFolder {
        id: id(),
        org: tenant.org,
        project: tenant.project,
        environment: tenant.dev,
        parent: Some(tenant.root),
        name: "a",
        path: "/a",
        description: None,
    };
    let mut tx = store.begin().await.unwrap();
    let clash = folders::insert(&mut tx, &again, 1).await;
    assert!(matches!(clash, Err(StoreError::Duplicate)), "{clash:?}");
}

pub(crate) async fn the_longest_path_can_be_stored(store: &Store) {
    let tenant = Tenant::new(store).await;
    let mut path = String::new();
    for depth in 0..20_u8 {
        // Text that does not compress: an index entry has a limit that compression would hide.
        let mut state = u64::from(depth) + 88_172_645_463_325_252;
        path.push('/');
        for _ in 0..128 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            path.push(char::from(
                b"abcdefghijklmnopqrstuvwxyzABCDEF0123456789-_"[(state % 44) as usize],
            ));
        }
        tenant.folder(store, &path).await;
    }
    assert_eq!(paths(store, &tenant, &path, 1).await, [path.clone()]);
}
