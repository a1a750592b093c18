//! What a token is good for, and when it ends.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::StatusCode;
use kms_api::routes as paths;
use kms_server::route::Access;
use kms_testkit::TestServer;
use serde_json::{Value, json};

use super::{Machine, text, who, with_token};
use crate::{
    filled,
    people::{administrator, still_in},
    tenants::{Instance, path},
};

const SOME_ID: &str = "00000000-0000-7000-8000-000000000000";

#[tokio::test]
async fn j6_each_route_takes_only_its_own_kinds_of_tokens() {
    let server = TestServer::start().await;
    let mut person = administrator(&server).await;
    let machine = server.seed_another("elsewhere").await.token;
    for route in kms_server::routes() {
        person = still_in(&server, person).await;
        let path = filled(route.info.path, SOME_ID);
        let kinds = [(&person, Access::Identity), (&machine, Access::User)];
        for (token, closed) in kinds {
            let name = format!("{} {path}", route.method);
            let answer = server.call(route.method.clone(), &path).bearer(token).send().await;
            let closed = [closed, Access::Service, Access::Proven, Access::Pending];
            if closed.contains(&route.info.access) {
                assert_eq!(answer.status, StatusCode::FORBIDDEN, "{name}");
                assert_eq!(answer.json()["error"], format!("Forbidden access to {path}"));
            } else {
                let wrong_kind = answer.text().contains("Forbidden access to");
                assert!(!wrong_kind, "{name}: {}", answer.text());
            }
        }
    }
    let renewed = server.post(paths::TOKEN_RENEW).json(json!({"accessToken": person}));
    assert_eq!(renewed.send().await.status, StatusCode::FORBIDDEN, "a person's token");
    server.stop().await;
}

fn forged(header: &Value, token: &str, signature: &str) -> String {
    let payload = token.split('.').nth(1).unwrap();
    let header = URL_SAFE_NO_PAD.encode(header.to_string());
    format!("{header}.{payload}.{signature}")
}

#[tokio::test]
async fn j2_no_header_talks_the_server_out_of_its_signature() {
    let instance = Instance::start().await;
    let token = Machine::plain(&instance).await.token(&instance).await;
    let signature = token.rsplit_once('.').unwrap().1;
    let kid = "identity-access.1";
    let mut tokens = Vec::new();
    for algorithm in [
        json!("none"),
        json!("None"),
        json!("NONE"),
        json!("nOnE"),
        json!(""),
        json!(null),
        json!(["HS256"]),
        json!("HS512"),
        json!("RS256"),
        json!("hs256"),
    ] {
        for signature in ["", signature] {
            tokens.push(forged(&json!({"alg": algorithm, "kid": kid}), &token, signature));
        }
    }
    tokens.push(forged(&json!({"kid": kid}), &token, signature));
    tokens.push(forged(&json!({"alg": "HS256"}), &token, signature));
    tokens.push(forged(&json!({"alg": "HS256", "kid": "user-access.1"}), &token, signature));
    tokens.push(forged(&json!({"alg": "HS256", "kid": kid, "jku": "http://x"}), &token, signature));
    for forgery in tokens {
        for answer in [
            who(&instance, &forgery).await,
            with_token(&instance, paths::TOKEN_RENEW, &forgery).await,
            with_token(&instance, paths::TOKEN_REVOKE, &forgery).await,
        ] {
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{forgery}");
            assert_eq!(answer.json()["error"], "TokenError", "{forgery}");
            assert!(!answer.text().contains(signature), "no token in an answer");
        }
    }
    who(&instance, &token).await.ok();
    instance.server.stop().await;
}

#[tokio::test]
async fn j7_an_expired_token_says_so() {
    let instance = Instance::start().await;
    let settings = json!({"accessTokenTTL": 60, "accessTokenMaxTTL": 120});
    let machine = Machine::new(&instance, settings, json!({})).await;
    let token = machine.token(&instance).await;
    who(&instance, &token).await.ok();
    instance.server.clock.advance(60);
    let answer = who(&instance, &token).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(answer.json()["error"], "TokenError");
    assert_eq!(answer.json()["message"], "Your token has expired. Please re-authenticate.");
    instance.server.stop().await;
}

#[tokio::test]
async fn j11_every_revocation_holds_for_the_next_request() {
    let instance = Instance::start().await;
    let elsewhere = json!({"accessTokenTrustedIps": [{"ipAddress": "192.0.2.1"}]});
    for (method, template, body, text) in [
        (
            "POST",
            paths::CLIENT_SECRET_REVOKE,
            json!({}),
            "Failed to authorize: client secret has been revoked",
        ),
        (
            "DELETE",
            paths::UNIVERSAL_AUTH,
            json!({}),
            "Failed to authorize: auth method has been revoked",
        ),
        (
            "DELETE",
            paths::IDENTITY,
            json!({}),
            "Failed to authorize: identity tokens have been revoked",
        ),
        ("PATCH", paths::UNIVERSAL_AUTH, elsewhere, "Failed to authenticate"),
    ] {
        let machine = Machine::plain(&instance).await;
        let token = machine.token(&instance).await;
        who(&instance, &token).await.ok();
        let route = path(template, &[&machine.id, &machine.secret_id]);
        instance.send(method, &route, body).await.ok();
        let answer = who(&instance, &token).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert_eq!(answer.json()["error"], "UnauthorizedError");
        assert_eq!(answer.json()["message"], text);
        let renewed = with_token(&instance, paths::TOKEN_RENEW, &token).await;
        assert_eq!(renewed.status, StatusCode::UNAUTHORIZED);
    }
    instance.server.stop().await;
}

#[tokio::test]
async fn tokens_are_renewed_and_revoked_by_whoever_shows_them() {
    let instance = Instance::start().await;
    let settings = json!({"accessTokenTTL": 600, "accessTokenMaxTTL": 900});
    let machine = Machine::new(&instance, settings, json!({})).await;
    let token = machine.token(&instance).await;
    instance.server.clock.advance(100);
    let renewed = with_token(&instance, paths::TOKEN_RENEW, &token).await.ok();
    assert_eq!((&renewed["expiresIn"], &renewed["accessTokenMaxTTL"]), (&json!(600), &json!(900)));
    assert_eq!(renewed["tokenType"], "Bearer");
    let renewed = text(&renewed["accessToken"]);
    who(&instance, &renewed).await.ok();
    let revoked = with_token(&instance, paths::TOKEN_REVOKE, &renewed).await.ok();
    assert_eq!(revoked, json!({"message": "Successfully revoked access token"}));
    for token in [&token, &renewed] {
        let answer = who(&instance, token).await;
        assert_eq!(answer.json()["message"], "Failed to authorize: token has been revoked");
    }
    let again = with_token(&instance, paths::TOKEN_REVOKE, &renewed).await;
    assert_eq!(again.status, StatusCode::UNAUTHORIZED);
    let missing = instance.server.post(paths::TOKEN_RENEW).json(json!({})).send().await;
    assert_eq!(missing.status, StatusCode::UNPROCESSABLE_ENTITY);
    instance.server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn j13_a_thousand_requests_use_a_token_as_often_as_it_allows() {
    let instance = std::sync::Arc::new(Instance::start().await);
    let settings = json!({"accessTokenNumUsesLimit": 50});
    let machine = Machine::new(&instance, settings, json!({})).await;
    let token = machine.token(&instance).await;
    let mut requests = tokio::task::JoinSet::new();
    for each in 0..1_000 {
        let (instance, token) = (std::sync::Arc::clone(&instance), token.clone());
        requests.spawn(async move {
            if each % 20 == 0 {
                with_token(&instance, paths::TOKEN_RENEW, &token).await;
            }
            who(&instance, &token).await.status
        });
    }
    let statuses = requests.join_all().await;
    assert_eq!(statuses.iter().filter(|status| **status == StatusCode::OK).count(), 50);
    assert!(statuses.iter().all(|status| matches!(status.as_u16(), 200 | 401)));
}
