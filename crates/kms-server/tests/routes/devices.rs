//! Logins of devices, as programs ask for them.

use http::StatusCode;
use kms_api::{
    oauth::{CLI_CLIENT, DEVICE_GRANT},
    routes as paths,
};
use kms_server::{RateLimits, Settings};
use kms_testkit::{Answer, Setup, TestServer};
use serde_json::{Value, json};

const FORM: &str = "application/x-www-form-urlencoded";
/// Stands where a secret stands in a wrong request; no refusal may show it.
const CANARY: &str = "canary-51d7";

fn encoded(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

async fn send(server: &TestServer, path: &str, fields: &[(&str, &str)]) -> Answer {
    server.post(path).body(FORM, encoded(fields)).send().await
}

async fn ask(server: &TestServer) -> Value {
    let fields = [("client_id", CLI_CLIENT), ("host", "build-7")];
    send(server, paths::OAUTH_DEVICE, &fields).await.ok()
}

async fn poll(server: &TestServer, device_code: &str) -> Answer {
    let fields =
        [("grant_type", DEVICE_GRANT), ("client_id", CLI_CLIENT), ("device_code", device_code)];
    send(server, paths::OAUTH_TOKEN, &fields).await
}

/// The error in the words of the RFCs.
fn refused(answer: &Answer) -> String {
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text());
    answer.json()["error"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn h11_codes_come_in_the_words_of_the_rfc_for_the_configured_address_alone() {
    let settings = Settings { public_url: "https://kms.example.com".into(), ..Settings::default() };
    let server = TestServer::with(Setup { settings, ..Setup::default() }).await;
    let request = server.post(paths::OAUTH_DEVICE).header("x-forwarded-host", "evil.example");
    let request = request.header("host", "evil.example");
    let answer = request.body(FORM, encoded(&[("client_id", CLI_CLIENT)])).send().await;
    assert_eq!(answer.header("cache-control"), "no-store");
    let given = answer.ok();
    let mut names: Vec<_> = given.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "device_code",
            "expires_in",
            "interval",
            "user_code",
            "verification_uri",
            "verification_uri_complete"
        ]
    );
    let code = given["user_code"].as_str().unwrap();
    assert_eq!(given["verification_uri"], "https://kms.example.com/device");
    let complete = format!("https://kms.example.com/device?user_code={code}");
    assert_eq!(given["verification_uri_complete"], complete);
    let metadata = server.get(paths::OAUTH_METADATA).send().await.ok();
    assert_eq!(
        metadata["device_authorization_endpoint"],
        format!("https://kms.example.com{}", paths::OAUTH_DEVICE)
    );
    assert!(metadata["grant_types_supported"].as_array().unwrap().contains(&json!(DEVICE_GRANT)));
    server.stop().await;
}

#[tokio::test]
async fn questions_are_answered_in_the_words_of_the_rfc() {
    let server = TestServer::start().await;
    let device = ask(&server).await;
    let code = device["device_code"].as_str().unwrap();
    let answer = poll(&server, code).await;
    assert_eq!(refused(&answer), "authorization_pending");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(refused(&poll(&server, code).await), "slow_down");
    server.clock.advance(600);
    assert_eq!(refused(&poll(&server, code).await), "expired_token");
    assert_eq!(refused(&poll(&server, "nobody's").await), "invalid_grant");
    let other = send(&server, paths::OAUTH_TOKEN, &[("grant_type", "password")]).await;
    assert_eq!(refused(&other), "unsupported_grant_type");
    server.stop().await;
}

#[tokio::test]
async fn d6_a_request_that_is_none_is_refused_and_never_shown() {
    let server = TestServer::start().await;
    let long = CANARY.repeat(10_000);
    for body in [
        String::new(),
        encoded(&[("host", CANARY)]),
        encoded(&[("client_id", CLI_CLIENT), ("client_id", CANARY)]),
        encoded(&[("client_id", CLI_CLIENT), ("organization_id", CANARY)]),
        format!("client_id={CLI_CLIENT}&organization_id=%ff{CANARY}"),
        format!("{CANARY}&%zz"),
    ] {
        let answer = server.post(paths::OAUTH_DEVICE).body(FORM, body.clone()).send().await;
        assert_eq!(refused(&answer), "invalid_request", "{body}");
        assert!(!answer.text().contains(CANARY), "{}", answer.text());
    }
    let json = server.post(paths::OAUTH_DEVICE).json(json!({ "client_id": CLI_CLIENT }));
    assert_eq!(refused(&json.send().await), "invalid_request", "no form");
    let other = send(&server, paths::OAUTH_DEVICE, &[("client_id", CANARY)]).await;
    assert_eq!(other.status, StatusCode::UNAUTHORIZED);
    assert_eq!(other.json()["error"], "invalid_client");
    assert!(!other.text().contains(CANARY));
    let large = send(&server, paths::OAUTH_DEVICE, &[("client_id", &long)]).await;
    assert_eq!(large.status, StatusCode::PAYLOAD_TOO_LARGE);
    for device_code in [CANARY, &format!("{CANARY}\r\n\u{202e}"), &long[..60_000]] {
        let answer = poll(&server, device_code).await;
        assert_eq!(refused(&answer), "invalid_grant");
        assert!(!answer.text().contains(CANARY), "{}", answer.text());
    }
    server.stop().await;
}

#[tokio::test]
async fn j6_no_code_is_a_token_and_no_token_is_a_code() {
    let server = TestServer::start().await;
    let tenant = server.seed().await;
    let device = ask(&server).await;
    for code in [&device["device_code"], &device["user_code"]] {
        let code = code.as_str().unwrap();
        let answer = server.get(paths::USERS_ME).bearer(code).send().await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert_eq!(answer.json()["error"], "TokenError");
        let fields = [("grant_type", "refresh_token"), ("refresh_token", code)];
        assert_eq!(refused(&send(&server, paths::OAUTH_TOKEN, &fields).await), "invalid_grant");
    }
    assert_eq!(refused(&poll(&server, &tenant.token).await), "invalid_grant");
    server.stop().await;
}

#[tokio::test]
async fn l6_asking_and_polling_count_for_the_address_as_logins_do() {
    for path in [paths::OAUTH_DEVICE, paths::OAUTH_TOKEN] {
        let rate_limits = RateLimits { login: 2, ..RateLimits::OFF };
        let settings = Settings { rate_limits, ..Settings::default() };
        let server = TestServer::with(Setup { settings, ..Setup::default() }).await;
        let status = async |peer: &str| {
            let request = server.post(path).body(FORM, encoded(&[("client_id", CLI_CLIENT)]));
            request.from(peer).send().await.status.as_u16()
        };
        for _ in 0..2 {
            assert_ne!(status("192.0.2.1:1").await, 429, "{path}");
        }
        assert_eq!(status("192.0.2.1:2").await, 429, "{path}");
        assert_ne!(status("192.0.2.2:1").await, 429, "{path}");
        server.stop().await;
    }
}

#[tokio::test]
async fn l6_an_address_has_only_so_many_logins_that_wait() {
    let settings = Settings { rate_limits: RateLimits::OFF, ..Settings::default() };
    let server = TestServer::with(Setup { settings, ..Setup::default() }).await;
    for _ in 0..100 {
        ask(&server).await;
    }
    let answer = send(&server, paths::OAUTH_DEVICE, &[("client_id", CLI_CLIENT)]).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.header("retry-after"), "60");
    server.stop().await;
}
