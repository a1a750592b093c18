use kms_api::{
    secrets::{DeleteSecret, SecretsResponse, UpdateSecret},
    wire::WireBool,
};
use serde_json::json;

use super::refused;
use crate::{Caller, Result, testbed::Bed};

async fn create_own(bed: &Bed, caller: &Caller, name: &str, value: &str) -> Result<()> {
    let mut body = bed.body("/", value);
    body.r#type = Some("personal".into());
    let made = bed.core.create_secret(caller, name, &body).await?.secret;
    assert_eq!((&*made.r#type, made.secret_value.expose()), ("personal", value));
    Ok(())
}

async fn update_own(bed: &Bed, caller: &Caller, name: &str, value: &str) -> Result<i64> {
    let mut secret = bed.body("/", value);
    secret.r#type = Some("personal".into());
    let body = UpdateSecret { secret, new_secret_name: None };
    Ok(bed.core.update_secret(caller, name, &body).await?.secret.version)
}

async fn delete_own(bed: &Bed, caller: &Caller, name: &str) -> Result<()> {
    let body = DeleteSecret {
        project: bed.reference(),
        environment: Some("dev".into()),
        r#type: Some("personal".into()),
        ..DeleteSecret::default()
    };
    bed.core.delete_secret(caller, name, &body).await.map(|_| ())
}

async fn read_own(bed: &Bed, caller: &Caller, name: &str) -> Result<String> {
    let mut query = bed.one("/");
    query.r#type = Some("personal".into());
    Ok(bed.get_as(caller, name, &query).await?.secret_value.expose().to_owned())
}

/// Every row, as `name=value(type)`: of v3, of v4, and of v4 with overrides.
async fn lists(bed: &Bed, caller: &Caller) -> [String; 3] {
    let (plain, mut with) = (bed.all("/", false), bed.all("/", false));
    with.include_personal_overrides = Some(WireBool(true));
    let mut expanded = bed.all("/", false);
    expanded.expand_secret_references = Some(WireBool(true));
    let core = &bed.core;
    [
        core.list_secrets_v3(caller, &expanded).await,
        core.list_secrets(caller, &plain).await,
        core.list_secrets(caller, &with).await,
    ]
    .map(|answer| {
        let answer: SecretsResponse = serde_json::from_slice(&answer.unwrap().body).unwrap();
        let line = |secret: &kms_api::secrets::Secret| {
            let value = secret.secret_value.expose();
            format!("{}={value}({})", secret.secret_key, &secret.r#type[..1])
        };
        answer.secrets.iter().map(line).collect::<Vec<_>>().join(" ")
    })
}

/// Two people who may read and create.
async fn people(bed: &Bed) -> (Caller, Caller) {
    let rules = json!([{"subject": "secrets", "action": ["read", "create"]}]);
    (bed.person(rules.clone()).await, bed.person(rules).await)
}

#[tokio::test]
async fn an_override_is_seen_by_its_user_alone() {
    let bed = Bed::new().await;
    bed.create("/", "A", "shared").await;
    bed.create("/", "REF", "<${A}>").await;
    let (one, other) = people(&bed).await;
    create_own(&bed, &one, "A", "mine").await.unwrap();
    for _ in 0..2 {
        assert_eq!(
            lists(&bed, &one).await,
            [
                "A=shared(s) A=mine(p) REF=<mine>(s)",
                "A=shared(s) REF=<shared>(s)",
                "A=mine(p) REF=<mine>(s)"
            ]
        );
        let others = "A=shared(s) REF=<shared>(s)";
        assert_eq!(lists(&bed, &other).await, [others, others, others]);
        assert_eq!(read_own(&bed, &one, "A").await.unwrap(), "mine");
        assert_eq!(refused(read_own(&bed, &other, "A").await), 404);
        let read = bed.get_as(&one, "A", &bed.one("/")).await.unwrap();
        assert_eq!(read.secret_value.expose(), "shared");
        let read = bed.get_as(&one, "REF", &bed.one("/")).await.unwrap();
        assert_eq!(read.secret_value.expose(), "<mine>");
        let read = bed.get_as(&other, "REF", &bed.one("/")).await.unwrap();
        assert_eq!(read.secret_value.expose(), "<shared>");
    }
    assert_eq!(update_own(&bed, &one, "A", "newer").await.unwrap(), 2);
    assert_eq!(lists(&bed, &one).await[2], "A=newer(p) REF=<newer>(s)");
    delete_own(&bed, &one, "A").await.unwrap();
    assert_eq!(lists(&bed, &one).await[2], "A=shared(s) REF=<shared>(s)");
}

#[tokio::test]
async fn only_a_user_overrides_and_only_what_is_there() {
    let bed = Bed::new().await;
    bed.create("/", "A", "shared").await;
    let (one, _) = people(&bed).await;
    let error = create_own(&bed, &one, "NONE", "x").await.err().unwrap();
    assert_eq!(
        error.to_string(),
        "Failed to create personal secret override for no corresponding shared secret"
    );
    let machine = bed.machine(json!([{"subject": "secrets", "action": ["read", "create"]}])).await;
    for error in [
        create_own(&bed, &machine, "A", "x").await.err(),
        update_own(&bed, &machine, "A", "x").await.err(),
        delete_own(&bed, &machine, "A").await.err(),
    ] {
        assert_eq!(error.unwrap().to_string(), "Must be user to create personal secret");
    }
    assert_eq!(refused(read_own(&bed, &machine, "A").await), 404);
    create_own(&bed, &one, "A", "x").await.unwrap();
    let again = create_own(&bed, &one, "A", "y").await.err().unwrap();
    assert_eq!(again.to_string(), "Secret already exists");
    assert_eq!(refused(delete_own(&bed, &bed.admin, "A").await), 404);
    let mut secret = bed.body("/", "x");
    secret.r#type = Some("personal".into());
    let body = UpdateSecret { secret, new_secret_name: Some("B".into()) };
    assert_eq!(refused(bed.core.update_secret(&one, "A", &body).await), 400);
}

#[tokio::test]
async fn an_override_takes_no_right_to_edit_and_outlives_the_right_to_read() {
    let bed = Bed::new().await;
    bed.create("/", "A", "shared").await;
    let (one, _) = people(&bed).await;
    create_own(&bed, &one, "A", "mine").await.unwrap();
    assert_eq!(refused(bed.update_as(&one, "/", "A", "x").await), 403);
    let blind = json!([{"subject": "secrets", "action": "describeSecret"}]);
    let access = bed.machine(blind).await;
    let access = bed.core.project_access(&access, bed.project).await.unwrap();
    let place = (one.actor.id(), bed.project, one.organization, uuid::Uuid::nil());
    bed.core.access_memory.insert(place, (bed.core.epochs.rights(), i64::MAX, access));
    assert_eq!(read_own(&bed, &one, "A").await.unwrap(), "mine");
    assert_eq!(update_own(&bed, &one, "A", "still").await.unwrap(), 2);
    let mut query = bed.all("/", false);
    query.include_personal_overrides = Some(WireBool(true));
    let listed = bed.list_as(&one, &query).await.unwrap();
    assert_eq!(listed[0].secret_value.expose(), "still", "it stands where the shared one may not");
    query.include_personal_overrides = None;
    assert_eq!(refused(bed.list_as(&one, &query).await), 403);
}

#[tokio::test]
async fn overrides_follow_the_shared_secret_to_its_name_and_to_its_end() {
    let bed = Bed::new().await;
    bed.create("/", "A", "shared").await;
    bed.create("/", "KEPT", "shared").await;
    let (one, other) = people(&bed).await;
    create_own(&bed, &one, "A", "one").await.unwrap();
    create_own(&bed, &other, "A", "other").await.unwrap();
    create_own(&bed, &one, "KEPT", "kept").await.unwrap();
    delete_own(&bed, &other, "A").await.unwrap();
    assert_eq!(read_own(&bed, &one, "A").await.unwrap(), "one", "only one's own is deleted");
    create_own(&bed, &other, "A", "other").await.unwrap();
    let body = UpdateSecret { secret: bed.body("/", "shared"), new_secret_name: Some("B".into()) };
    bed.core.update_secret(&bed.admin, "A", &body).await.unwrap();
    assert_eq!(read_own(&bed, &one, "B").await.unwrap(), "one");
    assert_eq!(read_own(&bed, &other, "B").await.unwrap(), "other");
    bed.delete_as(&bed.admin, "/", "B").await.unwrap();
    bed.create("/", "B", "again").await;
    for person in [&one, &other] {
        assert_eq!(refused(read_own(&bed, person, "B").await), 404);
    }
    assert_eq!(read_own(&bed, &one, "KEPT").await.unwrap(), "kept");
}

/// An override that somebody hands to another user behind the server's back does not open.
#[tokio::test]
async fn k1_an_override_opens_for_its_user_alone() {
    let bed = Bed::new().await;
    bed.create("/", "A", "shared").await;
    let (one, other) = people(&bed).await;
    create_own(&bed, &one, "A", "mine").await.unwrap();
    let nobody = kms_store::secrets::SHARED;
    bed.run("UPDATE secrets SET owner_id = $1 WHERE owner_id <> $2", (other.actor.id(), nobody))
        .await;
    bed.core.epochs.raise_project(bed.project);
    assert_eq!(refused(read_own(&bed, &other, "A").await), 500);
}

#[tokio::test]
async fn t10_an_override_does_not_reach_what_its_user_may_not_read() {
    let bed = Bed::new().await;
    bed.put("prod", "/", "KEY", "secret").await;
    bed.create("/", "A", "shared").await;
    let person = bed
        .person(json!([{"subject": "secrets", "action": ["read", "create"],
            "conditions": {"environment": "dev"}}]))
        .await;
    assert_eq!(refused(create_own(&bed, &person, "A", "${prod.KEY}").await), 403);
    create_own(&bed, &person, "A", "${B}").await.unwrap();
    bed.create("/", "B", "${prod.KEY}").await;
    let mut query = bed.one("/");
    query.r#type = Some("personal".into());
    assert_eq!(refused(bed.get_as(&person, "A", &query).await), 403);
}

#[tokio::test]
async fn overrides_follow_the_shared_secret_to_another_folder() {
    let bed = Bed::new().await;
    bed.folder("/goal").await;
    for (path, name) in [("/", "A"), ("/", "B"), ("/goal", "B")] {
        bed.create(path, name, "shared").await;
    }
    let (one, other) = people(&bed).await;
    create_own(&bed, &one, "A", "one").await.unwrap();
    create_own(&bed, &one, "B", "one of B").await.unwrap();
    create_own(&bed, &other, "B", "other of B").await.unwrap();
    let mut own = bed.body("/goal", "there already");
    own.r#type = Some("personal".into());
    bed.core.create_secret(&other, "B", &own).await.unwrap();
    let mut ids = Vec::new();
    for name in ["A", "B"] {
        ids.push(bed.get_as(&bed.admin, name, &bed.one("/")).await.unwrap().id);
    }
    let body = json!({ "projectId": bed.project, "sourceEnvironment": "dev",
        "sourceSecretPath": "/", "destinationEnvironment": "dev",
        "destinationSecretPath": "/goal", "shouldOverwrite": true, "secretIds": ids });
    bed.core.move_secrets(&bed.admin, &serde_json::from_value(body).unwrap()).await.unwrap();
    let read = async |caller: &Caller, name: &str| {
        let mut query = bed.one("/goal");
        query.r#type = Some("personal".into());
        bed.get_as(caller, name, &query).await.unwrap().secret_value.expose().to_owned()
    };
    assert_eq!(read(&one, "A").await, "one");
    assert_eq!(read(&one, "B").await, "one of B");
    assert_eq!(read(&other, "B").await, "there already");
    for name in ["A", "B"] {
        bed.create("/", name, "again").await;
        assert_eq!(refused(read_own(&bed, &one, name).await), 404, "nothing stayed behind");
    }
}

/// Whose override it is must not depend on which of two names is given first.
#[tokio::test]
async fn a_batch_gives_nobody_a_name_that_it_takes_from_another() {
    let bed = Bed::new().await;
    for name in ["A", "B", "C"] {
        bed.create("/", name, "shared").await;
    }
    let batch = |pairs: &[(&str, &str)]| -> kms_api::secrets::BatchBody {
        let secrets: Vec<_> = pairs
            .iter()
            .map(|(old, new)| json!({ "secretKey": old, "newSecretName": new }))
            .collect();
        serde_json::from_value(json!({ "projectId": bed.project, "environment": "dev",
            "secrets": secrets }))
        .unwrap()
    };
    for pairs in [[("A", "B"), ("B", "D")], [("B", "D"), ("A", "B")], [("A", "B"), ("B", "A")]] {
        assert_eq!(refused(bed.core.update_secrets(&bed.admin, &batch(&pairs)).await), 400);
    }
    bed.core.update_secrets(&bed.admin, &batch(&[("A", "E"), ("C", "F")])).await.unwrap();
}

/// The name is taken, whoever has overrides of both.
#[tokio::test]
async fn a_rename_to_a_name_that_is_taken_is_refused_also_where_both_are_overridden() {
    let bed = Bed::new().await;
    bed.create("/", "A", "a").await;
    bed.create("/", "B", "b").await;
    let (one, _) = people(&bed).await;
    create_own(&bed, &one, "A", "mine").await.unwrap();
    create_own(&bed, &one, "B", "mine too").await.unwrap();
    let taken = "Secret with the new name already exists";
    let body = UpdateSecret { secret: bed.body("/", "x"), new_secret_name: Some("B".into()) };
    let error = bed.core.update_secret(&bed.admin, "A", &body).await.err().unwrap();
    assert_eq!(error.to_string(), taken);
    let batch = serde_json::from_value(json!({ "projectId": bed.project, "environment": "dev",
        "secrets": [{ "secretKey": "A", "newSecretName": "B" }] }))
    .unwrap();
    let error = bed.core.update_secrets(&bed.admin, &batch).await.err().unwrap();
    assert_eq!(error.to_string(), taken);
    assert_eq!(read_own(&bed, &one, "A").await.unwrap(), "mine");
    // Who may not rename it is not told whose names are taken.
    let editor = json!([{"subject": "secrets", "action": ["edit"]}]);
    let editor = bed.machine(editor).await;
    let mut blind = body.clone();
    blind.secret.fields = serde_json::from_value(json!({})).unwrap();
    assert_eq!(refused(bed.core.update_secret(&editor, "A", &blind).await), 403);
}
