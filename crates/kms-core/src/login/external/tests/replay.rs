//! C4: a signed request can be captured whole. It is used once, but for the client that lost the
//! answer.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::*;

const ELSEWHERE: &str = "203.0.113.7";

#[tokio::test]
async fn c4_a_signed_request_is_repeated_by_its_sender_for_seconds_and_by_nobody_else() {
    let vouched = Vouched::new().await;
    let id = vouched.machine("aws-auth").await;
    let proof = vouched.proof("aws-auth", id);
    let login = async |ip| vouched.login_with("aws-auth", proof.clone(), &from(ip)).await;
    login(HOME).await.unwrap();
    let text = unauthorized(login(ELSEWHERE).await);
    assert_eq!(text, "Access denied: this signed request was used before");
    vouched.world.clock.advance(9);
    login(HOME).await.unwrap();
    unauthorized(login(ELSEWHERE).await);
    vouched.world.clock.advance(1);
    unauthorized(login(HOME).await);
    let record = last_record(&vouched, "login-identity-aws-auth-failed").await;
    assert!(record.to_string().contains("used before"), "{record}");
    assert_eq!(vouched.world.recorded("login-identity-aws-auth").await, 2);
    // The hosts of one network count as one, as for guesses.
    let proof = vouched.proof("aws-auth", id);
    for (ip, accepted) in [("2001:db8::1", true), ("2001:db8::2", true), ("2001:db8:0:1::1", false)]
    {
        let login = vouched.login_with("aws-auth", proof.clone(), &from(ip)).await;
        assert_eq!(login.is_ok(), accepted, "{ip}");
    }
}

#[tokio::test]
async fn c4_a_captured_request_is_of_no_use_for_another_identity() {
    let vouched = Vouched::new().await;
    let (ours, other) = (vouched.machine("aws-auth").await, vouched.machine("aws-auth").await);
    let mut proof = vouched.proof("aws-auth", ours);
    vouched.login_with("aws-auth", proof.clone(), &from(HOME)).await.unwrap();
    proof["identityId"] = json!(other);
    unauthorized(vouched.login_with("aws-auth", proof, &from(ELSEWHERE)).await);
}

/// A refused login must not use up the proof: whoever is let in later is let in.
#[tokio::test]
async fn c4_a_login_that_is_refused_uses_nothing() {
    let vouched = Vouched::new().await;
    let id = vouched.machine("aws-auth").await;
    let mut lost = vouched.proof("aws-auth", id);
    lost["organizationSlug"] = "nowhere".into();
    let refused = vouched.login_with("aws-auth", lost.clone(), &from(ELSEWHERE)).await;
    assert!(matches!(refused, Err(Error::NotFound(_))));
    lost.as_object_mut().unwrap().remove("organizationSlug");
    vouched.login_with("aws-auth", lost, &from(HOME)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn c4_of_many_senders_at_once_one_is_let_in() {
    let vouched = Arc::new(Vouched::new().await);
    let id = vouched.machine("aws-auth").await;
    let proof = vouched.proof("aws-auth", id);
    let mut logins = JoinSet::new();
    for peer in 0..30 {
        let (vouched, proof) = (Arc::clone(&vouched), proof.clone());
        logins.spawn(async move {
            let origin = from(&format!("198.51.100.{peer}"));
            vouched.login_with("aws-auth", proof, &origin).await.is_ok()
        });
    }
    let admitted = logins.join_all().await.into_iter().filter(|admitted| *admitted).count();
    assert_eq!(admitted, 1);
    assert_eq!(vouched.world.recorded("login-identity-aws-auth").await, 1);
    assert_eq!(vouched.world.recorded("login-identity-aws-auth-failed").await, 29);
}

#[tokio::test]
async fn c4_a_request_signed_for_another_server_or_long_ago_is_refused() {
    let vouched = Vouched::new().await;
    let id = vouched.machine("aws-auth").await;
    let now = vouched.world.core.now().seconds();
    let sign = |server: Option<&str>, at: i64| {
        let client = server.map_or_else(kms_standins::Client::node, kms_standins::Client::ours);
        json!(client.when(at).as_identity(id).proof())
    };
    let ours = crate::testing::vouched::ORIGIN;
    for (proof, accepted) in [
        (sign(Some(ours), now), true),
        (sign(Some("https://other.example.com"), now), false),
        (sign(None, now - 1), true),
        (sign(None, now - 301), false),
        (sign(None, now + 301), false),
    ] {
        let login = vouched.login_with("aws-auth", proof.clone(), &from(HOME)).await;
        assert_eq!(login.is_ok(), accepted, "{proof}");
    }
    vouched.change("aws-auth", id, json!({ "requireServerHeader": true })).await.unwrap();
    unauthorized(vouched.login_with("aws-auth", sign(None, now - 2), &from(HOME)).await);
    vouched.login_with("aws-auth", sign(Some(ours), now - 2), &from(HOME)).await.unwrap();
}
