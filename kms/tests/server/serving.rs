//! Start, stop, TLS, metrics.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::Arc,
    time::{Duration, Instant},
};

use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, pki_types::ServerName};

use crate::process::{Server, ask, command, get, refused, text};

#[test]
fn it_says_how_to_set_it_up_until_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(&mut command(&["--data-dir", text(directory.path())]));
    let token = server.said.lines().find(|line| line.trim().len() == 64).unwrap().trim();
    assert!(token.bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert_eq!(server.url, format!("http://127.0.0.1:{}", server.port()));
}

#[test]
fn it_needs_to_know_where_its_data_is() {
    let (code, said) = refused(&mut command(&[]));
    assert_eq!(code, 2);
    assert!(said.contains("`--data-dir`, `--database-url` or `--dev`"), "{said}");
}

#[test]
fn a_second_server_on_the_same_data_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let arguments = ["--data-dir", text(directory.path())];
    let server = Server::start(&mut command(&arguments));
    let (code, said) = refused(&mut command(&arguments));
    assert_eq!(code, 1);
    assert!(said.contains("another server is using this data directory"), "{said}");
    assert!(server.get("/api/status").starts_with("HTTP/1.1 200 "));
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (code, said) = refused(command(&["--dev"]).args(["--listen", &address]));
    assert_eq!(code, 1);
    assert!(said.contains(&format!("cannot listen on `{address}`")), "{said}");
    assert!(said.contains("hint: choose another port"), "{said}");
}

#[test]
fn every_signal_ends_it_in_order() {
    for signal in ["-TERM", "-INT"] {
        let directory = tempfile::tempdir().unwrap();
        let server = Server::start(&mut command(&["--data-dir", text(directory.path())]));
        let mut idle = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
        let started = Instant::now();
        let (status, _) = server.stop(signal);
        assert!(status.success(), "{signal} {status}");
        assert!(started.elapsed() < Duration::from_secs(5));
        assert_eq!(idle.read(&mut [0]).unwrap(), 0);
        // Closed in order: the journal was written back and removed.
        assert!(!directory.path().join("kms.db-wal").exists());
    }
}

#[test]
fn what_was_accepted_is_finished() {
    let server = Server::start(&mut command(&["--dev"]));
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    let head = "POST /api/v1/auth/universal-auth/login HTTP/1.1\r\nhost: x\r\n\
        content-type: application/json\r\ncontent-length: 38\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(100));
    server.signal("-TERM");
    std::thread::sleep(Duration::from_millis(200));
    assert!(TcpStream::connect(("127.0.0.1", server.port())).is_err(), "nothing new is accepted");
    stream.write_all(br#"{"clientId":"none","clientSecret":"x"}"#).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
}

#[test]
fn tls_is_by_certificate_files() {
    let directory = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let file = |name: &str, content: String| {
        let path = directory.path().join(name);
        fs::write(&path, content).unwrap();
        path
    };
    let certificate = file("cert.pem", made.cert.pem());
    let key = file("key.pem", made.signing_key.serialize_pem());
    let data = directory.path().join("data");
    let arguments = [
        "--data-dir",
        text(&data),
        "--tls-cert",
        text(&certificate),
        "--tls-key",
        text(&key),
        "--public-url",
        "https://localhost/",
    ];
    let server = Server::start(&mut command(&arguments));
    assert_eq!(server.url, "https://localhost");
    // The port is not in the public URL; the process's own sockets tell it.
    let port = listening(server.id());
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let answer = ask(StreamOwned::new(connection, stream), "/api/status");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("\r\nstrict-transport-security: max-age="), "{answer}");
}

/// The port that a process listens on, from what the kernel says about its sockets.
fn listening(process: u32) -> u16 {
    let table = fs::read_to_string(format!("/proc/{process}/net/tcp")).unwrap();
    let own: Vec<_> = fs::read_dir(format!("/proc/{process}/fd"))
        .unwrap()
        .filter_map(|entry| fs::read_link(entry.unwrap().path()).ok())
        .map(|link| link.to_string_lossy().into_owned())
        .collect();
    let of_socket = |line: &str| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let inode = format!("socket:[{}]", fields.get(9)?);
        let listens = fields[3] == "0A" && own.contains(&inode);
        let port = u16::from_str_radix(fields[1].split(':').nth(1)?, 16).ok()?;
        listens.then_some(port)
    };
    table.lines().find_map(of_socket).unwrap()
}

#[test]
fn metrics_have_a_listener_of_their_own() {
    let port = {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        free.local_addr().unwrap().port()
    };
    let listen = format!("127.0.0.1:{port}");
    let server = Server::start(&mut command(&["--dev", "--metrics-listen", &listen]));
    server.get("/api/status");
    server.get("/api/nowhere?token=canary-0d1f");
    let page = get(("127.0.0.1", port), "/metrics");
    let counted = r#"kms_http_requests_total{method="GET",route="/api/status",status="200"} 1"#;
    assert!(page.contains(counted), "{page}");
    assert!(page.contains(r#"route="none",status="404"} 1"#), "{page}");
    assert!(!page.contains("canary-0d1f") && !page.contains("nowhere"), "{page}");
    assert!(server.get("/metrics").starts_with("HTTP/1.1 404 "));
}

#[test]
fn d5_the_log_holds_no_token_no_query_and_no_body_at_any_level() {
    let server = Server::start(&mut command(&["--dev", "--log-level", "trace"]));
    let canary = "canary-4c77";
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    let body = format!(r#"{{"clientId":"{canary}","clientSecret":"{canary}"}}"#);
    write!(
        stream,
        "POST /api/v1/auth/universal-auth/login?{canary} HTTP/1.1\r\nhost: x\r\n\
         authorization: Bearer {canary}\r\ncookie: {canary}\r\nx-forwarded-for: {canary}\r\n\
         content-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len(),
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    let (_, said) = server.stop("-TERM");
    assert!(said.contains("http.request"), "{said}");
    assert!(!said.contains(canary), "{said}");
}
