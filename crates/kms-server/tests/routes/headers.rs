//! What every answer carries, and what none does.

use http::StatusCode;
use kms_server::Settings;
use kms_testkit::{Setup, TestServer};

use crate::filled;

#[tokio::test]
async fn d8_every_answer_carries_the_same_protection() {
    let server = TestServer::start().await;
    let mut paths: Vec<_> = kms_server::routes()
        .into_iter()
        .map(|route| (route.method, filled(route.info.path, "x")))
        .collect();
    paths.push((http::Method::GET, "/nowhere".into()));
    paths.push((http::Method::GET, "/api/nowhere".into()));
    paths.push((http::Method::OPTIONS, "/api/status".into()));
    for (method, path) in paths {
        let request = server.call(method.clone(), &path).header("origin", "https://evil.example");
        let answer = request.send().await;
        let mut headers: Vec<_> = answer
            .headers
            .iter()
            .filter(|(name, _)| {
                !matches!(name.as_str(), "etag" | "x-request-id" | "content-length")
            })
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        headers.sort();
        // Whoever logs out has their cookie taken away, even if there was none.
        if path == kms_api::routes::LOGOUT {
            assert!(
                headers.contains(
                    &"set-cookie: jid=; HttpOnly; Path=/; SameSite=Strict; \
                Max-Age=0"
                        .to_owned()
                ),
                "{headers:?}"
            );
            headers.retain(|header| !header.starts_with("set-cookie"));
        }
        // For caches older than `Cache-Control` (RFC 6749, section 5.1).
        if [kms_api::routes::OAUTH_DEVICE, kms_api::routes::OAUTH_TOKEN].contains(&path.as_str()) {
            assert!(headers.contains(&"pragma: no-cache".to_owned()), "{headers:?}");
            headers.retain(|header| !header.starts_with("pragma"));
        }
        let expected = "cache-control: no-store\n\
            content-security-policy: default-src 'none'; frame-ancestors 'none'\n\
            content-type: application/json; charset=utf-8\n\
            cross-origin-resource-policy: same-origin\n\
            referrer-policy: no-referrer\n\
            x-content-type-options: nosniff\n\
            x-frame-options: DENY\n\
            x-kms-version: ";
        let expected = format!("{expected}{}", env!("CARGO_PKG_VERSION"));
        assert_eq!(headers.join("\n"), expected, "{method} {path}");
        assert!(answer.header("x-request-id").starts_with("req-"), "{method} {path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn hsts_is_for_servers_that_are_reached_by_https() {
    let settings = Settings { public_url: "https://kms.example.com".into(), ..quiet() };
    let server = TestServer::with(Setup { settings, ..Setup::default() }).await;
    let answer = server.get("/api/status").send().await;
    assert_eq!(answer.header("strict-transport-security"), "max-age=31536000; includeSubDomains");
    server.stop().await;
}

#[tokio::test]
async fn the_request_id_is_in_header_and_body_and_never_the_clients() {
    let server = TestServer::start().await;
    let answer = server.get("/api/nowhere").header("x-request-id", "mine").send().await;
    assert_eq!(answer.json()["reqId"], answer.header("x-request-id"));
    assert_ne!(answer.header("x-request-id"), "mine");
    let other = server.get("/api/nowhere").send().await;
    assert_ne!(answer.header("x-request-id"), other.header("x-request-id"));
    server.stop().await;
}

#[tokio::test]
async fn a_tag_that_the_client_has_already_saves_the_body() {
    let server = TestServer::start().await;
    let first = server.get("/api/docs/json").send().await;
    let tag = first.header("etag").to_owned();
    assert!(tag.starts_with('"') && tag.ends_with('"') && tag.len() > 40, "{tag}");
    for known in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}"), "*".into()] {
        let again = server.get("/api/docs/json").header("if-none-match", &known).send().await;
        assert_eq!(again.status, StatusCode::NOT_MODIFIED, "{known}");
        assert!(again.body.is_empty());
        assert_eq!(again.header("etag"), tag);
    }
    let other = server.get("/api/docs/json").header("if-none-match", "\"x\"").send().await;
    assert_eq!(other.status, StatusCode::OK);
    assert_eq!(other.body, first.body);
    server.stop().await;
}

/// The tag is keyed: whoever sees it in a log cannot try secrets until one fits.
#[tokio::test]
async fn equal_answers_of_two_instances_have_different_tags() {
    let tag = async |seed| {
        let server = TestServer::with(Setup { seed, ..Setup::default() }).await;
        let tag = server.get("/api/docs/json").send().await.header("etag").to_owned();
        server.stop().await;
        tag
    };
    assert_ne!(tag(1).await, tag(2).await);
}

#[tokio::test]
async fn a_failure_has_no_tag() {
    let server = TestServer::start().await;
    let answer = server.get(kms_api::routes::PROJECTS).header("if-none-match", "*").send().await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.header("etag"), "");
    server.stop().await;
}

fn quiet() -> Settings {
    Setup::default().settings
}
