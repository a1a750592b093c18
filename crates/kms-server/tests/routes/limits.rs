//! Rate limits, and that no header moves them.

use http::StatusCode;
use kms_api::routes as paths;
use kms_server::{RateLimits, Settings};
use kms_testkit::{Setup, TestServer};
use serde_json::json;

async fn limited(rate_limits: RateLimits, trusted: &[&str]) -> TestServer {
    let trusted_proxies = trusted.iter().map(|network| network.parse().unwrap()).collect();
    let settings = Settings { rate_limits, trusted_proxies, ..Settings::default() };
    TestServer::with(Setup { settings, ..Setup::default() }).await
}

/// The status of a login from somewhere; the credentials are wrong, which counts all the same.
async fn login(server: &TestServer, peer: &str, forwarded: &str) -> u16 {
    let body = json!({ "clientId": "nobody", "clientSecret": "nothing" });
    let request = server.post(paths::UNIVERSAL_AUTH_LOGIN).json(body).from(peer);
    request.header("x-forwarded-for", forwarded).send().await.status.as_u16()
}

#[tokio::test]
async fn a_limit_answers_with_the_time_to_wait() {
    let server = limited(RateLimits { login: 2, ..RateLimits::OFF }, &[]).await;
    let body = json!({ "clientId": "nobody", "clientSecret": "nothing" });
    let send = || server.post(paths::UNIVERSAL_AUTH_LOGIN).json(body.clone()).send();
    let first = send().await;
    assert_eq!(first.status, StatusCode::UNAUTHORIZED);
    assert_eq!(first.header("x-ratelimit-limit"), "2");
    assert_eq!(first.header("x-ratelimit-remaining"), "1");
    assert_eq!(first.header("retry-after"), "");
    assert_eq!(send().await.header("x-ratelimit-remaining"), "0");
    let third = send().await;
    assert_eq!(third.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(third.json()["error"], "RateLimitExceeded");
    assert_eq!(third.header("x-ratelimit-remaining"), "0");
    let wait: u64 = third.header("retry-after").parse().unwrap();
    assert!((1..=31).contains(&wait), "{wait}");
    assert_eq!(third.header("x-ratelimit-reset"), third.header("retry-after"));
    // Other classes have limits of their own.
    assert_eq!(server.get("/api/docs/json").send().await.status, StatusCode::OK);
    server.stop().await;
}

#[tokio::test]
async fn t9_a_forged_header_does_not_move_the_limit() {
    let server = limited(RateLimits { login: 2, ..RateLimits::OFF }, &[]).await;
    for forged in ["203.0.113.1", "203.0.113.2"] {
        assert_eq!(login(&server, "192.0.2.1:1", forged).await, 401);
    }
    assert_eq!(login(&server, "192.0.2.1:2", "203.0.113.3").await, 429);
    assert_eq!(login(&server, "[::ffff:192.0.2.1]:3", "203.0.113.4").await, 429);
    assert_eq!(login(&server, "192.0.2.2:1", "203.0.113.1").await, 401);
    server.stop().await;
}

#[tokio::test]
async fn t9_behind_a_proxy_each_client_has_a_limit_and_cannot_leave_it() {
    let server = limited(RateLimits { login: 2, ..RateLimits::OFF }, &["192.0.2.0/24"]).await;
    for forged in ["1.1.1.1, 203.0.113.1", "2.2.2.2, 203.0.113.1"] {
        assert_eq!(login(&server, "192.0.2.1:1", forged).await, 401);
    }
    assert_eq!(login(&server, "192.0.2.9:1", "3.3.3.3, 203.0.113.1").await, 429);
    assert_eq!(login(&server, "192.0.2.1:1", "203.0.113.2").await, 401);
    server.stop().await;
}

/// One customer is given a network of 2^64 addresses, which must not be as many limits.
#[tokio::test]
async fn t9_an_ipv6_network_is_one_client() {
    let server = limited(RateLimits { login: 2, ..RateLimits::OFF }, &[]).await;
    for peer in ["[2001:db8:0:1::1]:1", "[2001:db8:0:1::2]:1"] {
        assert_eq!(login(&server, peer, "").await, 401);
    }
    assert_eq!(login(&server, "[2001:db8:0:1:ffff::3]:1", "").await, 429);
    assert_eq!(login(&server, "[2001:db8:0:2::1]:1", "").await, 401);
    server.stop().await;
}

#[tokio::test]
async fn whoever_is_known_is_counted_wherever_they_are() {
    let server = limited(RateLimits { read: 3, ..RateLimits::OFF }, &[]).await;
    let ours = server.seed().await;
    let theirs = server.seed_another("theirs").await;
    let read = async |token: &str, peer: &str| {
        server.get(paths::PROJECTS).bearer(token).from(peer).send().await.status.as_u16()
    };
    for peer in ["192.0.2.1:1", "192.0.2.2:1", "192.0.2.3:1"] {
        assert_eq!(read(&ours.token, peer).await, 200);
    }
    assert_eq!(read(&ours.token, "192.0.2.4:1").await, 429);
    // Another one at the same address is not counted with them, nor are those without a token.
    assert_eq!(read(&theirs.token, "192.0.2.1:1").await, 200);
    for _ in 0..3 {
        assert_eq!(read("nonsense", "192.0.2.1:1").await, 403);
    }
    assert_eq!(read("nonsense", "192.0.2.1:1").await, 429);
    assert_eq!(read(&theirs.token, "192.0.2.1:1").await, 200);
    server.stop().await;
}

#[tokio::test]
async fn readiness_is_never_limited() {
    let one = RateLimits { login: 1, read: 1, write: 1, creation: 1 };
    let server = limited(one, &[]).await;
    for _ in 0..5 {
        let answer = server.get(paths::STATUS).send().await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.header("x-ratelimit-limit"), "");
    }
    server.stop().await;
}
