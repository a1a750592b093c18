use kms_api::{
    SecretId,
    secrets::{ListVersionsQuery, Secret},
    transfers::{DuplicateSecrets, MoveSecrets},
};
use kms_store::{folders::Place, secret_versions, secrets};
use serde_json::{Value, json};

use super::refused;
use crate::{Caller, Result, testbed::Bed};

/// A bed with `/:A`, `/:B`, `/sub:B` and `/sub/deep:C`.
async fn bed() -> Bed {
    let bed = Bed::remembering(0).await;
    for path in ["/sub", "/sub/deep", "/sub/empty", "/goal"] {
        bed.folder(path).await;
    }
    for (path, name) in [("/", "A"), ("/", "B"), ("/sub", "B"), ("/sub/deep", "C")] {
        bed.create(path, name, &format!("{path} {name}")).await;
    }
    bed
}

async fn id(bed: &Bed, path: &str, name: &str) -> SecretId {
    bed.get_as(&bed.admin, name, &bed.one(path)).await.unwrap().id
}

fn ways(bed: &Bed, from: &str, to: [&str; 2], ids: Option<&[SecretId]>, overwrite: bool) -> Value {
    let mut body = json!({
        "projectId": bed.project, "sourceEnvironment": "dev", "sourceSecretPath": from,
        "destinationEnvironment": to[0], "destinationSecretPath": to[1],
        "shouldOverwrite": overwrite,
    });
    if let Some(ids) = ids {
        body["secretIds"] = json!(ids);
    }
    body
}

async fn relocate(bed: &Bed, caller: &Caller, body: &Value) -> Result<bool> {
    let body: MoveSecrets = serde_json::from_value(body.clone()).unwrap();
    let answer = bed.core.move_secrets(caller, &body).await?;
    Ok(answer.is_source_updated && answer.is_destination_updated)
}

async fn copy(bed: &Bed, caller: &Caller, body: &Value) -> Result<Vec<Secret>> {
    let body: DuplicateSecrets = serde_json::from_value(body.clone()).unwrap();
    Ok(bed.core.duplicate_secrets(caller, &body).await?.secrets)
}

#[tokio::test]
async fn a_secret_moves_with_its_id_and_history() {
    let bed = bed().await;
    let a = id(&bed, "/", "A").await;
    assert!(
        relocate(&bed, &bed.admin, &ways(&bed, "/", ["dev", "/goal"], Some(&[a]), false))
            .await
            .unwrap()
    );
    assert_eq!(id(&bed, "/goal", "A").await, a);
    let dump = bed.dump().await;
    assert!(dump.contains(&"/goal:A=/ A@2".to_owned()), "{dump:?}");
    assert!(!dump.iter().any(|line| line.starts_with("/:A")), "{dump:?}");
    let history = bed
        .core
        .list_secret_versions(&bed.admin, &a.to_string(), &ListVersionsQuery::default())
        .await;
    let history = history.unwrap().secret_versions;
    assert_eq!(history.iter().map(|each| each.version).collect::<Vec<_>>(), [2, 1]);
    assert!(history.iter().all(|each| each.secret_value.expose() == "/ A"));
    assert_ne!(history[0].folder_id, history[1].folder_id);
    bed.update_as(&bed.admin, "/goal", "A", "next").await.unwrap();
    // Back again, and to another environment.
    relocate(&bed, &bed.admin, &ways(&bed, "/goal", ["prod", "/"], Some(&[a]), false))
        .await
        .unwrap();
    let read = bed.core.get_secret_by_id(&bed.admin, &a.to_string()).await.unwrap();
    let read: Value = serde_json::from_slice(&read.body).unwrap();
    assert_eq!(
        (&read["secret"]["environment"], &read["secret"]["version"]),
        (&json!("prod"), &json!(4))
    );
}

#[tokio::test]
async fn a_name_that_is_taken_is_refused_or_gets_a_version() {
    let bed = bed().await;
    let (a, b, there) =
        (id(&bed, "/", "A").await, id(&bed, "/", "B").await, id(&bed, "/sub", "B").await);
    let body = ways(&bed, "/", ["dev", "/sub"], Some(&[a, b]), false);
    let error = relocate(&bed, &bed.admin, &body).await.err().unwrap();
    assert_eq!(error.to_string(), "Secrets of these names are already at the destination: B");
    let before = bed.dump().await;
    let body = ways(&bed, "/", ["dev", "/sub"], Some(&[a, b]), true);
    relocate(&bed, &bed.admin, &body).await.unwrap();
    assert_ne!(bed.dump().await, before);
    assert_eq!(id(&bed, "/sub", "B").await, there, "what is there keeps its id");
    let expected = ["/sub/deep:C=/sub/deep C@1", "/sub:A=/ A@2", "/sub:B=/ B@2"];
    let mut dump = bed.dump().await;
    dump.sort();
    assert_eq!(dump, expected);
    assert_eq!(refused(bed.core.get_secret_by_id(&bed.admin, &b.to_string()).await), 404);
}

#[tokio::test]
async fn a_transfer_that_fails_anywhere_changes_nothing() {
    let bed = bed().await;
    let (a, c) = (id(&bed, "/", "A").await, id(&bed, "/sub/deep", "C").await);
    let before = bed.dump().await;
    for (body, expected) in [
        (ways(&bed, "/", ["dev", "/goal"], Some(&[a, c]), false), 404),
        (ways(&bed, "/", ["dev", "/nope"], Some(&[a]), false), 404),
        (ways(&bed, "/nope", ["dev", "/"], Some(&[a]), false), 404),
        (ways(&bed, "/", ["nope", "/"], Some(&[a]), false), 404),
        (ways(&bed, "/", ["dev", "/"], Some(&[a]), false), 400),
        (ways(&bed, "/", ["de v", "/"], Some(&[a]), false), 422),
        (ways(&bed, "/", ["dev", "/a//b"], Some(&[a]), false), 422),
        (ways(&bed, "/", ["dev", "/goal"], Some(&[]), false), 422),
    ] {
        assert_eq!(refused(relocate(&bed, &bed.admin, &body).await), expected, "{body}");
        let copied = refused(copy(&bed, &bed.admin, &body).await);
        // A copy makes the folders that it needs.
        let expected = if body["destinationSecretPath"] == "/nope" { 200 } else { expected };
        assert_eq!(copied, expected, "{body}");
    }
    let mut after = bed.dump().await;
    after.retain(|line| !line.starts_with("/nope"));
    assert_eq!(after, before);
}

#[tokio::test]
async fn a_folder_is_copied_with_all_below_it() {
    let bed = bed().await;
    let copied =
        copy(&bed, &bed.admin, &ways(&bed, "/sub", ["prod", "/new/er"], None, false)).await;
    let mut places: Vec<_> = copied
        .unwrap()
        .into_iter()
        .map(|each| format!("{}:{}@{}", each.secret_path.unwrap(), each.secret_key, each.version))
        .collect();
    places.sort();
    assert_eq!(places, ["/new/er/deep:C@1", "/new/er:B@1"]);
    let query = serde_json::from_value(json!({ "projectId": bed.project, "environment": "prod",
        "path": "/new", "recursive": "true" }))
    .unwrap();
    let folders = bed.core.list_folders(&bed.admin, &query).await.unwrap().folders;
    let folders: Vec<_> = folders.into_iter().filter_map(|each| each.path).collect();
    assert_eq!(folders, ["/new/er", "/new/er/deep", "/new/er/empty"]);
    assert_eq!(bed.value("/sub/deep", "C").await, "/sub/deep C", "the source stays");
    // Into itself, once.
    copy(&bed, &bed.admin, &ways(&bed, "/sub", ["dev", "/sub/inner"], None, false)).await.unwrap();
    assert_eq!(bed.value("/sub/inner/deep", "C").await, "/sub/deep C");
    let again = ways(&bed, "/sub/deep", ["dev", "/sub/inner/deep"], None, true);
    let again = copy(&bed, &bed.admin, &again).await.unwrap();
    assert_eq!(again[0].version, 2, "what is overwritten gets a version");
}

#[tokio::test]
async fn t10_nothing_is_carried_to_a_place_by_somebody_who_may_not_read_it() {
    let bed = bed().await;
    let a = id(&bed, "/", "A").await;
    let before = bed.dump().await;
    let all = ["read", "create", "edit", "delete"];
    let without = |action: &str, path: &str| {
        json!([
            { "subject": "secrets", "action": all },
            { "subject": "secret-folders", "action": all },
            { "subject": "secrets", "action": action, "inverted": true,
              "conditions": { "secretPath": path } },
        ])
    };
    let body = ways(&bed, "/", ["dev", "/goal"], Some(&[a]), false);
    for (action, path, moves, copies) in [
        ("readValue", "/", 403, 403),
        ("describeSecret", "/", 403, 403),
        ("delete", "/", 403, 200),
        ("create", "/goal", 403, 403),
    ] {
        let caller = bed.machine(without(action, path)).await;
        assert_eq!(refused(relocate(&bed, &caller, &body).await), moves, "{action} {path}");
        if copies != 200 {
            assert_eq!(refused(copy(&bed, &caller, &body).await), copies, "{action} {path}");
        }
    }
    // A folder goes as a whole, or not at all.
    let caller = bed.machine(without("readValue", "/sub/deep")).await;
    let body = ways(&bed, "/sub", ["dev", "/goal"], None, false);
    assert_eq!(refused(copy(&bed, &caller, &body).await), 403);
    let over = ways(&bed, "/", ["dev", "/sub"], Some(&[id(&bed, "/", "B").await]), true);
    let caller = bed.machine(without("edit", "/sub")).await;
    assert_eq!(refused(relocate(&bed, &caller, &over).await), 403);
    assert_eq!(refused(copy(&bed, &caller, &over).await), 403);
    assert_eq!(bed.dump().await, before);
}

/// What arrives or comes back is held to what a write of it is.
#[tokio::test]
async fn t10_nobody_carries_a_reference_to_where_they_could_not_write_it() {
    let bed = bed().await;
    bed.create("/", "LOCAL", "${KEY}").await;
    bed.create("/", "FAR", "${prod.KEY}").await;
    bed.create("/", "NOWHERE", "${nope.KEY}").await;
    let far = id(&bed, "/", "FAR").await;
    bed.update_as(&bed.admin, "/", "FAR", "plain").await.unwrap();
    let all = ["read", "create", "edit", "delete"];
    let here = |path: &str, action: &[&str]| {
        json!({ "subject": "secrets", "action": action,
            "conditions": { "environment": "dev", "secretPath": path } })
    };
    let caller = bed
        .machine(json!([here("/", &all), here("/goal", &["create"]), here("/sub", &["create"]),
            { "subject": "secret-rollback", "action": "create" }]))
        .await;
    let carried = async |name: &str| {
        let body = ways(&bed, "/", ["dev", "/goal"], Some(&[id(&bed, "/", name).await]), false);
        (refused(copy(&bed, &caller, &body).await), refused(relocate(&bed, &caller, &body).await))
    };
    assert_eq!(carried("LOCAL").await, (403, 403));
    // Text as any other, where there is no such environment: copied, and then it is there.
    assert_eq!(carried("NOWHERE").await, (200, 400));
    assert_eq!(carried("FAR").await, (200, 400));
    let back = serde_json::from_value(json!({ "version": 1 })).unwrap();
    let rolled = bed.core.roll_secret_back(&caller, &far.to_string(), &back).await;
    assert_eq!(refused(rolled), 403);
    bed.core.roll_secret_back(&bed.admin, &far.to_string(), &back).await.unwrap();
    let body = ways(&bed, "/", ["dev", "/sub"], Some(&[far]), true);
    assert_eq!(refused(relocate(&bed, &caller, &body).await), 403);
    assert_eq!(refused(copy(&bed, &caller, &body).await), 403);
}

/// A place where the caller may do nothing answers alike, whatever is there.
#[tokio::test]
async fn t3_a_transfer_does_not_tell_which_names_are_at_its_end() {
    let bed = bed().await;
    let (a, b) = (id(&bed, "/", "A").await, id(&bed, "/", "B").await);
    let root = |action: &[&str]| json!({ "subject": "secrets", "action": action, "conditions": { "secretPath": "/" } });
    let nothing = bed.machine(json!([root(&["read", "delete"])])).await;
    for overwrite in [false, true] {
        let mut answers = Vec::new();
        // There is a B there, and no A.
        for id in [a, b] {
            let body = ways(&bed, "/", ["dev", "/sub"], Some(&[id]), overwrite);
            let moved = relocate(&bed, &nothing, &body).await.err().unwrap();
            let copied = copy(&bed, &nothing, &body).await.err().unwrap();
            answers.push([moved, copied].map(|error| (super::status(&error), error.to_string())));
        }
        assert_eq!(answers[0], answers[1], "{overwrite}");
        assert_eq!(answers[0][0].0, 403);
    }
    let body = ways(&bed, "/", ["dev", "/sub"], Some(&[b]), true);
    let mut create = root(&["create"]);
    create["conditions"] = json!({ "secretPath": "/sub" });
    // Whoever may create one of the name is told that it is taken, as by creating it.
    let creator = bed.machine(json!([root(&["read", "delete"]), create])).await;
    let error = relocate(&bed, &creator, &body).await.err().unwrap();
    assert_eq!(error.to_string(), "Secrets of these names are already at the destination: B");
    create["action"] = json!(["describeSecret"]);
    let knower = bed.machine(json!([root(&["read", "delete"]), create])).await;
    assert_eq!(refused(relocate(&bed, &knower, &body).await), 403);
    create["action"] = json!(["edit"]);
    let editor = bed.machine(json!([root(&["read", "delete"]), create])).await;
    relocate(&bed, &editor, &body).await.unwrap();
}

#[tokio::test]
async fn k1_a_moved_secret_is_sealed_to_where_it_is() {
    let bed = bed().await;
    let a = id(&bed, "/", "A").await;
    let (org, project) = (bed.admin.organization, bed.project);
    let place = |path| Place { org, project, environment: "dev", path };
    let row = async |path| {
        let found = secrets::find(&bed.core.store, &place(path), "A").await.unwrap().unwrap();
        found.split().1
    };
    let old = row("/").await.unwrap();
    let body = ways(&bed, "/", ["dev", "/goal"], Some(&[a]), false);
    relocate(&bed, &bed.admin, &body).await.unwrap();
    let new = row("/goal").await.unwrap();
    assert_ne!(old.sealed, new.sealed);
    let read = async || refused(bed.get_as(&bed.admin, "A", &bed.one("/goal")).await);
    bed.run("UPDATE secrets SET sealed = $2 WHERE id = $1", (a, old.sealed.as_slice())).await;
    assert_eq!(read().await, 500, "what was sealed at the source");
    bed.run(
        "UPDATE secrets SET sealed = $2, version = 1 WHERE id = $1",
        (a, old.sealed.as_slice()),
    )
    .await;
    assert_eq!(read().await, 500, "also under its version");
    bed.run(
        "UPDATE secrets SET sealed = $2, version = 2 WHERE id = $1",
        (a, new.sealed.as_slice()),
    )
    .await;
    assert_eq!(read().await, 200);
    bed.run("UPDATE secrets SET folder_id = $2 WHERE id = $1", (a, old.folder_id)).await;
    assert_eq!(refused(bed.get_as(&bed.admin, "A", &bed.one("/")).await), 500, "taken back");
    let first = secret_versions::find(&bed.core.store, org, a, 1).await.unwrap().unwrap();
    assert_eq!(first.folder_id, old.folder_id, "the history stays where it was written");
}
