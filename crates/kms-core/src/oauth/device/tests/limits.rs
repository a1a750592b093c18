//! Guessing, flooding, and what is left of either (attacks L6, D4).

use std::sync::Arc;

use kms_api::{SessionId, UserId};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{DEVICE, ISSUER, code_of, name_of, poll, request};
use crate::{
    Error, SignedIn,
    oauth::OAuthError,
    testing::{World, machines::from},
};

/// A code that nobody was given: the chance that it is somebody's is one in 25 thousand million.
const WRONG: &str = "BBBB-BBBB";

fn is_throttled<T>(answer: &crate::Result<T>) -> bool {
    matches!(answer, Err(Error::RateLimited { .. }))
}

/// Somebody else, signed in from an address.
fn somebody(owner: &SignedIn, ip: &str) -> SignedIn {
    let mut somebody = SignedIn { origin: from(ip), ..owner.clone() };
    somebody.user.id = UserId::from(Uuid::new_v4());
    somebody
}

#[tokio::test]
async fn l6_five_wrong_codes_of_a_person_count_whatever_session_they_are_typed_in() {
    let world = World::new().await;
    let (owner, ours) = (world.owner_at_page().await, world.ours.organization);
    let theirs = world.ask().await;
    let mut looked_at = 0;
    for _ in 0..50 {
        let mut guesser = owner.clone();
        guesser.user.session = SessionId::from(Uuid::new_v4());
        // A code of one's own in between is no new budget.
        let own = world.ask().await;
        let _ = world.core.deny_device(&guesser, &own.user_code).await;
        for _ in 0..5 {
            let guess = world.core.device_login(&guesser, WRONG).await;
            looked_at += u32::from(!is_throttled(&guess));
        }
    }
    assert_eq!(looked_at, 5);
    assert_eq!(world.recorded("device-login-wrong-code").await, 5);
    // The right one is not looked at any more either, by whichever use case.
    assert!(is_throttled(&world.core.device_login(&owner, &theirs.user_code).await));
    assert!(is_throttled(&world.core.approve_device(&owner, &theirs.user_code, ours).await));
    assert!(is_throttled(&world.core.deny_device(&owner, &theirs.user_code).await));
    let other = somebody(&owner, "192.0.2.77");
    assert!(world.core.device_login(&other, &theirs.user_code).await.is_ok(), "nobody else waits");
    world.clock.advance(600);
    let fresh = world.ask().await;
    assert!(world.core.device_login(&owner, &fresh.user_code).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn l6_guesses_at_once_are_no_more_than_one_after_another() {
    let world = Arc::new(World::new().await);
    let owner = world.owner_at_page().await;
    let mut guesses = JoinSet::new();
    for _ in 0..40 {
        let (core, owner) = (world.core.clone(), owner.clone());
        guesses.spawn(async move { is_throttled(&core.device_login(&owner, WRONG).await) });
    }
    let throttled = guesses.join_all().await.into_iter().filter(|throttled| *throttled).count();
    assert_eq!(throttled, 35);
}

#[tokio::test]
async fn l6_wrong_codes_spend_the_login_budget_of_their_address() {
    let world = World::new().await;
    let owner = world.owner_at_page().await;
    let mut looked_at = 0;
    // However many people an attacker can be.
    for _ in 0..30 {
        let guesser = somebody(&owner, "192.0.2.66");
        for _ in 0..5 {
            looked_at += u32::from(!is_throttled(&world.core.device_login(&guesser, WRONG).await));
        }
    }
    assert_eq!(looked_at, 100);
    let elsewhere = somebody(&owner, "192.0.2.67");
    assert_eq!(name_of(world.core.device_login(&elsewhere, WRONG).await), "UnknownUserCode");
}

#[tokio::test]
async fn what_cannot_be_a_code_costs_nobody_a_try() {
    let world = World::new().await;
    let owner = world.owner_at_page().await;
    for text in ["", "hello", "BCDF-GHJ", "AAAA-AAAA"] {
        for _ in 0..5 {
            assert_eq!(name_of(world.core.device_login(&owner, text).await), "UnknownUserCode");
        }
    }
    let device = world.ask().await;
    assert!(world.core.device_login(&owner, &device.user_code).await.is_ok());
}

#[tokio::test]
async fn l6_whoever_asks_too_soon_waits_longer_and_adds_nothing() {
    let world = World::new().await;
    let (owner, ours) = (world.owner_at_page().await, world.ours.organization);
    let device = world.ask().await;
    let ask = async || code_of(world.core.token(&poll(&device.device_code), &from(DEVICE)).await);
    assert_eq!(ask().await, "authorization_pending");
    world.core.approve_device(&owner, &device.user_code, ours).await.unwrap();
    let everything =
        "SELECT (SELECT COUNT(*) FROM audit_logs) + (SELECT COUNT(*) FROM user_sessions)
        + (SELECT COUNT(*) FROM login_failures) + (SELECT COUNT(*) FROM device_logins)";
    let before = world.number(everything).await;
    world.clock.advance(4);
    for _ in 0..3 {
        assert_eq!(ask().await, "slow_down", "approved or not");
    }
    world.clock.advance(19);
    assert_eq!(ask().await, "slow_down", "5 + 3 * 5 seconds from the last question");
    for _ in 0..300 {
        assert_eq!(ask().await, "slow_down");
    }
    let nobodys = poll("nobody has this one");
    for _ in 0..300 {
        let answer = world.core.token(&nobodys, &from(DEVICE)).await;
        assert_eq!(code_of(answer), "invalid_grant");
    }
    assert_eq!(world.number(everything).await, before);
    let longest = world.number("SELECT MAX(poll_seconds) FROM device_logins").await;
    assert_eq!(longest, 600, "no number grows for ever either");
}

#[tokio::test]
async fn a_device_that_obeys_is_never_slowed_down() {
    let world = World::new().await;
    let (owner, ours) = (world.owner_at_page().await, world.ours.organization);
    let device = world.ask().await;
    for _ in 0..60 {
        assert_eq!(code_of(world.poll(&device).await), "authorization_pending");
    }
    world.core.approve_device(&owner, &device.user_code, ours).await.unwrap();
    assert!(world.poll(&device).await.is_ok());
}

/// Asks for as many logins as may wait, from as many addresses as that takes.
async fn flood(world: &World) {
    for source in 0..100 {
        let mut asked = JoinSet::new();
        for _ in 0..100 {
            let core = world.core.clone();
            let origin = from(&format!("203.0.113.{source}"));
            asked.spawn(async move { core.ask_device(&request(), ISSUER, &origin).await.is_ok() });
        }
        assert!(asked.join_all().await.into_iter().all(|given| given));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn d4_ten_thousand_logins_that_wait_are_all_that_wait_and_are_swept() {
    const SIZE: &str = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()";
    let world = World::new().await;
    let empty = world.number(SIZE).await;
    flood(&world).await;
    assert_eq!(world.waiting().await, 10_000);
    let more = world.core.ask_device(&request(), ISSUER, &from("203.0.113.7")).await;
    assert!(matches!(more, Err(OAuthError::Core(Error::RateLimited { .. }))), "its address");
    let more = world.core.ask_device(&request(), ISSUER, &from("198.51.100.1")).await;
    let Err(OAuthError::Core(Error::Unavailable(text))) = more else { panic!("one too many") };
    assert!(text.contains("wait for their approval"), "{text}");
    assert_eq!(world.waiting().await, 10_000);
    assert_eq!(world.recorded("device-login-refused").await, 2);
    // Rows, their indexes, and the audit records that stay.
    let full = world.number(SIZE).await;
    assert!(full - empty <= 24 * 1024 * 1024, "{} bytes", full - empty);
    world.clock.advance(600 + 60);
    world.core.sweep().await.unwrap();
    assert_eq!(world.waiting().await, 0);
    world.tamper("DELETE FROM audit_logs WHERE event_type = 'device-login-asked'").await;
    flood(&world).await;
    // Room that was swept is used again; pages fill a little differently each time.
    let again = world.number(SIZE).await;
    assert!(again - full <= (full - empty) / 10, "{again} bytes after {full}");
}
