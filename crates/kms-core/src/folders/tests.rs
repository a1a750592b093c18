use kms_api::{
    folders::{
        BatchFolder, BatchFolders, DeleteFolder, Folder, FolderBody, FolderPlace, ListFoldersQuery,
    },
    wire::WireBool,
};
use serde_json::json;

use crate::{Caller, Error, Result, testbed::Bed};

fn place(bed: &Bed, path: &str) -> FolderPlace {
    FolderPlace {
        project: bed.reference(),
        environment: Some("dev".into()),
        path: Some(path.into()),
        directory: None,
    }
}

async fn create(bed: &Bed, caller: &Caller, path: &str, name: &str) -> Result<Folder> {
    let body = FolderBody { place: place(bed, path), name: name.into(), description: None };
    Ok(bed.core.create_folder(caller, &body).await?.folder)
}

async fn rename(bed: &Bed, path: &str, which: &str, name: &str) -> Result<Folder> {
    rename_as(bed, &bed.admin, path, which, name).await
}

async fn rename_as(
    bed: &Bed,
    caller: &Caller,
    path: &str,
    which: &str,
    name: &str,
) -> Result<Folder> {
    let body = FolderBody { place: place(bed, path), name: name.into(), description: None };
    Ok(bed.core.update_folder(caller, which, &body).await?.folder)
}

async fn delete(bed: &Bed, path: &str, which: &str) -> Result<Folder> {
    let body = DeleteFolder { place: place(bed, path), force_delete: None };
    Ok(bed.core.delete_folder(&bed.admin, which, &body).await?.folder)
}

async fn list(bed: &Bed, caller: &Caller, path: &str, recursive: bool) -> Result<Vec<Folder>> {
    let query = ListFoldersQuery {
        place: place(bed, path),
        recursive: Some(WireBool(recursive)),
        last_secret_modified: None,
    };
    Ok(bed.core.list_folders(caller, &query).await?.folders)
}

async fn paths(bed: &Bed, path: &str, recursive: bool) -> Vec<String> {
    let folders = list(bed, &bed.admin, path, recursive).await.unwrap();
    folders.into_iter().map(|folder| folder.path.unwrap()).collect()
}

fn status<T>(result: Result<T>) -> u16 {
    match result.err() {
        None => 200,
        Some(Error::Validation(_)) => 422,
        Some(Error::BadRequest { .. }) => 400,
        Some(Error::PermissionDenied { .. } | Error::Forbidden { .. }) => 403,
        Some(Error::NotFound(_)) => 404,
        Some(_) => 500,
    }
}

#[tokio::test]
async fn a_folder_is_made_with_what_is_missing_above_it_and_once() {
    let bed = Bed::new().await;
    let leaf = create(&bed, &bed.admin, "/deep/er", "leaf").await.unwrap();
    assert_eq!((leaf.path.as_deref(), leaf.version), (Some("/deep/er/leaf"), 1));
    assert_eq!(paths(&bed, "/", true).await, ["/deep", "/deep/er", "/deep/er/leaf"]);
    let again = create(&bed, &bed.admin, "deep/er/", "leaf").await.unwrap();
    assert_eq!(again.id, leaf.id);
    for name in ["", "a/b", "a b", "a.b", "..", "ä", &"x".repeat(129)] {
        assert_eq!(status(create(&bed, &bed.admin, "/", name).await), 422, "{name}");
    }
    let deepest = vec!["d"; 19].join("/");
    assert_eq!(status(create(&bed, &bed.admin, &deepest, "d").await), 200);
    assert_eq!(status(create(&bed, &bed.admin, &format!("{deepest}/d"), "d").await), 422);
    let mut body = FolderBody { place: place(&bed, "/"), name: "x".into(), description: None };
    body.place.environment = Some("nope".into());
    assert_eq!(status(bed.core.create_folder(&bed.admin, &body).await), 404);
}

#[tokio::test]
async fn parallel_makers_of_one_tree_make_it_once() {
    let bed = std::sync::Arc::new(Bed::new().await);
    let makers = (0..8).map(|_| {
        let bed = std::sync::Arc::clone(&bed);
        tokio::spawn(async move { create(&bed, &bed.admin, "/a/b", "c").await.unwrap().id })
    });
    let mut ids = Vec::new();
    for maker in makers.collect::<Vec<_>>() {
        ids.push(maker.await.unwrap());
    }
    ids.dedup();
    assert_eq!(ids.len(), 1);
    assert_eq!(paths(&bed, "/", true).await, ["/a", "/a/b", "/a/b/c"]);
}

#[tokio::test]
async fn a_rename_moves_what_is_below_and_every_value_still_opens() {
    let bed = Bed::new().await;
    bed.folder("/app").await;
    bed.folder("/app/db").await;
    bed.folder("/application").await;
    bed.create("/app", "A", "a").await;
    bed.create("/app/db", "B", "b").await;
    let renamed = rename(&bed, "/", "app", "service").await.unwrap();
    assert_eq!((renamed.version, renamed.path.as_deref()), (2, Some("/service")));
    assert_eq!(paths(&bed, "/", true).await, ["/application", "/service", "/service/db"]);
    assert_eq!(bed.value("/service", "A").await, "a");
    assert_eq!(bed.value("/service/db", "B").await, "b");
    let by_id = rename(&bed, "/", &renamed.id.to_string(), "app").await.unwrap();
    assert_eq!(by_id.version, 3);
    assert_eq!(status(rename(&bed, "/", "app", "application").await), 400);
    assert_eq!(status(rename(&bed, "/app", &renamed.id.to_string(), "x").await), 404);
    assert_eq!(status(rename(&bed, "/", "nope", "x").await), 404);
}

#[tokio::test]
async fn folders_are_renamed_together_or_not_at_all() {
    let bed = Bed::new().await;
    for path in ["/a", "/b", "/b/c"] {
        bed.folder(path).await;
    }
    let ids: Vec<_> =
        list(&bed, &bed.admin, "/", true).await.unwrap().iter().map(|f| f.id).collect();
    let one = |id, path: &str, name: &str| BatchFolder {
        id,
        environment: "dev".into(),
        name: name.into(),
        path: Some(path.into()),
        description: Some("d".into()),
    };
    let batch = |folders| BatchFolders { project: bed.reference(), folders };
    let clash = batch(vec![one(ids[0], "/", "x"), one(ids[1], "/", "x")]);
    assert_eq!(status(bed.core.update_folders(&bed.admin, &clash).await), 400);
    assert_eq!(paths(&bed, "/", true).await, ["/a", "/b", "/b/c"]);
    let good = batch(vec![one(ids[2], "/b", "d"), one(ids[1], "/", "e"), one(ids[0], "/", "b")]);
    let renamed = bed.core.update_folders(&bed.admin, &good).await.unwrap().folders;
    assert_eq!(renamed.len(), 3);
    assert_eq!(paths(&bed, "/", true).await, ["/b", "/e", "/e/d"]);
    assert_eq!(status(bed.core.update_folders(&bed.admin, &batch(Vec::new())).await), 422);
}

#[tokio::test]
async fn a_delete_takes_the_subtree_with_its_secrets() {
    let bed = Bed::new().await;
    for path in ["/a", "/a/b", "/ab"] {
        bed.folder(path).await;
        bed.create(path, "A", "v").await;
    }
    let gone = delete(&bed, "/", "a").await.unwrap();
    assert_eq!(paths(&bed, "/", true).await, ["/ab"]);
    assert_eq!(bed.dump().await, ["/ab:A=v@1"]);
    assert_eq!(status(delete(&bed, "/", "a").await), 404);
    assert_eq!(status(delete(&bed, "/", &gone.id.to_string()).await), 404);
}

#[tokio::test]
async fn the_root_folder_can_be_neither_renamed_nor_deleted() {
    let bed = Bed::new().await;
    bed.create("/", "A", "v").await;
    let root = bed.core.get_folder_at(&bed.admin, &bed.project.to_string(), "dev", "/").await;
    let root = root.unwrap().folder;
    assert_eq!((root.name.as_str(), root.parent_id), ("root", None));
    for which in [root.id.to_string().as_str(), "root"] {
        assert_eq!(status(delete(&bed, "/", which).await), 404);
        assert_eq!(status(rename(&bed, "/", which, "x").await), 404);
    }
    assert_eq!(bed.dump().await, ["/:A=v@1"]);
}

#[tokio::test]
async fn a_list_has_relative_paths_and_times_of_change() {
    let bed = Bed::new().await;
    for path in ["/a", "/a/b", "/a/b/c", "/z"] {
        bed.folder(path).await;
    }
    bed.clock.advance(10);
    let since = bed.core.now();
    bed.create("/a/b", "A", "v").await;
    let below = list(&bed, &bed.admin, "/a", true).await.unwrap();
    let relative: Vec<_> = below.iter().map(|f| f.relative_path.as_deref().unwrap()).collect();
    assert_eq!(relative, ["/b", "/b/c"]);
    assert_eq!(paths(&bed, "/", false).await, ["/a", "/z"]);
    assert!(paths(&bed, "/nope", true).await.is_empty());
    let mut query = ListFoldersQuery {
        place: place(&bed, "/"),
        recursive: Some(WireBool(true)),
        last_secret_modified: Some(since),
    };
    let changed = bed.core.list_folders(&bed.admin, &query).await.unwrap().folders;
    assert_eq!(changed.len(), 1);
    assert_eq!(changed[0].last_secret_modified, Some(since));
    query.place.environment = Some("nope".into());
    assert_eq!(status(bed.core.list_folders(&bed.admin, &query).await), 404);
    query.place = FolderPlace { path: None, directory: Some("/a".into()), ..place(&bed, "/") };
    query.last_secret_modified = None;
    assert_eq!(bed.core.list_folders(&bed.admin, &query).await.unwrap().folders.len(), 2);
}

#[tokio::test]
async fn a_folder_is_shown_by_id_and_by_path() {
    let bed = Bed::new().await;
    bed.folder("/a").await;
    let made = create(&bed, &bed.admin, "/a", "b").await.unwrap();
    let by_id = bed.core.get_folder(&bed.admin, &made.id.to_string()).await.unwrap().folder;
    let project = bed.project.to_string();
    let by_path = bed.core.get_folder_at(&bed.admin, &project, "dev", "/a/b").await.unwrap();
    for folder in [by_id, by_path.folder] {
        assert_eq!((folder.id, folder.path.as_deref()), (made.id, Some("/a/b")));
        assert_eq!(folder.project_id, Some(bed.project));
        assert_eq!(folder.environment.unwrap().env_slug, "dev");
    }
    let foreign = Caller { organization: uuid::Uuid::now_v7().into(), ..bed.admin.clone() };
    let there = bed.core.get_folder(&foreign, &made.id.to_string()).await.err().unwrap();
    let nowhere = uuid::Uuid::now_v7().to_string();
    let missing = bed.core.get_folder(&foreign, &nowhere).await.err().unwrap();
    assert_eq!(
        there.to_string().replace(&made.id.to_string(), "-"),
        missing.to_string().replace(&nowhere, "-")
    );
}

#[tokio::test]
async fn t3_folders_are_made_shown_and_removed_under_the_rules_of_their_parent() {
    let bed = Bed::new().await;
    for path in ["/open", "/open/x", "/shut", "/shut/y"] {
        bed.folder(path).await;
    }
    let caller = bed
        .machine(json!([
            {"subject": "secret-folders", "action": ["read", "create", "edit", "delete"]},
            {"subject": "secret-folders", "action": ["read", "create", "edit", "delete"],
             "inverted": true, "conditions": {"secretPath": {"$glob": "/shut/**"}}},
        ]))
        .await;
    let seen = list(&bed, &caller, "/", true).await.unwrap();
    let seen: Vec<_> = seen.into_iter().map(|folder| folder.path.unwrap()).collect();
    assert_eq!(seen, ["/open", "/open/x", "/shut"]);
    assert_eq!(status(list(&bed, &caller, "/shut", false).await), 403);
    assert_eq!(status(create(&bed, &caller, "/shut", "z").await), 403);
    assert_eq!(status(create(&bed, &caller, "/shut/new/er", "z").await), 403);
    assert_eq!(status(create(&bed, &caller, "/open/new/er", "z").await), 200);
    let body = DeleteFolder { place: place(&bed, "/shut"), force_delete: None };
    assert_eq!(status(bed.core.delete_folder(&caller, "y", &body).await), 403);
    assert_eq!(status(bed.core.delete_folder(&caller, "nope", &body).await), 403);
}

#[tokio::test]
async fn t4_nobody_renames_a_folder_out_of_their_rules_or_into_them() {
    let bed = Bed::new().await;
    for (path, name) in [("/", "private"), ("/private", "db"), ("/", "other"), ("/other", "db")] {
        create(&bed, &bed.admin, path, name).await.unwrap();
    }
    let folders = json!({"subject": "secret-folders", "action": ["read", "edit"]});
    let denied = bed
        .person(json!([
            folders,
            {"subject": "secrets", "action": "read"},
            {"subject": "secrets", "action": "read", "inverted": true,
             "conditions": {"secretPath": {"$glob": "/private/**"}}},
        ]))
        .await;
    let deep = bed
        .person(json!([
            folders,
            {"subject": "secrets", "action": "read",
             "conditions": {"environment": "dev", "secretPath": "/other/db"}},
        ]))
        .await;
    for (caller, path, which, name, expected) in [
        (&denied, "/", "private", "public", 403),
        (&denied, "/private", "db", "data", 200),
        (&denied, "/other", "db", "data", 200),
        (&deep, "/other", "data", "db", 403),
        (&deep, "/private", "data", "db", 200),
        (&deep, "/", "other", "others", 403),
    ] {
        let result = rename_as(&bed, caller, path, which, name).await;
        assert_eq!(status(result), expected, "{path} {which} {name}");
    }
    // Out of the way first, and then into its place.
    rename(&bed, "/", "other", "old").await.unwrap();
    assert_eq!(status(rename_as(&bed, &deep, "/", "private", "other").await), 403);
    let batch = BatchFolders {
        project: bed.reference(),
        folders: vec![BatchFolder {
            environment: "dev".into(),
            path: Some("/".into()),
            id: rename(&bed, "/", "private", "private").await.unwrap().id,
            name: "public".into(),
            description: None,
        }],
    };
    assert_eq!(status(bed.core.update_folders(&denied, &batch).await), 403);
}

/// A folder is not carried by its name to where other rules hold by somebody who may not read it.
#[tokio::test]
async fn t4_another_name_for_a_folder_takes_the_right_to_read_all_below() {
    let bed = Bed::new().await;
    for path in ["/prod", "/prod/deep", "/empty", "/known"] {
        bed.folder(path).await;
    }
    bed.create("/prod/deep", "A", "v").await;
    bed.create("/known", "B", "v").await;
    let folders = json!({"subject": "secret-folders", "action": ["read", "edit"]});
    let read = |glob: &str| {
        json!({"subject": "secrets", "action": ["read"],
            "conditions": {"secretPath": {"$glob": glob}}})
    };
    let before = bed.dump().await;
    let blind = bed.machine(json!([folders])).await;
    let elsewhere = bed.machine(json!([folders, read("/pub*/**")])).await;
    let half = bed
        .machine(json!([folders, read("/prod/**"),
        {"subject": "secrets", "action": ["readValue"], "inverted": true,
         "conditions": {"secretName": "A"}}]))
        .await;
    for caller in [&blind, &elsewhere, &half] {
        assert_eq!(status(rename_as(&bed, caller, "/", "prod", "pub2").await), 403);
    }
    assert_eq!(bed.dump().await, before);
    // A description is no name, and where nothing is there is nothing to read.
    assert_eq!(status(rename_as(&bed, &blind, "/", "prod", "prod").await), 200);
    assert_eq!(status(rename_as(&bed, &blind, "/", "empty", "void").await), 200);
    let reader = bed.machine(json!([folders, read("/**")])).await;
    assert_eq!(status(rename_as(&bed, &reader, "/", "known", "kept").await), 200);
    assert_eq!(bed.value("/kept", "B").await, "v");
}
