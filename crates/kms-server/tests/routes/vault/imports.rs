//! Imports, as Terraform and SDKs ask for them.

use http::StatusCode;
use serde_json::{Value, json};

use super::Vault;
use crate::tenants::{fields, sorted};

const IMPORT: &str = "id version importPath importEnv position folderId isReplication
    isReplicationSuccess replicationStatus lastReplicated isReserved createdAt updatedAt environment
    projectId secretPath";

/// A secret in `prod`, and an import of it into `dev`.
async fn prepared(vault: &Vault) -> Value {
    let body = json!({ "workspaceId": vault.project, "environment": "prod", "secretValue": "p" });
    vault.request("POST", "/api/v3/secrets/raw/P").json(body).send().await.ok();
    let body = json!({ "path": "/", "isReplication": false,
        "import": { "environment": "prod", "path": "/" } });
    vault.send_old("POST", "/api/v1/secret-imports", body).await.ok()
}

#[tokio::test]
async fn both_versions_make_read_change_and_remove_the_same_imports() {
    let vault = Vault::start().await;
    let made = prepared(&vault).await;
    assert_eq!(made["message"], "Successfully created secret import");
    let made = made["secretImport"].clone();
    assert_eq!(fields(&made), sorted(IMPORT));
    assert_eq!((&made["importPath"], &made["secretPath"]), (&json!("/"), &json!("/")));
    assert_eq!((&made["importEnv"]["slug"], &made["position"]), (&json!("prod"), &json!(1)));
    let id = made["id"].as_str().unwrap();
    for version in ["v1", "v2"] {
        let base = format!("/api/{version}/secret-imports");
        let list = vault.get(&base, "&path=/").await.ok();
        assert_eq!(list["secretImports"], json!([made]));
        let one = vault.request("GET", &format!("{base}/{id}")).send().await.ok();
        assert_eq!(one["secretImport"], made);
    }
    // What Terraform sends to change an import, its id in the body as well.
    let body = json!({ "id": id, "path": "/", "isReplication": false,
        "import": { "environment": "staging", "path": "/x" } });
    let changed = vault.send_old("PATCH", &format!("/api/v1/secret-imports/{id}"), body).await.ok();
    assert_eq!(changed["secretImport"]["importEnv"]["slug"], "staging");
    assert_eq!(changed["secretImport"]["version"], 2);
    let path = format!("/api/v2/secret-imports/{id}");
    let gone = vault.send("DELETE", &path, json!({ "id": id, "path": "/" })).await.ok();
    assert_eq!(gone["secretImport"]["id"], id);
    assert_eq!(vault.request("GET", &path).send().await.status, StatusCode::NOT_FOUND);
    assert_eq!(vault.get("/api/v2/secret-imports", "").await.ok()["secretImports"], json!([]));
    vault.stop().await;
}

#[tokio::test]
async fn imported_secrets_are_in_lists_as_every_version_has_them() {
    let vault = Vault::start().await;
    prepared(&vault).await;
    for (path, more, imported) in [
        ("/api/v4/secrets", "", true),
        ("/api/v4/secrets", "&includeImports=false", false),
        ("/api/v4/secrets", "&include_imports=false", false),
        ("/api/v3/secrets/raw", "", false),
        ("/api/v3/secrets/raw", "&include_imports=true", true),
    ] {
        let list = vault.get_old(path, more).await.ok();
        let Some(import) = list["imports"].get(0) else {
            assert!(!imported, "{path}{more}");
            assert_eq!(list["imports"], json!([]));
            continue;
        };
        assert!(imported, "{path}{more}");
        assert_eq!(fields(import), sorted("secretPath environment folderId secrets"));
        let secret = &import["secrets"][0];
        assert_eq!((&secret["secretKey"], &secret["secretValue"]), (&json!("P"), &json!("p")));
        assert_eq!((&secret["environment"], &secret["createdAt"]), (&json!("prod"), &Value::Null));
    }
    let one = vault.get("/api/v4/secrets/P", "").await.ok();
    assert_eq!(one["secret"]["environment"], "prod");
    // By itself it has all that clients expect of a secret.
    assert!(one["secret"]["createdAt"].is_string() && one["secret"]["updatedAt"].is_string());
    let missing = vault.get_old("/api/v3/secrets/raw/P", "").await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    for path in [
        "/api/v2/secret-imports/secrets",
        "/api/v1/secret-imports/secrets",
        "/api/v1/secret-imports/secrets/raw",
    ] {
        let read = vault.get_old(path, "&path=/").await.ok();
        let import = &read["secrets"][0];
        assert_eq!(import["environmentInfo"]["slug"], "prod");
        assert_eq!(import["secrets"][0]["secretValue"], "p");
    }
    vault.stop().await;
}

/// The body changes with what it is made of, and with nothing else: on every engine, since this is
/// where several servers could be late.
#[tokio::test]
async fn the_tag_of_a_list_changes_with_what_it_imports_and_refers_to() {
    let vault = Vault::start().await;
    prepared(&vault).await;
    vault.create("REF", "<${staging.S}>").await;
    let read = async || {
        let mut tags = Vec::new();
        for _ in 0..2 {
            let answer = vault.get("/api/v4/secrets", "").await;
            assert_eq!(answer.status, StatusCode::OK);
            tags.push((answer.headers["etag"].clone(), answer.text().to_owned()));
        }
        assert_eq!(tags[0], tags[1]);
        tags.remove(0)
    };
    let mut seen = vec![read().await];
    let write = async |method: &str, environment: &str, path: &str, mut body: Value| {
        body["projectId"] = json!(vault.project);
        body["environment"] = json!(environment);
        vault.request(method, path).json(body).send().await.ok()
    };
    for (method, environment, path, body) in [
        ("PATCH", "prod", "/api/v4/secrets/P", json!({ "secretValue": "other" })),
        ("POST", "staging", "/api/v4/secrets/S", json!({ "secretValue": "s" })),
        ("PATCH", "staging", "/api/v4/secrets/S", json!({ "secretValue": "t" })),
        ("DELETE", "prod", "/api/v4/secrets/P", json!({})),
        (
            "POST",
            "dev",
            "/api/v2/secret-imports",
            json!({ "import": { "environment": "staging", "path": "/" } }),
        ),
    ] {
        write(method, environment, path, body).await;
        let now = read().await;
        assert!(!seen.contains(&now), "{method} {path}");
        seen.push(now);
    }
    assert!(seen.last().unwrap().1.contains("<t>"));
    vault.stop().await;
}
