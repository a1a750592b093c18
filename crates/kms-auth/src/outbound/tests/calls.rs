//! X3: what a caller can learn from a call that does not succeed, and what a call may take.

use std::time::{Duration, Instant};

use tokio::{net::TcpListener, task::JoinSet};

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

/// A host that takes connections and never answers.
async fn silent() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

#[tokio::test]
async fn x3_a_host_that_never_answers_takes_its_own_turns_and_no_others() {
    let peer = Peer::http(|_| status(200)).await;
    let (listener, port) = silent().await;
    // What the slow host's logins would all take, were it not for the limit of one host.
    let limits =
        Limits { total: Duration::from_mins(1), calls: 16, calls_to_host: 8, ..Limits::default() };
    let outbound =
        Outbound::with(loopback_policy(), Answers::new(vec![vec![ip("127.0.0.1")]]), limits);
    let mut slow = JoinSet::new();
    for number in 0..20 {
        let (outbound, url) = (outbound.clone(), format!("http://slow.test:{port}/{number}"));
        slow.spawn(async move {
            outbound.send(get(&url), &Trust::public()).await.unwrap_err().reason()
        });
    }
    let mut connections = Vec::new();
    for _ in 0..8 {
        connections.push(listener.accept().await.unwrap());
    }
    // Its turns are taken, and twelve wait for them.
    let url = format!("http://quick.test:{}/", peer.address.port());
    for _ in 0..20 {
        assert!(outbound.send(get(&url), &Trust::public()).await.is_ok());
    }
    for _ in 0..12 {
        let reason = slow.join_next().await.unwrap().unwrap();
        assert!(reason.contains("too many"), "{reason}");
        assert!(outbound.send(get(&url), &Trust::public()).await.is_ok());
    }
    // Whoever gives up makes room, and a host is forgotten with its last call.
    assert_eq!(outbound.hosts_called(), 1);
    slow.shutdown().await;
    assert_eq!(outbound.hosts_called(), 0);
    let limits = Limits::default();
    assert!(limits.calls_to_host * 8 <= limits.calls && limits.calls_to_vendor * 2 <= limits.calls);
}

#[tokio::test]
async fn whoever_waits_for_a_host_and_gives_up_is_counted_out() {
    let (listener, port) = silent().await;
    let limits = Limits {
        total: Duration::from_mins(1),
        wait: Duration::from_mins(1),
        calls_to_host: 1,
        ..Limits::default()
    };
    let outbound = Outbound::with(loopback_policy(), SystemResolver, limits);
    let call = || {
        let (outbound, url) = (outbound.clone(), format!("http://127.0.0.1:{port}/"));
        tokio::spawn(async move { outbound.send(get(&url), &Trust::public()).await.is_ok() })
    };
    let first = call();
    let _held = listener.accept().await.unwrap();
    let (second, third) = (call(), call());
    tokio::task::yield_now().await;
    second.abort();
    assert!(second.await.is_err());
    // The turn of whoever gave up before it came is not lost.
    first.abort();
    assert!(first.await.is_err());
    let _held = listener.accept().await.unwrap();
    third.abort();
    assert!(third.await.is_err());
    assert_eq!(outbound.hosts_called(), 0);
}
