//! What goes over the network, and what never does.

use std::{
    net::TcpListener,
    time::{Duration, Instant},
};

use assert_cmd::Command;
use serde_json::json;

use crate::support::{CANARY, Reply, Server, kms, run};

fn projects() -> Reply {
    Reply::json(200, json!({ "projects": [] }))
}

fn list(domain: &str) -> Command {
    let mut command = kms();
    command.args(["projects", "list", "--domain", domain]).env("KMS_TOKEN", CANARY);
    command
}

#[test]
fn without_a_domain_the_us_cloud_is_called() {
    let proxy = Server::start([Reply::text(502, "text/plain", "no way")]);
    run(kms().args(["projects", "list", "--token", CANARY]).env("HTTPS_PROXY", proxy.url()))
        .ends_with(5)
        .says("could not reach `https://kms.hanzo.ai` through the proxy");
    let request = proxy.requests().remove(0);
    assert_eq!(request.method, "CONNECT");
    assert_eq!(request.target, "kms.hanzo.ai:443");
    assert!(!format!("{request:?}").contains(CANARY));
}

#[test]
fn no_proxy_is_honoured_and_loopback_is_never_proxied() {
    let proxy = Server::start([]);
    let server = Server::start([projects()]);
    run(list(&server.url())
        .env("HTTP_PROXY", proxy.url())
        .env("http_proxy", proxy.url())
        .env("ALL_PROXY", proxy.url()))
    .ends_with(0);
    let unresolvable = "https://kms.invalid";
    let ran =
        run(list(unresolvable).env("HTTPS_PROXY", proxy.url()).env("NO_PROXY", "kms.invalid"));
    assert!(!ran.ends_with(5).stderr.contains("proxy"));
    assert!(proxy.requests().is_empty());
}

#[test]
fn token_and_json_are_what_a_call_carries() {
    let server = Server::start([projects()]);
    run(&mut list(&format!("{}/api/", server.url()))).ends_with(0);
    let request = server.request();
    assert_eq!((request.method.as_str(), request.target.as_str()), ("GET", "/api/v1/projects"));
    let bearer = format!("Bearer {CANARY}");
    assert_eq!(request.header("authorization"), Some(bearer.as_str()));
    assert_eq!(request.header("accept"), Some("application/json"));
    assert_eq!(request.header("content-type"), None);
}

#[test]
fn l9_no_redirect_is_followed_whatever_its_status_and_target() {
    let elsewhere = Server::start([]);
    for status in [301, 302, 303, 307, 308] {
        for target in [
            format!("{}/api/v1/projects", elsewhere.url()),
            "/api/v1/projects".to_owned(),
            format!("//localhost:{}/x?code={CANARY}", elsewhere.port()),
            "https://other.example/login".to_owned(),
        ] {
            let reply = Reply::text(status, "text/html", "moved").with("location", &target);
            let server = Server::start([reply]);
            let ran = run(&mut list(&server.url())).ends_with(1);
            assert!(!ran.stderr.contains(CANARY), "{}", ran.stderr);
            ran.says("redirects to").says("`--domain ");
            assert_eq!(server.requests().len(), 1, "{status} {target}");
        }
    }
    assert!(elsewhere.requests().is_empty());
}

#[test]
fn l9_a_redirect_names_where_to_go() {
    let reply = Reply::text(308, "", "").with("location", "https://kms.example/api/x?a=b");
    let server = Server::start([reply]);
    run(&mut list(&server.url()))
        .ends_with(1)
        .says("hint: if that is where your server is, use `--domain https://kms.example`");
}

#[test]
fn l9_http_to_another_machine_is_refused_unless_allowed() {
    let proxy = Server::start([projects(), projects()]);
    for domain in ["http://kms.invalid", "http://10.255.255.1", "http://localhost.invalid"] {
        run(list(domain).env("http_proxy", proxy.url()))
            .ends_with(2)
            .says("without encryption")
            .says("https://");
    }
    assert!(proxy.requests().is_empty());
    run(list("http://kms.invalid").arg("--allow-http").env("http_proxy", proxy.url())).ends_with(0);
    run(list("http://kms.invalid").env("KMS_ALLOW_HTTP", "true").env("http_proxy", proxy.url()))
        .ends_with(0);
    assert_eq!(proxy.requests()[0].target, "http://kms.invalid/api/v1/projects");
}

#[test]
fn custom_headers_are_sent_except_those_that_are_ours() {
    let server = Server::start([projects()]);
    run(list(&server.url()).env(
        "INFISICAL_CUSTOM_HEADERS",
        "X-One=1 x-two=\"a b\" User-Agent=evil Accept=evil Authorization=evil",
    ))
    .ends_with(0);
    let request = server.request();
    assert_eq!(request.header("x-one"), Some("1"));
    assert_eq!(request.header("x-two"), Some("a b"));
    assert!(!format!("{request:?}").contains("evil"));
}

#[test]
fn a_login_carries_custom_headers_but_no_other_callers_authorization() {
    let server = Server::start([Reply::error(401, "no")]);
    run(kms()
        .args(["login", "--method=universal-auth", "--client-id=i", "--client-secret=s"])
        .args(["--domain", &server.url(), "--token", CANARY])
        .env("KMS_CUSTOM_HEADERS", "Authorization=evil X-One=1"))
    .ends_with(3)
    .says("`--token` has no effect on `login`");
    let request = server.request();
    assert_eq!(request.header("authorization"), None);
    assert_eq!(request.header("x-one"), Some("1"));
}

#[test]
fn unusable_custom_headers_are_usage_errors_without_their_values() {
    for headers in [CANARY.to_owned(), format!("Host={CANARY}"), format!("a:b={CANARY}")] {
        let ran = run(list("http://localhost:1").env("KMS_CUSTOM_HEADERS", headers)).ends_with(2);
        assert!(!ran.stderr.contains(CANARY), "{}", ran.stderr);
    }
}

#[test]
fn retry_after_is_honoured() {
    let slow_down = Reply::error(429, "Too many requests").with("retry-after", "1");
    let server = Server::start([slow_down, projects()]);
    let started = Instant::now();
    run(&mut list(&server.url())).ends_with(0);
    assert!(started.elapsed() >= Duration::from_secs(1));
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn a_write_is_repeated_only_when_it_was_turned_away() {
    let slow_down = Reply::error(429, "Too many requests").with("retry-after", "0");
    let created = Reply::error(400, "slug taken");
    let server = Server::start([slow_down, created]);
    run(kms().args(["projects", "create", "Demo", "--token=t", "--domain", &server.url()]))
        .ends_with(1)
        .says("slug taken");
    let bodies: Vec<_> = server.requests().iter().map(crate::support::Request::json).collect();
    assert_eq!(bodies, [json!({ "projectName": "Demo" }), json!({ "projectName": "Demo" })]);

    let failing = Server::start([Reply::error(500, "Internal Server Error")]);
    run(&mut list(&failing.url())).ends_with(1);
    assert_eq!(failing.requests().len(), 1);
}

#[test]
fn patience_ends_after_four_tries_or_a_minute() {
    let busy = || Reply::error(429, "Too many requests").with("retry-after", "0");
    let server = Server::start([busy(), busy(), busy(), busy()]);
    run(&mut list(&server.url())).ends_with(1).says("Too many requests");
    assert_eq!(server.requests().len(), 4);

    let later = Reply::error(429, "Too many requests").with("retry-after", "3600");
    let server = Server::start([later]);
    let started = Instant::now();
    run(&mut list(&server.url())).ends_with(1);
    assert!(started.elapsed() < Duration::from_secs(5));
    assert_eq!(server.requests().len(), 1);
}

/// A port where nobody listens until the test says so.
fn closed_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

#[test]
fn an_unreachable_server_ends_with_5() {
    let url = format!("http://127.0.0.1:{}", closed_port());
    let ran = run(&mut list(&url)).ends_with(5);
    ran.says(&format!("could not reach `{url}`")).says("Caused by:").says("--domain");
    run(kms()
        .args(["login", "--method=universal-auth", "--client-id=i", "--client-secret=s"])
        .args(["--domain", &url]))
    .ends_with(5);
}

#[test]
fn a_read_is_tried_again_while_the_server_starts() {
    let port = closed_port();
    let url = format!("http://127.0.0.1:{port}");
    let waiting = std::thread::spawn(move || run(&mut list(&url)));
    std::thread::sleep(Duration::from_millis(400));
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let server = Server::on(listener, [projects()], Box::new(|stream| Box::new(stream)));
    waiting.join().unwrap().ends_with(0);
    server.request();
}

#[test]
fn what_does_not_answer_like_a_kms_is_named() {
    let replies = [
        (Reply::text(200, "text/html", "<html>canary-7c1e9a</html>"), 1),
        (Reply::text(200, "application/json", "not json"), 1),
        (Reply::text(404, "text/html", "<html>canary-7c1e9a</html>"), 1),
        (Reply::text(502, "text/html", "bad gateway"), 5),
    ];
    for (reply, code) in replies {
        let server = Server::start([reply]);
        let ran = run(&mut list(&server.url())).ends_with(code);
        assert!(!ran.stderr.contains(CANARY));
        ran.says("does not answer like a KMS").says("--domain");
    }
}

#[test]
fn d6_an_answer_of_another_shape_is_not_quoted() {
    let reply = Reply::json(200, json!({ "projects": CANARY }));
    let server = Server::start([reply]);
    let ran = run(&mut list(&server.url())).ends_with(1);
    assert!(!ran.stderr.contains(CANARY));
    ran.says("does not understand");
}

#[test]
fn names_are_encoded_into_the_path() {
    let server = Server::start([Reply::error(404, "none")]);
    run(kms().args(["projects", "get", "a/../b?c", "--token=t", "--domain", &server.url()]))
        .ends_with(1);
    assert_eq!(server.request().target, "/api/v1/projects/slug/a%2F..%2Fb%3Fc");
    let server = Server::start([]);
    run(kms().args(["projects", "get", "..", "--token=t", "--domain", &server.url()])).ends_with(2);
    assert!(server.requests().is_empty());
}
