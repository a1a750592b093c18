use std::path::Path;

use kms_api::{
    ProjectId, SecretId,
    secrets::{ListVersionsQuery, ProjectRef, SecretMetadata},
};
use kms_crypto::{Entropy as _, SeededEntropy};
use kms_store::{folders::Place, secret_versions, secrets};
use serde_json::{Value, json};

use super::refused;
use crate::{
    Error,
    secrets::{MAX_COMMENT, MAX_VALUE, Spot, open},
    testbed::Bed,
};

/// A sealed value and where it is stored: as the current value or as a version.
struct Stored {
    secret: SecretId,
    version: i64,
    current: bool,
    sealed: Vec<u8>,
}

const SET_CURRENT: &str = "UPDATE secrets SET sealed = $2 WHERE id = $1";
const SET_FORMER: &str =
    "UPDATE secret_versions SET sealed = $3 WHERE secret_id = $1 AND version = $2";

async fn put(bed: &Bed, at: &Stored, sealed: &[u8]) {
    if at.current {
        bed.run(SET_CURRENT, (at.secret, sealed)).await;
    } else {
        bed.run(SET_FORMER, (at.secret, at.version, sealed)).await;
    }
}

/// Reads a value through the instance, whichever project it is in.
async fn opens(bed: &Bed, at: &Stored) -> bool {
    let id = at.secret.to_string();
    if at.current {
        return bed.core.get_secret_by_id(&bed.admin, &id).await.is_ok();
    }
    let query = ListVersionsQuery::default();
    bed.core.list_secret_versions(&bed.admin, &id, &query).await.is_ok()
}

/// Everything that is stored sealed of one secret.
async fn stored(bed: &Bed, place: &Place<'_>, name: &str) -> Vec<Stored> {
    let store = &bed.core.store;
    let row = secrets::find(store, place, name).await.unwrap().unwrap().split().1.unwrap();
    let versions = secret_versions::list(store, place.org, row.id, 100, 0).await.unwrap();
    let former = versions.into_iter().map(|version| Stored {
        secret: row.id,
        version: version.version,
        current: false,
        sealed: version.sealed,
    });
    let current =
        Stored { secret: row.id, version: row.version, current: true, sealed: row.sealed };
    former.chain([current]).collect()
}

fn at<'a>(bed: &Bed, project: ProjectId, environment: &'a str, path: &'a str) -> Place<'a> {
    Place { org: bed.admin.organization, project, environment, path }
}

#[tokio::test]
async fn k1_no_sealed_value_opens_in_the_place_of_another() {
    let bed = Bed::remembering(0).await;
    bed.folder("/sub").await;
    let other: kms_api::projects::CreateProject =
        serde_json::from_value(json!({ "projectName": "other" })).unwrap();
    let other = bed.core.create_project(&bed.admin, &other).await.unwrap().project.id;
    let secrets = [
        (bed.project, "dev", "/", "A"),
        (bed.project, "dev", "/", "B"),
        (bed.project, "dev", "/sub", "A"),
        (bed.project, "prod", "/", "A"),
        (other, "dev", "/", "A"),
    ];
    for (project, environment, path, name) in secrets {
        let mut body = bed.body(path, "same value");
        body.project = ProjectRef::id(project);
        body.environment = Some(environment.into());
        bed.core.create_secret(&bed.admin, name, &body).await.unwrap();
    }
    bed.update_as(&bed.admin, "/", "A", "same value").await.unwrap();
    let mut all = Vec::new();
    for (project, environment, path, name) in secrets {
        all.extend(stored(&bed, &at(&bed, project, environment, path), name).await);
    }
    assert_eq!(all.len(), 11);
    let mut swaps = 0;
    for place in &all {
        assert!(opens(&bed, place).await);
        for taken in all.iter().filter(|taken| taken.sealed != place.sealed) {
            put(&bed, place, &taken.sealed).await;
            assert!(!opens(&bed, place).await);
            swaps += 1;
        }
        put(&bed, place, &place.sealed).await;
        assert!(opens(&bed, place).await);
    }
    assert!(swaps > 90, "{swaps}");
}

#[tokio::test]
async fn k1_a_row_that_is_moved_or_rolled_back_does_not_open() {
    let bed = Bed::remembering(0).await;
    bed.folder("/sub").await;
    let moved = bed.create("/", "A", "v").await;
    bed.run(
        "UPDATE secrets SET folder_id = (SELECT id FROM folders WHERE path = '/sub' AND
            project_id = $2) WHERE id = $1",
        (moved.id, bed.project),
    )
    .await;
    assert_eq!(refused(bed.get_as(&bed.admin, "A", &bed.one("/sub")).await), 500);

    let rolled = bed.create("/", "B", "old").await;
    bed.update_as(&bed.admin, "/", "B", "new").await.unwrap();
    for back in [
        "UPDATE secrets SET sealed = (SELECT sealed FROM secret_versions WHERE secret_id = $1 AND
            version = 1) WHERE id = $1",
        "UPDATE secrets SET version = 1 WHERE id = $1",
        "UPDATE secrets SET mac = (SELECT mac FROM secret_versions WHERE secret_id = $1 AND
            version = 1) WHERE id = $1",
        "UPDATE secrets SET mac = '' WHERE id = $1",
    ] {
        bed.run(back, (rolled.id,)).await;
        assert_eq!(refused(bed.get_as(&bed.admin, "B", &bed.one("/")).await), 500, "{back}");
        assert_eq!(refused(bed.update_as(&bed.admin, "/", "B", "next").await), 500, "{back}");
    }
}

/// A genuine row of former times cannot be told from the current one by itself, as the page on
/// security says. Nothing is built on it.
#[tokio::test]
async fn k1_a_row_from_an_old_copy_is_not_written_on() {
    let bed = Bed::remembering(0).await;
    bed.create("/", "A", "old").await;
    bed.run("CREATE TABLE kept AS SELECT * FROM secrets", ()).await;
    bed.update_as(&bed.admin, "/", "A", "new").await.unwrap();
    bed.run(
        "UPDATE secrets SET (version, sealed, updated_at, mac) =
            (SELECT version, sealed, updated_at, mac FROM kept)",
        (),
    )
    .await;
    assert_eq!(refused(bed.update_as(&bed.admin, "/", "A", "newer").await), 500);
    assert_eq!(bed.value("/", "A").await, "old");
}

#[tokio::test]
async fn k1_secrets_do_not_exchange_their_names() {
    let bed = Bed::remembering(0).await;
    let (a, b) = (bed.create("/", "A", "a").await, bed.create("/", "B", "b").await);
    let name = async |id: SecretId, name: &str| {
        bed.run("UPDATE secrets SET name = $2 WHERE id = $1", (id, name)).await;
    };
    name(a.id, "C").await;
    name(b.id, "A").await;
    name(a.id, "B").await;
    for (name, id) in [("B", a.id), ("A", b.id)] {
        assert_eq!(refused(bed.get_as(&bed.admin, name, &bed.one("/")).await), 500);
        let by_id = bed.core.get_secret_by_id(&bed.admin, &id.to_string()).await;
        assert_eq!(refused(by_id), 500);
    }
    assert_eq!(refused(bed.list_as(&bed.admin, &bed.all("/", true)).await), 500);
    name(a.id, "C").await;
    name(b.id, "B").await;
    name(a.id, "A").await;
    assert_eq!(bed.dump().await, ["/:A=a@1", "/:B=b@1"]);
    // Nor does the history, by which former values are shown.
    bed.run("UPDATE secret_versions SET name = 'PUBLIC' WHERE secret_id = $1", (a.id,)).await;
    let query = ListVersionsQuery::default();
    let history = bed.core.list_secret_versions(&bed.admin, &a.id.to_string(), &query).await;
    assert_eq!(refused(history), 500);
}

/// Nothing in the rows is for the database to say, also not that there is nothing to prove.
#[tokio::test]
async fn k1_a_row_in_which_anything_was_edited_does_not_open() {
    let bed = Bed::remembering(0).await;
    let id = bed.create("/", "A", "v").await.id.to_string();
    let read = async |table| {
        if table == "secrets" {
            return refused(bed.core.get_secret_by_id(&bed.admin, &id).await);
        }
        let query = ListVersionsQuery::default();
        refused(bed.core.list_secret_versions(&bed.admin, &id, &query).await)
    };
    let both = [
        ("version", "2"),
        ("skip_multiline_encoding", "TRUE"),
        ("actor_kind", "'robot'"),
        ("actor_id", "NULL"),
        ("actor_name", "'somebody'"),
        ("created_at", "1"),
        ("mac", "''"),
    ];
    let current = [("reminder_note", "''"), ("reminder_days", "7"), ("updated_at", "1")];
    for (table, columns) in
        [("secrets", [&both[..], &current].concat()), ("secret_versions", both.to_vec())]
    {
        let id = if table == "secrets" { "id" } else { "secret_id" };
        bed.run(format!("CREATE TABLE kept AS SELECT * FROM {table}").leak(), ()).await;
        for (column, value) in columns {
            bed.run(format!("UPDATE {table} SET {column} = {value}").leak(), ()).await;
            assert_eq!(read(table).await, 500, "{table}.{column}");
            let kept = format!("(SELECT k.{column} FROM kept k WHERE k.{id} = {table}.{id})");
            bed.run(format!("UPDATE {table} SET {column} = {kept}").leak(), ()).await;
            assert_eq!(read(table).await, 200, "{table}.{column}");
        }
        bed.run("DROP TABLE kept", ()).await;
    }
}

/// What a version without MACs wrote opens, and is authenticated from its next change on.
#[tokio::test]
async fn k1_a_row_of_before_rows_were_authenticated_opens_as_that() {
    let bed = Bed::remembering(0).await;
    let secret = bed.create("/", "A", "v").await;
    let place = at(&bed, bed.project, "dev", "/");
    let row = async || {
        let found = secrets::find(&bed.core.store, &place, "A").await.unwrap().unwrap();
        found.split().1.unwrap()
    };
    let access = bed.core.project_access(&bed.admin, bed.project).await.unwrap();
    let now = row().await;
    let plain = open(&access, Spot::of(&now), &now.sealed).unwrap().encode();
    let spot = Spot { authenticated: false, ..Spot::of(&now) };
    let before =
        kms_crypto::seal(&access.key, &spot.coordinates(&access), &plain, bed.core.entropy());
    let before = before.unwrap();
    for sql in [
        "UPDATE secrets SET mac = '', sealed = $2 WHERE id = $1",
        "UPDATE secret_versions SET mac = '', sealed = $2 WHERE secret_id = $1",
    ] {
        bed.run(sql, (secret.id, before.as_slice())).await;
    }
    assert_eq!(bed.value("/", "A").await, "v");
    bed.update_as(&bed.admin, "/", "A", "next").await.unwrap();
    assert_eq!(row().await.mac.len(), 32);
    let query = ListVersionsQuery::default();
    let id = secret.id.to_string();
    let history = bed.core.list_secret_versions(&bed.admin, &id, &query).await.unwrap();
    let values: Vec<_> =
        history.secret_versions.iter().map(|each| each.secret_value.expose()).collect();
    assert_eq!(values, ["next", "v"]);
    bed.run("UPDATE secrets SET mac = ''", ()).await;
    assert_eq!(refused(bed.get_as(&bed.admin, "A", &bed.one("/")).await), 500);
}

/// Whether any file of a directory holds a text.
fn holds(directory: &Path, text: &[u8]) -> bool {
    std::fs::read_dir(directory).unwrap().any(|entry| {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        bytes.windows(text.len()).any(|window| window == text)
    })
}

#[tokio::test]
async fn k6_no_plaintext_is_found_in_any_file_of_the_data_directory() {
    let bed = Bed::new().await;
    let canary = |place: &str| format!("canary-{place}-6b1f0c");
    for round in 0..50 {
        let mut body = bed.body("/", &canary("value"));
        body.fields.secret_comment = Some(canary("comment"));
        body.fields.secret_metadata = Some(vec![SecretMetadata {
            key: canary("metadata-key"),
            value: canary("metadata-value"),
            is_encrypted: false,
        }]);
        let name = format!("FINDABLE_{round}");
        bed.core.create_secret(&bed.admin, &name, &body).await.unwrap();
        bed.update_as(&bed.admin, "/", &name, &canary("second")).await.unwrap();
        bed.value("/", &name).await;
        if round % 2 == 0 {
            bed.delete_as(&bed.admin, "/", &name).await.unwrap();
        }
    }
    bed.dump().await;
    bed.core.read_log.flush().await;
    for closed in [false, true] {
        if closed {
            bed.core.close().await;
        }
        let directory = bed.directory.path();
        assert!(holds(directory, b"FINDABLE_49"), "the scan finds what is there");
        assert!(!holds(directory, b"canary-"), "closed: {closed}");
        assert!(!holds(directory, b"Y2FuYXJ5"), "in base64, closed: {closed}");
    }
}

#[tokio::test]
async fn k7_what_was_sealed_in_a_deleted_project_opens_never_again() {
    let bed = Bed::remembering(0).await;
    bed.create("/", "A", "v").await;
    let org = bed.admin.organization;
    let place = at(&bed, bed.project, "dev", "/");
    let found = secrets::find(&bed.core.store, &place, "A").await.unwrap().unwrap();
    let saved = found.split().1.unwrap();
    let access = bed.core.project_access(&bed.admin, bed.project).await.unwrap();
    let wrapped = &access.project.wrapped_key;
    bed.core.read_log.flush().await;
    assert!(holds(bed.directory.path(), wrapped), "the scan finds what is there");

    bed.core.delete_project(&bed.admin, bed.project).await.unwrap();
    assert!(kms_store::projects::find(&bed.core.store, org, bed.project).await.unwrap().is_none());
    assert!(secrets::locate(&bed.core.store, org, saved.id).await.unwrap().is_none());
    assert!(
        secret_versions::list(&bed.core.store, org, saved.id, 9, 0).await.unwrap().is_empty(),
        "the history goes too"
    );
    // The same ids, restored from a copy, under the only key that a new project can get.
    let key = bed.core.keys.new_project_key(
        org,
        &access.project.org_wrapped_key,
        bed.project,
        bed.core.entropy(),
    );
    let key = bed.core.keys.project(
        org,
        &access.project.org_wrapped_key,
        bed.project,
        key.unwrap().as_bytes(),
    );
    let again = crate::access::ProjectAccess { key: key.unwrap(), ..access.clone() };
    assert!(open(&again, Spot::of(&saved), &saved.sealed).is_err());

    // The log of writes is emptied when the database is closed; nothing is left of the key then.
    bed.core.close().await;
    assert!(!holds(bed.directory.path(), wrapped));
}

/// What a path means, said in another way than the code says it.
fn oracle(text: &str) -> Option<String> {
    let text = text.trim();
    let absolute = if text.starts_with('/') { text.to_owned() } else { format!("/{text}") };
    if absolute == "/" {
        return Some(absolute);
    }
    let path = absolute.strip_suffix('/').unwrap_or(&absolute);
    let segments: Vec<_> = path[1..].split('/').collect();
    let plain = |segment: &&str| {
        (1..=128).contains(&segment.len())
            && segment.chars().all(|c| matches!(c, 'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_'))
    };
    (segments.len() <= 20 && segments.iter().all(plain)).then(|| path.to_owned())
}

#[tokio::test]
async fn t2_a_path_is_read_as_its_one_canonical_form_or_refused() {
    let bed = Bed::new().await;
    for path in ["/a", "/a/b", "/A", "/root", "/a/root", "/a-b"] {
        bed.folder(path).await;
        bed.create(path, "WHERE", path).await;
    }
    bed.create("/", "WHERE", "/").await;
    let parts = [
        "/", "//", "a", "b", "A", "root", "..", ".", "%2e", "%2F", "%", "\\", " ", "\t", "\0", "-",
        "ä", "a-b", "~", "*", "?", "\u{2215}", "\u{ff0f}", "/a", "/a/b", "/./", "/../",
    ];
    let dice = SeededEntropy::new(3);
    let (mut found, mut refusals) = (0, 0);
    for _ in 0..3_000 {
        let mut bytes = [0; 6];
        dice.fill(&mut bytes);
        let length = usize::from(bytes[0] % 5) + 1;
        let text: String =
            bytes[1..=length].iter().map(|byte| parts[usize::from(*byte) % parts.len()]).collect();
        let read = bed.get_as(&bed.admin, "WHERE", &bed.one(&text)).await;
        match (oracle(&text), read) {
            (Some(path), Ok(secret)) => {
                assert_eq!(secret.secret_value.expose(), path, "{text:?}");
                assert_eq!(secret.secret_path.as_deref(), Some(path.as_str()));
                found += 1;
            }
            (Some(path), Err(error)) => {
                assert!(matches!(&error, Error::NotFound(_)), "{text:?}");
                assert!(error.to_string().contains(&format!("'{path}'")), "{text:?}");
            }
            (None, read) => {
                assert_eq!(refused(read), 422, "{text:?}");
                refusals += 1;
            }
        }
    }
    assert!(found > 100 && refusals > 1_000, "{found} {refusals}");
}

#[tokio::test]
async fn d6_no_refusal_repeats_what_was_sent() {
    let bed = Bed::new().await;
    bed.create("/", "A", "v").await;
    let canary = "canary\u{1}:/é";
    let long = |length: usize| format!("canary{}", "x".repeat(length));
    let mut bodies = vec![
        json!({ "projectId": canary }),
        json!({ "projectId": null, "workspaceId": canary }),
        json!({ "projectId": null, "workspaceSlug": canary }),
        json!({ "projectId": null, "projectSlug": canary }),
        json!({ "environment": canary }),
        json!({ "secretPath": canary }),
        json!({ "type": canary }),
        json!({ "secretValue": long(MAX_VALUE) }),
        json!({ "secretComment": long(MAX_COMMENT) }),
        json!({ "secretMetadata": [{ "key": long(255) }] }),
        json!({ "secretMetadata": [{ "key": "k", "value": long(4_096) }] }),
        json!({ "secretMetadata": vec![json!({ "key": "canary" }); 101] }),
        json!({ "secretReminderRepeatDays": 366 }),
        json!({ "secretReminderNote": long(1_024) }),
        json!({ "newSecretName": canary }),
        json!({ "mode": canary, "secrets": [{ "secretKey": "A" }] }),
        json!({ "secrets": [{ "secretKey": canary, "secretValue": "canary" }] }),
        json!({ "secrets": [{ "secretKey": "A", "secretValue": long(MAX_VALUE) }] }),
        json!({ "secrets": [{ "secretKey": "A", "secretPath": canary }] }),
        json!({ "secrets": [{ "secretKey": "A", "newSecretName": canary }] }),
        json!({ "secrets": [{ "secretKey": "A", "type": canary }] }),
    ];
    for body in &mut bodies {
        let fields = json!({ "projectId": bed.project, "environment": "dev", "secretValue": "v" });
        for (name, value) in fields.as_object().unwrap() {
            if body.get(name).is_none() {
                body[name] = value.clone();
            }
        }
    }
    let mut refusals = 0;
    for body in bodies {
        for error in every_write(&bed, &body, "A").await {
            refusals += 1;
            assert_silent(&error);
        }
    }
    let plain = json!({ "projectId": bed.project, "environment": "dev", "secretValue": "v" });
    for error in every_write(&bed, &plain, canary).await {
        refusals += 1;
        assert_silent(&error);
    }
    assert!(refusals > 40, "{refusals}");
}

fn assert_silent(error: &Error) {
    let issues = match error {
        Error::Validation(issues) => serde_json::to_string(issues).unwrap(),
        _ => String::new(),
    };
    let text = format!("{error} {error:?} {issues}");
    assert!(!text.contains("canary"), "{text}");
}

/// The refusals of a body by every write and read that takes one.
async fn every_write(bed: &Bed, body: &Value, name: &str) -> Vec<Error> {
    let (core, admin) = (&bed.core, &bed.admin);
    let mut errors = Vec::new();
    let read = |body: &Value| serde_json::from_value(body.clone()).unwrap();
    errors.extend(
        core.update_secret(admin, name, &serde_json::from_value(body.clone()).unwrap()).await.err(),
    );
    errors.extend(
        core.create_secret(admin, name, &serde_json::from_value(body.clone()).unwrap()).await.err(),
    );
    errors.extend(core.delete_secret(admin, name, &read(body)).await.err());
    errors.extend(
        core.get_secret(admin, name, &serde_json::from_value(body.clone()).unwrap()).await.err(),
    );
    errors.extend(
        core.list_secrets(admin, &serde_json::from_value(body.clone()).unwrap()).await.err(),
    );
    if body.get("secrets").is_some() {
        let batch = serde_json::from_value(body.clone()).unwrap();
        errors.extend(core.update_secrets(admin, &batch).await.err());
        errors.extend(core.create_secrets(admin, &batch).await.err());
        errors.extend(core.delete_secrets(admin, &batch).await.err());
    }
    errors
}
