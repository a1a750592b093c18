//! The hand-over that compatible programs wait for: theirs played as the wire contract has it.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::{
    browser::{Browser, Script},
    server::Server,
};

/// A program that waits for a session: it says what it was asked, one request after the other.
struct Waiting {
    port: u16,
    asked: Receiver<(String, String)>,
}

impl Waiting {
    fn start(origin: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (told, asked) = channel();
        let allowed = format!(
            "access-control-allow-origin: {origin}\r\naccess-control-allow-credentials: true\r\n\
            access-control-allow-methods: POST, OPTIONS\r\n\
            access-control-allow-headers: Content-Type\r\ncontent-length: 0\r\nconnection: close\r\n"
        );
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                // Browsers open connections that they may not need.
                stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
                let Some(asked) = read(&mut stream) else { continue };
                let _ = write!(stream, "HTTP/1.1 200 OK\r\n{allowed}\r\n");
                if told.send(asked).is_err() {
                    return;
                }
            }
        });
        Self { port, asked }
    }

    fn address(&self) -> String {
        format!("/login?callback_port={}", self.port)
    }

    /// What is posted, once a browser asked whether it may.
    #[track_caller]
    fn session(&self) -> Value {
        loop {
            let (line, body) = self.asked.recv_timeout(Duration::from_secs(15)).unwrap();
            if line == "POST / HTTP/1.1" {
                return serde_json::from_str(&body).unwrap();
            }
            assert_eq!(line, "OPTIONS / HTTP/1.1");
        }
    }
}

/// The first line and the body of a request; none where nothing comes.
fn read(stream: &mut TcpStream) -> Option<(String, String)> {
    let mut bytes = Vec::new();
    let mut part = [0; 4_096];
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().unwrap())
            });
            if body.len() >= length.unwrap_or(0) {
                return Some((head.lines().next()?.to_owned(), body.to_owned()));
            }
        }
        match stream.read(&mut part) {
            Ok(read @ 1..) => bytes.extend_from_slice(&part[..read]),
            _ => return None,
        }
    }
}

#[track_caller]
fn is_good(session: &Value, server: &Server) {
    let token = session["JTWToken"].as_str().unwrap();
    let expected = json!({ "JTWToken": token, "email": server.email(), "privateKey": "" });
    assert_eq!(*session, expected);
    assert_eq!(server.post("/api/v1/auth/checkAuth", token, &json!({})).status, 200);
}

/// What the page shows for copying.
#[track_caller]
fn copied(browser: &Browser) -> Value {
    let text = browser.text();
    let line = text.lines().find(|line| line.len() > 200).unwrap_or_else(|| panic!("{text}"));
    serde_json::from_slice(&STANDARD.decode(line.trim()).unwrap()).unwrap()
}

#[test]
fn l7_a_session_goes_to_the_program_that_waits_after_the_click_and_not_before() {
    let server = Server::start();
    let browser = Browser::open();
    let program = Waiting::start(&server.url);
    browser.goto(&server.page(&program.address())).log_in(&server);
    browser.expect(&format!("Hand over to port {}", program.port));
    assert!(program.asked.recv_timeout(Duration::from_secs(1)).is_err(), "before the click");
    browser.click(&format!("Hand over to port {}", program.port));
    is_good(&program.session(), &server);
    browser.expect("Done. You can close this page.").screenshot("handed-over");
    assert!(!browser.text().contains("Paste this text"));
    assert!(!browser.source().contains("eyJ"), "the text is gone from the page, too");
}

#[test]
fn a_program_that_cannot_be_reached_is_pasted_to() {
    let server = Server::start();
    let browser = Browser::open();
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    browser.goto(&server.page(&format!("/login?callback_port={gone}"))).log_in(&server);
    browser.forgive("ERR_CONNECTION_REFUSED").click(&format!("Hand over to port {gone}"));
    browser.expect("Paste this text into the terminal").screenshot("hand-over-copy");
    is_good(&copied(&browser), &server);
}

#[test]
fn without_javascript_the_text_is_shown_for_half_a_minute() {
    let server = Server::start();
    let browser = Browser::open_with(Script::Off);
    let program = Waiting::start(&server.url);
    browser.goto(&server.page(&program.address())).log_in(&server);
    browser.click(&format!("Hand over to port {}", program.port));
    browser.expect("Paste this text into the terminal");
    is_good(&copied(&browser), &server);
    thread::sleep(Duration::from_secs(30));
    browser.expect_url(&server.page("/login/cli/over")).expect("This page can be closed");
    assert!(!browser.source().contains("aria-describedby=\"why\""));
    assert!(program.asked.try_recv().is_err(), "nothing was sent by itself");
}
