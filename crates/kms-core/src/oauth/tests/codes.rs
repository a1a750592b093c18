//! What a code is good for, and how often.

use std::sync::Arc;

use kms_store::Source as _;
use tokio::task::JoinSet;

use super::{CHALLENGE, HERE, asked, login, login_of, renewal, trade, word};
use crate::{
    Error,
    people::{Selection, tests::refused},
    testing::World,
};

#[tokio::test]
async fn a_confirmed_login_gives_the_program_a_session_of_its_own() {
    let world = World::new().await;
    let page = world.at_page().await;
    world.clock.advance(600);
    let answer = world.tokens_for(&trade(&world.code(&page).await)).await.unwrap();
    assert_eq!((answer.token_type.as_str(), answer.expires_in), ("Bearer", 900));
    let session = answer.session.clone().unwrap();
    assert_eq!((session.user_id, session.email.as_str()), (page.user.id, "ada@example.test"));
    assert_eq!(session.organization.id, world.ours.organization);
    assert_eq!((session.organization.name.as_str(), session.sub_organization), ("ours", None));
    let program = login(answer);
    let caller = world.request(&program.access).await.unwrap();
    assert_eq!(caller.organization, world.ours.organization);
    let of_program = world.signed_in(&program.access).await.unwrap().user.session;
    assert_ne!(of_program, page.user.session, "it lives and ends apart from the page's");
    let find = async |id| kms_store::user_sessions::find(&world.store, page.user.id, id).await;
    let of_page = find(page.user.session).await.unwrap().unwrap();
    let of_program = find(of_program).await.unwrap().unwrap();
    assert_eq!(of_program.login_at, of_page.login_at, "no later end by starting from a page");
    assert_eq!(of_program.auth_method, of_page.auth_method);
    let days = |row: &kms_store::user_sessions::SessionRow| {
        (row.expires_at - row.login_at) / 86_400_000_000
    };
    assert_eq!((days(&of_page), days(&of_program)), (0, 90));
    let confirmed = world.records("program-login-confirmed").await;
    let [(organization, told)] = &confirmed[..] else { panic!("{confirmed:?}") };
    assert_eq!(*organization, world.ours.organization.uuid());
    assert!(told.contains(HERE) && told.contains("laptop"), "{told}");
    let logins = world.records("user-login").await;
    assert!(logins.last().unwrap().1.contains(r#""by":"authorization-code""#), "{logins:?}");
}

#[tokio::test]
async fn h8_the_programs_session_is_refreshed_by_the_same_rules_as_any_other() {
    let world = World::new().await;
    let page = world.at_page().await;
    let first = world.tokens_for(&trade(&world.code(&page).await)).await.unwrap().refresh_token;
    let lost = world.tokens_for(&renewal(&first)).await.unwrap().refresh_token;
    let second = world.tokens_for(&renewal(&first)).await.unwrap().refresh_token;
    assert_ne!(lost, second, "an answer that was lost is given again");
    let cookie = world.core.refresh(Some(&second), &page.origin).await.unwrap();
    let third = login_of(cookie, |answer| answer.token);
    let fourth = world.tokens_for(&renewal(&third.refresh)).await.unwrap();
    assert_eq!(fourth.expires_in, 900);
    assert!(fourth.session.is_none());
    // What was used before is in two hands.
    assert_eq!(word(world.tokens_for(&renewal(&first)).await), "invalid_grant");
    assert!(world.request(&fourth.access_token).await.is_err());
    assert_eq!(world.records("refresh-token-reuse").await.len(), 1);
}

#[tokio::test]
async fn l2_a_code_is_worth_nothing_to_whoever_did_not_ask_for_it() {
    let world = World::new().await;
    let page = world.at_page().await;
    let code = world.code(&page).await;
    assert!(code.len() >= 32 && code.bytes().all(|byte| byte.is_ascii_hexdigit()), "128 bits");
    for wrong in [CHALLENGE, &"a".repeat(43), "short", &"a".repeat(129)] {
        let mut body = trade(&code);
        body.code_verifier = Some(wrong.into());
        assert_eq!(word(world.tokens_for(&body).await), "invalid_grant", "{wrong}");
    }
    for other in ["http://127.0.0.1:50124/callback", "http://[::1]:50123/callback", ISSUERS_PAGE] {
        let mut body = trade(&code);
        body.redirect_uri = Some(other.into());
        assert_eq!(word(world.tokens_for(&body).await), "invalid_grant", "{other}");
    }
    let mut body = trade(&code);
    body.client_id = Some("other".into());
    assert_eq!(word(world.tokens_for(&body).await), "invalid_client");
    for wrong in ["0", &code[1..], &format!("{code}0"), &code.to_uppercase()] {
        assert_eq!(word(world.tokens_for(&trade(wrong)).await), "invalid_grant", "{wrong}");
    }
    let refusals = world.records("authorization-code-refused").await;
    assert_eq!(refusals.len(), 11, "each is recorded: {refusals:?}");
    assert!(refusals.iter().all(|(_, told)| !told.contains(&code)));
    assert!(world.tokens_for(&trade(&code)).await.is_ok(), "nobody else can use it up");
}

const ISSUERS_PAGE: &str = "https://kms.example.test/oauth/code";

#[tokio::test]
async fn what_a_grant_needs_is_asked_for() {
    let world = World::new().await;
    let page = world.at_page().await;
    let code = world.code(&page).await;
    let take = |change: fn(&mut kms_api::oauth::TokenRequest)| {
        let mut body = trade(&code);
        change(&mut body);
        body
    };
    for body in [
        take(|body| body.client_id = None),
        take(|body| body.client_id = Some(String::new())),
        take(|body| body.code = Some("".into())),
        take(|body| body.code = None),
        take(|body| body.redirect_uri = None),
        take(|body| body.code_verifier = None),
        take(|body| body.grant_type = "refresh_token".into()),
    ] {
        assert_eq!(word(world.tokens_for(&body).await), "invalid_request");
    }
    for grant in ["", "password", "client_credentials", "implicit", "AUTHORIZATION_CODE"] {
        let mut body = trade(&code);
        body.grant_type = grant.into();
        assert_eq!(word(world.tokens_for(&body).await), "unsupported_grant_type", "{grant}");
    }
    let refresh = world.tokens_for(&trade(&code)).await.unwrap().refresh_token;
    let mut body = renewal(&refresh);
    body.client_id = Some("other".into());
    assert_eq!(word(world.tokens_for(&body).await), "invalid_client");
    body.client_id = None;
    assert!(world.tokens_for(&body).await.is_ok(), "a public client need not say who it is");
    assert_eq!(word(world.tokens_for(&renewal("made up")).await), "invalid_grant");
}

#[tokio::test]
async fn l2_a_code_that_is_traded_twice_ends_the_session_that_it_made() {
    let world = World::new().await;
    let page = world.at_page().await;
    let code = world.code(&page).await;
    let program = login(world.tokens_for(&trade(&code)).await.unwrap());
    assert!(world.request(&program.access).await.is_ok());
    let mut guess = trade(&code);
    guess.code_verifier = Some("a".repeat(43).into());
    assert_eq!(word(world.tokens_for(&guess).await), "invalid_grant");
    assert!(world.request(&program.access).await.is_ok(), "a stranger ends nothing");
    world.clock.advance(120);
    assert_eq!(word(world.tokens_for(&trade(&code)).await), "invalid_grant");
    assert!(world.request(&program.access).await.is_err());
    assert!(world.refresh(&program).await.is_err());
    assert_eq!(world.records("authorization-code-reuse").await.len(), 1);
    assert!(world.code(&page).await != code, "the page's session goes on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn l2_a_code_that_many_trade_at_once_makes_one_session_at_most() {
    let world = Arc::new(World::new().await);
    let page = world.at_page().await;
    let code = world.code(&page).await;
    let mut trades = JoinSet::new();
    for _ in 0..20 {
        let (world, body) = (Arc::clone(&world), trade(&code));
        trades.spawn(async move { world.tokens_for(&body).await });
    }
    let answers = trades.join_all().await;
    let made: Vec<_> = answers.into_iter().filter_map(Result::ok).collect();
    assert_eq!(made.len(), 1);
    assert!(world.request(&made[0].access_token).await.is_err(), "it is in more hands than one");
    let of_ada = "SELECT COUNT(*) FROM user_sessions";
    let left: Vec<(i64,)> = (&world.store).fetch_all(of_ada, ()).await.unwrap();
    assert_eq!(left, [(1,)], "the page's");
}

#[tokio::test]
async fn l2_a_code_is_good_for_a_minute() {
    let world = World::new().await;
    let page = world.at_page().await;
    let (early, late) = (world.code(&page).await, world.code(&page).await);
    world.clock.advance(59);
    assert!(world.tokens_for(&trade(&early)).await.is_ok());
    world.clock.advance(1);
    assert_eq!(word(world.tokens_for(&trade(&late)).await), "invalid_grant");
}

#[tokio::test]
async fn d4_codes_are_swept() {
    let world = World::new().await;
    let page = world.at_page().await;
    let used = world.code(&page).await;
    world.code(&page).await;
    let program = login(world.tokens_for(&trade(&used)).await.unwrap());
    let count = async || {
        let sql = "SELECT COUNT(*) FROM authorization_codes";
        (&world.store).fetch_all::<(i64,)>(sql, ()).await.unwrap()[0].0
    };
    world.clock.advance(3_600);
    world.core.sweep().await.unwrap();
    assert_eq!(count().await, 2, "one that was used is remembered for an hour");
    assert_eq!(word(world.tokens_for(&trade(&used)).await), "invalid_grant");
    assert!(world.refresh(&program).await.is_err());
    world.clock.advance(60);
    world.core.sweep().await.unwrap();
    assert_eq!(count().await, 0);
}

#[tokio::test]
async fn who_denies_sends_the_program_away() {
    let world = World::new().await;
    let page = world.at_page().await;
    let address = world.core.deny_login(&page, &asked()).await.unwrap();
    let error = "error=access%5Fdenied&state=s7&iss=https%3A%2F%2Fkms%2Eexample%2Etest";
    assert_eq!(address, format!("{HERE}?{error}"));
    assert_eq!(world.records("program-login-denied").await.len(), 1);
}

#[tokio::test]
async fn t1_an_organization_of_others_is_confirmed_for_nobody() {
    let world = World::new().await;
    let page = world.at_page().await;
    let nowhere = uuid::Uuid::nil().into();
    for id in [world.theirs.organization, nowhere] {
        let error = refused(world.confirm(&page, id).await);
        assert!(matches!(error, Error::NotFound(_)), "{error}");
        assert_eq!(error.to_string(), format!("Organization with ID '{id}' not found"));
    }
}

/// Attack H5: a program's login is no way around the second factor.
#[tokio::test]
async fn h5_whoever_owes_a_second_factor_confirms_nothing() {
    let world = World::new().await;
    let page = world.at_page().await;
    world
        .change_ours(|row| {
            row.enforce_mfa = true;
            row.selected_mfa_method = Some("totp".into());
        })
        .await;
    for given in [None, Some("email")] {
        let page = crate::SignedIn { factor: given.map(Into::into), ..page.clone() };
        let error = refused(world.confirm(&page, world.ours.organization).await);
        assert!(matches!(error, Error::Forbidden { name, .. } if name == "MfaRequired"));
    }
    let page = crate::SignedIn { factor: Some("totp".into()), ..page };
    let program = login(world.tokens_for(&trade(&world.code(&page).await)).await.unwrap());
    let claims = world.user_claims(&program.access);
    assert_eq!((claims.is_mfa_verified, claims.mfa_method.as_deref()), (Some(true), Some("totp")));
    let again = world.select(&program, world.ours.organization, None).await.unwrap();
    assert!(matches!(again, Selection::Opened(_)), "the factor counts for the program too");
}
