//! What a code rests on, and what becomes of it when that is gone.

use super::{login, trade, word};
use crate::{
    SignedIn,
    people::tests::{PASSWORD, refused},
    testing::World,
};

/// What ends a code that was confirmed and not traded yet.
async fn ended_by(change: impl AsyncFn(&World, &SignedIn)) {
    let world = World::new().await;
    let page = world.at_page().await;
    let code = world.code(&page).await;
    change(&world, &page).await;
    assert_eq!(word(world.tokens_for(&trade(&code)).await), "invalid_grant");
    let refusals = world.records("authorization-code-refused").await;
    let is_for_that = |told: &str| told.contains("no-longer") || told.contains("unknown");
    assert!(refusals.iter().all(|(_, told)| is_for_that(told)), "{refusals:?}");
    assert_eq!(refusals.len(), 1);
}

#[tokio::test]
async fn j11_a_code_ends_with_the_pages_session() {
    ended_by(async |world, page| {
        world.core.revoke_session(page, page.user.session).await.unwrap();
    })
    .await;
    ended_by(async |world, page| {
        world.core.revoke_sessions(page).await.unwrap();
    })
    .await;
    ended_by(async |world, page| {
        world.change_user(page.user.id, |user| user.epoch += 1).await;
    })
    .await;
}

#[tokio::test]
async fn t6_a_code_ends_with_the_account_and_the_membership() {
    for change in [
        "DELETE FROM organization_memberships WHERE principal_kind = 'user'",
        "DELETE FROM users WHERE email = 'ada@example.test'",
    ] {
        ended_by(async |world, _| {
            world.tamper(change).await;
        })
        .await;
    }
    ended_by(async |world, page| {
        world.change_user(page.user.id, |user| user.is_accepted = false).await;
    })
    .await;
}

#[tokio::test]
async fn h5_a_second_factor_that_is_asked_for_since_ends_a_code() {
    ended_by(async |world, _| {
        world.change_ours(|row| row.enforce_mfa = true).await;
    })
    .await;
}

#[tokio::test]
async fn an_organization_that_ends_logins_sooner_does_so_for_programs() {
    let world = World::new().await;
    let page = world.at_page().await;
    world.clock.advance(50);
    let code = world.code(&page).await;
    world.change_ours(|row| row.user_token_expiration = Some("1m".into())).await;
    world.clock.advance(10);
    assert_eq!(word(world.tokens_for(&trade(&code)).await), "invalid_grant");
    let world = World::new().await;
    let page = world.at_page().await;
    world.change_ours(|row| row.user_token_expiration = Some("8h".into())).await;
    world.clock.advance(7 * 3_600);
    let program = login(world.tokens_for(&trade(&world.code(&page).await)).await.unwrap());
    world.clock.advance(3_600 - 1);
    assert!(world.refresh(&program).await.is_ok());
    world.clock.advance(1);
    assert!(world.refresh(&program).await.is_err(), "counted from the login at the page");
}

/// Attack K8: whoever has the database cannot make a code good for more.
#[tokio::test]
async fn k8_a_code_that_was_changed_in_the_database_is_refused() {
    for change in [
        "UPDATE authorization_codes SET expires_at = expires_at + 1",
        "UPDATE authorization_codes SET factor = 'totp'",
        "UPDATE authorization_codes SET challenge = '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU'",
        "UPDATE authorization_codes SET redirect_uri = redirect_uri || 'x'",
        "UPDATE authorization_codes SET client_id = 'other'",
        "UPDATE authorization_codes SET sub_id = root_id",
        "UPDATE authorization_codes SET session_id = (SELECT s.id FROM user_sessions s
            JOIN users u ON u.id = s.user_id WHERE u.email = 'admin@ours.test')",
        "UPDATE authorization_codes SET
            user_id = (SELECT id FROM users WHERE email = 'admin@ours.test')",
        "UPDATE authorization_codes SET
            root_id = (SELECT id FROM organizations WHERE name = 'theirs')",
        "UPDATE authorization_codes SET mac = X'00'",
    ] {
        let world = World::new().await;
        let page = world.at_page().await;
        let administrator = world.ours.actor.user().unwrap().id;
        world.sign_in(administrator, world.ours.organization).await;
        let code = world.code(&page).await;
        assert_eq!(world.tamper(change).await, 1, "{change}");
        let error = refused_by(world.tokens_for(&trade(&code)).await);
        assert!(error.contains("Something went wrong"), "{change}: {error}");
    }
}

/// A code that was used cannot be made unused.
#[tokio::test]
async fn k8_a_used_code_stays_used() {
    let world = World::new().await;
    let page = world.at_page().await;
    let code = world.code(&page).await;
    world.tokens_for(&trade(&code)).await.unwrap();
    world.tamper("UPDATE authorization_codes SET made_session_id = NULL").await;
    let error = refused_by(world.tokens_for(&trade(&code)).await);
    assert!(error.contains("Something went wrong"), "{error}");
}

#[tokio::test]
async fn d5_no_code_and_no_verifier_is_written_anywhere() {
    use kms_store::Source as _;
    let world = World::new().await;
    let page = world.at_page().await;
    let code = world.code(&page).await;
    world.tokens_for(&trade(&code)).await.unwrap();
    world.tokens_for(&trade(&code)).await.err().unwrap();
    let sql = "SELECT event_metadata, actor_metadata FROM audit_logs";
    let rows: Vec<(String, String)> = (&world.store).fetch_all(sql, ()).await.unwrap();
    for (event, actor) in rows {
        for secret in [&code, super::VERIFIER, PASSWORD] {
            assert!(!event.contains(secret) && !actor.contains(secret), "{event} {actor}");
        }
    }
    let sql = "SELECT code_hash FROM authorization_codes";
    let rows: Vec<(Vec<u8>,)> = (&world.store).fetch_all(sql, ()).await.unwrap();
    assert!(rows.iter().all(|(hash,)| hash.len() == 32 && *hash != hex::decode(&code).unwrap()));
}

fn refused_by<T>(result: Result<T, super::OAuthError>) -> String {
    match result {
        Err(super::OAuthError::Core(error)) => refused::<T>(Err(error)).to_string(),
        Err(other) => panic!("another error: {other}"),
        Ok(_) => panic!("it was let through"),
    }
}
