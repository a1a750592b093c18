//! What programs ask of logins by browser.

use http::{Method, StatusCode};
use kms_api::{oauth::ServerMetadata, routes as paths};
use kms_server::route::Class;
use kms_testkit::{Answer, TestServer};
use secrecy::ExposeSecret as _;
use serde_json::json;

use super::House;

const FORM: &str = "application/x-www-form-urlencoded";

async fn ask(server: &TestServer, fields: &[(&str, &str)]) -> Answer {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    server.post(paths::OAUTH_TOKEN).body(FORM, body).send().await
}

/// Every address is below the issuer, and nothing of a request moves the issuer (attack H11).
#[tokio::test]
async fn h11_where_things_are_is_configured_and_never_read_from_a_request() {
    let server = TestServer::start().await;
    let plain = server.get(paths::OAUTH_METADATA).send().await;
    let metadata: ServerMetadata = serde_json::from_slice(&plain.body).unwrap();
    let issuer = server.url();
    assert_eq!(metadata.issuer, issuer);
    assert_eq!(metadata.authorization_endpoint, format!("{issuer}/oauth/authorize"));
    assert_eq!(metadata.token_endpoint, format!("{issuer}/oauth/token"));
    assert_eq!(metadata.response_types_supported, ["code"]);
    assert_eq!(metadata.response_modes_supported, ["query"]);
    assert_eq!(metadata.code_challenge_methods_supported, ["S256"]);
    assert_eq!(metadata.token_endpoint_auth_methods_supported, ["none"]);
    assert!(metadata.authorization_response_iss_parameter_supported);
    for grant in ["authorization_code", "refresh_token"] {
        assert!(metadata.grant_types_supported.iter().any(|known| known == grant), "{grant}");
    }
    for (name, value) in [
        ("host", "evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-for", "192.0.2.1"),
        ("forwarded", "host=evil.example;proto=https"),
        ("x-original-url", "https://evil.example/"),
    ] {
        let answer = server.get(paths::OAUTH_METADATA).header(name, value).send().await;
        assert_eq!(answer.body, plain.body, "{name}");
    }
    server.stop().await;
}

#[test]
fn guesses_at_the_token_endpoint_count_as_logins() {
    let routes = kms_server::routes();
    let of_tokens = routes.iter().find(|route| route.info.path == paths::OAUTH_TOKEN).unwrap();
    assert_eq!((of_tokens.info.class, &of_tokens.method), (Class::Login, &Method::POST));
}

/// RFC 6749, section 5.2: the error, what to do about it, and nothing of what was sent.
#[tokio::test]
async fn d6_refusals_speak_the_words_of_the_rfc_and_echo_nothing() {
    let server = TestServer::start().await;
    let canary = "canary-90d2";
    let good = [
        ("grant_type", "authorization_code"),
        ("client_id", "kms-cli"),
        ("code", canary),
        ("redirect_uri", "http://127.0.0.1:50123/"),
        ("code_verifier", "canary-90d2-canary-90d2-canary-90d2-canary-90d2"),
    ];
    let with = |name: &'static str, value: &'static str| {
        let mut fields = good.to_vec();
        fields.retain(|(known, _)| *known != name);
        fields.push((name, value));
        fields
    };
    for (fields, status, error) in [
        (good.to_vec(), 400, "invalid_grant"),
        (with("client_id", "canary-90d2"), 401, "invalid_client"),
        (with("client_id", ""), 400, "invalid_request"),
        (with("code", ""), 400, "invalid_request"),
        (with("grant_type", "canary-90d2"), 400, "unsupported_grant_type"),
        (with("grant_type", "password"), 400, "unsupported_grant_type"),
        (with("grant_type", "refresh_token"), 400, "invalid_request"),
        ([good.to_vec(), good.to_vec()].concat(), 400, "invalid_request"),
        (vec![("code", canary)], 400, "invalid_request"),
        (vec![("grant_type", "refresh_token"), ("refresh_token", canary)], 400, "invalid_grant"),
    ] {
        let answer = ask(&server, &fields).await;
        assert_eq!(answer.status.as_u16(), status, "{fields:?}: {}", answer.text());
        let body = answer.json();
        assert_eq!(body["error"], error, "{fields:?}");
        let names: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names, ["error", "error_description"]);
        assert!(!answer.text().contains(canary), "{}", answer.text());
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("pragma"), "no-cache");
        assert_eq!(answer.header("content-type"), "application/json; charset=utf-8");
        assert_eq!(answer.header("www-authenticate").is_empty(), status != 401);
    }
    for (media_type, body) in [
        ("application/json", "{\"grant_type\":\"refresh_token\"}"),
        ("text/plain", "grant_type=refresh_token"),
        (FORM, "grant_type=%"),
        (FORM, "grant_type=refresh_token&refresh_token=%00"),
        (FORM, ""),
        (FORM, "\u{0}\u{ff}"),
    ] {
        let answer = server.post(paths::OAUTH_TOKEN).body(media_type, body).send().await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}: {}", answer.text());
        assert_eq!(answer.json()["error"], "invalid_request", "{media_type} {body}");
    }
    let large = format!("grant_type=refresh_token&refresh_token={}", "a".repeat(65 * 1_024));
    let answer = server.post(paths::OAUTH_TOKEN).body(FORM, large).send().await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    // Parameters belong into the body: an address ends up in logs.
    let path = format!("{}?grant_type=refresh_token&refresh_token=x", paths::OAUTH_TOKEN);
    assert_eq!(server.post(&path).send().await.json()["error"], "invalid_request");
    assert_eq!(server.get(&path).send().await.status, StatusCode::NOT_FOUND);
    server.stop().await;
}

/// Attack J6: no other token is traded or refreshed here, and no bearer token opens anything.
#[tokio::test]
async fn j6_the_token_endpoint_takes_refresh_tokens_and_codes_alone() {
    let house = House::new().await;
    let login = house.enter().await;
    let page = {
        let user = &house.tenant.made.user;
        let body = kms_api::auth::user::PasswordLogin {
            email: user.email.clone(),
            password: user.password.clone(),
        };
        let origin = kms_core::Origin::default();
        let page = house.server.core().page_login(&body, None, &origin).await.unwrap();
        page.token.expose_secret().to_owned()
    };
    let secret = house.tenant.made.machine_identity.client_secret.expose_secret().to_owned();
    for token in [&login.access, &page, &house.tenant.token, &secret] {
        for field in ["refresh_token", "code", "device_code"] {
            let grant = if field == "code" { "authorization_code" } else { "refresh_token" };
            let fields = [
                ("grant_type", grant),
                ("client_id", "kms-cli"),
                (field, token.as_str()),
                ("redirect_uri", "http://127.0.0.1:50123/"),
                ("code_verifier", &"v".repeat(43)),
            ];
            let answer = ask(&house.server, &fields).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{field} {}", answer.text());
        }
    }
    let request = house.server.post(paths::OAUTH_TOKEN).bearer(&login.access);
    let answer = request.body(FORM, "grant_type=refresh_token").send().await;
    assert_eq!(answer.json()["error"], "invalid_request");
    // The counterpart: the one that is right.
    let fields = [("grant_type", "refresh_token"), ("refresh_token", login.refresh.as_str())];
    let tokens = ask(&house.server, &fields).await.ok();
    assert_eq!(tokens["token_type"], json!("Bearer"));
    assert!(tokens.get("session").is_none());
    let next = tokens["refresh_token"].as_str().unwrap();
    assert_eq!(house.refresh(next).await.status, StatusCode::OK, "good as a cookie, too");
    house.server.stop().await;
}
