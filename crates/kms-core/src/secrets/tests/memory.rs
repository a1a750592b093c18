use serde_json::json;

use crate::testbed::Bed;

/// Makes the stored values unreadable, unnoticed by the instance.
async fn spoil(bed: &Bed) {
    bed.run("UPDATE secrets SET sealed = $1", (&[0_u8; 80][..],)).await;
}

#[tokio::test]
async fn a_question_asked_again_is_answered_without_the_database() {
    let bed = Bed::new().await;
    bed.create("/", "A", "v").await;
    let query = bed.all("/", false);
    let first = bed.core.list_secrets(&bed.admin, &query).await.unwrap();
    bed.core.get_secret(&bed.admin, "A", &bed.one("/")).await.unwrap();
    spoil(&bed).await;
    let statements = bed.core.store.statements();
    let second = bed.core.list_secrets(&bed.admin, &query).await.unwrap();
    assert_eq!(bed.core.store.statements(), statements);
    assert_eq!(first.body.as_ptr(), second.body.as_ptr(), "the same bytes, not a copy");
    assert_eq!(first.etag, second.etag);
    assert!(bed.core.get_secret(&bed.admin, "A", &bed.one("/")).await.is_ok());
    assert!(bed.core.list_secrets(&bed.admin, &bed.all("/", true)).await.is_err());
}

#[tokio::test]
async fn the_work_of_a_read_does_not_grow_with_what_is_stored() {
    let bed = Bed::remembering(0).await;
    bed.folder("/a").await;
    bed.create("/a", "FIRST", "v").await;
    let work = async |bed: &Bed| {
        let mut counts = Vec::new();
        let mut before = bed.core.store.statements();
        let mut count = || {
            let now = bed.core.store.statements();
            counts.push(now - before);
            before = now;
        };
        bed.list_as(&bed.admin, &bed.all("/a", false)).await.unwrap();
        count();
        bed.list_as(&bed.admin, &bed.all("/a", true)).await.unwrap();
        count();
        bed.value("/a", "FIRST").await;
        count();
        bed.update_as(&bed.admin, "/a", "FIRST", "w").await.unwrap();
        count();
        counts
    };
    let small = work(&bed).await;
    let secrets: Vec<_> =
        (0..1_000).map(|n| json!({ "secretKey": format!("K{n}"), "secretValue": "v" })).collect();
    for path in ["/", "/a"] {
        let body = json!({ "projectId": bed.project, "environment": "dev", "secretPath": path,
            "secrets": secrets });
        let body = serde_json::from_value(body).unwrap();
        bed.core.create_secrets(&bed.admin, &body).await.unwrap();
    }
    assert_eq!(work(&bed).await, small);
    // A list asks for the folder's imports as well.
    assert_eq!(small, [2, 2, 1, 4]);
}

#[tokio::test]
async fn nothing_is_remembered_without_a_budget() {
    let bed = Bed::remembering(0).await;
    bed.create("/", "A", "v").await;
    let query = bed.all("/", false);
    bed.core.list_secrets(&bed.admin, &query).await.unwrap();
    spoil(&bed).await;
    assert!(bed.core.list_secrets(&bed.admin, &query).await.is_err());
}

#[tokio::test]
async fn what_is_over_the_budget_is_not_remembered() {
    let bed = Bed::remembering(10_000).await;
    bed.create("/", "A", &"x".repeat(20_000)).await;
    let query = bed.all("/", false);
    bed.core.list_secrets(&bed.admin, &query).await.unwrap();
    bed.core.answers.settle();
    spoil(&bed).await;
    assert!(bed.core.list_secrets(&bed.admin, &query).await.is_err());
}

#[tokio::test]
async fn every_write_is_seen_by_the_next_read() {
    let bed = Bed::new().await;
    let mut seen = vec![bed.dump().await];
    bed.folder("/a").await;
    let mut look = async || {
        let now = bed.dump().await;
        assert_ne!(seen.last(), Some(&now));
        seen.push(now);
    };
    bed.create("/a", "A", "1").await;
    look().await;
    bed.update_as(&bed.admin, "/a", "A", "2").await.unwrap();
    look().await;
    let rename = serde_json::from_value(json!({ "projectId": bed.project, "environment": "dev",
        "name": "b" }));
    bed.core.update_folder(&bed.admin, "a", &rename.unwrap()).await.unwrap();
    look().await;
    bed.delete_as(&bed.admin, "/b", "A").await.unwrap();
    look().await;
}

#[tokio::test]
async fn what_is_remembered_for_one_is_not_shown_to_another_with_other_rules() {
    let bed = Bed::new().await;
    bed.create("/", "A", "1").await;
    bed.create("/", "B", "2").await;
    let only = async |name: &str| {
        bed.machine(json!([{"subject": "secrets", "action": "read",
            "conditions": {"secretName": name}}]))
            .await
    };
    let (a, b) = (only("A").await, only("B").await);
    let query = bed.all("/", false);
    for _ in 0..2 {
        assert_eq!(bed.list_as(&bed.admin, &query).await.unwrap().len(), 2);
        assert_eq!(bed.list_as(&a, &query).await.unwrap()[0].secret_key, "A");
        assert_eq!(bed.list_as(&b, &query).await.unwrap()[0].secret_key, "B");
    }
}

#[tokio::test]
async fn a_tag_stays_with_the_data_and_changes_with_it() {
    let bed = Bed::new().await;
    let other = Bed::remembering(0).await;
    for bed in [&bed, &other] {
        bed.create("/", "A", "v").await;
        let query = bed.all("/", false);
        let first = bed.core.list_secrets(&bed.admin, &query).await.unwrap();
        let again = bed.core.list_secrets(&bed.admin, &query).await.unwrap();
        assert_eq!((&first.body, &first.etag), (&again.body, &again.etag));
        bed.update_as(&bed.admin, "/", "A", "w").await.unwrap();
        let changed = bed.core.list_secrets(&bed.admin, &query).await.unwrap();
        assert_ne!(first.etag, changed.etag);
    }
}

#[tokio::test]
async fn a_read_from_memory_is_recorded_like_any_other() {
    let bed = Bed::new().await;
    bed.create("/", "A", "v").await;
    for _ in 0..3 {
        bed.list_as(&bed.admin, &bed.all("/", false)).await.unwrap();
        bed.value("/", "A").await;
    }
    bed.core.read_log.flush().await;
    let query = serde_json::from_value(json!({ "limit": "100" })).unwrap();
    let log = bed.core.list_audit_logs(&bed.admin, &query).await.unwrap();
    let log = serde_json::to_value(log).unwrap();
    let events = log["auditLogs"].as_array().unwrap();
    let of = |kind: &str| {
        let is = |event: &&serde_json::Value| event["event"]["type"] == kind;
        events.iter().filter(is).cloned().collect::<Vec<_>>()
    };
    assert_eq!((of("get-secrets").len(), of("get-secret").len()), (3, 3));
    assert_eq!(of("get-secrets")[0]["event"]["metadata"]["numberOfSecrets"], 1);
    let made = &of("create-secret")[0]["event"]["metadata"];
    assert_eq!(made["secretVersion"], 1, "{made}");
}
