//! `kms login` at a compatible server, whose login page hands the session over.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::{
    browser::start,
    opener::Opener,
    provider::{Page, raw},
    support::{
        CANARY, Home, Reply, Server, kms,
        people::{EMAIL, ORGANIZATION, organizations, token},
        run,
    },
    terminal::Terminal,
};

/// The answers to what a program asks once a session was handed over.
fn verified() -> Vec<Reply> {
    vec![
        Reply::json(200, json!({ "message": "Authenticated" })),
        Reply::error(404, "Route not found"),
        organizations(),
    ]
}

fn unknown() -> Reply {
    Reply::error(404, "Route GET:/.well-known/… not found")
}

fn server(replies: Vec<Reply>) -> Server {
    Server::start([vec![unknown()], replies].concat())
}

/// The body that the page posts.
fn session() -> Value {
    json!({ "JTWToken": token(ORGANIZATION), "email": EMAIL, "privateKey": "" })
}

/// A login that waits for the page, and the port that it waits on.
#[track_caller]
fn waiting(home: &Home, server: &Server, args: &[&str]) -> (Terminal, u16) {
    let browser = Opener::new();
    let mut terminal = start(home, &server.url(), &browser, args);
    let address = browser.address();
    let (page, port) = address.split_once("?callback_port=").unwrap();
    assert_eq!(page, format!("{}/login", server.url()));
    terminal.expect(&address);
    (terminal, port.parse().unwrap())
}

/// Posts as the page of an origin does.
fn post(port: u16, origin: &str, body: &str) -> Page {
    let length = body.len();
    raw(
        port,
        &format!(
            "POST / HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\norigin: {origin}\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        ),
    )
}

#[test]
fn a_compatible_server_hands_the_session_over() {
    let without = [
        unknown(),
        Reply::text(404, "text/html", "<html>"),
        Reply::text(200, "text/html", "<html>"),
        Reply::json(200, json!({ "issuer": "x" })),
    ];
    for reply in without {
        let server = Server::start([vec![reply], verified()].concat());
        let home = Home::new();
        let (terminal, port) = waiting(&home, &server, &[]);
        let page = post(port, &server.url(), &session().to_string());
        assert_eq!((page.status, page.body.as_str()), (200, ""));
        let ended = terminal.finish().with(0);
        assert!(!ended.raw.contains(CANARY));
        ended.says(&format!("You are now logged in as {EMAIL} in Example at {}", server.url()));
        let check = &server.requests()[1];
        assert_eq!(check.target, "/api/v1/auth/checkAuth");
        let bearer = format!("Bearer {}", token(ORGANIZATION));
        assert_eq!(check.header("authorization"), Some(&*bearer));
        assert!(!home.everything().contains(CANARY));
        assert_eq!(home.config()["profiles"][0]["email"], EMAIL);
    }
}

#[test]
fn the_page_may_ask_first_and_only_that_page() {
    let server = server(verified());
    let home = Home::new();
    let (terminal, port) = waiting(&home, &server, &["--plain", "--silent"]);
    let ask = |origin: &str| {
        raw(
            port,
            &format!(
                "OPTIONS / HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\norigin: {origin}\r\n\
                 access-control-request-method: POST\r\n\
                 access-control-request-headers: content-type\r\n\
                 access-control-request-private-network: true\r\n\r\n"
            ),
        )
    };
    let url = server.url();
    let answer = ask(&url);
    assert_eq!(answer.status, 204);
    for header in [
        format!("access-control-allow-origin: {url}"),
        "access-control-allow-methods: post".to_owned(),
        "access-control-allow-headers: content-type".to_owned(),
        "access-control-allow-private-network: true".to_owned(),
        "vary: origin".to_owned(),
    ] {
        assert!(answer.head.contains(&header), "{header} in {}", answer.head);
    }
    for origin in
        ["https://evil.example", "null", &format!("{url}.evil.example"), &format!("{url}/")]
    {
        let answer = ask(origin);
        assert_eq!(answer.status, 404, "{origin}");
        assert!(!answer.head.contains("access-control-"), "{}", answer.head);
    }
    post(port, &url, &session().to_string());
    let ended = terminal.finish().with(0);
    assert_eq!(ended.stdout, token(ORGANIZATION) + "\n");
}

#[test]
fn l1_whatever_else_is_posted_is_ignored_and_the_wait_goes_on() {
    let server = server(verified());
    let home = Home::new();
    let (terminal, port) = waiting(&home, &server, &[]);
    let (url, right) = (server.url(), session().to_string());
    let with = |method: &str, target: &str, headers: &str| {
        let length = right.len();
        let request = format!(
            "{method} {target} HTTP/1.1\r\n{headers}\r\ncontent-length: {length}\r\n\r\n{right}"
        );
        raw(port, &request).status
    };
    let host = format!("host: 127.0.0.1:{port}");
    let json = "content-type: application/json";
    for (method, target, headers) in [
        ("POST", "/", format!("{host}\r\n{json}")),
        ("POST", "/", format!("{host}\r\n{json}\r\norigin: https://evil.example")),
        ("POST", "/", format!("{host}\r\n{json}\r\norigin: null")),
        ("POST", "/", format!("{host}\r\n{json}\r\norigin: {url}\r\norigin: {url}")),
        ("POST", "/", format!("{host}\r\ncontent-type: text/plain\r\norigin: {url}")),
        ("POST", "/", format!("{host}\r\norigin: {url}")),
        ("POST", "/other", format!("{host}\r\n{json}\r\norigin: {url}")),
        ("POST", "/?x=1", format!("{host}\r\n{json}\r\norigin: {url}")),
        ("GET", "/", format!("{host}\r\n{json}\r\norigin: {url}")),
        ("PUT", "/", format!("{host}\r\n{json}\r\norigin: {url}")),
        ("POST", "/", format!("host: evil.example:{port}\r\n{json}\r\norigin: {url}")),
    ] {
        assert!(matches!(with(method, target, &headers), 404 | 421), "{method} {target} {headers}");
    }
    for body in [
        json!({ "JTWToken": token(ORGANIZATION), "email": EMAIL }),
        json!({ "JTWToken": "", "email": EMAIL, "privateKey": "" }),
        json!({ "JTWToken": CANARY, "email": EMAIL, "privateKey": "", "more": 1 }),
        json!([]),
    ] {
        assert_eq!(post(port, &url, &body.to_string()).status, 400, "{body}");
    }
    assert_eq!(post(port, &url, "{").status, 400);
    assert_eq!(server.requests().len(), 1, "the server was not bothered with any of it");
    post(port, &url, &right);
    terminal.finish().with(0);
}

#[test]
fn l1_a_session_that_the_server_does_not_know_is_not_kept() {
    let refused = [Reply::error(401, "Token missing"), Reply::error(403, "Your token has expired")];
    let server = server([refused.to_vec(), verified()].concat());
    let home = Home::new();
    let (mut terminal, port) = waiting(&home, &server, &[]);
    let planted = json!({ "JTWToken": "planted", "email": "evil@example.com", "privateKey": "" });
    for _ in 0..2 {
        post(port, &server.url(), &planted.to_string());
        terminal.expect("a login that the server does not know");
    }
    assert!(home.config()["profiles"].as_array().is_none_or(Vec::is_empty));
    post(port, &server.url(), &session().to_string());
    terminal.finish().with(0).says(&format!("logged in as {EMAIL}"));
}

#[test]
fn l12_the_text_that_the_page_shows_is_pasted_unseen() {
    let server = server(verified());
    let home = Home::new();
    let (mut terminal, _) = waiting(&home, &server, &[]);
    terminal.enter("nonsense").expect("that is not the text that the page shows");
    let mut long = session();
    // Longer than a terminal keeps of a line by itself.
    long["RefreshToken"] = "r".repeat(4000).into();
    let text = STANDARD.encode(long.to_string());
    terminal.enter(&text);
    let ended = terminal.finish().with(0);
    assert!(!ended.raw.contains(&text[..40]), "{}", ended.raw);
}

#[test]
fn without_a_terminal_a_compatible_server_needs_a_person() {
    let server = server(Vec::new());
    let home = Home::new();
    let mut command = kms();
    command.args(["login", "--device", "--domain", &server.url()]).envs(home.environment());
    run(&mut command)
        .ends_with(4)
        .says("has no login through a browser on another device")
        .says("hint:");
}

#[test]
fn giving_up_leaves_the_terminal_as_it_was() {
    let server = server(Vec::new());
    let home = Home::new();
    let (mut terminal, port) = waiting(&home, &server, &[]);
    terminal.wait_for_raw_mode().signal(Signal::SIGINT);
    terminal.finish().with(130);
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
}
