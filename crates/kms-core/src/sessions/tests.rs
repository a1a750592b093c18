use std::sync::Arc;

use kms_api::{
    auth::{
        TokenSettings,
        token_auth::{CreateToken, ListTokensQuery},
        universal::Settings,
    },
    identities::{ListIdentitiesQuery, UpdateIdentity},
};
use kms_crypto::{
    TokenPurpose,
    claims::{MfaClaims, ProviderClaims, SignUpClaims, UserAccessClaims, UserRefreshClaims},
};
use tokio::task::JoinSet;

use crate::{
    Actor, Core, Error, Origin, TokenError,
    testing::{
        NOON, World,
        machines::{HOME, Machine, from, ips, unauthorized},
    },
};

fn token_settings(token: TokenSettings) -> Settings {
    Settings { token, ..Settings::default() }
}

fn terms(ttl: i64, max_ttl: i64, uses: i64) -> Settings {
    token_settings(TokenSettings {
        access_token_ttl: Some(ttl),
        access_token_max_ttl: Some(max_ttl),
        access_token_num_uses_limit: Some(uses),
        ..TokenSettings::default()
    })
}

/// A person's token of our organization, with a session behind it.
async fn user_token(world: &World) -> String {
    world.sign_in(world.ours.actor.user().unwrap().id, world.ours.organization).await
}

fn user_claims(core: &Core, token: &str) -> UserAccessClaims {
    core.keys.tokens.verify(token, core.now().seconds()).unwrap()
}

#[tokio::test]
async fn a_warm_request_asks_the_database_nothing() {
    let world = World::new().await;
    let machine = world.machine("member", Settings::default()).await;
    for token in [world.token(&machine).await, user_token(&world).await] {
        world.request(&token).await.unwrap();
        let before = world.store.statements();
        for _ in 0..10 {
            world.request(&token).await.unwrap();
        }
        assert_eq!(world.store.statements(), before);
    }
}

/// Every kind of token that is signed for a person but is no access token.
fn other_tokens(core: &Core, claims: &UserAccessClaims) -> Vec<String> {
    let (iat, exp) = (NOON.seconds(), NOON.seconds() + 60);
    let tokens = &core.keys.tokens;
    let refresh = UserRefreshClaims {
        jti: claims.token_version_id,
        auth_token_type: TokenPurpose::UserRefresh,
        auth_method: claims.auth_method.clone(),
        user_id: claims.user_id,
        token_version_id: claims.token_version_id,
        refresh_version: 1,
        organization_id: claims.organization_id,
        sub_organization_id: None,
        is_mfa_verified: None,
        mfa_method: None,
        iat,
        exp,
    };
    let mfa = MfaClaims {
        auth_token_type: TokenPurpose::Mfa,
        auth_method: claims.auth_method.clone(),
        user_id: claims.user_id,
        token_version_id: claims.token_version_id,
        mfa_method: "totp".into(),
        organization_id: claims.organization_id,
        iat,
        exp,
    };
    let sign_up = SignUpClaims {
        auth_token_type: TokenPurpose::SignUp,
        user_id: claims.user_id,
        epoch: 0,
        used_for: kms_crypto::SignUpUse::Recovery,
        organization_id: None,
        iat,
        exp,
    };
    let provider = ProviderClaims {
        auth_token_type: TokenPurpose::Provider,
        username: "x".into(),
        email: "x@example.test".into(),
        auth_method: "oidc".into(),
        organization_id: claims.organization_id,
        user_id: Some(claims.user_id),
        first_name: None,
        last_name: None,
        iat,
        exp,
    };
    [tokens.sign(&refresh), tokens.sign(&mfa), tokens.sign(&sign_up), tokens.sign(&provider)]
        .map(Result::unwrap)
        .into()
}

#[tokio::test]
async fn j6_only_access_tokens_are_bearer_tokens() {
    let world = World::new().await;
    let machine = world.machine("member", Settings::default()).await;
    let user = user_token(&world).await;
    for token in other_tokens(&world.core, &user_claims(&world.core, &user)) {
        let refused = |result| matches!(result, Err(Error::Token(TokenError::WrongType)));
        assert!(refused(world.request(&token).await.map(|_| ())));
        assert!(refused(world.core.authenticate_user(&token, from(HOME)).await.map(|_| ())));
        assert!(refused(world.renew(&token).await.map(|_| ())));
        assert!(refused(world.revoke(&token).await));
    }
    let machine = world.token(&machine).await;
    assert!(matches!(world.request(&machine).await.unwrap().actor, Actor::Identity(_)));
    assert!(matches!(world.request(&user).await.unwrap().actor, Actor::User(_)));
    assert!(world.core.authenticate_user(&machine, from(HOME)).await.is_err());
    assert!(world.renew(&user).await.is_err(), "people's tokens are not renewed here");
    for text in ["st.a.b.c", "st."] {
        assert_eq!(unauthorized(world.request(text).await), "Invalid service token");
    }
}

#[tokio::test]
async fn j7_a_token_ends_to_the_second() {
    let world = World::new().await;
    let machine = world.machine("member", terms(60, 120, 0)).await;
    let token = world.token(&machine).await;
    world.clock.advance(59);
    assert!(world.request(&token).await.is_ok());
    world.clock.advance(1);
    let late = world.request(&token).await;
    assert!(matches!(late, Err(Error::Token(TokenError::Expired))), "remembered or not");
    assert!(matches!(world.renew(&token).await, Err(Error::Token(TokenError::Expired))));
}

#[tokio::test]
async fn a_person_without_an_organization_is_asked_to_choose_one() {
    let world = World::new().await;
    let token = user_token(&world).await;
    let claims = UserAccessClaims { organization_id: None, ..user_claims(&world.core, &token) };
    let token = world.core.keys.tokens.sign(&claims).unwrap();
    assert!(unauthorized(world.request(&token).await).contains("no organization"));
    let signed_in = world.core.authenticate_user(&token, from(HOME)).await.unwrap();
    assert_eq!(signed_in.organization, None);
}

#[tokio::test]
async fn t1_a_person_is_nobody_in_an_organization_of_others() {
    let world = World::new().await;
    let token = user_token(&world).await;
    let claims = UserAccessClaims {
        organization_id: Some(world.theirs.organization.uuid()),
        ..user_claims(&world.core, &token)
    };
    let token = world.core.keys.tokens.sign(&claims).unwrap();
    let refused = world.request(&token).await;
    assert!(matches!(refused, Err(Error::Forbidden { message, .. })
        if message == "User not member of organization"));
}

#[tokio::test]
async fn j11_a_session_that_moved_on_or_ended_takes_its_tokens_with_it() {
    let world = World::new().await;
    let token = user_token(&world).await;
    assert!(world.request(&token).await.is_ok());
    world.core.logout(None, Some(&token), &from(HOME)).await.unwrap();
    let refused = world.request(&token).await;
    assert!(matches!(refused, Err(Error::SessionOver { name: "StaleSession", .. })));
    world.tamper("DELETE FROM user_sessions").await;
    assert!(matches!(world.request(&token).await, Err(Error::NotFound(_))));
}

#[tokio::test]
async fn k8_a_session_or_an_account_edited_in_the_database_is_noticed() {
    for edit in [
        "UPDATE user_sessions SET expires_at = expires_at + 1",
        "UPDATE user_sessions SET user_epoch = user_epoch + 1",
        "UPDATE user_sessions SET refresh_version = refresh_version - 1",
        "UPDATE user_sessions SET org_id = NULL",
        "UPDATE users SET is_accepted = FALSE",
        "UPDATE users SET epoch = 3",
        "UPDATE users SET is_mfa_enabled = TRUE",
        "UPDATE users SET is_email_verified = TRUE",
    ] {
        let world = World::new().await;
        let token = user_token(&world).await;
        assert!(world.request(&token).await.is_ok());
        world.tamper(edit).await;
        let refused = world.request(&token).await;
        assert!(matches!(refused, Err(Error::Internal(_))), "{edit}");
    }
}

/// Makes requests with a token of a machine before and after something changed.
async fn after(settings: Settings, change: impl AsyncFnOnce(&World, &Machine, &str)) -> String {
    let world = World::new().await;
    let machine = world.machine("member", settings).await;
    let token = world.token(&machine).await;
    assert!(world.request(&token).await.is_ok(), "good before, and remembered");
    change(&world, &machine, &token).await;
    let text = unauthorized(world.request(&token).await);
    let renewal = unauthorized(world.renew(&token).await);
    assert_eq!(renewal.replace("Cannot renew", "Failed to authorize"), text);
    text
}

#[tokio::test]
async fn j11_t6_what_a_token_rests_on_is_asked_on_every_request() {
    let plain = Settings::default;
    let text = after(plain(), async |world, _, token| world.revoke(token).await.unwrap());
    assert_eq!(text.await, "Failed to authorize: token has been revoked");
    let text = after(plain(), async |world, machine, _| {
        let (caller, secret) = (&world.ours, machine.secret_id);
        world.core.revoke_client_secret(caller, machine.id, secret).await.unwrap();
    });
    assert_eq!(text.await, "Failed to authorize: client secret has been revoked");
    let text = after(plain(), async |world, machine, _| {
        world.core.detach_universal_auth(&world.ours, machine.id).await.unwrap();
    });
    assert_eq!(text.await, "Failed to authorize: auth method has been revoked");
    let text = after(plain(), async |world, machine, _| {
        world.core.delete_identity(&world.ours, machine.id).await.unwrap();
    });
    assert_eq!(text.await, "Failed to authorize: identity tokens have been revoked");
    let text = after(plain(), async |world, _, _| {
        world
            .tamper("DELETE FROM organization_memberships WHERE principal_kind = 'identity'")
            .await;
    });
    assert_eq!(text.await, "Identity is not a member of the organization");
    for (status, is_active) in [("invited", true), ("accepted", false)] {
        let text = after(plain(), async |world, machine, _| {
            world.set_membership(machine.id, status, is_active).await;
        });
        assert_eq!(text.await, "Identity organization membership is inactive");
    }
    let text = after(plain(), async |world, machine, _| {
        let elsewhere = token_settings(TokenSettings {
            access_token_trusted_ips: Some(ips(&["203.0.113.0/24"])),
            ..TokenSettings::default()
        });
        world.core.update_universal_auth(&world.ours, machine.id, &elsewhere).await.unwrap();
    });
    assert_eq!(text.await, "Failed to authenticate");
}

#[tokio::test]
async fn j11_a_method_attached_again_does_not_bring_old_tokens_back() {
    let world = World::new().await;
    let machine = world.machine("member", Settings::default()).await;
    let token = world.token(&machine).await;
    world.core.detach_universal_auth(&world.ours, machine.id).await.unwrap();
    world.core.attach_universal_auth(&world.ours, machine.id, &Settings::default()).await.unwrap();
    let text = unauthorized(world.request(&token).await);
    assert_eq!(text, "Failed to authorize: auth method has been revoked");
}

#[tokio::test]
async fn j11_a_changed_role_counts_from_the_next_request() {
    let world = World::new().await;
    let machine = world.machine("admin", Settings::default()).await;
    let token = world.token(&machine).await;
    let caller = world.request(&token).await.unwrap();
    assert!(world.core.list_identities(&caller, &ListIdentitiesQuery::default()).await.is_ok());
    let body = UpdateIdentity { role: Some("no-access".into()), ..UpdateIdentity::default() };
    world.core.update_identity(&world.ours, machine.id, &body).await.unwrap();
    let caller = world.request(&token).await.unwrap();
    assert!(world.core.list_identities(&caller, &ListIdentitiesQuery::default()).await.is_err());
}

#[tokio::test]
async fn trusted_ips_of_the_method_bind_every_request() {
    let world = World::new().await;
    let settings = token_settings(TokenSettings {
        access_token_trusted_ips: Some(ips(&["192.0.2.0/24", "2001:db8::1"])),
        ..TokenSettings::default()
    });
    let machine = world.machine("member", settings).await;
    let token = world.token(&machine).await;
    assert!(world.claims(&token).ip_restriction_enabled);
    for (ip, good) in [(HOME, true), ("198.51.100.1", false), ("2001:db8::1", true), ("::1", false)]
    {
        assert_eq!(world.core.authenticate(&token, from(ip)).await.is_ok(), good, "{ip}");
        // The second time from memory.
        assert_eq!(world.core.authenticate(&token, from(ip)).await.is_ok(), good, "{ip}");
    }
    assert!(world.core.authenticate(&token, Origin::default()).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn j13_a_token_with_a_limit_is_used_exactly_as_often() {
    let world = Arc::new(World::new().await);
    let machine = world.machine("member", terms(600, 7_200, 100)).await;
    let token = world.token(&machine).await;
    let mut uses = JoinSet::new();
    for each in 0..1_000 {
        let (world, token) = (Arc::clone(&world), token.clone());
        uses.spawn(async move {
            if each % 10 == 0 {
                // A renewed token draws on the same uses.
                let _ = world.renew(&token).await;
            }
            world.request(&token).await.map(|_| ())
        });
    }
    let results = uses.join_all().await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 100);
    for result in results.into_iter().filter(Result::is_err) {
        assert_eq!(unauthorized(result), "Failed to authorize: token usage limit reached");
    }
    let renewal = unauthorized(world.renew(&token).await);
    assert_eq!(renewal, "Cannot renew: token usage limit reached");
}

#[tokio::test]
async fn j13_uses_are_not_given_back_by_a_renewal_and_a_sweep() {
    let world = World::new().await;
    let machine = world.machine("member", terms(600, 0, 3)).await;
    let token = world.token(&machine).await;
    assert!(world.request(&token).await.is_ok());
    world.clock.advance(599);
    let renewed = world.renew(&token).await.unwrap().access_token;
    world.clock.advance(2);
    world.core.sweep().await.unwrap();
    assert!(world.request(&renewed).await.is_ok());
    assert!(world.request(&renewed).await.is_ok());
    assert!(world.request(&renewed).await.is_err());
    world.clock.advance(600);
    world.core.sweep().await.unwrap();
    assert_eq!(world.number("SELECT COUNT(*) FROM token_uses").await, 0, "swept when it is over");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn j13_no_renewal_outlives_the_max_ttl() {
    let world = Arc::new(World::new().await);
    let machine = world.machine("member", terms(600, 1_000, 0)).await;
    let token = world.token(&machine).await;
    let end = NOON.seconds() + 1_000;
    world.clock.advance(300);
    let mut renewals = JoinSet::new();
    for _ in 0..1_000 {
        let (world, token) = (Arc::clone(&world), token.clone());
        renewals.spawn(async move { world.renew(&token).await.unwrap() });
    }
    for renewed in renewals.join_all().await {
        let claims = world.claims(&renewed.access_token);
        assert_eq!(claims.exp, NOON.seconds() + 900);
        assert_eq!(claims.jti, world.token_id(&token).uuid(), "the same token");
        assert_eq!(claims.creation_epoch, NOON.seconds(), "the login stays when it was");
    }
    world.clock.advance(299);
    let last = world.renew(&token).await.unwrap();
    assert_eq!(last.expires_in, 401, "shortened to what is left");
    assert_eq!(world.claims(&last.access_token).exp, end);
    world.clock.advance(401);
    assert!(world.renew(&last.access_token).await.is_err());
}

#[tokio::test]
async fn j13_a_token_at_its_end_is_not_renewed() {
    let world = World::new().await;
    // Issued to live for ever by its ttl, but not beyond its end.
    let machine = world.machine("member", terms(0, 100, 0)).await;
    let answer = world.login(&machine).await.unwrap();
    assert_eq!(answer.expires_in, 100);
    world.clock.advance(99);
    let renewed = world.renew(&answer.access_token).await.unwrap();
    assert_eq!(renewed.expires_in, 1);
    let claims = kms_crypto::claims::IdentityAccessClaims {
        exp: NOON.seconds() + 5_000,
        ..world.claims(&renewed.access_token)
    };
    let forged_by_ourselves = world.core.keys.tokens.sign(&claims).unwrap();
    world.clock.advance(1);
    let text = unauthorized(world.renew(&forged_by_ourselves).await);
    assert_eq!(text, "Cannot renew: identity access token has reached its max TTL");
}

#[tokio::test]
async fn j13_a_revoked_token_takes_its_renewals_with_it() {
    let world = World::new().await;
    let machine = world.machine("member", terms(600, 0, 0)).await;
    let token = world.token(&machine).await;
    world.clock.advance(500);
    let renewed = world.renew(&token).await.unwrap().access_token;
    world.revoke(&token).await.unwrap();
    for token in [&token, &renewed] {
        let text = unauthorized(world.request(token).await);
        assert_eq!(text, "Failed to authorize: token has been revoked");
    }
    assert_eq!(unauthorized(world.revoke(&renewed).await), "Cannot revoke: token has been revoked");
    world.clock.advance(200);
    world.core.sweep().await.unwrap();
    assert!(world.request(&renewed).await.is_err(), "kept for as long as a renewal may live");
}

#[tokio::test]
async fn a_periodic_token_is_renewed_for_ever() {
    let world = World::new().await;
    let settings = Settings { access_token_period: Some(60), ..terms(600, 1_000, 0) };
    let machine = world.machine("member", settings).await;
    let mut answer = world.login(&machine).await.unwrap();
    for _ in 0..50 {
        assert_eq!((answer.expires_in, answer.access_token_max_ttl), (60, 1_000_000_000));
        world.clock.advance(59);
        answer = world.renew(&answer.access_token).await.unwrap();
    }
    assert!(world.request(&answer.access_token).await.is_ok());
}

#[tokio::test]
async fn a_named_token_is_listed_renamed_and_revoked() {
    let world = World::new().await;
    let (core, ours) = (&world.core, &world.ours);
    let machine = world.machine("member", Settings::default()).await;
    let id = machine.id;
    let limit = TokenSettings { access_token_num_uses_limit: Some(2), ..TokenSettings::default() };
    core.attach_token_auth(ours, id, &limit).await.unwrap();
    let body = CreateToken { name: Some("ci".into()), organization_slug: None };
    let made = core.create_token(ours, id, &body).await.unwrap();
    let (token, data) = (made.login.access_token, made.token_data);
    assert_eq!(world.token_id(&token), data.id);
    assert!(world.request(&token).await.is_ok());
    let shown = core.get_token(ours, id, data.id).await.unwrap().token;
    assert_eq!((shown.access_token_num_uses, shown.access_token_num_uses_limit), (1, 2));
    let body = kms_api::auth::token_auth::UpdateToken { name: Some("cd".into()) };
    assert_eq!(
        core.rename_token(ours, data.id, &body).await.unwrap().token.name.as_deref(),
        Some("cd")
    );
    core.revoke_named_token(ours, data.id).await.unwrap();
    core.revoke_named_token(ours, data.id).await.unwrap();
    assert!(world.request(&token).await.is_err());
    let listed = core.list_tokens(ours, id, &ListTokensQuery::default()).await.unwrap().tokens;
    assert!(listed.len() == 1 && listed[0].is_access_token_revoked);
    assert!(matches!(
        core.revoke_named_token(&world.theirs, data.id).await,
        Err(Error::NotFound(_))
    ));
    core.detach_token_auth(ours, id).await.unwrap();
    assert!(core.list_tokens(ours, id, &ListTokensQuery::default()).await.is_err());
}
