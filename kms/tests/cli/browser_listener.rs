//! What anybody on this machine, and any web page, can do to a login that waits: nothing.

use std::{
    io::Write as _,
    net::TcpStream,
    time::{Duration, Instant},
};

use crate::{
    browser::{Waiting, waiting},
    provider::{CODE, Page, Provider, follow, raw},
    support::Home,
};

/// Every answer is fixed text under a strict policy, whatever was asked.
#[track_caller]
fn is_sealed(page: &Page, sent: &str) {
    for header in [
        "content-security-policy: default-src 'none'",
        "cache-control: no-store",
        "referrer-policy: no-referrer",
        "x-content-type-options: nosniff",
    ] {
        assert!(page.head.contains(header), "{header} in {}", page.head);
    }
    assert!(!page.head.contains("access-control-"), "no page may read it: {}", page.head);
    assert!(!page.body.contains(sent) && !page.body.contains("<script"), "{}", page.body);
}

/// What carries no right answer, in every form.
fn wrong(waiting: &Waiting) -> Vec<(String, u16)> {
    let asked = &waiting.asked;
    let (port, path, state, iss) = (asked.port(), asked.path(), &asked.state, asked.iss());
    let host = format!("host: 127.0.0.1:{port}");
    let right = format!("code={CODE}&state={state}&iss={iss}");
    let get = |target: &str| format!("GET {target} HTTP/1.1\r\n{host}\r\n\r\n");
    let with = |method: &str, more: &str| {
        format!("{method} {path}?{right} HTTP/1.1\r\n{host}\r\n{more}\r\n")
    };
    let payload = "%3Cscript%3Ealert(1)%3C/script%3E";
    vec![
        (get("/"), 404),
        (get("/favicon.ico"), 404),
        (get(&format!("/?{right}")), 404),
        (get(&format!("{path}x?{right}")), 404),
        (get(&format!("{path}/?{right}")), 404),
        (get(&path), 404),
        (get(&format!("{path}?code={CODE}")), 404),
        (get(&format!("{path}?code={CODE}&iss={iss}&state=x")), 404),
        (get(&format!("{path}?code={CODE}&state={state}")), 404),
        (get(&format!("{path}?code={CODE}&state={state}&iss=https://evil.example")), 404),
        (get(&format!("{path}?{right}&code=second")), 404),
        (get(&format!("{path}?{right}&error=access_denied")), 404),
        (get(&format!("{path}?error=access_denied&iss={iss}")), 404),
        (get(&format!("{path}?error=access_denied&state=x&iss={iss}")), 404),
        (get(&format!("{path}?error={payload}&error_description={payload}&state=x")), 404),
        (get(&format!("/{payload}?x={payload}")), 404),
        (with("POST", "content-length: 0\r\n"), 404),
        (with("HEAD", ""), 404),
        (with("PUT", "content-length: 0\r\n"), 404),
        (with("OPTIONS", "origin: https://evil.example\r\n"), 404),
    ]
}

#[test]
fn l1_l4_nothing_but_the_answer_ends_the_wait() {
    let (provider, home) = (Provider::start(), Home::new());
    let waiting = waiting(&home, &provider, &[]);
    for (request, status) in wrong(&waiting) {
        let page = raw(waiting.asked.port(), &request);
        assert_eq!(page.status, status, "{request}");
        is_sealed(&page, "alert(1)");
    }
    assert!(provider.requests("/oauth/token").is_empty(), "nothing was tried");
    let page = follow(&waiting.asked.confirmed());
    assert_eq!(page.status, 200);
    is_sealed(&page, CODE);
    waiting.terminal.finish().with(0);
}

#[test]
fn l1_an_answer_counts_once() {
    let (provider, home) = (Provider::start(), Home::new());
    let waiting = waiting(&home, &provider, &[]);
    let answers: Vec<_> = (0..4)
        .map(|_| {
            let address = waiting.asked.confirmed();
            std::thread::spawn(move || follow(&address).status)
        })
        .collect();
    let taken = answers.into_iter().filter_map(|answer| answer.join().ok());
    assert_eq!(taken.filter(|status| *status == 200).count(), 1);
    waiting.terminal.finish().with(0);
    assert_eq!(provider.requests("/oauth/token").len(), 1);
}

#[test]
fn l3_only_the_address_itself_is_answered() {
    let (provider, home) = (Provider::start(), Home::new());
    let waiting = waiting(&home, &provider, &[]);
    let (port, asked) = (waiting.asked.port(), &waiting.asked);
    assert!(asked.redirect_uri.starts_with("http://127.0.0.1:"));
    assert!(asked.path().len() > 32, "at least 128 bits in hexadecimal");
    let target = asked.confirmed().split_once(&format!(":{port}")).unwrap().1.to_owned();
    for hosts in [
        "host: evil.example\r\n".to_owned(),
        format!("host: evil.example:{port}\r\n"),
        format!("host: localhost:{port}\r\n"),
        "host: 127.0.0.1\r\n".to_owned(),
        format!("host: 127.0.0.1:{}\r\n", port - 1),
        format!("host: 127.0.0.1:{port}\r\nhost: evil.example\r\n"),
        String::new(),
    ] {
        let page = raw(port, &format!("GET {target} HTTP/1.1\r\n{hosts}\r\n"));
        assert!(matches!(page.status, 400 | 421), "{hosts}: {page:?}");
    }
    // A proxy's form of the address names the host twice.
    let absolute =
        format!("GET http://evil.example{target} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n\r\n");
    assert_eq!(raw(port, &absolute).status, 421);
    follow(&asked.confirmed());
    waiting.terminal.finish().with(0);
}

#[cfg(target_os = "linux")]
#[test]
fn l3_the_listener_is_on_loopback_alone() {
    let (provider, home) = (Provider::start(), Home::new());
    let waiting = waiting(&home, &provider, &[]);
    let port = waiting.asked.port();
    for other in ["127.0.0.2", "[::1]"] {
        assert!(TcpStream::connect(format!("{other}:{port}")).is_err(), "{other}");
    }
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let entry = format!(":{port:04X}");
    let listens = table.lines().filter_map(|line| {
        let words: Vec<_> = line.split_whitespace().collect();
        (words.get(3) == Some(&"0A") && words[1].ends_with(&entry)).then(|| words[1].to_owned())
    });
    assert_eq!(listens.collect::<Vec<_>>(), [format!("0100007F{entry}")]);
    follow(&waiting.asked.confirmed());
    waiting.terminal.finish().with(0);
}

#[test]
fn l1_who_holds_connections_open_keeps_nobody_out() {
    let (provider, home) = (Provider::start(), Home::new());
    let waiting = waiting(&home, &provider, &[]);
    let port = waiting.asked.port();
    let mut held: Vec<_> =
        (0..100).map(|_| TcpStream::connect(("127.0.0.1", port)).unwrap()).collect();
    for stream in &mut held {
        let _ = stream.write_all(b"GET / HTTP/1.1\r\nx: ");
    }
    let started = Instant::now();
    assert_eq!(follow(&waiting.asked.confirmed()).status, 200);
    assert!(started.elapsed() < Duration::from_secs(2));
    waiting.terminal.finish().with(0);
}

#[test]
fn l1_what_is_too_large_is_not_kept() {
    let (provider, home) = (Provider::start(), Home::new());
    let waiting = waiting(&home, &provider, &[]);
    let port = waiting.asked.port();
    let long = "x".repeat(64 * 1024);
    let head = format!("GET /?{long} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n\r\n");
    assert_ne!(raw(port, &head).status, 200);
    let length = 1024 * 1024;
    let body = format!(
        "POST / HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncontent-length: {length}\r\n\r\n{}",
        "x".repeat(length)
    );
    assert_ne!(raw(port, &body).status, 200);
    assert_eq!(follow(&waiting.asked.confirmed()).status, 200);
    waiting.terminal.finish().with(0);
}
