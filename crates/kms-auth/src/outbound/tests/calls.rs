//! X3: what a caller can learn from a call that does not succeed, and what a call may take.

use std::time::{Duration, Instant};

use tokio::net::TcpListener;

use super::*;
use crate::testing::{Peer, ip, loopback, loopback_policy, quick, status};

async fn fails(url: &str) -> (String, Duration) {
    let start = Instant::now();
    let error = loopback().send(get(url), &Trust::public()).await.unwrap_err();
    (format!("{error} {error:?}"), start.elapsed())
}

#[tokio::test]
async fn x3_open_closed_and_silent_ports_look_the_same() {
    let open = Peer::http(|_| status(200)).await;
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap()
    };
    let urls = [
        // Not TLS, nobody there, and nobody who ever answers.
        format!("https://{}/", open.address),
        format!("https://{closed}/"),
        format!("http://{closed}/"),
        format!("https://{}/", silent.local_addr().unwrap()),
    ];
    let mut seen = Vec::new();
    for url in &urls {
        seen.push(fails(url).await);
    }
    let (text, _) = &seen[0];
    for (other, took) in &seen {
        assert_eq!(text, other);
        let budget = quick().total;
        assert!(*took >= budget && *took < budget * 2, "{took:?}");
    }
}

#[tokio::test]
async fn x3_what_is_refused_unsent_tells_nothing_either() {
    let outbound = Outbound::with(
        OutboundPolicy::default(),
        Answers::new(vec![vec![ip("10.0.0.1")], vec![]]),
        quick(),
    );
    let texts = [get("https://inside.test/"), get("https://nobody.test/")].map(async |request| {
        let error = outbound.send(request, &Trust::public()).await.unwrap_err();
        format!("{error} {error:?}")
    });
    let [inside, nobody] = texts;
    assert_eq!(inside.await, nobody.await);
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_not_read() {
    let peer = Peer::http(|request| {
        let length = if request.uri().path() == "/long" { (1 << 16) + 1 } else { 1 << 16 };
        http::Response::new(vec![b'a'; length].into())
    })
    .await;
    let outbound = loopback();
    let answer = outbound.send(get(&peer.url()), &Trust::public()).await.unwrap();
    assert_eq!(answer.body().len(), 1 << 16);
    let long = format!("{}/long", peer.url());
    let error = outbound.send(get(&long), &Trust::public()).await.unwrap_err();
    assert!(error.reason().contains("longer than"), "{}", error.reason());
}

#[tokio::test]
async fn connections_are_used_again() {
    let peer = Peer::http(|_| status(200)).await;
    let outbound = loopback();
    for _ in 0..3 {
        outbound.send(get(&peer.url()), &Trust::public()).await.unwrap();
    }
    assert_eq!((peer.connections(), peer.requests().len()), (1, 3));
}

#[tokio::test]
async fn a_request_arrives_as_it_was_made() {
    let peer = Peer::http(|request| http::Response::new(request.into_body())).await;
    let request = http::Request::post(format!("{}/path?query=1", peer.url()))
        .header("x-of-ours", "1")
        .body(b"body".to_vec())
        .unwrap();
    let answer = loopback().send(request, &Trust::public()).await.unwrap();
    assert_eq!(answer.body().as_ref(), b"body");
    let head = &peer.requests()[0];
    assert_eq!((head.method().as_str(), head.uri().to_string()), ("POST", "/path?query=1".into()));
    assert_eq!(head.headers()["x-of-ours"], "1");
    assert!(!head.headers().contains_key("cookie") && !head.headers().contains_key("referer"));
}

#[tokio::test]
async fn calls_wait_for_their_turn_and_not_for_long() {
    let peer = Peer::http(|_| status(200)).await;
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let limits = Limits {
        total: Duration::from_mins(1),
        calls: 1,
        wait: Duration::from_millis(50),
        ..Limits::default()
    };
    let outbound = Outbound::with(loopback_policy(), SystemResolver, limits);
    let first = tokio::spawn({
        let (outbound, url) =
            (outbound.clone(), format!("http://{}/", silent.local_addr().unwrap()));
        async move { outbound.send(get(&url), &Trust::public()).await.is_ok() }
    });
    let _connection = silent.accept().await.unwrap();
    let start = Instant::now();
    let error = outbound.send(get(&peer.url()), &Trust::public()).await.unwrap_err();
    assert!(error.reason().contains("too many"), "{}", error.reason());
    assert!(start.elapsed() < Duration::from_secs(10) && peer.requests().is_empty());
    // Whoever gives up makes room.
    first.abort();
    assert!(first.await.is_err());
    assert!(outbound.send(get(&peer.url()), &Trust::public()).await.is_ok());
    assert_eq!(Limits::default().calls, 64);
}
