//! Renames, moves and writes of the same secrets and folders at once: no write is lost, and what
//! is left behind is what some order of them leaves behind.

use std::sync::Arc;

use http::StatusCode;
use serde_json::{Value, json};
use tokio::{sync::Notify, task::JoinSet};

use super::Vault;

/// Secrets that get another name.
const RENAMED: usize = 3;
/// What is written while one of them does.
const WRITES: usize = 16;
/// Secrets that have nothing to do with it.
const FILL: usize = 500;

/// Changes something, once more for as long as the server says that something changed meanwhile.
async fn insist(vault: &Vault, path: &str, body: Value) {
    loop {
        let answer = vault.send("PATCH", path, body.clone()).await;
        if answer.status != StatusCode::SERVICE_UNAVAILABLE {
            return drop(answer.ok());
        }
    }
}

async fn folder(vault: &Vault, name: &str) {
    vault.send("POST", "/api/v2/folders", json!({ "name": name })).await.ok();
}

/// What a folder holds, as it is stored: names and values.
async fn stored(vault: &Vault, path: &str) -> Vec<(String, String)> {
    let more = format!("&secretPath={path}&expandSecretReferences=false");
    let listed = vault.get("/api/v4/secrets", &more).await.ok();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let secrets = listed["secrets"].as_array().unwrap().iter();
    secrets.map(|each| (text(&each["secretKey"]), text(&each["secretValue"]))).collect()
}

async fn end(vault: Arc<Vault>) {
    Arc::into_inner(vault).unwrap().stop().await;
}

/// Makes the project so large that others write while it is read through.
async fn fill(vault: &Vault) {
    folder(vault, "fill").await;
    let one = |number| json!({ "secretKey": format!("F{number}"), "secretValue": "${NOBODY}" });
    let secrets: Vec<_> = (0..FILL).map(one).collect();
    let body = json!({ "secretPath": "/fill", "secrets": secrets });
    vault.send("POST", "/api/v4/secrets/batch", body).await.ok();
}

/// Whoever wrote a reference and saw afterwards that it leads somewhere wrote it before the
/// rename: it has to follow.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_reference_that_led_somewhere_follows_a_rename_under_way() {
    let vault = Arc::new(Vault::start().await);
    folder(&vault, "w").await;
    fill(&vault).await;
    let mut tasks = JoinSet::new();
    for number in 0..RENAMED {
        vault.create(&format!("OLD{number}"), &format!("value{number}")).await;
        let begin = Arc::new(Notify::new());
        let (renamer, go) = (Arc::clone(&vault), Arc::clone(&begin));
        tasks.spawn(async move {
            go.notified().await;
            let path = format!("/api/v4/secrets/OLD{number}");
            let body = json!({ "newSecretName": format!("NEW{number}") });
            insist(&renamer, &path, body).await;
            Vec::new()
        });
        let writer = Arc::clone(&vault);
        tasks.spawn(async move {
            let mut led = Vec::new();
            for write in 0..WRITES {
                if write == 2 {
                    begin.notify_one();
                }
                let name = format!("REF{number}_{write}");
                let path = format!("/api/v4/secrets/{name}");
                let value = format!("${{dev.OLD{number}}}");
                let body = json!({ "secretPath": "/w", "secretValue": value });
                writer.send("POST", &path, body).await.ok();
                let read = writer.get(&path, "&secretPath=/w").await.ok();
                if read["secret"]["secretValue"] == format!("value{number}") {
                    led.push((name, format!("${{dev.NEW{number}}}")));
                }
            }
            led
        });
    }
    let led: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
    let found = stored(&vault, "/w").await;
    assert_eq!(found.len(), RENAMED * WRITES);
    assert!(led.len() >= RENAMED * 2, "{}", led.len());
    for reference in &led {
        assert!(found.contains(reference), "{reference:?} in {found:?}");
    }
    for number in 0..RENAMED {
        let read = vault.get(&format!("/api/v4/secrets/NEW{number}"), "").await.ok();
        assert_eq!(read["secret"]["secretValue"], format!("value{number}"));
    }
    end(vault).await;
}

/// The secret of an id: its name, its folder and its version.
async fn at(vault: &Vault, id: &str) -> (String, String, i64) {
    let read = vault.request("GET", &format!("/api/v4/secrets/id/{id}")).send().await.ok();
    let secret = &read["secret"];
    let text = |field: &str| secret[field].as_str().unwrap().to_owned();
    (text("secretKey"), text("secretPath"), secret["version"].as_i64().unwrap())
}

/// Changes a secret wherever it is now, until it was found there.
async fn change(vault: &Vault, id: &str, body: Value) {
    loop {
        let (name, path, _) = at(vault, id).await;
        let mut body = body.clone();
        body["secretPath"] = path.into();
        let answer = vault.send("PATCH", &format!("/api/v4/secrets/{name}"), body).await;
        match answer.status {
            StatusCode::NOT_FOUND | StatusCode::SERVICE_UNAVAILABLE => {}
            _ => return drop(answer.ok()),
        }
    }
}

async fn relocate(vault: &Vault, id: &str) {
    loop {
        let (_, from, _) = at(vault, id).await;
        let to = if from == "/one" { "/two" } else { "/one" };
        let body = json!({ "secretIds": [id], "sourceEnvironment": "dev",
            "destinationEnvironment": "dev", "sourceSecretPath": from,
            "destinationSecretPath": to });
        let answer = vault.send("POST", "/api/v4/secrets/move", body).await;
        match answer.status {
            StatusCode::NOT_FOUND | StatusCode::SERVICE_UNAVAILABLE => {}
            _ => return drop(answer.ok()),
        }
    }
}

/// Makes a secret in one of two folders; its id. In both is a secret that refers to its name there,
/// and follows whatever is renamed.
async fn referred_to(vault: &Vault, number: usize) -> String {
    let body = json!({ "secretPath": "/one", "secretValue": "first" });
    let made = vault.send("POST", &format!("/api/v4/secrets/A{number}"), body).await.ok();
    for folder in ["one", "two"] {
        let value = format!("${{dev.{folder}.A{number}}}");
        let body = json!({ "secretPath": format!("/{folder}"), "secretValue": value });
        vault.send("POST", &format!("/api/v4/secrets/REF{number}"), body).await.ok();
    }
    made["secret"]["id"].as_str().unwrap().to_owned()
}

/// Every change that was answered is a version of its own, the last value that was answered is
/// there, and whoever refers to a secret by the name that it has still does.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_write_is_lost_among_renames_and_moves() {
    const SECRETS: usize = 3;
    const TURNS: usize = 8;
    let vault = Arc::new(Vault::start().await);
    for name in ["one", "two"] {
        folder(&vault, name).await;
    }
    let mut ids = Vec::new();
    for number in 0..SECRETS {
        ids.push(referred_to(&vault, number).await);
    }
    let mut tasks = JoinSet::new();
    for (number, id) in ids.iter().enumerate() {
        for kind in ["value", "name", "place"] {
            let (vault, id) = (Arc::clone(&vault), id.clone());
            tasks.spawn(async move {
                for turn in 0..TURNS {
                    match kind {
                        "value" => {
                            change(&vault, &id, json!({ "secretValue": turn.to_string() })).await;
                        }
                        "name" => {
                            let name = format!("{}{number}", if turn % 2 == 0 { "B" } else { "A" });
                            change(&vault, &id, json!({ "newSecretName": name })).await;
                        }
                        _ => relocate(&vault, &id).await,
                    }
                }
            });
        }
    }
    tasks.join_all().await;
    for (number, id) in ids.iter().enumerate() {
        let (name, path, version) = at(&vault, id).await;
        // Even numbers of renames and moves.
        assert_eq!((name, path.as_str()), (format!("A{number}"), "/one"));
        assert_eq!(version, 1 + 3 * i64::try_from(TURNS).unwrap());
        let read = vault.get(&format!("/api/v4/secrets/A{number}"), "&secretPath=/one").await.ok();
        assert_eq!(read["secret"]["secretValue"], (TURNS - 1).to_string());
        let history = format!("/api/v1/secret/{id}/secret-versions?limit=100");
        let history = vault.request("GET", &history).send().await.ok();
        let versions = history["secretVersions"].as_array().unwrap();
        assert_eq!(versions.len(), 1 + 3 * TURNS);
        // The values came one after the other, whatever happened in between.
        let mut values: Vec<_> =
            versions.iter().rev().map(|one| one["secretValue"].clone()).collect();
        values.dedup();
        let mut written = vec![json!("first")];
        written.extend((0..TURNS).map(|turn| json!(turn.to_string())));
        assert_eq!(values, written);
    }
    // A reference says a name that the secret has or had in that folder.
    for folder in ["one", "two"] {
        for (name, value) in stored(&vault, &format!("/{folder}")).await {
            let Some(number) = name.strip_prefix("REF") else { continue };
            let spelled = ["A", "B"].map(|name| format!("${{dev.{folder}.{name}{number}}}"));
            assert!(spelled.contains(&value), "{value}");
        }
    }
    end(vault).await;
}

/// A folder has one of two names at any time; what was written into it is in it in the end.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_write_is_lost_in_a_folder_that_gets_other_names() {
    const RENAMES: usize = 12;
    const WRITERS: usize = 3;
    let vault = Arc::new(Vault::start().await);
    folder(&vault, "f").await;
    vault.create("HOST", "db").await;
    let mut tasks = JoinSet::new();
    let renamer = Arc::clone(&vault);
    tasks.spawn(async move {
        for turn in 0..RENAMES {
            let (old, new) = if turn % 2 == 0 { ("f", "g") } else { ("g", "f") };
            let path = format!("/api/v2/folders/{old}");
            insist(&renamer, &path, json!({ "name": new })).await;
        }
        Vec::new()
    });
    // Somebody renames what the secrets in the folder refer to.
    let follower = Arc::clone(&vault);
    tasks.spawn(async move {
        for turn in 0..RENAMES {
            let (old, new) = if turn % 2 == 0 { ("HOST", "SERVER") } else { ("SERVER", "HOST") };
            let path = format!("/api/v4/secrets/{old}");
            let body = json!({ "newSecretName": new });
            insist(&follower, &path, body).await;
        }
        Vec::new()
    });
    for writer in 0..WRITERS {
        let vault = Arc::clone(&vault);
        tasks.spawn(async move {
            let mut written = Vec::new();
            for write in 0..WRITES {
                let name = format!("S{writer}_{write}");
                let path = format!("/api/v4/secrets/{name}");
                let mut folder = ["/f", "/g"].into_iter().cycle();
                loop {
                    let place = folder.next();
                    let body = json!({ "secretPath": place, "secretValue": "<${dev.HOST}>" });
                    let answer = vault.send("POST", &path, body).await;
                    if answer.status != StatusCode::NOT_FOUND {
                        answer.ok();
                        break;
                    }
                }
                written.push(name);
            }
            written
        });
    }
    let mut written: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
    written.sort();
    let found = stored(&vault, "/f").await;
    let mut names: Vec<_> = found.iter().map(|(name, _)| name.clone()).collect();
    names.sort();
    assert_eq!(names, written);
    for (name, value) in &found {
        assert!(["<${dev.HOST}>", "<${dev.SERVER}>"].contains(&value.as_str()), "{name}={value}");
    }
    let listed = vault.get("/api/v2/folders", "&path=/").await.ok();
    assert_eq!(listed["folders"].as_array().unwrap().len(), 1);
    end(vault).await;
}
