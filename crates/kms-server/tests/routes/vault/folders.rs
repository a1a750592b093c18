//! Folders, under both versions of their routes.

use http::StatusCode;
use serde_json::{Value, json};

use super::Vault;
use crate::tenants::{fields, sorted};

const FOLDER: &str = "id name version createdAt updatedAt envId parentId isReserved description
    lastSecretModified path";

async fn names(vault: &Vault, query: &str) -> Vec<Value> {
    let list = vault.get_old("/api/v1/folders", query).await.ok();
    list["folders"].as_array().unwrap().iter().map(|folder| folder["name"].clone()).collect()
}

#[tokio::test]
async fn both_versions_make_read_rename_and_remove_the_same_folders() {
    let vault = Vault::start().await;
    let made = vault.send_old("POST", "/api/v1/folders", json!({ "name": "app", "path": "/" }));
    let made = made.await.ok()["folder"].clone();
    assert_eq!(fields(&made), sorted(FOLDER));
    assert_eq!((&made["version"], &made["path"]), (&json!(1), &json!("/app")));
    let again = vault.send("POST", "/api/v2/folders", json!({ "name": "app" })).await.ok();
    assert_eq!(again["folder"], made, "one that is there is answered as it is");
    let leaf = vault.send("POST", "/api/v2/folders", json!({ "name": "leaf", "path": "/app/db/" }));
    assert_eq!(leaf.await.ok()["folder"]["path"], "/app/db/leaf");

    let id = made["id"].as_str().unwrap();
    for version in ["v1", "v2"] {
        let one = vault.request("GET", &format!("/api/{version}/folders/{id}")).send().await.ok();
        assert_eq!(one["folder"]["environment"]["envSlug"], "dev");
        assert_eq!(one["folder"]["projectId"], vault.project.as_str());
    }
    let at = format!("/api/v1/folders/{}/dev/%2Fapp%2Fdb", vault.project);
    assert_eq!(vault.request("GET", &at).send().await.ok()["folder"]["name"], "db");

    let path = format!("/api/v2/folders/{id}");
    let renamed = vault.send("PATCH", &path, json!({ "name": "service", "path": "/" })).await.ok();
    assert_eq!((&renamed["folder"]["version"], &renamed["folder"]["id"]), (&json!(2), &made["id"]));
    let batch = json!({ "folders": [{ "id": id, "environment": "dev", "name": "app", "path": "/" }],
        "projectSlug": vault.tenant.made.project.slug });
    let batch = vault.request("PATCH", "/api/v1/folders/batch").json(batch).send().await.ok();
    assert_eq!(batch["folders"][0]["version"], 3);

    let gone = vault.send_old(
        "DELETE",
        "/api/v1/folders/app",
        json!({ "directory": "/",
        "folderName": "app" }),
    );
    assert_eq!(gone.await.ok()["folder"]["id"], made["id"]);
    assert!(names(&vault, "").await.is_empty());
    assert_eq!(vault.request("GET", &path).send().await.status, StatusCode::NOT_FOUND);
    let again = vault.send("DELETE", "/api/v2/folders/app", json!({ "forceDelete": true })).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND);
    vault.stop().await;
}

#[tokio::test]
async fn lists_read_every_spelling_of_clients() {
    let vault = Vault::start().await;
    for path in ["/a", "/a/b"] {
        vault.send("POST", "/api/v2/folders", json!({ "name": "x", "path": path })).await.ok();
    }
    assert_eq!(names(&vault, "").await, ["a"]);
    assert_eq!(names(&vault, "&path=/a").await, ["b", "x"]);
    assert_eq!(names(&vault, "&directory=/a").await, ["b", "x"]);
    assert_eq!(names(&vault, "&path=%2Fa%2F").await, ["b", "x"]);
    assert!(names(&vault, "&path=/nope").await.is_empty());
    let all = vault.get("/api/v2/folders", "&path=/&recursive=True").await.ok();
    let relative: Vec<_> =
        all["folders"].as_array().unwrap().iter().map(|f| f["relativePath"].clone()).collect();
    assert_eq!(relative, ["/a", "/a/b", "/a/b/x", "/a/x"]);
    let since = "&path=/&recursive=false&lastSecretModified=2030-01-01T00:00:00.000Z";
    assert_eq!(vault.get("/api/v2/folders", since).await.ok()["folders"], json!([]));
    let bad = vault.get("/api/v2/folders", "&path=/&recursive=1").await;
    assert_eq!(bad.status, StatusCode::UNPROCESSABLE_ENTITY);
    vault.stop().await;
}

#[tokio::test]
async fn what_is_wrong_is_told_by_status() {
    let vault = Vault::start().await;
    for name in ["", "a/b", "a b.c", ".."] {
        let made = vault.send("POST", "/api/v2/folders", json!({ "name": name })).await;
        assert_eq!(made.status, StatusCode::UNPROCESSABLE_ENTITY, "{name:?}");
        assert_eq!(made.json()["error"], "ValidationFailure");
    }
    let at = |environment: &str| {
        json!({ "projectId": vault.project, "environment": environment,
        "name": "x" })
    };
    let made = vault.request("POST", "/api/v2/folders").json(at("nope")).send().await;
    assert_eq!(made.status, StatusCode::NOT_FOUND);
    let list = format!("/api/v2/folders?projectId={}&environment=nope&path=/", vault.project);
    assert_eq!(vault.request("GET", &list).send().await.status, StatusCode::NOT_FOUND);
    let anonymous = vault.server.post("/api/v2/folders").json(at("dev")).send().await;
    assert_eq!(anonymous.status, StatusCode::UNAUTHORIZED);
    vault.stop().await;
}
