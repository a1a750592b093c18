use tokio::task::JoinSet;

use super::{EMAIL, Login, PASSWORD, refused, shared};
use crate::{
    Error,
    testing::{
        World,
        machines::{HOME, from},
    },
};

#[track_caller]
fn name_of(error: &Error) -> &'static str {
    match error {
        Error::SessionOver { name, .. } => name,
        other => panic!("another error: {other}"),
    }
}

async fn inside(world: &World) -> Login {
    world.ada().await;
    let login = world.log_in().await;
    world.enter(&login, world.ours.organization).await
}

#[tokio::test]
async fn thirty_days_of_refreshing_ask_for_nothing() {
    let world = World::new().await;
    let mut login = inside(&world).await;
    for _ in 0..30 * 24 {
        world.clock.advance(3_600);
        login = world.refresh(&login).await.unwrap();
        let caller = world.request(&login.access).await.unwrap();
        assert_eq!(caller.organization, world.ours.organization);
    }
    world.clock.advance(60 * 86_400);
    assert_eq!(name_of(&refused(world.refresh(&login).await)), "InvalidToken", "90 days are over");
}

#[tokio::test]
async fn h8_a_used_refresh_token_is_good_until_its_successor_is_used() {
    let world = World::new().await;
    let first = inside(&world).await;
    let lost = world.refresh(&first).await.unwrap();
    let second = world.refresh(&first).await.unwrap();
    assert_ne!(lost.refresh, second.refresh, "an answer that was lost is given again");
    let third = world.refresh(&second).await.unwrap();
    assert!(world.request(&third.access).await.is_ok());
    assert_eq!(name_of(&refused(world.refresh(&first).await)), "TokenReuse");
    for login in [&first, &second, &third] {
        assert_eq!(name_of(&refused(world.refresh(login).await)), "InvalidToken");
        assert!(matches!(refused(world.request(&login.access).await), Error::NotFound(_)));
    }
    assert!(world.events().await.contains(&"refresh-token-reuse".to_owned()));
}

#[tokio::test]
async fn h8_a_thief_and_the_owner_cannot_both_go_on() {
    for owner_first in [true, false] {
        let world = World::new().await;
        let stolen = inside(&world).await;
        let (owner, thief) =
            (world.refresh(&stolen).await.unwrap(), world.refresh(&stolen).await.unwrap());
        let (one, other) = if owner_first { (owner, thief) } else { (thief, owner) };
        world.refresh(&one).await.unwrap();
        assert_eq!(name_of(&refused(world.refresh(&other).await)), "TokenReuse");
        assert!(world.request(&one.access).await.is_err(), "the session is over for both");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn h8_many_processes_may_refresh_at_the_same_moment() {
    let world = shared().await;
    let login = inside(&world).await;
    let mut refreshes = JoinSet::new();
    for _ in 0..50 {
        let (world, login) = (world.clone(), login.clone());
        refreshes.spawn(async move { world.refresh(&login).await });
    }
    let answers = refreshes.join_all().await;
    for answer in &answers {
        let access = &answer.as_ref().map_err(ToString::to_string).unwrap().access;
        assert!(world.request(access).await.is_ok());
    }
    let kept = answers.into_iter().next_back().unwrap().unwrap();
    assert!(world.refresh(&kept).await.is_ok(), "whichever was kept goes on");
}

#[tokio::test]
async fn h8_a_password_change_ends_every_session() {
    let world = World::new().await;
    let login = inside(&world).await;
    let id = world.signed_in(&login.access).await.unwrap().user.id;
    world.change_user(id, |user| user.epoch += 1).await;
    assert_eq!(name_of(&refused(world.refresh(&login).await)), "InvalidToken");
    assert_eq!(name_of(&refused(world.request(&login.access).await)), "StaleSession");
    world.log_in().await;
}

#[tokio::test]
async fn a_refresh_or_a_login_makes_nobody_else_be_looked_up_again() {
    let world = World::new().await;
    let login = inside(&world).await;
    let other = world.sign_in(world.ours.actor.user().unwrap().id, world.ours.organization).await;
    world.request(&other).await.unwrap();
    world.refresh(&login).await.unwrap();
    world.try_login(EMAIL, PASSWORD, None, &from(HOME)).await.unwrap();
    let before = world.store.statements();
    world.request(&other).await.unwrap();
    assert_eq!(world.store.statements(), before);
}

#[tokio::test]
async fn t6_who_was_removed_or_suspended_is_refused_at_once() {
    for (change, text) in [
        ("DELETE FROM organization_memberships", "not member"),
        ("DELETE FROM users", "User not found"),
        ("DELETE FROM user_sessions", "Session not found"),
    ] {
        let world = World::new().await;
        let login = inside(&world).await;
        assert!(world.request(&login.access).await.is_ok());
        world.tamper(change).await;
        let error = refused(world.request(&login.access).await).to_string();
        assert!(error.contains(text), "{change}: {error}");
        assert!(world.refresh(&login).await.is_err(), "{change}");
    }
    let world = World::new().await;
    let login = inside(&world).await;
    let id = world.signed_in(&login.access).await.unwrap().user.id;
    world.change_user(id, |user| user.is_accepted = false).await;
    assert!(matches!(refused(world.request(&login.access).await), Error::NotFound(_)));
    assert_eq!(name_of(&refused(world.refresh(&login).await)), "InvalidToken");
    assert!(world.try_login(EMAIL, PASSWORD, None, &from(HOME)).await.is_err());
}
