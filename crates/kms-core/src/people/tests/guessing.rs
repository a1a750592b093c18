use std::{net::Ipv4Addr, sync::Arc};

use tokio::task::JoinSet;

use super::{EMAIL, PASSWORD, refused, shared};
use crate::{
    Error, Origin,
    testing::{
        World,
        machines::{HOME, from},
    },
};

const ATTACKER: &str = "198.51.100.66";

fn stranger(n: u32) -> Origin {
    Origin { ip: Some(Ipv4Addr::from(0x0b00_0000 + n).into()), user_agent: None }
}

fn is_throttled<T>(result: &crate::Result<T>) -> bool {
    matches!(result, Err(Error::RateLimited { .. }))
}

#[tokio::test]
async fn h1_a_login_that_does_not_hold_costs_the_same_whoever_it_is_for() {
    let world = World::new().await;
    world.ada().await;
    let mut work = Vec::new();
    for (n, email) in [(1, EMAIL), (2, "nobody@example.test"), (3, "no address")] {
        let (statements, hashes) = (world.store.statements(), world.core.passwords.hashed());
        let lookups = world.core.keys.lookup.hashes();
        let error = refused(world.try_login(email, "wrong", None, &stranger(n)).await);
        assert_eq!(error.to_string(), "Invalid username or email");
        work.push((
            world.store.statements() - statements,
            world.core.passwords.hashed() - hashes,
            world.core.keys.lookup.hashes() - lookups,
        ));
    }
    assert_eq!(work[0].1, 1);
    assert!(work.iter().all(|work_of_one| *work_of_one == work[0]), "{work:?}");
}

#[tokio::test]
async fn h2_every_spelling_of_an_address_is_one_account_and_one_counter() {
    let world = World::new().await;
    world.ada().await;
    let spellings = [
        "ada@example.test",
        " ADA@example.test",
        "Ada@Example.Test\n",
        "\u{ff21}da@example.test",
        "ada\u{ff20}example.test",
        "\u{1d41a}da@example.test",
        "ada@ex\u{ff41}mple\u{ff0e}test",
        "\u{3000}ada@example.test\u{a0}",
    ];
    for spelling in spellings {
        world.try_login(spelling, PASSWORD, None, &from(HOME)).await.unwrap();
    }
    let mut tried = 0;
    for n in 0..200 {
        let spelling = spellings[n % spellings.len()];
        let answer = world.try_login(spelling, "wrong", None, &from(ATTACKER)).await;
        tried += u32::from(!is_throttled(&answer));
    }
    assert_eq!(tried, 5, "all spellings count together");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn h9_ten_thousand_addresses_have_few_guesses_and_keep_nobody_out() {
    let world = shared().await;
    world.ada().await;
    world.log_in().await;
    let hashed = world.core.passwords.hashed();
    let mut owner = 0;
    // A day of guesses, each from an address of its own.
    for hour in 0..24 {
        let mut guesses = JoinSet::new();
        for n in 0..417 {
            let world = Arc::clone(&world);
            let origin = stranger(hour * 1_000 + n);
            guesses.spawn(async move { world.try_login(EMAIL, "wrong", None, &origin).await });
        }
        guesses.join_all().await;
        assert!(world.try_login(EMAIL, PASSWORD, None, &from(HOME)).await.is_ok(), "{hour}");
        owner += 1;
        world.clock.advance(3_600);
    }
    let guessed = world.core.passwords.hashed() - hashed - owner;
    assert!((20..=100).contains(&guessed), "{guessed} guesses were looked at");
    let late = world.try_login(EMAIL, PASSWORD, None, &stranger(7)).await;
    assert!(is_throttled(&late), "a stranger waits, whatever the password");
}

#[tokio::test]
async fn h9_a_stranger_at_the_owners_address_does_not_end_the_owners_session() {
    let world = World::new().await;
    world.ada().await;
    let login = world.log_in().await;
    let mut throttled = 0;
    for _ in 0..20 {
        let guess = world.try_login(EMAIL, "wrong", None, &from(HOME)).await;
        throttled += u32::from(is_throttled(&guess));
    }
    assert_eq!(throttled, 15, "five are free");
    let owner = world.try_login(EMAIL, PASSWORD, Some(&login.refresh), &from(HOME)).await;
    assert!(owner.is_ok(), "the session shows who it is");
    assert!(world.request_nothing(&login.access).await);
    // Nobody else's session does.
    let jar = Some(login.refresh.as_str());
    let other = world.try_login("nobody@example.test", "x", jar, &from(HOME)).await;
    assert!(other.is_err());
}

#[tokio::test]
async fn h9_waits_are_told_and_end() {
    let world = World::new().await;
    world.ada().await;
    for _ in 0..5 {
        assert!(!is_throttled(&world.try_login(EMAIL, "wrong", None, &from(ATTACKER)).await));
    }
    for wait in [1, 2, 4, 8] {
        let error = refused(world.try_login(EMAIL, PASSWORD, None, &from(ATTACKER)).await);
        assert!(matches!(error, Error::RateLimited { retry_after } if retry_after == wait));
        world.clock.advance(i64::try_from(wait).unwrap());
        assert!(!is_throttled(&world.try_login(EMAIL, "wrong", None, &from(ATTACKER)).await));
    }
    world.clock.advance(16);
    assert!(world.try_login(EMAIL, PASSWORD, None, &from(ATTACKER)).await.is_ok());
    for _ in 0..5 {
        let guess = world.try_login(EMAIL, "wrong", None, &from(ATTACKER)).await;
        assert!(!is_throttled(&guess), "a right password forgets the wrong ones before it");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn h9_guesses_at_once_are_no_more_than_one_after_the_other() {
    let world = shared().await;
    world.ada().await;
    let hashed = world.core.passwords.hashed();
    let mut guesses = JoinSet::new();
    for _ in 0..30 {
        let world = Arc::clone(&world);
        guesses.spawn(async move { world.try_login(EMAIL, "wrong", None, &from(ATTACKER)).await });
    }
    guesses.join_all().await;
    let looked_at = world.core.passwords.hashed() - hashed;
    // One more for each that runs beside the last free one.
    assert!((5..=6).contains(&looked_at), "{looked_at}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn h10_logins_beyond_what_may_wait_are_sent_away_and_the_rest_get_in() {
    let world = shared().await;
    world.ada().await;
    let mut logins = JoinSet::new();
    for _ in 0..200 {
        let world = Arc::clone(&world);
        logins.spawn(async move { world.try_login(EMAIL, PASSWORD, None, &from(HOME)).await });
    }
    let answers = logins.join_all().await;
    let (inside, away) = (
        answers.iter().filter(|answer| answer.is_ok()).count(),
        answers.iter().filter(|answer| is_throttled(answer)).count(),
    );
    assert!(inside >= 34 && away > 0 && inside + away == 200, "{inside} {away}");
}

#[tokio::test]
async fn h9_a_stolen_session_makes_no_counters_by_making_sessions() {
    let world = World::new().await;
    let ada = world.ada().await;
    let mut tx = world.store.begin().await.unwrap();
    let (there, who) = (world.theirs.organization, ("user", ada.uuid()));
    world.core.insert_organization_member(&mut tx, there, who, "member").await.unwrap();
    tx.commit().await.unwrap();
    let login = world.log_in().await;
    let stolen = world.enter(&login, world.ours.organization).await;
    let mut looked_at = 0;
    for _ in 0..4 {
        let split = world.enter(&stolen, there).await;
        for _ in 0..5 {
            let jar = Some(split.refresh.as_str());
            let guess = world.try_login(EMAIL, "wrong", jar, &from(ATTACKER)).await;
            looked_at += u32::from(!is_throttled(&guess));
        }
    }
    assert_eq!(looked_at, 5, "sessions of one login count together");
}

impl World {
    async fn request_nothing(&self, access: &str) -> bool {
        self.signed_in(access).await.is_ok()
    }
}
