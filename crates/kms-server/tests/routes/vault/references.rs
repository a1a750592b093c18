//! References, as clients see them.

use http::StatusCode;
use serde_json::{Value, json};

use super::Vault;

#[tokio::test]
async fn both_versions_have_their_own_defaults() {
    let vault = Vault::start().await;
    vault.create("HOST", "db").await;
    vault.create("URL", "pg://${HOST}").await;
    for (path, more, expected) in [
        ("/api/v4/secrets/URL", "", "pg://db"),
        ("/api/v4/secrets/URL", "&expandSecretReferences=false", "pg://${HOST}"),
        ("/api/v3/secrets/raw/URL", "", "pg://${HOST}"),
        ("/api/v3/secrets/raw/URL", "&expandSecretReferences=true", "pg://db"),
    ] {
        let read = vault.get_old(path, more).await.ok();
        assert_eq!(read["secret"]["secretValue"], expected, "{path}{more}");
        let (list, _) = path.rsplit_once('/').unwrap();
        let read = vault.get_old(list, more).await.ok();
        assert_eq!(read["secrets"][1]["secretValue"], expected, "{list}{more}");
    }
    vault.stop().await;
}

#[tokio::test]
async fn trees_are_answered_with_every_node() {
    let vault = Vault::start().await;
    vault.create("A", "1").await;
    vault.create("B", "${A}").await;
    let node = |key: &str, value: Option<&str>, children: Value| {
        let mut node = json!({ "key": key, "environment": "dev", "secretPath": "/",
            "children": children });
        if let Some(value) = value {
            node["value"] = value.into();
        }
        node
    };
    let tree = node("B", Some("${A}"), json!([node("A", Some("1"), json!([]))]));
    for path in ["/api/v4/secrets/B", "/api/v3/secrets/raw/B"] {
        let read = vault.get_old(&format!("{path}/secret-reference-tree"), "").await.ok();
        assert_eq!(read, json!({ "tree": tree, "value": "1" }));
    }
    let read = vault.get("/api/v4/secrets/A/reference-dependency-tree", "").await.ok();
    assert_eq!(read, json!({ "tree": node("A", None, json!([node("B", None, json!([]))])) }));
    let missing = vault.get("/api/v4/secrets/C/secret-reference-tree", "").await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    vault.stop().await;
}

#[tokio::test]
async fn r7_a_bomb_is_refused_with_what_to_do() {
    let vault = Vault::start().await;
    for step in 0..7 {
        let value = format!("${{K{}}}", step + 1).repeat(10);
        vault.create(&format!("K{step}"), &value).await;
    }
    vault.create("K7", "").await;
    let answer = vault.get("/api/v4/secrets/K0", "").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let message = answer.json()["message"].as_str().unwrap().to_owned();
    assert!(message.ends_with("read the secrets without expanding references"), "{message}");
    vault.get("/api/v4/secrets", "&expandSecretReferences=false").await.ok();
    vault.stop().await;
}
