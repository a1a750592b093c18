//! C11: a peer that cannot show who it is is not talked to.

use std::net::Ipv4Addr;

use super::*;
use crate::testing::{Authority, Peer, ip, loopback_policy, quick, status};

/// Calls `https://idp.test` at a peer with the certificate; how many requests the peer saw.
async fn call(tls: rustls::ServerConfig, trust: &Trust) -> (bool, usize) {
    let peer = Peer::start(Ipv4Addr::LOCALHOST, Some(tls), |_| status(200)).await;
    let resolver = Answers::new(vec![vec![ip("127.0.0.1")]]);
    let outbound = Outbound::with(loopback_policy(), resolver, quick());
    let url = format!("https://idp.test:{}/", peer.address.port());
    let answer = outbound.send(get(&url), trust).await;
    (answer.is_ok(), peer.requests().len())
}

#[tokio::test]
async fn c11_only_a_certificate_of_the_named_authority_for_the_name_is_accepted() {
    let (ours, other) = (Authority::new(), Authority::new());
    let trust = Trust::pem(&ours.pem()).unwrap();
    let good = ours.server("idp.test", |_| {});
    assert_eq!(call(good.clone(), &trust).await, (true, 1));
    let refused = (false, 0);
    assert_eq!(call(good.clone(), &Trust::public()).await, refused, "unknown authority");
    assert_eq!(call(good, &Trust::pem(&other.pem()).unwrap()).await, refused, "another authority");
    assert_eq!(call(ours.server("other.test", |_| {}), &trust).await, refused, "another name");
    assert_eq!(call(ours.server("127.0.0.1", |_| {}), &trust).await, refused, "the address");
    let expired = ours.server("idp.test", |params| {
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2021, 1, 1);
    });
    assert_eq!(call(expired, &trust).await, refused, "expired");
    let early = ours.server("idp.test", |params| {
        params.not_before = rcgen::date_time_ymd(2090, 1, 1);
    });
    assert_eq!(call(early, &trust).await, refused, "not valid yet");
    let client = ours.server("idp.test", |params| {
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    });
    assert_eq!(call(client, &trust).await, refused, "not a server's");
}

#[tokio::test]
async fn an_address_can_be_certified_too() {
    let ours = Authority::new();
    let tls = ours.server("127.0.0.1", |_| {});
    let peer = Peer::start(Ipv4Addr::LOCALHOST, Some(tls), |_| status(200)).await;
    let url = format!("https://{}/", peer.address);
    let trust = Trust::pem(&ours.pem()).unwrap();
    assert!(crate::testing::loopback().send(get(&url), &trust).await.is_ok());
}

#[test]
fn what_is_not_a_certificate_is_not_kept() {
    assert_eq!(Trust::pem(" \n").unwrap(), Trust::public());
    let pem = Authority::new().pem();
    assert!(Trust::pem(&pem.repeat(2)).is_ok());
    for text in [
        "nonsense".to_owned(),
        pem.replace("CERTIFICATE", "PRIVATE KEY"),
        pem.replace("MII", "AAA"),
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_owned(),
        pem.repeat(17),
    ] {
        assert!(Trust::pem(&text).is_err(), "{text}");
    }
}
