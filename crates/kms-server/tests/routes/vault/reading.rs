//! Reads of secrets.

use http::StatusCode;
use serde_json::{Value, json};

use super::Vault;
use crate::tenants::{fields, sorted};

/// What the Python and Rust SDKs cannot do without, and what else the contract lists.
const SECRET: &str = "id _id workspace environment secretPath version type secretKey secretValue
    secretValueHidden secretComment secretReminderNote secretReminderRepeatDays
    skipMultilineEncoding createdAt updatedAt actor isRotatedSecret rotationId tags
    secretMetadata";

#[tokio::test]
async fn both_versions_answer_the_same_secrets_in_the_same_words() {
    let vault = Vault::start().await;
    let made = vault.create("A", "value").await;
    assert_eq!(fields(&made), sorted(SECRET));
    let old = vault.get_old("/api/v3/secrets/raw", "&workspaceSlug=&include_imports=true").await;
    let new = vault.get("/api/v4/secrets", "&includeImports=true&expandSecretReferences=true");
    let new = new.await;
    assert_eq!(old.ok(), new.ok());
    assert_eq!(old.json(), json!({ "secrets": [made], "imports": [] }));
    let id = made["id"].as_str().unwrap();
    for (one, by_id) in [
        (vault.get("/api/v4/secrets/A", "&type=shared").await, "/api/v4/secrets/id"),
        (vault.get_old("/api/v3/secrets/raw/A", "&secretName=A").await, "/api/v3/secrets/raw/id"),
    ] {
        assert_eq!(one.ok(), json!({ "secret": made }));
        let by_id = vault.request("GET", &format!("{by_id}/{id}")).send().await;
        assert_eq!(by_id.ok(), json!({ "secret": made }));
    }
    vault.stop().await;
}

#[tokio::test]
async fn a_list_that_did_not_change_is_not_sent_again() {
    let vault = Vault::start().await;
    vault.create("A", "one").await;
    for path in ["/api/v4/secrets", "/api/v4/secrets/A", "/api/v3/secrets/raw"] {
        let first = vault.get(path, "").await;
        first.ok();
        let tag = first.header("etag").to_owned();
        assert!(tag.starts_with('"') && tag.ends_with('"'), "strong: {tag}");
        assert_eq!(vault.get(path, "").await.header("etag"), tag);
        let url = format!("{path}?projectId={}&environment=dev", vault.project);
        let again = vault.request("GET", &url).header("if-none-match", &tag).send().await;
        assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0));
        assert_eq!(again.header("etag"), tag);
        vault.send("PATCH", "/api/v4/secrets/A", json!({ "secretComment": tag })).await.ok();
        let changed = vault.request("GET", &url).header("if-none-match", &tag).send().await;
        changed.ok();
        assert_ne!(changed.header("etag"), tag);
    }
    vault.stop().await;
}

#[tokio::test]
async fn names_in_paths_are_decoded_once() {
    let vault = Vault::start().await;
    for (sent, name) in [
        ("has%20space", "has space"),
        ("%C3%BCn%C3%AF", "ünï"),
        ("100%25", "100%"),
        ("%2541", "%41"),
        ("dot.ted-name", "dot.ted-name"),
        ("batch", "batch"),
    ] {
        let path = format!("/api/v3/secrets/raw/{sent}");
        let made = vault.send_old("POST", &path, json!({ "secretValue": "v" })).await.ok();
        assert_eq!(made["secret"]["secretKey"], name);
        for version in ["v3/secrets/raw", "v4/secrets"] {
            let read = vault.get(&format!("/api/{version}/{sent}"), "").await.ok();
            assert_eq!(read["secret"]["secretKey"], name);
        }
    }
    for (name, status) in [("a%00b", 400), ("a%0Ab", 422), ("a%3Ab", 422), ("a%2Fb", 422)] {
        let path = format!("/api/v4/secrets/{name}");
        let made = vault.send("POST", &path, json!({ "secretValue": "v" })).await;
        assert_eq!(made.status.as_u16(), status, "{name}");
    }
    assert_eq!(vault.get("/api/v4/secrets/A%41", "").await.status, StatusCode::NOT_FOUND);
    vault.stop().await;
}

#[tokio::test]
async fn what_is_not_there_or_not_named_is_told_by_status() {
    let vault = Vault::start().await;
    vault.create("A", "one").await;
    let status = async |path: &str| vault.request("GET", path).send().await.status;
    let project = format!("projectId={}", vault.project);
    for path in ["/api/v4/secrets", "/api/v4/secrets/A", "/api/v3/secrets/raw/A"] {
        assert_eq!(status(&format!("{path}?environment=dev")).await, StatusCode::BAD_REQUEST);
        assert_eq!(status(&format!("{path}?{project}")).await, StatusCode::BAD_REQUEST);
        let nowhere = format!("{path}?{project}&environment=nope");
        assert_eq!(status(&nowhere).await, StatusCode::NOT_FOUND);
        let nowhere = format!("{path}?{project}&environment=dev&secretPath=/nope");
        assert_eq!(status(&nowhere).await, StatusCode::NOT_FOUND);
        let odd = format!("{path}?{project}&environment=dev&secretPath=/a//b");
        assert_eq!(status(&odd).await, StatusCode::UNPROCESSABLE_ENTITY);
        let odd = format!("{path}?{project}&environment=dev&viewSecretValue=yes");
        assert_eq!(status(&odd).await, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let missing = vault.get("/api/v4/secrets", "&secretPath=/nope").await.json();
    assert_eq!(
        missing["message"],
        "Folder with path '/nope' in environment 'dev' was not found. Please ensure the \
         environment slug and secret path is correct."
    );
    assert_eq!(vault.get("/api/v4/secrets/NOPE", "").await.status, StatusCode::NOT_FOUND);
    assert_eq!(vault.get("/api/v4/secrets/a", "").await.status, StatusCode::NOT_FOUND);
    assert_eq!(vault.get("/api/v4/secrets/A", "&version=9").await.status, StatusCode::NOT_FOUND);
    vault.stop().await;
}

#[tokio::test]
async fn history_is_listed_newest_first_and_by_pages() {
    let vault = Vault::start().await;
    let made = vault.create("A", "1").await;
    for value in ["2", "3"] {
        vault.send("PATCH", "/api/v4/secrets/A", json!({ "secretValue": value })).await.ok();
    }
    let path = format!("/api/v1/secret/{}/secret-versions", made["id"].as_str().unwrap());
    let all = vault.request("GET", &path).send().await.ok();
    let values = |list: &Value| -> Vec<String> {
        let versions = list["secretVersions"].as_array().unwrap();
        versions.iter().map(|v| v["secretValue"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(values(&all), ["3", "2", "1"]);
    assert_eq!(all["secretVersions"][0]["version"], 3);
    let page = vault.request("GET", &format!("{path}?offset=1&limit=1")).send().await.ok();
    assert_eq!(values(&page), ["2"]);
    let bad = vault.request("GET", &format!("{path}?limit=0")).send().await;
    assert_eq!(bad.status, StatusCode::UNPROCESSABLE_ENTITY);
    let old = vault.get("/api/v4/secrets/A", "&version=1").await.ok();
    assert_eq!(
        (&old["secret"]["secretValue"], &old["secret"]["version"]),
        (&json!("1"), &json!(1))
    );
    vault.stop().await;
}
