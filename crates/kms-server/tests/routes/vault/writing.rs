//! Writes of secrets.

use http::StatusCode;
use serde_json::{Value, json};

use super::Vault;

async fn values(vault: &Vault) -> Vec<(String, String)> {
    let list = vault.get("/api/v4/secrets", "").await.ok();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let secrets = list["secrets"].as_array().unwrap().iter();
    secrets.map(|secret| (text(&secret["secretKey"]), text(&secret["secretValue"]))).collect()
}

fn is(found: &[(String, String)], expected: &[(&str, &str)]) {
    let found: Vec<_> = found.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    assert_eq!(found, expected);
}

/// The bodies that each client sends, with all that they send besides.
#[tokio::test]
async fn every_client_can_write() {
    let vault = Vault::start().await;
    let path = "/api/v3/secrets/raw/A";
    for (create, update, delete) in [
        (
            json!({ "secretValue": "1", "type": "shared", "secretPath": "/",
                "secretComment": "", "skipMultilineEncoding": false, "tagIds": [] }),
            json!({ "secretValue": "2", "secretPath": "/", "type": "shared" }),
            json!({ "secretName": "A", "secretPath": "/", "type": "shared" }),
        ),
        (
            json!({ "secretKey": "A", "secretValue": "1", "secretComment": "", "secretPath": "/",
                "type": "shared", "secretReminderNote": "", "secretReminderRepeatDays": 0,
                "tagIds": [], "secretMetadata": [{ "key": "k", "value": "v",
                "isEncrypted": false }] }),
            json!({ "secretName": "A", "secretPath": "/", "type": "shared", "secretValue": "2",
                "secretReminderNote": "", "secretReminderRepeatDays": 0, "tagIds": [] }),
            json!({ "secretName": "A", "secretPath": "/", "type": "shared" }),
        ),
        (
            json!({ "secretValue": "1", "metadata": { "any": "thing" } }),
            json!({ "secretValue": "2", "metadata": { "any": "thing" }, "secretReminderNote": null,
                "secretReminderRecipients": [] }),
            json!({}),
        ),
    ] {
        let made = vault.send_old("POST", path, create).await.ok();
        assert_eq!(
            (&made["secret"]["version"], &made["secret"]["type"]),
            (&json!(1), &json!("shared"))
        );
        let changed = vault.send_old("PATCH", path, update).await.ok();
        assert_eq!(changed["secret"]["version"], 2);
        is(&values(&vault).await, &[("A", "2")]);
        let gone = vault.send_old("DELETE", path, delete).await.ok();
        assert_eq!(gone["secret"]["secretValue"], "2");
        is(&values(&vault).await, &[]);
    }
    vault.stop().await;
}

#[tokio::test]
async fn batches_are_written_under_both_versions() {
    let vault = Vault::start().await;
    for path in ["/api/v4/secrets/batch", "/api/v3/secrets/batch/raw"] {
        let made = json!({ "secrets": [{ "secretKey": "A", "secretValue": "1" },
            { "secretKey": "B", "secretValue": "1", "secretComment": "c" }] });
        let made = vault.send("POST", path, made).await.ok();
        assert_eq!(made["secrets"].as_array().unwrap().len(), 2);
        let upsert = json!({ "mode": "upsert", "secrets": [
            { "secretKey": "A", "secretValue": "2" }, { "secretKey": "C", "secretValue": "2" }] });
        vault.send("PATCH", path, upsert).await.ok();
        is(&values(&vault).await, &[("A", "2"), ("B", "1"), ("C", "2")]);
        let taken = json!({ "secrets": [{ "secretKey": "D", "secretValue": "1" },
            { "secretKey": "B", "secretValue": "1" }, { "secretKey": "A", "secretValue": "1" }] });
        let taken = vault.send("POST", path, taken).await;
        assert_eq!(taken.status, StatusCode::BAD_REQUEST);
        assert_eq!(taken.json()["message"], "Secret already exists: A,B");
        let gone = json!({ "secrets": [{ "secretKey": "A" }, { "secretKey": "B" },
            { "secretKey": "C", "type": "shared" }] });
        vault.send("DELETE", path, gone).await.ok();
        is(&values(&vault).await, &[]);
    }
    vault.stop().await;
}

#[tokio::test]
async fn what_is_wrong_is_told_by_status_and_text() {
    let vault = Vault::start().await;
    vault.create("A", "1").await;
    let told = async |method: &str, path: &str, body: Value| {
        let answer = vault.send(method, path, body).await;
        (answer.status.as_u16(), answer.json()["message"].clone())
    };
    let value = json!({ "secretValue": "x" });
    let one = "/api/v4/secrets/A";
    assert_eq!(told("POST", one, value.clone()).await, (400, json!("Secret already exists")));
    let nowhere = json!({ "secretValue": "x", "secretPath": "/nope" });
    let (status, text) = told("POST", "/api/v4/secrets/B", nowhere).await;
    let expected = "Folder with path '/nope' in environment with slug 'dev' not found";
    assert_eq!((status, text), (404, json!(expected)));
    let personal = json!({ "secretValue": "x", "type": "personal" });
    let expected = json!("Must be user to create personal secret");
    assert_eq!(told("POST", "/api/v4/secrets/B", personal.clone()).await, (400, expected));
    assert_eq!(told("PATCH", "/api/v4/secrets/B", value).await.0, 404);
    assert_eq!(told("DELETE", "/api/v4/secrets/B", json!({})).await.0, 404);
    assert_eq!(told("POST", "/api/v4/secrets/B", json!({})).await.0, 422);
    assert_eq!(told("POST", "/api/v4/secrets/B", json!({ "secretValue": 5 })).await.0, 422);
    assert_eq!(told("PATCH", one, json!({ "newSecretName": "" })).await.0, 400);
    let tags = json!({ "tagIds": ["0198c0de-0000-7000-8000-000000000000"] });
    assert_eq!(told("PATCH", one, tags).await.0, 404);
    let (status, issues) = told(
        "POST",
        "/api/v4/secrets/batch",
        json!({ "secrets": [{ "secretKey": "B", "secretValue": "x" }, { "secretKey": "B:" ,
        "secretValue": "x" }] }),
    )
    .await;
    assert_eq!((status, &issues[0]["path"]), (422, &json!(["secrets", 1, "secretKey"])));
    is(&values(&vault).await, &[("A", "1")]);
    vault.stop().await;
}

#[tokio::test]
async fn t8_fields_that_are_the_servers_are_not_taken_from_a_body() {
    let vault = Vault::start().await;
    let stranger = "0198c0de-0000-7000-8000-000000000000";
    let body = json!({ "secretValue": "v", "id": stranger, "_id": stranger, "version": 7,
        "orgId": stranger, "folderId": stranger, "actor": { "actorId": stranger },
        "createdAt": "2000-01-01T00:00:00Z", "secretValueHidden": true, "secretKey": "OTHER" });
    let made = vault.send("POST", "/api/v4/secrets/A", body).await.ok()["secret"].clone();
    assert!(!made.to_string().contains(stranger), "{made}");
    assert_eq!((&made["version"], &made["secretKey"]), (&json!(1), &json!("A")));
    assert!(made["createdAt"].as_str().unwrap() > "2001");
    let doubled = format!(
        "{{\"projectId\":\"{}\",\"environment\":\"dev\",\"secretValue\":\"a\",\"secretValue\":\"b\"}}",
        vault.project
    );
    let answer = vault.request("POST", "/api/v4/secrets/B").body("application/json", doubled);
    assert_eq!(answer.send().await.status, StatusCode::UNPROCESSABLE_ENTITY);
    vault.stop().await;
}
