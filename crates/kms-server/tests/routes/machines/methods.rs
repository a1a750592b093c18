//! Universal auth, client secrets and token auth of identities.

use http::StatusCode;
use kms_api::routes as paths;
use serde_json::{Value, json};

use super::{Machine, text, who};
use crate::tenants::{Instance, fields, path, sorted};

const UNIVERSAL: &str = "id clientId identityId clientSecretTrustedIps accessTokenTrustedIps
    accessTokenTTL accessTokenMaxTTL accessTokenNumUsesLimit accessTokenPeriod lockoutEnabled
    lockoutThreshold lockoutDurationSeconds lockoutCounterResetSeconds createdAt updatedAt";
const SECRET: &str = "id createdAt updatedAt description clientSecretPrefix clientSecretNumUses
    clientSecretNumUsesLimit clientSecretTTL identityUAId isClientSecretRevoked";
const TOKEN_AUTH: &str = "id accessTokenTTL accessTokenMaxTTL accessTokenNumUsesLimit
    accessTokenTrustedIps identityId createdAt updatedAt";
const TOKEN: &str = "id name accessTokenTTL accessTokenMaxTTL accessTokenNumUses
    accessTokenNumUsesLimit accessTokenLastUsedAt accessTokenLastRenewedAt isAccessTokenRevoked
    identityUAClientSecretId identityId createdAt updatedAt";

async fn identity(instance: &Instance) -> String {
    let made = instance.send("POST", paths::IDENTITIES, json!({"name": "x"})).await.ok();
    text(&made["identity"]["id"])
}

fn everywhere() -> Value {
    json!([{"type": "ipv4", "prefix": 0, "ipAddress": "0.0.0.0"},
           {"type": "ipv6", "prefix": 0, "ipAddress": "::"}])
}

#[tokio::test]
async fn universal_auth_is_attached_changed_shown_and_detached() {
    let instance = Instance::start().await;
    let one = path(paths::UNIVERSAL_AUTH, &[&identity(&instance).await]);
    let none = instance.get(&one).await;
    assert_eq!(none.status, StatusCode::BAD_REQUEST);
    assert_eq!(none.json()["message"], "The identity does not have universal auth");
    let made = instance.send("POST", &one, json!({})).await.ok()["identityUniversalAuth"].clone();
    assert_eq!(fields(&made), sorted(UNIVERSAL));
    assert_eq!(made["clientSecretTrustedIps"], everywhere());
    assert_eq!(made["accessTokenTrustedIps"], everywhere());
    assert_eq!(
        (&made["lockoutThreshold"], &made["accessTokenTTL"]),
        (&json!(3), &json!(2_592_000))
    );
    let twice = instance.send("POST", &one, json!({})).await;
    assert_eq!(
        twice.json()["message"],
        "Failed to add universal auth to already configured identity"
    );
    let new = json!({"accessTokenTTL": 600, "accessTokenTrustedIps":
        [{"ipAddress": "10.0.0.0/8"}, {"ipAddress": "2001:db8::1"}]});
    let changed = instance.send("PATCH", &one, new).await.ok()["identityUniversalAuth"].clone();
    assert_eq!(
        changed["accessTokenTrustedIps"],
        json!([
        {"ipAddress": "10.0.0.0", "type": "ipv4", "prefix": 8},
        {"ipAddress": "2001:db8::1", "type": "ipv6"}])
    );
    assert_eq!(instance.get(&one).await.ok()["identityUniversalAuth"], changed);
    let longer = instance.send("PATCH", &one, json!({"accessTokenMaxTTL": 599})).await;
    assert_eq!(longer.status, StatusCode::BAD_REQUEST);
    assert_eq!(longer.json()["message"], "Access token TTL cannot be greater than max TTL");
    let gone = instance.send("DELETE", &one, json!({})).await.ok();
    assert_eq!(gone["identityUniversalAuth"]["id"], made["id"]);
    assert_eq!(instance.get(&one).await.status, StatusCode::BAD_REQUEST);
    instance.server.stop().await;
}

#[tokio::test]
async fn settings_out_of_bounds_are_unprocessable() {
    let instance = Instance::start().await;
    let one = path(paths::UNIVERSAL_AUTH, &[&identity(&instance).await]);
    for body in [
        json!({"accessTokenTTL": 100, "accessTokenMaxTTL": 50}),
        json!({"accessTokenTTL": -1}),
        json!({"accessTokenTTL": 315_360_001}),
        json!({"accessTokenTTL": "600"}),
        json!({"accessTokenNumUsesLimit": -1}),
        json!({"accessTokenTrustedIps": []}),
        json!({"accessTokenTrustedIps": [{"ipAddress": "10.0.0.0/33"}]}),
        json!({"lockoutThreshold": 0}),
    ] {
        let answer = instance.send("POST", &one, body.clone()).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
        assert_eq!(answer.json()["error"], "ValidationFailure");
    }
    instance.server.stop().await;
}

#[tokio::test]
async fn a_client_secret_is_shown_once_and_revoked_for_good() {
    let instance = Instance::start().await;
    let machine = Machine::plain(&instance).await;
    let all = path(paths::CLIENT_SECRETS, &[&machine.id]);
    let body = json!({"description": "main", "ttl": 60, "numUsesLimit": 5});
    let made = instance.send("POST", &all, body).await.ok();
    assert_eq!(fields(&made), sorted("clientSecret clientSecretData"));
    let (secret, data) = (text(&made["clientSecret"]), &made["clientSecretData"]);
    assert!(secret.len() == 64 && secret.bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert_eq!(fields(data), sorted(SECRET));
    assert_eq!(data["clientSecretPrefix"], secret[..4]);
    let one = path(paths::CLIENT_SECRET, &[&machine.id, &text(&data["id"])]);
    let shown = instance.get(&one).await;
    assert_eq!(&shown.ok()["clientSecretData"], data);
    let listed = instance.get(&all).await;
    assert_eq!(listed.ok()["clientSecretData"].as_array().unwrap().len(), 2);
    for answer in [shown, listed] {
        assert!(!answer.text().contains(&secret), "never again");
    }
    let revoke = path(paths::CLIENT_SECRET_REVOKE, &[&machine.id, &text(&data["id"])]);
    for _ in 0..2 {
        let revoked = instance.send("POST", &revoke, json!({})).await.ok();
        assert_eq!(revoked["clientSecretData"]["isClientSecretRevoked"], true);
    }
    let unknown = path(paths::CLIENT_SECRET_REVOKE, &[&machine.id, &machine.id]);
    assert_eq!(instance.send("POST", &unknown, json!({})).await.status, StatusCode::NOT_FOUND);
    let wrong = instance.send("POST", &all, json!({"ttl": "x", "numUsesLimit": -1})).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    instance.server.stop().await;
}

#[tokio::test]
async fn token_auth_makes_tokens_that_can_be_listed_and_revoked() {
    let instance = Instance::start().await;
    let machine = Machine::plain(&instance).await;
    let one = path(paths::TOKEN_AUTH, &[&machine.id]);
    instance.server.clock.advance(1);
    let made = instance.send("POST", &one, json!({"accessTokenNumUsesLimit": 3})).await.ok();
    assert_eq!(fields(&made["identityTokenAuth"]), sorted(TOKEN_AUTH));
    let all = path(paths::TOKEN_AUTH_TOKENS, &[&machine.id]);
    let made = instance.send("POST", &all, json!({"name": "t"})).await.ok();
    assert_eq!(
        fields(&made),
        sorted("accessToken expiresIn accessTokenMaxTTL tokenType tokenData")
    );
    let (token, data) = (text(&made["accessToken"]), &made["tokenData"]);
    assert_eq!(fields(data), sorted(TOKEN));
    who(&instance, &token).await.ok();
    let shown = path(paths::TOKEN_AUTH_IDENTITY_TOKEN, &[&machine.id, &text(&data["id"])]);
    assert_eq!(instance.get(&shown).await.ok()["token"]["accessTokenNumUses"], 1);
    let rename = path(paths::TOKEN_AUTH_TOKEN, &[&text(&data["id"])]);
    let renamed = instance.send("PATCH", &rename, json!({"name": "u"})).await.ok();
    assert_eq!(renamed["token"]["name"], "u");
    let listed = instance.get(&format!("{all}?limit=1&offset=0")).await.ok();
    assert_eq!(listed["tokens"][0]["name"], "u");
    assert_eq!(
        instance.get(&format!("{all}?limit=101")).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let revoke = path(paths::TOKEN_AUTH_TOKEN_REVOKE, &[&text(&data["id"])]);
    let revoked = instance.send("POST", &revoke, json!({})).await.ok();
    assert_eq!(revoked, json!({"message": "Successfully revoked access token"}));
    assert_eq!(who(&instance, &token).await.status, StatusCode::UNAUTHORIZED);
    let read = instance.get(&path(paths::IDENTITY, &[&machine.id])).await.ok();
    assert_eq!(
        read["identity"]["identity"]["authMethods"],
        json!(["universal-auth", "token-auth"]),
        "one identity, several methods"
    );
    instance.send("DELETE", &one, json!({})).await.ok();
    assert_eq!(machine.login(&instance).await.status, StatusCode::OK, "the other one stays");
    instance.server.stop().await;
}
