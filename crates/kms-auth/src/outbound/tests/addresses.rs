//! X1 and X2: what is judged before anything is sent.

use super::{super::error::Reason, *};
use crate::testing::{Peer, ip, loopback_policy, quick, status};

/// The URLs of a corpus, with what a resolver answers for their names: a public address, so that
/// nothing is refused for want of one.
fn corpus(text: &str) -> Vec<(&str, Vec<IpAddr>)> {
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let entries = lines.map(|line| {
        let (url, answer) = line.split_once(" =>").unwrap_or((line, "9.9.9.9"));
        (url, answer.split_whitespace().map(ip).collect())
    });
    entries.collect()
}

/// What the guard makes of a URL, up to the addresses that it would connect to.
async fn judge(url: &str, answer: Vec<IpAddr>) -> Result<Vec<IpAddr>, Reason> {
    let outbound =
        Outbound::with(OutboundPolicy::default(), Answers::new(vec![answer]), Limits::default());
    let target = Target::parse(url, outbound.policy())?;
    let addresses = outbound.addresses(&target).await?;
    Ok(addresses.into_iter().map(|address| address.ip()).collect())
}

#[tokio::test]
async fn x1_no_url_of_the_corpus_is_called() {
    let corpus = corpus(include_str!("refused.txt"));
    assert!(corpus.len() >= 120, "{}", corpus.len());
    for (url, answer) in corpus {
        let judged = judge(url, answer).await;
        assert!(judged.is_err(), "{url} would be called at {judged:?}");
    }
}

#[tokio::test]
async fn x1_public_addresses_are_called() {
    for (url, answer) in corpus(include_str!("admitted.txt")) {
        let judged = judge(url, answer).await;
        assert!(judged.is_ok(), "{url} is refused: {judged:?}");
    }
}

#[tokio::test]
async fn x1_a_name_that_is_rebound_reaches_only_what_was_checked() {
    let inside = Peer::http(|_| status(200)).await;
    let port = inside.address.port();
    let checked = Peer::bind(([127, 0, 0, 2], port).into(), None, |_| status(204)).await;
    let allow = vec!["127.0.0.2".parse().unwrap()];
    let policy = OutboundPolicy { allow, own_listeners: Vec::new() };
    // First the address that may be called, to everybody who asks later the one that may not.
    let resolver = Answers::new(vec![vec![ip("127.0.0.2")], vec![ip("127.0.0.1")]]);
    let outbound = Outbound::with(policy, resolver.clone(), quick());
    let url = format!("http://rebind.test:{port}/");
    let answer = outbound.send(get(&url), &Trust::public()).await.unwrap();
    assert_eq!((answer.status().as_u16(), resolver.asked()), (204, 1));
    let error = outbound.send(get(&url), &Trust::public()).await.unwrap_err();
    assert!(error.reason().contains("private"), "{}", error.reason());
    assert_eq!((checked.connections(), inside.connections()), (1, 0));
}

#[tokio::test]
async fn x1_an_answer_with_one_private_address_is_refused_whole() {
    let resolver = Answers::new(vec![vec![ip("127.0.0.2"), ip("10.0.0.1")]]);
    let allow = vec!["127.0.0.2".parse().unwrap()];
    let policy = OutboundPolicy { allow, own_listeners: Vec::new() };
    let outbound = Outbound::with(policy, resolver, quick());
    let error = outbound.send(get("https://two.test/"), &Trust::public()).await.unwrap_err();
    assert!(error.reason().contains("10.0.0.1"), "{}", error.reason());
}

#[tokio::test]
async fn x1_a_redirect_is_an_answer_and_is_not_followed() {
    let canary = Peer::http(|_| status(200)).await;
    let location = canary.url();
    let peer = Peer::http(move |_| {
        http::Response::builder()
            .status(307)
            .header("location", &location)
            .body(bytes::Bytes::new())
            .unwrap()
    })
    .await;
    let answer = crate::testing::loopback().send(get(&peer.url()), &Trust::public()).await;
    assert_eq!(answer.unwrap().status(), 307);
    assert_eq!(canary.connections(), 0);
}

#[test]
fn x1_metadata_is_out_of_reach_whatever_is_allowed() {
    let allow = ["0.0.0.0/0", "::/0"].map(|net| net.parse().unwrap()).to_vec();
    let policy = OutboundPolicy { allow, own_listeners: Vec::new() };
    for address in [
        "169.254.169.254",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "169.254.170.2",
        "168.63.129.16",
        "100.100.100.200",
        "fd00:ec2::254",
        "0.0.0.0",
        "::",
        "224.0.0.1",
        "ff02::1",
        "255.255.255.255",
    ] {
        assert!(policy.admit((ip(address), 443).into(), true).is_err(), "{address}");
    }
    for address in ["10.0.0.1", "127.0.0.1", "fd00::1", "9.9.9.9"] {
        assert!(policy.admit((ip(address), 443).into(), false).is_ok(), "{address}");
    }
}

#[tokio::test]
async fn x1_a_named_host_opens_no_other() {
    let policy =
        OutboundPolicy { allow: vec!["idp.corp.test".parse().unwrap()], own_listeners: Vec::new() };
    let resolver = Answers::new(vec![vec![ip("10.0.0.1")]]);
    let outbound = Outbound::with(policy, resolver, quick());
    let addresses = async |url: &str| {
        let target = Target::parse(url, outbound.policy())?;
        outbound.addresses(&target).await
    };
    assert!(addresses("https://idp.corp.test/").await.is_ok());
    assert!(addresses("http://IDP.corp.test/").await.is_ok());
    for url in [
        "https://other.corp.test/",
        "https://sub.idp.corp.test/",
        "https://idp.corp.test.evil.test/",
        "https://10.0.0.1/",
        "http://other.corp.test/",
    ] {
        assert!(addresses(url).await.is_err(), "{url}");
    }
}

#[tokio::test]
async fn x2_our_own_listeners_are_never_called() {
    let own = Peer::http(|_| status(200)).await;
    let port = own.address.port();
    for listens_at in [own.address, ([0, 0, 0, 0], port).into(), (ip("::"), port).into()] {
        let policy = OutboundPolicy { own_listeners: vec![listens_at], ..loopback_policy() };
        let resolver = Answers::new(vec![vec![ip("127.0.0.1")]]);
        let outbound = Outbound::with(policy, resolver, quick());
        for url in [
            format!("http://127.0.0.1:{port}/"),
            format!("http://[::ffff:127.0.0.1]:{port}/"),
            format!("http://name.test:{port}/"),
            format!("https://name.test:{port}/"),
        ] {
            let error = outbound.send(get(&url), &Trust::public()).await.unwrap_err();
            assert!(!error.reason().contains("call failed"), "{url}: {}", error.reason());
        }
    }
    assert_eq!(own.connections(), 0);
    let other = Peer::http(|_| status(200)).await;
    let policy = OutboundPolicy { own_listeners: vec![own.address], ..loopback_policy() };
    let outbound = Outbound::with(policy, SystemResolver, quick());
    assert!(outbound.send(get(&other.url()), &Trust::public()).await.is_ok());
}

#[test]
fn x4_a_url_with_credentials_or_line_breaks_is_not_kept() {
    let policy = OutboundPolicy::default();
    let of = |text: &str| Target::parse(text, &policy).unwrap_err();
    for text in ["https://a:b@idp.test/", "https://a@idp.test", "https://@idp.test/"] {
        assert_eq!(of(text), UnsafeUrl::Credentials, "{text}");
    }
    for text in [
        "https://idp.test/\r\nX-Injected: 1",
        "https://idp.test/\nHost: other",
        "https://idp\t.test/",
        "https://idp.test/\u{0}",
        "https://idp.test/\u{2028}x",
        " https://idp.test/",
        "https://idp.test/ ",
        "https://idp.test/a b",
        "https://idp.test\\@10.0.0.1/",
        "https://idp.test/\u{85}",
    ] {
        assert_eq!(of(text), UnsafeUrl::Characters, "{text:?}");
    }
    assert_eq!(of(&format!("https://idp.test/{}", "a".repeat(2_048))), UnsafeUrl::TooLong);
}

#[test]
fn what_an_operator_allows_is_read_strictly() {
    let read = |text: &str| text.parse::<Allow>();
    assert_eq!(read("10.1.2.3/8").unwrap(), Allow::Net("10.0.0.0/8".parse().unwrap()));
    assert_eq!(read("127.0.0.1").unwrap(), Allow::Net("127.0.0.1/32".parse().unwrap()));
    assert_eq!(read("[::1]").unwrap(), Allow::Net("::1/128".parse().unwrap()));
    assert_eq!(read("IdP.Corp.test").unwrap(), Allow::Host("idp.corp.test".into()));
    for text in ["", "https://idp.test", "idp.test:8443", "idp.test.", "10.0.0.0/33", "a b", "*"] {
        assert!(read(text).is_err(), "{text}");
    }
}
