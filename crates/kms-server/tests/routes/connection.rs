//! Below HTTP's meaning: connections, heads, bodies that no library would send.

use std::time::Duration;

use kms_testkit::{TestServer, raw::exchange};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

#[tokio::test]
async fn head_is_get_without_the_body() {
    let server = TestServer::start().await;
    let answer = exchange(server.url(), b"HEAD /api/docs/json HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("\r\netag: \""), "{answer}");
    let length = answer.split("content-length: ").nth(1).unwrap().split('\r').next().unwrap();
    assert!(length.parse::<usize>().unwrap() > 1_000);
    assert!(answer.ends_with("\r\n\r\n"), "{answer}");
    server.stop().await;
}

#[tokio::test]
async fn d2_floods_of_headers_are_refused() {
    let server = TestServer::start().await;
    let many = "x-a: 1\r\n".repeat(1_000);
    let large = format!("x-a: {}\r\n", "a".repeat(80_000));
    for headers in [many, large] {
        let head = format!("GET /api/status HTTP/1.1\r\nhost: x\r\n{headers}\r\n");
        let answer = exchange(server.url(), head.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 431 "), "{}", answer.lines().next().unwrap());
    }
    let path = "a".repeat(70_000);
    let head = format!("GET /api/{path} HTTP/1.1\r\nhost: x\r\n\r\n");
    let answer = exchange(server.url(), head.as_bytes()).await;
    assert!(
        ["HTTP/1.1 414 ", "HTTP/1.1 431 "].iter().any(|status| answer.starts_with(status)),
        "{answer}"
    );
    server.stop().await;
}

/// Whoever sends a head byte by byte holds one connection, not the server.
#[tokio::test]
async fn d2_slow_clients_do_not_stop_others() {
    let server = TestServer::start().await;
    let address = server.url().trim_start_matches("http://").to_owned();
    let mut slow = Vec::new();
    for _ in 0..200 {
        let mut stream = TcpStream::connect(&address).await.unwrap();
        stream.write_all(b"GET /api/status HTTP/1.1\r\nx-a: ").await.unwrap();
        slow.push(stream);
    }
    let answer = exchange(server.url(), b"GET /api/status HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    drop(slow);
    server.stop().await;
}

/// A length that two parsers read differently ends the connection (request smuggling).
#[tokio::test]
async fn d10_ambiguous_lengths_are_refused() {
    let server = TestServer::start().await;
    for headers in [
        "content-length: 4\r\ncontent-length: 5",
        "content-length: 4, 5",
        "content-length: +4",
        "content-length: 0x4",
        "transfer-encoding: chunked\r\ntransfer-encoding: identity",
        "transfer-encoding: xchunked",
        "content-length : 4",
    ] {
        let request = format!("POST /api/status HTTP/1.1\r\nhost: x\r\n{headers}\r\n\r\nabcd");
        let smuggled = "GET /api/docs/json HTTP/1.1\r\nhost: x\r\n\r\n";
        let answer = exchange(server.url(), (request + smuggled).as_bytes()).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400 "), "{headers}: {answer}");
        assert!(!answer.contains("openapi"), "{headers}: the second request was answered");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_stop_answers_what_was_asked_and_hangs_up_on_the_idle() {
    let server = TestServer::start().await;
    let address = server.url().trim_start_matches("http://").to_owned();
    let mut idle = TcpStream::connect(&address).await.unwrap();
    idle.write_all(b"GET /api/status HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut answer = [0; 12];
    idle.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    tokio::time::timeout(Duration::from_secs(5), server.stop()).await.unwrap();
    let mut rest = Vec::new();
    idle.read_to_end(&mut rest).await.unwrap();
    assert!(TcpStream::connect(&address).await.is_err());
}
