//! The client as a library: what it says about itself, and what it refuses to keep.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    thread::{self, JoinHandle},
};

use kms_api::projects::ListProjectsQuery;
use kms_client::{Client, Error};

const CANARY: &str = "canary-7c1e9a";

/// Answers one request with whatever `answer` writes; gives back the request's head.
fn server(answer: impl FnOnce(&mut TcpStream) + Send + 'static) -> (Client, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let head = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let head: Vec<_> = lines.map(Result::unwrap).take_while(|line| !line.is_empty()).collect();
        answer(&mut stream);
        head.join("\n")
    });
    let builder = Client::builder().origin(origin.parse().unwrap()).token(CANARY.into());
    assert!(!format!("{builder:?}").contains(CANARY));
    let client = builder.build().unwrap();
    assert!(!format!("{client:?}").contains(CANARY));
    (client, head)
}

fn call(client: &Client) -> Error {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(client.list_projects(&ListProjectsQuery::default())).unwrap_err()
}

#[test]
fn library_names_itself_with_its_version() {
    let (client, head) = server(|stream| stream.write_all(b"HTTP/1.1 404 No\r\n\r\n").unwrap());
    call(&client);
    let expected = concat!("user-agent: kms-rust/", env!("CARGO_PKG_VERSION"));
    let head = head.join().unwrap();
    assert!(head.lines().any(|line| line == expected), "{head}");
}

#[test]
fn a_huge_answer_is_refused_when_it_is_announced() {
    let (client, head) = server(|stream| {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
        write!(stream, "{head}content-length: {}\r\n\r\n", 64 * 1024 * 1024 + 1).unwrap();
    });
    assert!(matches!(call(&client), Error::TooLarge { .. }));
    head.join().unwrap();
}

#[test]
fn a_huge_answer_is_refused_when_it_is_not_announced() {
    let (client, head) = server(|stream| {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n";
        stream.write_all(head.as_bytes()).unwrap();
        let mebibyte = vec![b' '; 1024 * 1024];
        // The client hangs up before all of it is written.
        while stream.write_all(&mebibyte).is_ok() {}
    });
    assert!(matches!(call(&client), Error::TooLarge { .. }));
    head.join().unwrap();
}

#[test]
fn d5_no_error_shows_the_token() {
    let (client, head) = server(|stream| {
        let body = r#"{"reqId":"r","statusCode":401,"message":"no","error":"Unauthorized"}"#;
        write!(stream, "HTTP/1.1 401 No\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
    });
    let error = call(&client);
    assert_eq!(error.status(), Some(401));
    assert!(!format!("{error:?} {error}").contains(CANARY));
    assert!(head.join().unwrap().contains(CANARY));
}
