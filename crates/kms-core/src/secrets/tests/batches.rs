use kms_api::secrets::{BatchBody, Secret};
use serde_json::{Value, json};

use super::refused;
use crate::{Caller, Result, testbed::Bed};

fn body(bed: &Bed, mode: Option<&str>, secrets: &Value) -> BatchBody {
    let mut body = json!({ "projectId": bed.project, "environment": "dev", "secrets": secrets });
    if let Some(mode) = mode {
        body["mode"] = mode.into();
    }
    serde_json::from_value(body).unwrap()
}

fn named(names: &[&str]) -> Value {
    names.iter().map(|name| json!({ "secretKey": name, "secretValue": "new" })).collect()
}

#[derive(Clone, Copy)]
enum Kind {
    Create,
    Update,
    Delete,
}

async fn run(bed: &Bed, caller: &Caller, kind: Kind, body: &BatchBody) -> Result<Vec<Secret>> {
    let answer = match kind {
        Kind::Create => bed.core.create_secrets(caller, body).await,
        Kind::Update => bed.core.update_secrets(caller, body).await,
        Kind::Delete => bed.core.delete_secrets(caller, body).await,
    };
    answer.map(|answer| answer.secrets)
}

/// A bed with `/:A`, `/:B` and `/sub:C`.
async fn bed() -> Bed {
    let bed = Bed::new().await;
    bed.folder("/sub").await;
    for (path, name) in [("/", "A"), ("/", "B"), ("/sub", "C")] {
        bed.create(path, name, "old").await;
    }
    bed
}

/// Everything that a failed write must leave alone.
async fn state(bed: &Bed) -> (Vec<String>, usize) {
    bed.core.read_log.flush().await;
    let query = serde_json::from_value(json!({ "limit": "1000" })).unwrap();
    let log = bed.core.list_audit_logs(&bed.admin, &query).await.unwrap().audit_logs;
    let changes = log.iter().filter(|record| !record.event.r#type.starts_with("get-")).count();
    (bed.dump().await, changes)
}

#[tokio::test]
async fn every_mode_does_what_it_says_about_missing_names() {
    let bed = bed().await;
    let made = run(&bed, &bed.admin, Kind::Create, &body(&bed, None, &named(&["X", "Y"]))).await;
    assert_eq!(made.unwrap().len(), 2);
    let both = named(&["A", "NEW"]);
    let failed = run(&bed, &bed.admin, Kind::Update, &body(&bed, None, &both)).await;
    assert_eq!(failed.err().unwrap().to_string(), "Secret does not exist: NEW in path /");
    let skipped = body(&bed, Some("ignore"), &both);
    let skipped = run(&bed, &bed.admin, Kind::Update, &skipped).await.unwrap();
    assert_eq!((skipped.len(), skipped[0].version), (1, 2));
    let upserted = body(&bed, Some("upsert"), &both);
    let upserted = run(&bed, &bed.admin, Kind::Update, &upserted).await.unwrap();
    let mut versions: Vec<_> =
        upserted.iter().map(|secret| (secret.secret_key.as_str(), secret.version)).collect();
    versions.sort_unstable();
    assert_eq!(versions, [("A", 3), ("NEW", 1)]);
    let gone = body(&bed, None, &json!([{ "secretKey": "A" }, { "secretKey": "X" }]));
    assert_eq!(run(&bed, &bed.admin, Kind::Delete, &gone).await.unwrap().len(), 2);
    let left = ["/:B=old@1", "/:NEW=new@1", "/:Y=new@1", "/sub:C=old@1"];
    assert_eq!(bed.dump().await, left);
}

#[tokio::test]
async fn an_element_may_have_a_folder_and_a_new_name_of_its_own() {
    let bed = bed().await;
    let items = json!([
        { "secretKey": "C", "secretPath": "/sub/", "newSecretName": "D" },
        { "secretKey": "A", "secretValue": "new" },
    ]);
    let changed = run(&bed, &bed.admin, Kind::Update, &body(&bed, None, &items)).await.unwrap();
    assert_eq!(changed.len(), 2);
    assert!(changed.iter().all(|secret| secret.secret_path.is_some()));
    assert_eq!(bed.dump().await, ["/:A=new@2", "/:B=old@1", "/sub:D=old@2"]);
}

#[tokio::test]
async fn a_batch_that_fails_anywhere_changes_nothing() {
    let bed = bed().await;
    let before = state(&bed).await;
    let over: Vec<_> =
        (0..1_001).map(|n| json!({ "secretKey": format!("K{n}"), "secretValue": "v" })).collect();
    let cases = [
        (Kind::Create, None, named(&["N", "A", "B"]), 400),
        (Kind::Create, None, named(&["N", "N"]), 422),
        (Kind::Create, None, named(&["N", "a/b"]), 422),
        (Kind::Create, None, json!([{ "secretKey": "N" }]), 422),
        (Kind::Create, None, json!([]), 422),
        (Kind::Create, None, json!(over), 422),
        (Kind::Update, None, named(&["A", "NOPE"]), 404),
        (Kind::Update, Some("upsert"), named(&["A", "N", "x:y"]), 422),
        (Kind::Update, Some("upsert"), json!([{ "secretKey": "A" }, { "secretKey": "N" }]), 422),
        (
            Kind::Update,
            Some("ignore"),
            json!([{ "secretKey": "A", "secretValue": "n" },
            { "secretKey": "B", "newSecretName": "A" }]),
            400,
        ),
        (
            Kind::Update,
            Some("ignore"),
            json!([{ "secretKey": "A", "secretValue": "n" },
            { "secretKey": "C", "secretPath": "/nope" }]),
            404,
        ),
        (
            Kind::Update,
            None,
            json!([{ "secretKey": "C", "secretPath": "/sub", "secretValue": "n" },
            { "secretKey": "C", "secretPath": "sub/", "secretValue": "n" }]),
            422,
        ),
        (Kind::Update, Some("everything"), named(&["A"]), 422),
        (Kind::Delete, None, named(&["A", "NOPE"]), 404),
        (Kind::Delete, None, named(&["A", "A"]), 422),
        (Kind::Delete, None, json!([{ "secretKey": "A", "type": "team" }]), 422),
    ];
    for (index, (kind, mode, secrets, expected)) in cases.into_iter().enumerate() {
        let outcome = run(&bed, &bed.admin, kind, &body(&bed, mode, &secrets)).await;
        assert_eq!(refused(outcome), expected, "case {index}");
        assert_eq!(state(&bed).await, before, "case {index}");
    }
}

#[tokio::test]
async fn a_taken_name_is_told_by_name() {
    let bed = bed().await;
    let outcome =
        run(&bed, &bed.admin, Kind::Create, &body(&bed, None, &named(&["B", "N", "A"]))).await;
    assert_eq!(outcome.err().unwrap().to_string(), "Secret already exists: A,B");
    let outcome =
        run(&bed, &bed.admin, Kind::Delete, &body(&bed, None, &named(&["B", "N", "M"]))).await;
    assert_eq!(outcome.err().unwrap().to_string(), "Secrets not found: N,M");
}

#[tokio::test]
async fn t7_a_batch_runs_as_its_caller_element_by_element() {
    let bed = bed().await;
    let before = state(&bed).await;
    let all_but = |action: &str| {
        json!([
            {"subject": "secrets", "action": ["read", "create", "edit", "delete"]},
            {"subject": "secrets", "action": action, "inverted": true,
             "conditions": {"secretName": {"$in": ["B", "N2", "LOCKED"]}}},
        ])
    };
    let elsewhere = json!([
        {"subject": "secrets", "action": ["read", "create", "edit", "delete"]},
        {"subject": "secrets", "action": "edit", "inverted": true,
         "conditions": {"secretPath": "/sub"}},
    ]);
    let cases = [
        (all_but("create"), Kind::Create, None, named(&["N1", "N2"])),
        (all_but("edit"), Kind::Update, None, named(&["A", "B"])),
        (
            all_but("edit"),
            Kind::Update,
            None,
            json!([{ "secretKey": "A", "newSecretName": "LOCKED" }]),
        ),
        (all_but("create"), Kind::Update, Some("upsert"), named(&["A", "N2"])),
        (
            elsewhere,
            Kind::Update,
            None,
            json!([{ "secretKey": "A", "secretValue": "n" },
            { "secretKey": "C", "secretPath": "/sub", "secretValue": "n" }]),
        ),
        (all_but("delete"), Kind::Delete, None, named(&["A", "B"])),
        (json!([]), Kind::Create, None, named(&["N1"])),
    ];
    for (index, (rules, kind, mode, secrets)) in cases.into_iter().enumerate() {
        let caller = bed.machine(rules).await;
        let outcome = run(&bed, &caller, kind, &body(&bed, mode, &secrets)).await;
        assert_eq!(refused(outcome), 403, "case {index}");
        assert_eq!(state(&bed).await, before, "case {index}");
    }
}

#[tokio::test]
async fn t7_answers_of_writes_show_values_only_to_readers() {
    let bed = bed().await;
    let writer =
        bed.machine(json!([{"subject": "secrets", "action": ["create", "edit", "delete"]}])).await;
    let hidden = |secrets: &[Secret]| secrets.iter().all(|secret| secret.secret_value_hidden);
    let comment = json!([{ "secretKey": "A", "secretComment": "c" }]);
    let changed = run(&bed, &writer, Kind::Update, &body(&bed, None, &comment)).await.unwrap();
    assert!(hidden(&changed));
    let gone = run(&bed, &writer, Kind::Delete, &body(&bed, None, &named(&["B"]))).await.unwrap();
    assert!(hidden(&gone));
    let alone = bed.update_as(&writer, "/", "A", "new").await.unwrap();
    let deleted = bed.delete_as(&writer, "/", "A").await.unwrap();
    assert!(hidden(&[alone, deleted]));
    assert_eq!(refused(bed.list_as(&writer, &bed.all("/", false)).await), 403);
}

/// A missing name takes the right to create, one that is there the right to edit.
#[tokio::test]
async fn t3_an_upsert_asks_for_what_it_does() {
    let bed = Bed::new().await;
    bed.create("/", "THERE", "v").await;
    let upsert = |mode: &str, name: &str| -> kms_api::secrets::BatchBody {
        serde_json::from_value(json!({ "projectId": bed.project, "environment": "dev",
            "mode": mode, "secrets": [{ "secretKey": name, "secretValue": "w" }] }))
        .unwrap()
    };
    let may = async |action: &str| {
        bed.machine(json!([{ "subject": "secrets", "action": [action] }])).await
    };
    let (creator, editor) = (may("create").await, may("edit").await);
    let core = &bed.core;
    assert_eq!(refused(core.update_secrets(&creator, &upsert("upsert", "NEW")).await), 200);
    assert_eq!(refused(core.update_secrets(&creator, &upsert("upsert", "THERE")).await), 403);
    assert_eq!(refused(core.update_secrets(&editor, &upsert("upsert", "OTHER")).await), 403);
    assert_eq!(refused(core.update_secrets(&editor, &upsert("upsert", "THERE")).await), 200);
    for mode in ["ignore", "failOnNotFound"] {
        assert_eq!(refused(core.update_secrets(&creator, &upsert(mode, "NEW")).await), 403);
    }
    assert_eq!(bed.dump().await, ["/:NEW=w@1", "/:THERE=w@2"]);
}
