//! What secrets were, and secrets that go elsewhere.

use http::StatusCode;
use serde_json::{Value, json};

use super::Vault;

async fn folder(vault: &Vault, name: &str) {
    vault.send("POST", "/api/v2/folders", json!({ "name": name, "path": "/" })).await.ok();
}

fn ways(vault: &Vault, more: &Value) -> Value {
    let mut body = json!({ "sourceEnvironment": "dev", "sourceSecretPath": "/",
        "destinationEnvironment": "prod", "destinationSecretPath": "/" });
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body["projectId"] = json!(vault.project);
    body
}

#[tokio::test]
async fn a_history_comes_page_by_page_and_is_gone_back_in() {
    let vault = Vault::start().await;
    let made = vault.create("A", "v1").await;
    for value in ["v2", "v3"] {
        vault.send("PATCH", "/api/v4/secrets/A", json!({ "secretValue": value })).await.ok();
    }
    let id = made["id"].as_str().unwrap();
    let path = format!("/api/v1/secret/{id}/secret-versions");
    let page = async |query: &str| -> Vec<(i64, String)> {
        let answer = vault.request("GET", &format!("{path}{query}")).send().await.ok();
        let versions = answer["secretVersions"].as_array().unwrap().iter();
        let line = |each: &Value| {
            (each["version"].as_i64().unwrap(), each["secretValue"].as_str().unwrap().to_owned())
        };
        versions.map(line).collect()
    };
    assert_eq!(page("?offset=0&limit=2").await, [(3, "v3".into()), (2, "v2".into())]);
    assert_eq!(page("?offset=2&limit=20").await, [(1, "v1".into())]);
    let rollback = format!("/api/v1/secret/{id}/rollback");
    let rolled = vault.request("POST", &rollback).json(json!({ "version": 1 })).send().await.ok();
    assert_eq!(rolled["secret"]["version"], 4);
    assert_eq!(rolled["secret"]["secretValue"], "v1");
    let none = vault.request("POST", &rollback).json(json!({ "version": 9 })).send().await;
    assert_eq!(none.status, StatusCode::NOT_FOUND);
    let at = format!("&at={}", made["createdAt"].as_str().unwrap());
    let then = vault.get("/api/v1/secret/point-in-time", &at).await.ok();
    assert_eq!(then["imports"], json!([]));
    let missing = vault.get("/api/v1/secret/point-in-time", "").await;
    assert_eq!(missing.status, StatusCode::UNPROCESSABLE_ENTITY);
    vault.stop().await;
}

#[tokio::test]
async fn secrets_are_moved_as_v3_and_v4_have_it() {
    let vault = Vault::start().await;
    folder(&vault, "goal").await;
    let (a, b) = (vault.create("A", "a").await, vault.create("B", "b").await);
    let body = ways(&vault, &json!({ "secretIds": [a["id"]] }));
    let answer = vault.request("POST", "/api/v4/secrets/move").json(body).send().await.ok();
    assert_eq!(answer, json!({ "isSourceUpdated": true, "isDestinationUpdated": true }));
    let mut body = ways(
        &vault,
        &json!({ "secretIds": [b["id"]], "destinationEnvironment": "dev",
            "destinationSecretPath": "/goal", "shouldOverwrite": false }),
    );
    body["projectSlug"] = json!(vault.tenant.made.project.slug);
    body.as_object_mut().unwrap().remove("projectId");
    vault.request("POST", "/api/v3/secrets/move").json(body).send().await.ok();
    let list = vault.get("/api/v4/secrets", "&recursive=true").await.ok();
    assert_eq!(list["secrets"].as_array().unwrap().len(), 1);
    assert_eq!(list["secrets"][0]["secretPath"], "/goal");
    let read = format!("/api/v3/secrets/raw/id/{}", a["id"].as_str().unwrap());
    let read = vault.request("GET", &read).send().await.ok();
    assert_eq!(
        (&read["secret"]["environment"], &read["secret"]["version"]),
        (&json!("prod"), &json!(2))
    );
    vault.stop().await;
}

#[tokio::test]
async fn secrets_and_folders_are_duplicated() {
    let vault = Vault::start().await;
    folder(&vault, "below").await;
    vault.create("A", "a").await;
    let body = json!({ "secretValue": "c", "secretPath": "/below" });
    vault.send("POST", "/api/v4/secrets/C", body).await.ok();
    let body = ways(&vault, &json!({ "destinationSecretPath": "/copy" }));
    let path = "/api/v4/secrets/duplicate";
    let copied = vault.request("POST", path).json(body.clone()).send().await.ok();
    assert_eq!(copied["secrets"].as_array().unwrap().len(), 2);
    let again = vault.request("POST", path).json(body).send().await;
    assert_eq!(again.status, StatusCode::BAD_REQUEST);
    assert!(again.json()["message"].as_str().unwrap().contains("already"));
    vault.stop().await;
}

/// A path is a secret's too, where nothing else is asked of it.
#[tokio::test]
async fn secrets_may_be_called_like_routes() {
    let vault = Vault::start().await;
    for name in ["move", "duplicate"] {
        let old = format!("/api/v3/secrets/raw/{name}");
        vault.send_old("POST", &old, json!({ "secretValue": "v" })).await.ok();
        let path = format!("/api/v4/secrets/{name}");
        assert_eq!(vault.get(&path, "").await.ok()["secret"]["secretValue"], "v");
        let changed = vault.send("PATCH", &path, json!({ "secretValue": "w" })).await.ok();
        assert_eq!(changed["secret"]["version"], 2);
        assert_eq!(vault.send("DELETE", &path, json!({})).await.ok()["secret"]["secretKey"], name);
    }
    vault.stop().await;
}
