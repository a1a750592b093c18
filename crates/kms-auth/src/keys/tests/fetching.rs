//! J9: what storms, slow answers and long answers cost.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::json;
use tokio::{io::AsyncWriteExt as _, net::TcpListener, task::JoinSet};

use super::super::{
    KeySet, read_set,
    remote::{FRESH, INTERVAL, Remote, STALE, Weigh as _},
};
use crate::{
    AuthError,
    outbound::Trust,
    testing::{NOW, Peer, Signer, json, loopback, status},
};

async fn key_server() -> Peer {
    let set = json!({ "keys": [Signer::rsa().jwk()] });
    Peer::http(move |_| json(&set)).await
}

async fn ask(
    remote: &Remote<KeySet>,
    url: &str,
    now: i64,
    kid: &str,
) -> Result<Arc<KeySet>, AuthError> {
    let wanted = |keys: &KeySet| keys.get(kid).is_some();
    remote.get(&loopback(), url, &Trust::public(), now, wanted).await
}

#[tokio::test]
async fn j9_a_storm_of_unknown_keys_asks_once_in_an_interval() {
    let peer = key_server().await;
    let remote = Arc::new(Remote::new(read_set));
    let outbound = loopback();
    for interval in 0..3_usize {
        let now = NOW + i64::try_from(interval).unwrap() * INTERVAL;
        let mut storm = JoinSet::new();
        for invented in 0..10_000 {
            let (remote, outbound, url) = (Arc::clone(&remote), outbound.clone(), peer.url());
            storm.spawn(async move {
                let kid = format!("invented-{invented}");
                let wanted = |keys: &KeySet| keys.get(&kid).is_some();
                remote.get(&outbound, &url, &Trust::public(), now, wanted).await.is_ok()
            });
        }
        assert!(storm.join_all().await.into_iter().all(|held| held));
        assert_eq!(peer.requests().len(), interval + 1);
    }
}

#[tokio::test]
async fn what_is_known_is_not_asked_for_again_while_it_is_fresh() {
    let peer = key_server().await;
    let remote = Remote::new(read_set);
    for now in [NOW, NOW + 1, NOW + FRESH - 1] {
        assert!(ask(&remote, &peer.url(), now, "k1").await.is_ok());
    }
    assert_eq!(peer.requests().len(), 1);
    assert!(ask(&remote, &peer.url(), NOW + FRESH, "k1").await.is_ok());
    assert_eq!(peer.requests().len(), 2);
}

/// One tenant's key servers that publish as much as they may do not fill the server's memory.
#[tokio::test]
async fn j9_what_is_remembered_is_bounded_by_its_bytes() {
    let keys: Vec<_> = (0..8).map(|_| Signer::rsa().jwk()).collect();
    let set = json!({ "keys": keys.iter().enumerate().map(|(number, key)| {
        let mut key = key.clone();
        key["kid"] = format!("k{number}").into();
        key
    }).collect::<Vec<_>>() });
    let weight = read_set(set.to_string().as_bytes()).unwrap().weight();
    assert!(weight > 8 * 2 * 256, "{weight}");
    let peer = Peer::http(move |_| json(&set)).await;
    let (small, large) = (Remote::within(64 << 10, read_set), Remote::new(read_set));
    for (remote, most) in [(&small, (64 << 10) / weight), (&large, 40)] {
        let before = peer.requests().len();
        for round in 1..=2 {
            for tenant in 0..40 {
                let url = format!("{}/{tenant}", peer.url());
                assert!(ask(remote, &url, NOW, "k7").await.is_ok());
            }
            let asked = peer.requests().len() - before;
            assert!(asked >= round * 40 - most * (round - 1), "{asked} of {most}");
        }
        // What fits is not asked for again.
        let asked = peer.requests().len() - before;
        assert!(most < 40 || asked == 40, "{asked}");
    }
}

#[tokio::test]
async fn what_was_withdrawn_ends_even_if_its_place_is_silent() {
    let up = Arc::new(AtomicBool::new(true));
    let (set, answers) = (json!({ "keys": [Signer::rsa().jwk()] }), Arc::clone(&up));
    let peer =
        Peer::http(move |_| if answers.load(Ordering::SeqCst) { json(&set) } else { status(503) })
            .await;
    let remote = Remote::new(read_set);
    assert!(ask(&remote, &peer.url(), NOW, "k1").await.is_ok());
    up.store(false, Ordering::SeqCst);
    assert!(ask(&remote, &peer.url(), NOW + STALE - 1, "k1").await.is_ok());
    let late = NOW + STALE - 1 + INTERVAL;
    assert!(ask(&remote, &peer.url(), late, "k1").await.is_err());
    let asked = peer.requests().len();
    assert!(ask(&remote, &peer.url(), late + 1, "k1").await.is_err());
    assert_eq!(peer.requests().len(), asked, "asked again within the interval");
    up.store(true, Ordering::SeqCst);
    assert!(ask(&remote, &peer.url(), late + INTERVAL, "k1").await.is_ok());
}

#[tokio::test]
async fn j9_who_hangs_up_does_not_keep_others_from_the_answer() {
    let peer = key_server().await;
    let remote = Remote::new(read_set);
    let url = peer.url();
    drop(tokio::time::timeout(Duration::ZERO, ask(&remote, &url, NOW, "k1")).await);
    let deadline = Instant::now() + Duration::from_secs(5);
    while ask(&remote, &url, NOW, "k1").await.is_err() {
        assert!(Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(peer.requests().len() <= 1);
}

#[tokio::test]
async fn j9_a_long_answer_a_redirect_and_a_drip_are_given_up() {
    let canary = Peer::http(|_| status(200)).await;
    let to = canary.url();
    let long = Peer::http(|_| http::Response::new(vec![b' '; 100 << 20].into())).await;
    let redirects = Peer::http(move |_| {
        let answer = http::Response::builder().status(302).header("location", &to);
        answer.body(bytes::Bytes::new()).unwrap()
    })
    .await;
    let drip = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let dripping = format!("http://{}", drip.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = drip.accept().await {
            tokio::spawn(async move {
                let head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n";
                let mut sent = stream.write_all(head).await;
                while sent.is_ok() {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    sent = stream.write_all(b" ").await;
                }
            });
        }
    });
    let remote = Remote::new(read_set);
    for url in [long.url(), redirects.url(), dripping] {
        let start = Instant::now();
        assert!(ask(&remote, &url, NOW, "k1").await.is_err(), "{url}");
        assert!(start.elapsed() < Duration::from_secs(3), "{url}");
    }
    assert_eq!(canary.connections(), 0);
}

#[tokio::test]
async fn keys_of_one_address_are_not_those_of_another_authority() {
    let peer = key_server().await;
    let remote = Remote::new(read_set);
    assert!(ask(&remote, &peer.url(), NOW, "k1").await.is_ok());
    let other = Trust::pem(&crate::testing::Authority::new().pem()).unwrap();
    assert!(remote.get(&loopback(), &peer.url(), &other, NOW, |_| true).await.is_ok());
    assert_eq!(peer.requests().len(), 2);
}
