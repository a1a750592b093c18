use kms_api::secrets::{SecretFields, SecretMetadata, UpdateSecret};
use serde_json::json;

use super::refused;
use crate::{Error, secrets::Kind, testbed::Bed};

fn change(bed: &Bed, fields: SecretFields, new_name: Option<&str>) -> UpdateSecret {
    let mut secret = bed.body("/", "");
    secret.fields = fields;
    UpdateSecret { secret, new_secret_name: new_name.map(str::to_owned) }
}

#[tokio::test]
async fn every_change_is_a_version_that_can_be_read_again() {
    let bed = Bed::new().await;
    let first = bed.create("/", "A", "one").await;
    assert_eq!((first.version, first.secret_value.expose()), (1, "one"));
    bed.clock.advance(60);
    let second = bed.update_as(&bed.admin, "/", "A", "two").await.unwrap();
    let comment = SecretFields { secret_comment: Some(" why ".into()), ..SecretFields::default() };
    let third = bed.core.update_secret(&bed.admin, "A", &change(&bed, comment, None)).await;
    let third = third.unwrap().secret;
    assert_eq!((second.version, third.version, third.id), (2, 3, first.id));
    assert_eq!(third.secret_value.expose(), "two", "what is left out stays");
    assert_eq!(third.secret_comment, "why");
    assert!(third.updated_at > first.updated_at);
    assert_eq!(third.created_at, first.created_at);
    for (version, value) in [("1", "one"), ("2", "two"), ("3", "two")] {
        let mut query = bed.one("/");
        query.version = Some(version.into());
        let read = bed.get_as(&bed.admin, "A", &query).await.unwrap();
        assert_eq!(
            (read.version.to_string().as_str(), read.secret_value.expose()),
            (version, value)
        );
    }
    let mut query = bed.one("/");
    query.version = Some("4".into());
    assert_eq!(refused(bed.get_as(&bed.admin, "A", &query).await), 404);
    query.version = Some("x".into());
    assert_eq!(refused(bed.get_as(&bed.admin, "A", &query).await), 422);
}

#[tokio::test]
async fn parallel_changes_of_one_secret_are_versions_of_their_own() {
    let bed = std::sync::Arc::new(Bed::new().await);
    let secret = bed.create("/", "A", "0").await;
    let writers = (0..20).map(|writer| {
        let bed = std::sync::Arc::clone(&bed);
        tokio::spawn(async move {
            bed.update_as(&bed.admin, "/", "A", &format!("{writer}")).await.unwrap().version
        })
    });
    let mut versions = Vec::new();
    for writer in writers.collect::<Vec<_>>() {
        versions.push(writer.await.unwrap());
    }
    versions.sort_unstable();
    assert_eq!(versions, (2..=21).collect::<Vec<_>>());
    let query = serde_json::from_value(json!({ "limit": "100" })).unwrap();
    let history = bed.core.list_secret_versions(&bed.admin, &secret.id.to_string(), &query).await;
    let history = history.unwrap().secret_versions;
    assert_eq!(history.len(), 21);
    assert_eq!(history[20].secret_value.expose(), "0");
    assert!(history.windows(2).all(|pair| pair[0].version == pair[1].version + 1));
}

#[tokio::test]
async fn values_come_back_as_they_were_sent_but_for_white_space_around_them() {
    let bed = Bed::new().await;
    let long = "x".repeat(super::super::MAX_VALUE);
    for (index, (sent, kept)) in [
        ("hello", "hello"),
        ("", ""),
        ("  padded\t", "padded"),
        ("  line1\nline2\n\n", "line1\nline2\n"),
        ("žluťoučký 🐎 \"q\" \\ \u{0} ${REF}", "žluťoučký 🐎 \"q\" \\ \u{0} ${REF}"),
        (long.as_str(), long.as_str()),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("NAME_{index}");
        let answer = bed.create("/", &name, sent).await;
        assert_eq!(answer.secret_value.expose(), kept);
        assert_eq!(bed.value("/", &name).await, kept);
    }
}

#[tokio::test]
async fn fields_are_set_kept_and_cleared_one_by_one() {
    let bed = Bed::new().await;
    let entry =
        |key: &str| SecretMetadata { key: key.into(), value: "v".into(), is_encrypted: true };
    let mut body = bed.body("/", "value");
    body.fields = serde_json::from_value(json!({
        "secretValue": "value", "secretComment": "c", "skipMultilineEncoding": true,
        "secretReminderRepeatDays": 30, "secretReminderNote": "rotate", "tagIds": [],
        "secretMetadata": [{"key": "k", "value": "v", "isEncrypted": true}, {"key": "l"}],
    }))
    .unwrap();
    let made = bed.core.create_secret(&bed.admin, "A", &body).await.unwrap().secret;
    assert_eq!(made.skip_multiline_encoding, Some(true));
    assert_eq!(made.secret_reminder_repeat_days, Some(30));
    assert_eq!(made.secret_metadata.as_ref().unwrap().len(), 2);

    let fields = serde_json::from_value(json!({ "secretMetadata": [
        {"key": "m", "value": "v", "isEncrypted": true}], "secretReminderRepeatDays": 0 }));
    let body = change(&bed, fields.unwrap(), None);
    let changed = bed.core.update_secret(&bed.admin, "A", &body).await.unwrap().secret;
    assert_eq!(changed.secret_metadata, Some(vec![entry("m")]), "metadata is replaced");
    assert_eq!(changed.secret_reminder_repeat_days, None);
    assert_eq!(changed.secret_reminder_note.as_deref(), Some("rotate"));
    assert_eq!(
        (changed.secret_comment.as_str(), changed.skip_multiline_encoding),
        ("c", Some(true))
    );

    let fields = serde_json::from_value(json!({ "skipMultilineEncoding": null })).unwrap();
    let body = change(&bed, fields, None);
    let cleared = bed.core.update_secret(&bed.admin, "A", &body).await.unwrap().secret;
    assert_eq!(cleared.skip_multiline_encoding, None);
    let read = bed.get_as(&bed.admin, "A", &bed.one("/")).await.unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), serde_json::to_value(&cleared).unwrap());
}

#[tokio::test]
async fn a_name_is_created_once_and_found_only_as_it_is_spelled() {
    let bed = Bed::new().await;
    for name in ["PLAIN", "lower_case", "dot.ted-name", "has space", "ünï🐎", "id", "batch"] {
        bed.create("/", name, name).await;
        assert_eq!(bed.value("/", name).await, name);
    }
    assert_eq!(bed.create("/", " TRIMMED ", "v").await.secret_key, "TRIMMED");
    let again = bed.create_as(&bed.admin, "/", "PLAIN", "x").await;
    assert_eq!(again.err().unwrap().to_string(), "Secret already exists");
    assert_eq!(refused(bed.get_as(&bed.admin, "plain", &bed.one("/")).await), 404);
    for name in ["", " ", "a:b", "a/b", "a\nb", "a\u{0}", &"x".repeat(513)] {
        assert_eq!(refused(bed.create_as(&bed.admin, "/", name, "x").await), 422, "{name:?}");
    }
}

#[tokio::test]
async fn a_rename_keeps_the_secret_and_never_takes_a_name() {
    let bed = Bed::new().await;
    let made = bed.create("/", "OLD", "v").await;
    bed.create("/", "TAKEN", "t").await;
    let rename = |to| change(&bed, SecretFields::default(), Some(to));
    let refused_to =
        async |to| refused(bed.core.update_secret(&bed.admin, "OLD", &rename(to)).await);
    assert_eq!(refused_to("").await, 400);
    assert_eq!(refused_to("TAKEN").await, 400);
    assert_eq!(refused_to("a/b").await, 422);
    let renamed = bed.core.update_secret(&bed.admin, "OLD", &rename("NEW")).await.unwrap().secret;
    assert_eq!((renamed.id, renamed.version, renamed.secret_key.as_str()), (made.id, 2, "NEW"));
    assert_eq!(bed.value("/", "NEW").await, "v");
    assert_eq!(refused(bed.get_as(&bed.admin, "OLD", &bed.one("/")).await), 404);
    assert_eq!(bed.value("/", "TAKEN").await, "t");
}

#[tokio::test]
async fn a_deleted_secret_is_gone_with_its_history() {
    let bed = Bed::new().await;
    let made = bed.create("/", "A", "v").await;
    let deleted = bed.delete_as(&bed.admin, "/", "A").await.unwrap();
    assert_eq!((deleted.id, deleted.secret_value.expose()), (made.id, "v"));
    assert_eq!(refused(bed.get_as(&bed.admin, "A", &bed.one("/")).await), 404);
    assert_eq!(refused(bed.delete_as(&bed.admin, "/", "A").await), 404);
    assert_eq!(refused(bed.update_as(&bed.admin, "/", "A", "x").await), 404);
    let again = bed.create("/", "A", "w").await;
    assert_eq!(again.version, 1);
    assert_ne!(again.id, made.id);
}

#[tokio::test]
async fn a_folder_or_environment_that_is_not_there_is_not_found_by_any_write() {
    let bed = Bed::new().await;
    assert_eq!(refused(bed.create_as(&bed.admin, "/nope", "A", "x").await), 404);
    assert_eq!(refused(bed.update_as(&bed.admin, "/nope", "A", "x").await), 404);
    assert_eq!(refused(bed.delete_as(&bed.admin, "/nope", "A").await), 404);
    let mut body = bed.body("/", "x");
    body.environment = Some("nope".into());
    let error = bed.core.create_secret(&bed.admin, "A", &body).await.err().unwrap();
    assert_eq!(error.to_string(), "Folder with path '/' in environment with slug 'nope' not found");
}

#[tokio::test]
async fn a_project_may_ask_for_capitals() {
    let bed = Bed::new().await;
    bed.run("UPDATE projects SET auto_capitalization = TRUE WHERE id = $1", (bed.project,)).await;
    bed.core.epochs.raise_rights();
    assert_eq!(refused(bed.create_as(&bed.admin, "/", "lower", "x").await), 400);
    bed.create("/", "UPPER_1", "x").await;
    let rename = change(&bed, SecretFields::default(), Some("Lower"));
    assert_eq!(refused(bed.core.update_secret(&bed.admin, "UPPER_1", &rename).await), 400);
}

#[tokio::test]
async fn a_machine_has_no_personal_secrets() {
    let bed = Bed::new().await;
    let everything = json!([{"subject": "secrets",
        "action": ["read", "create", "edit", "delete"]}]);
    let machine = bed.machine(everything).await;
    let mut body = bed.body("/", "x");
    body.r#type = Some("personal".into());
    let error = bed.core.create_secret(&machine, "A", &body).await.err().unwrap();
    assert!(matches!(&error, Error::BadRequest { message, .. }
        if message == "Must be user to create personal secret"));
    let mut query = bed.one("/");
    query.r#type = Some("personal".into());
    bed.create("/", "A", "x").await;
    assert_eq!(refused(bed.get_as(&machine, "A", &query).await), 404);
    assert!(Kind::parse(Some("team")).is_err());
}

#[tokio::test]
async fn an_answer_names_who_wrote_the_version() {
    let bed = Bed::new().await;
    bed.create("/", "A", "x").await;
    let machine = bed.machine(json!([{"subject": "secrets", "action": ["read", "edit"]}])).await;
    let read = |secret: kms_api::secrets::Secret| {
        let actor = secret.actor.unwrap();
        (actor.actor_type.unwrap(), actor.name.unwrap(), actor.actor_id)
    };
    let by = read(bed.get_as(&machine, "A", &bed.one("/")).await.unwrap());
    assert_eq!(by, ("user".into(), "person".into(), Some(bed.admin.actor.id())));
    bed.update_as(&machine, "/", "A", "y").await.unwrap();
    let by = read(bed.get_as(&bed.admin, "A", &bed.one("/")).await.unwrap());
    assert_eq!(by, ("identity".into(), "robot".into(), Some(machine.actor.id())));
    let mut query = bed.one("/");
    query.version = Some("1".into());
    let by = read(bed.get_as(&bed.admin, "A", &query).await.unwrap());
    assert_eq!(by.0, "user", "a former version names its own writer");
}
