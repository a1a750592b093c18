use kms_api::{
    history::{RollbackSecret, SecretsAtQuery},
    secrets::{ListVersionsQuery, Secret, SecretVersion, UpdateSecret},
    transfers::MoveSecrets,
};
use serde_json::json;

use super::refused;
use crate::{Caller, Result, testbed::Bed};

async fn back(bed: &Bed, caller: &Caller, secret: &Secret, version: i64) -> Result<Secret> {
    let id = secret.id.to_string();
    let body = RollbackSecret { version };
    Ok(bed.core.roll_secret_back(caller, &id, &body).await?.secret)
}

async fn history(bed: &Bed, caller: &Caller, secret: &Secret) -> Result<Vec<SecretVersion>> {
    let query = ListVersionsQuery::default();
    let answer = bed.core.list_secret_versions(caller, &secret.id.to_string(), &query).await?;
    Ok(answer.secret_versions)
}

async fn relocate(bed: &Bed, secret: &Secret, from: [&str; 2], to: [&str; 2]) {
    let body: MoveSecrets = serde_json::from_value(json!({
        "projectId": bed.project, "secretIds": [secret.id],
        "sourceEnvironment": from[0], "sourceSecretPath": from[1],
        "destinationEnvironment": to[0], "destinationSecretPath": to[1],
    }))
    .unwrap();
    bed.core.move_secrets(&bed.admin, &body).await.unwrap();
}

/// The rules of a developer, in one environment.
fn everything_in(environment: &str) -> serde_json::Value {
    let conditions = json!({ "environment": environment });
    json!([
        { "subject": "secrets", "action": ["read", "create", "edit", "delete"],
          "conditions": conditions },
        { "subject": "secret-rollback", "action": ["read", "create"] },
    ])
}

#[tokio::test]
async fn a_roll_back_is_a_new_version_with_what_was_sealed_then() {
    let bed = Bed::new().await;
    let mut body = bed.body("/", "one");
    body.fields = serde_json::from_value(json!({
        "secretValue": "one", "secretComment": "first", "skipMultilineEncoding": true,
        "secretMetadata": [{ "key": "k", "value": "v" }], "secretReminderNote": "then",
    }))
    .unwrap();
    let made = bed.core.create_secret(&bed.admin, "A", &body).await.unwrap().secret;
    let mut secret = bed.body("/", "two");
    secret.fields = serde_json::from_value(json!({
        "secretValue": "two", "secretComment": "", "skipMultilineEncoding": null,
        "secretMetadata": [], "secretReminderNote": "now",
    }))
    .unwrap();
    let change = UpdateSecret { secret, new_secret_name: Some("B".into()) };
    bed.core.update_secret(&bed.admin, "A", &change).await.unwrap();
    let rolled = back(&bed, &bed.admin, &made, 1).await.unwrap();
    assert_eq!((rolled.version, rolled.secret_value.expose()), (3, "one"));
    assert_eq!(
        (rolled.secret_comment.as_str(), rolled.skip_multiline_encoding),
        ("first", Some(true))
    );
    assert_eq!(rolled.secret_metadata.unwrap().len(), 1);
    assert_eq!(rolled.secret_key, "B", "a name is no content");
    assert_eq!(rolled.secret_reminder_note.as_deref(), Some("now"));
    assert_eq!(history(&bed, &bed.admin, &made).await.unwrap().len(), 3);
    let error = back(&bed, &bed.admin, &made, 9).await.err().unwrap();
    assert_eq!(error.to_string(), "The secret has no version 9");
}

#[tokio::test]
async fn t7_a_roll_back_needs_the_right_to_it_to_edit_and_to_read_what_comes_back() {
    let bed = Bed::new().await;
    let made = bed.create("/", "A", "one").await;
    bed.update_as(&bed.admin, "/", "A", "two").await.unwrap();
    for rules in [
        json!([{ "subject": "secrets", "action": ["read", "edit"] }]),
        json!([{ "subject": "secret-rollback", "action": ["create"] },
            { "subject": "secrets", "action": ["read"] }]),
        json!([{ "subject": "secret-rollback", "action": ["create"] },
            { "subject": "secrets", "action": ["describeSecret", "edit"] }]),
    ] {
        let caller = bed.machine(rules.clone()).await;
        assert_eq!(refused(back(&bed, &caller, &made, 1).await), 403, "{rules}");
    }
    assert_eq!(bed.dump().await, ["/:A=two@2"]);
}

#[tokio::test]
async fn t3_what_a_secret_was_elsewhere_is_for_those_who_may_read_there() {
    let bed = Bed::new().await;
    let mut body = bed.body("/", "prod-value");
    body.environment = Some("prod".into());
    let made = bed.core.create_secret(&bed.admin, "A", &body).await.unwrap().secret;
    relocate(&bed, &made, ["prod", "/"], ["dev", "/"]).await;
    let changed = bed.update_as(&bed.admin, "/", "A", "dev-value").await.unwrap();
    assert_eq!((changed.id, changed.version), (made.id, 3));
    assert_eq!(history(&bed, &bed.admin, &made).await.unwrap().len(), 3);
    let caller = bed.machine(everything_in("dev")).await;
    let seen: Vec<_> = history(&bed, &caller, &made).await.unwrap();
    assert_eq!(seen.iter().map(|each| each.version).collect::<Vec<_>>(), [3, 2]);
    let mut query = bed.one("/");
    query.version = Some("1".into());
    assert_eq!(refused(bed.get_as(&caller, "A", &query).await), 403);
    assert_eq!(refused(back(&bed, &caller, &made, 1).await), 403);
    back(&bed, &caller, &made, 2).await.unwrap();
}

async fn at(bed: &Bed, caller: &Caller, path: &str, time: i64) -> Result<Vec<String>> {
    let query: SecretsAtQuery = serde_json::from_value(json!({
        "projectId": bed.project, "environment": "dev", "secretPath": path, "recursive": "true",
        "at": kms_api::Timestamp(time),
    }))
    .unwrap();
    let found = bed.core.list_secrets_at(caller, &query).await?.secrets;
    let line = |secret: Secret| {
        let path = secret.secret_path.unwrap_or_default();
        format!("{path}:{}={}", secret.secret_key, secret.secret_value.expose())
    };
    Ok(found.into_iter().map(line).collect())
}

#[tokio::test]
async fn a_folder_is_read_as_it_was_at_any_time() {
    let bed = Bed::new().await;
    bed.folder("/sub").await;
    let start = bed.core.now().micros();
    let tick = || {
        bed.clock.advance(60);
        bed.core.now().micros()
    };
    let one = tick();
    let a = bed.create("/", "A", "a1").await;
    bed.create("/sub", "B", "b1").await;
    let two = tick();
    bed.update_as(&bed.admin, "/", "A", "a2").await.unwrap();
    bed.update_as(&bed.admin, "/", "A", "a3").await.unwrap();
    let three = tick();
    relocate(&bed, &a, ["dev", "/"], ["dev", "/sub"]).await;
    bed.delete_as(&bed.admin, "/sub", "B").await.unwrap();
    let read = async |path: &str, time| at(&bed, &bed.admin, path, time).await.unwrap();
    assert!(read("/", start).await.is_empty());
    assert_eq!(read("/", one).await, ["/:A=a1"], "what is deleted is gone from then too");
    assert_eq!(read("/", two).await, ["/:A=a3"]);
    assert_eq!(read("/", three).await, ["/sub:A=a3"]);
    assert!(read("/sub", two).await.is_empty(), "it was elsewhere then");
    assert_eq!(refused(at(&bed, &bed.admin, "/nope", two).await), 404);
}

#[tokio::test]
async fn t3_what_was_is_shown_to_those_who_may_read_it_then_and_now() {
    let bed = Bed::new().await;
    let a = bed.create("/", "A", "v").await;
    bed.create("/", "B", "v").await;
    let time = bed.core.now().micros();
    bed.clock.advance(60);
    relocate(&bed, &a, ["dev", "/"], ["prod", "/"]).await;
    let caller = bed.machine(everything_in("dev")).await;
    assert_eq!(at(&bed, &caller, "/", time).await.unwrap(), ["/:B=v"]);
    assert_eq!(at(&bed, &bed.admin, "/", time).await.unwrap(), ["/:A=v", "/:B=v"]);
    let masked = bed
        .machine(json!([
            { "subject": "secrets", "action": ["describeSecret"] },
            { "subject": "secret-rollback", "action": ["read"] },
        ]))
        .await;
    let seen = at(&bed, &masked, "/", time).await.unwrap();
    assert_eq!(seen, ["/:A=<hidden-by-infisical>", "/:B=<hidden-by-infisical>"]);
    let nobody = bed.machine(json!([{ "subject": "secrets", "action": ["read"] }])).await;
    assert_eq!(refused(at(&bed, &nobody, "/", time).await), 403);
}

#[tokio::test]
async fn a_change_of_nothing_is_a_version_too() {
    let bed = Bed::new().await;
    bed.create("/", "A", "v").await;
    let mut secret = bed.body("/", "");
    secret.fields = serde_json::from_value(json!({})).unwrap();
    let body = UpdateSecret { secret, new_secret_name: None };
    let changed = bed.core.update_secret(&bed.admin, "A", &body).await.unwrap().secret;
    assert_eq!((changed.version, changed.secret_value.expose()), (2, "v"));
}
