use std::sync::Arc;

use kms_api::{
    auth::user::{VerifyMfa, VerifyRecoveryCode},
    users::{TotpCode, UpdateMfa},
};
use kms_store::{
    Source as _, organizations::OrganizationRow, passkeys::HeldRow, second_factors, users::UserRow,
};
use tokio::task::JoinSet;

use super::{EMAIL, Login, PASSWORD, login_of, refused};
use crate::{
    Error, Result, SecondFactor,
    people::factors::owed,
    testing::{
        World,
        machines::{HOME, from},
    },
};

/// The code that a person's app shows, by the link that it was given.
fn code(world: &World, link: &str, off: i64) -> String {
    let now = u64::try_from(world.core.now().seconds() + off).unwrap();
    totp_rs::Totp::from_url(link).unwrap().generate(now).to_string()
}

/// Ada with an app, in an organization that asks for it; the link of the app and her codes.
async fn with_app(world: &World) -> (String, Vec<String>) {
    world.ada().await;
    let login = world.log_in().await;
    let signed_in = world.signed_in(&login.access).await.unwrap();
    let link = world.core.register_totp(&signed_in).await.unwrap().otp_url;
    let totp = code(world, &link, 0).into();
    let confirmed = world.core.confirm_totp(&signed_in, &TotpCode { totp }).await.unwrap();
    world.clock.advance(60);
    world
        .change_ours(|row| {
            row.enforce_mfa = true;
            row.selected_mfa_method = Some("totp".into());
        })
        .await;
    (link, confirmed.recovery_codes)
}

async fn pending(world: &World) -> String {
    let login = world.log_in().await;
    let owed = world.owe(&login).await;
    assert!(owed.is_mfa_enabled);
    owed.token
}

async fn give(world: &World, token: &str, code: &str) -> Result<Login> {
    let pending = world.core.authenticate_pending(token, from(HOME)).await?;
    let body = VerifyMfa { mfa_token: code.into(), mfa_method: Some("totp".into()), email: None };
    let opened = world.core.verify_mfa(&pending, &body).await?;
    Ok(login_of(opened, |answer| answer.token))
}

fn is_wrong<T>(result: &Result<T>) -> bool {
    matches!(result, Err(Error::SecondFactor(SecondFactor::Wrong)))
}

#[tokio::test]
async fn a_code_of_the_app_lets_its_owner_in() {
    let world = World::new().await;
    let (link, codes) = with_app(&world).await;
    assert_eq!(codes.len(), 10);
    assert!(codes.iter().all(|code| code.len() == 8), "{codes:?}");
    let token = pending(&world).await;
    let verified = give(&world, &token, &code(&world, &link, 0)).await.unwrap();
    let claims = world.user_claims(&verified.access);
    assert_eq!((claims.is_mfa_verified, claims.mfa_method.as_deref()), (Some(true), Some("totp")));
    assert_eq!(claims.organization_id, None, "where to act is chosen once more");
    let inside = world.enter(&verified, world.ours.organization).await;
    assert!(world.request(&inside.access).await.is_ok());
    let again = world.refresh(&inside).await.unwrap();
    assert_eq!(world.user_claims(&again.access).is_mfa_verified, Some(true));
    let events = world.events().await;
    for kind in ["totp-register", "totp-verify", "mfa-asked", "mfa-verified", "select-organization"]
    {
        assert!(events.iter().any(|event| event == kind), "{kind}: {events:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn h3_a_code_is_good_once() {
    let world = Arc::new(World::new().await);
    let (link, _) = with_app(&world).await;
    let shown = code(&world, &link, 0);
    let mut tokens = Vec::new();
    for _ in 0..12 {
        tokens.push(pending(&world).await);
    }
    let mut tries = JoinSet::new();
    for token in &tokens {
        let (world, token, shown) = (Arc::clone(&world), token.clone(), shown.clone());
        tries.spawn(async move { give(&world, &token, &shown).await });
    }
    let answers = tries.join_all().await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    world.clock.advance(86_400);
    for replay in [shown.clone(), format!(" {shown}"), format!("{shown} "), format!("{shown}0")] {
        let token = pending(&world).await;
        assert!(give(&world, &token, &replay).await.is_err(), "{replay:?}");
        world.clock.advance(86_400 * 4);
    }
    // The code of the step before an accepted one is not good any more either.
    let token = pending(&world).await;
    let (before, now) = (code(&world, &link, -30), code(&world, &link, 0));
    give(&world, &token, &now).await.unwrap();
    assert!(is_wrong(&give(&world, &pending(&world).await, &before).await));
}

#[tokio::test]
async fn h4_wrong_codes_count_for_the_person_whatever_login_they_belong_to() {
    let world = World::new().await;
    let (link, _) = with_app(&world).await;
    let mut looked_at = 0;
    for _ in 0..50 {
        let token = pending(&world).await;
        for _ in 0..5 {
            looked_at += u32::from(is_wrong(&give(&world, &token, "000000").await));
        }
    }
    assert_eq!(looked_at, 3, "three, and a pause for all logins");
    let token = pending(&world).await;
    let right = give(&world, &token, &code(&world, &link, 0)).await;
    assert!(matches!(refused(right), Error::Forbidden { name, .. } if name == "UserLocked"));
    world.clock.advance(300);
    let token = pending(&world).await;
    give(&world, &token, &code(&world, &link, 0)).await.unwrap();
}

/// What somebody asks of their own logins is the provider's to ask on the way through it; what an
/// organization asks holds for everybody, and whoever is let in by exception owes a factor.
#[tokio::test]
async fn h5_a_provider_stands_for_the_persons_own_factor_and_for_no_other() {
    let world = World::new().await;
    let id = world.ada().await;
    let user = kms_store::users::find(&world.store, id).await.unwrap().unwrap();
    let root = kms_store::organizations::find(&world.store, world.ours.organization).await;
    let root = root.unwrap().unwrap();
    let nothing = HeldRow { has_app: false, has_passkeys: false };
    for own in [false, true] {
        for (enforce_mfa, auth_enforced) in [(false, false), (true, false), (false, true)] {
            let user = UserRow {
                is_mfa_enabled: own,
                selected_mfa_method: own.then(|| "email".into()),
                ..user.clone()
            };
            let root = OrganizationRow { enforce_mfa, auth_enforced, ..root.clone() };
            let by_provider = owed(&user, &root, nothing, true, None);
            assert_eq!(by_provider.is_some(), enforce_mfa, "{own} {enforce_mfa}");
            let by_oneself = owed(&user, &root, nothing, false, None);
            assert_eq!(by_oneself.is_some(), own || enforce_mfa || auth_enforced);
        }
    }
}

/// The one policy, over everything that it depends on.
#[tokio::test]
async fn h5_who_owes_a_second_factor_is_decided_in_one_place() {
    let world = World::new().await;
    let id = world.ada().await;
    let user = kms_store::users::find(&world.store, id).await.unwrap().unwrap();
    let root = kms_store::organizations::find(&world.store, world.ours.organization).await;
    let root = root.unwrap().unwrap();
    let held = |held: &str| HeldRow {
        has_app: held.contains("totp"),
        has_passkeys: held.contains("webauthn"),
    };
    let ask = |enforce: Option<Option<&str>>, own: Option<&str>, has: &str, given: Option<&str>| {
        let root = OrganizationRow {
            enforce_mfa: enforce.is_some(),
            selected_mfa_method: enforce.flatten().map(Into::into),
            ..root.clone()
        };
        let user = UserRow {
            is_mfa_enabled: own.is_some(),
            selected_mfa_method: own.map(Into::into),
            ..user.clone()
        };
        owed(&user, &root, held(has), false, given)
    };
    let (mail, app, passkey) = (Some("email"), Some("totp"), Some("webauthn"));
    for given in [None, mail, app, passkey] {
        assert_eq!(ask(None, None, "totp webauthn", given), None, "nobody asks");
    }
    for (enforce, own, has, asked) in [
        (Some(None), None, "", "email"),
        (Some(None), None, "totp", "totp"),
        (Some(None), None, "webauthn", "webauthn"),
        (Some(None), None, "totp webauthn", "totp"),
        (Some(None), mail, "totp webauthn", "email"),
        (Some(mail), app, "totp", "email"),
        (Some(app), None, "", "totp"),
        (Some(app), mail, "webauthn", "totp"),
        (Some(app), passkey, "webauthn", "totp"),
        (Some(passkey), None, "", "webauthn"),
        (Some(passkey), app, "totp", "webauthn"),
        (Some(Some("of tomorrow")), None, "", "totp"),
        (None, mail, "", "email"),
        (None, app, "totp", "totp"),
        (None, passkey, "webauthn", "webauthn"),
    ] {
        for given in [None, mail, app, passkey] {
            // A passkey that was given is enough whatever is asked for.
            let is_enough = given == Some(asked) || given == passkey;
            let expected = (!is_enough).then_some(asked);
            assert_eq!(ask(enforce, own, has, given), expected, "{enforce:?} {own:?} {given:?}");
        }
    }
}

#[tokio::test]
async fn h5_no_older_token_goes_round_a_second_factor_that_is_asked_for_now() {
    let world = World::new().await;
    world.ada().await;
    let login = world.log_in().await;
    let inside = world.enter(&login, world.ours.organization).await;
    world
        .change_ours(|row| {
            row.enforce_mfa = true;
            row.selected_mfa_method = Some("totp".into());
        })
        .await;
    let error = refused(world.refresh(&inside).await);
    assert!(matches!(error, Error::SessionOver { name: "MfaRequired", .. }), "{error}");
    for token in [&login, &inside] {
        assert_eq!(world.owe(token).await.mfa_method.as_deref(), Some("totp"));
    }
}

#[tokio::test]
async fn h5_a_refresh_token_of_before_the_second_factor_stays_worth_nothing_more() {
    let world = World::new().await;
    let (link, _) = with_app(&world).await;
    let stolen = world.log_in().await;
    let token = world.owe(&stolen).await.token;
    let verified = give(&world, &token, &code(&world, &link, 0)).await.unwrap();
    let inside = world.enter(&verified, world.ours.organization).await;
    let error = refused(world.refresh(&stolen).await);
    assert!(matches!(error, Error::SessionOver { name: "InvalidToken", .. }), "{error}");
    assert!(world.request(&inside.access).await.is_ok(), "the owner goes on");
    assert!(world.refresh(&inside).await.is_ok(), "the owner goes on");
}

#[tokio::test]
async fn j6_a_pending_login_is_good_for_nothing_else_and_ends_with_its_session() {
    let world = World::new().await;
    let (link, _) = with_app(&world).await;
    let login = world.log_in().await;
    let token = world.owe(&login).await.token;
    assert!(world.request(&token).await.is_err());
    assert!(world.signed_in(&token).await.is_err());
    assert!(world.core.refresh(Some(&token), &from(HOME)).await.is_err());
    assert!(world.core.authenticate_pending(&login.access, from(HOME)).await.is_err());
    world.core.logout(None, Some(&login.access), &from(HOME)).await.unwrap();
    assert!(give(&world, &token, &code(&world, &link, 0)).await.is_err());
    let token = pending(&world).await;
    world.clock.advance(300);
    let late = give(&world, &token, &code(&world, &link, 0)).await;
    assert!(matches!(late, Err(Error::SecondFactor(SecondFactor::Expired))));
}

#[tokio::test]
async fn a_recovery_code_is_good_once_and_stored_as_nothing_that_helps() {
    let world = World::new().await;
    let (_, codes) = with_app(&world).await;
    let recover = async |code: &str| {
        let token = pending(&world).await;
        let pending = world.core.authenticate_pending(&token, from(HOME)).await.unwrap();
        let body = VerifyRecoveryCode { recovery_code: code.into() };
        world.core.verify_recovery_code(&pending, &body).await
    };
    let verified = recover(&codes[3]).await.unwrap();
    let verified = login_of(verified, |answer| answer.token);
    world.enter(&verified, world.ours.organization).await;
    assert!(is_wrong(&recover(&codes[3]).await), "once");
    assert!(recover(&codes[4].to_uppercase()).await.is_ok(), "however it was typed");
    let user = world.signed_in(&verified.access).await.unwrap().user.id;
    assert_eq!(second_factors::count_recovery_codes(&world.store, user).await.unwrap(), 8);
    let sql = "SELECT HEX(code_hash) FROM user_recovery_codes";
    for (stored,) in (&world.store).fetch_all::<(String,)>(sql, ()).await.unwrap() {
        assert_eq!(stored.len(), 64);
        assert!(codes.iter().all(|code| !stored.contains(&hex::encode_upper(code))));
    }
}

#[tokio::test]
async fn k8_a_seed_moved_to_another_row_opens_nothing() {
    let world = World::new().await;
    let (link, _) = with_app(&world).await;
    let token = pending(&world).await;
    world.tamper("UPDATE user_totp SET sealed = X'01' || SUBSTR(sealed, 2, 30) || X'0000'").await;
    let answer = give(&world, &token, &code(&world, &link, 0)).await;
    assert!(matches!(answer, Err(Error::Internal(_))));
}

#[tokio::test]
async fn a_code_by_mail_is_sent_at_once_and_good_three_tries_long() {
    let (world, mailbox) = World::mailing().await;
    world.ada().await;
    world.change_ours(|row| row.enforce_mfa = true).await;
    let mailed = || {
        let mail = mailbox.take().pop().expect("a mail");
        assert_eq!(mail.to, EMAIL);
        let digits = |part: &&str| part.len() == 6 && part.parse::<u32>().is_ok();
        let text = mail.text.replace('.', " ");
        text.split_whitespace().find(digits).expect(&mail.text).to_owned()
    };
    let login = world.log_in().await;
    let owed = world.owe(&login).await;
    assert_eq!(owed.mfa_method.as_deref(), Some("email"));
    let give = async |code: &str| {
        let pending = world.core.authenticate_pending(&owed.token, from(HOME)).await.unwrap();
        // Clients of before say nothing of the method.
        let body = VerifyMfa { mfa_token: code.into(), mfa_method: None, email: None };
        let opened = world.core.verify_mfa(&pending, &body).await?;
        Ok(login_of(opened, |answer| answer.token))
    };
    let first = mailed();
    world.owe(&login).await;
    assert!(mailbox.take().is_empty(), "not twice within a moment");
    let pending = world.core.authenticate_pending(&owed.token, from(HOME)).await.unwrap();
    let again = world.core.send_mfa_code(&pending).await;
    assert!(matches!(again, Err(Error::RateLimited { .. })));
    world.clock.advance(31);
    world.core.send_mfa_code(&pending).await.unwrap();
    let second = mailed();
    assert!(first == second || is_wrong(&give(&first).await), "the newest alone is good");
    let verified = give(&second).await.unwrap();
    assert!(is_wrong(&give(&second).await), "once");
    world.enter(&verified, world.ours.organization).await;
}

#[tokio::test]
async fn without_mail_a_code_by_mail_is_refused_in_words() {
    let world = World::new().await;
    world.ada().await;
    world.change_ours(|row| row.enforce_mfa = true).await;
    let login = world.log_in().await;
    let error = refused(world.select(&login, world.ours.organization, None).await);
    assert!(error.to_string().contains("no mail configured"), "{error}");
}

#[tokio::test]
async fn a_person_asks_for_their_own_second_factor_and_gives_it_up_with_it() {
    let world = World::new().await;
    let (link, _) = with_app(&world).await;
    world.change_ours(|row| row.enforce_mfa = false).await;
    let login = world.log_in().await;
    let signed_in = world.signed_in(&login.access).await.unwrap();
    let set = |enabled: bool, method: Option<&str>| UpdateMfa {
        is_mfa_enabled: Some(enabled),
        selected_mfa_method: method.map(Into::into),
    };
    for unusable in ["email", "webauthn", "none"] {
        let refused = world.core.update_mfa(&signed_in, &set(true, Some(unusable))).await;
        assert!(matches!(refused, Err(Error::Validation(_))), "{unusable}");
    }
    let user = world.core.update_mfa(&signed_in, &set(true, Some("totp"))).await.unwrap().user;
    assert!(user.is_mfa_enabled);
    // A token without the second factor changes nothing of it any more.
    assert!(matches!(
        world.core.update_mfa(&signed_in, &set(false, None)).await,
        Err(Error::Forbidden { .. })
    ));
    assert!(matches!(world.core.delete_totp(&signed_in, None).await, Err(Error::Forbidden { .. })));
    assert!(is_wrong(&world.core.delete_totp(&signed_in, Some(&"000000".into())).await));
    let token = world.owe(&login).await.token;
    give(&world, &token, &code(&world, &link, 0)).await.unwrap();
    world.clock.advance(30);
    let shown = code(&world, &link, 0).into();
    world.core.delete_totp(&signed_in, Some(&shown)).await.unwrap();
    let again = world.try_login(EMAIL, PASSWORD, None, &from(HOME)).await.unwrap();
    world.enter(&again, world.ours.organization).await;
}

#[tokio::test]
async fn k8_a_policy_edited_in_the_database_is_noticed() {
    for edit in [
        "enforce_mfa = FALSE",
        "enforce_mfa = FALSE, selected_mfa_method = NULL, mac = X''",
        "selected_mfa_method = 'email'",
        "user_token_expiration = '365d'",
        "device_login = FALSE",
        "default_role = 'admin'",
        "root_id = (SELECT MIN(id) FROM organizations)",
    ] {
        let world = World::new().await;
        with_app(&world).await;
        let login = world.log_in().await;
        world.owe(&login).await;
        world.tamper(format!("UPDATE organizations SET {edit}").leak()).await;
        let answer = world.select(&login, world.ours.organization, None).await;
        assert!(matches!(answer, Err(Error::Internal(_))), "{edit}");
    }
}

#[tokio::test]
async fn k8_a_policy_edited_in_the_database_refreshes_nothing_and_is_not_written_over() {
    let world = World::new().await;
    let (link, _) = with_app(&world).await;
    let token = pending(&world).await;
    let verified = give(&world, &token, &code(&world, &link, 0)).await.unwrap();
    let inside = world.enter(&verified, world.ours.organization).await;
    world.tamper("UPDATE organizations SET enforce_mfa = FALSE").await;
    assert!(matches!(world.refresh(&inside).await, Err(Error::Internal(_))));
    let mut tx = world.store.begin().await.unwrap();
    let row = kms_store::organizations::find(&mut tx, world.ours.organization).await.unwrap();
    let written = world.core.update_row(&mut tx, &mut row.unwrap()).await;
    assert!(matches!(written, Err(Error::Internal(_))));
}

/// What a start of a newer server finds in data of before.
#[tokio::test]
async fn k8_an_organization_of_before_counts_until_its_next_change_authenticates_it() {
    let world = World::new().await;
    world.ada().await;
    let id = world.ours.organization;
    let of_before = world.core.keys.organization_key_of_before(id, world.core.entropy()).unwrap();
    let hex = hex::encode(of_before.as_bytes());
    world.tamper(format!("UPDATE organizations SET wrapped_key = X'{hex}', mac = ''").leak()).await;
    let login = world.log_in().await;
    world.enter(&login, id).await;
    world.change_ours(|row| row.selected_mfa_method = Some("totp".into())).await;
    world.enter(&login, id).await;
    let row = kms_store::organizations::find(&world.store, id).await.unwrap().unwrap();
    assert!(!row.mac.is_empty() && !world.core.keys.is_of_before(id, &row.wrapped_key));
    world.tamper("UPDATE organizations SET selected_mfa_method = NULL, mac = ''").await;
    let answer = world.select(&login, id, None).await;
    assert!(matches!(answer, Err(Error::Internal(_))), "nobody goes back");
}

#[tokio::test]
async fn k8_an_account_edited_in_the_database_is_not_made_genuine_by_a_change() {
    let world = World::new().await;
    let id = world.ada().await;
    world.tamper("UPDATE users SET super_admin = TRUE").await;
    let mut tx = world.store.begin().await.unwrap();
    let mut row = kms_store::users::find(&mut tx, id).await.unwrap().unwrap();
    let epoch = row.epoch;
    let written = world.core.update_user(&mut tx, &mut row, epoch).await;
    assert!(matches!(written, Err(Error::Internal(_))));
}

#[tokio::test]
async fn h5_a_password_alone_neither_sets_up_an_app_nor_chooses_another_method() {
    let (world, _mailbox) = World::mailing().await;
    world.ada().await;
    let before = world.log_in().await;
    let before = world.signed_in(&before.access).await.unwrap();
    let link = world.core.register_totp(&before).await.unwrap().otp_url;
    world.change_ours(|row| row.enforce_mfa = true).await;
    let login = world.log_in().await;
    let stolen = world.signed_in(&login.access).await.unwrap();
    let forbidden = |error: Error| matches!(error, Error::Forbidden { .. });
    assert!(forbidden(refused(world.core.register_totp(&stolen).await)));
    let totp = code(&world, &link, 0).into();
    assert!(forbidden(refused(world.core.confirm_totp(&stolen, &TotpCode { totp }).await)));
    let body = UpdateMfa { is_mfa_enabled: Some(true), selected_mfa_method: Some("email".into()) };
    assert!(forbidden(refused(world.core.update_mfa(&stolen, &body).await)));
    assert_eq!(world.owe(&login).await.mfa_method.as_deref(), Some("email"));
    // Whichever method the organization names: what is set up counts in its place.
    for named in ["totp", "email", "webauthn"] {
        world.change_ours(|row| row.selected_mfa_method = Some(named.into())).await;
        let login = world.log_in().await;
        let stolen = world.signed_in(&login.access).await.unwrap();
        assert!(forbidden(refused(world.core.register_totp(&stolen).await)), "{named}");
    }
}

/// Whoever runs an organization's provider must not administer the instance by somebody who does.
#[tokio::test]
async fn h6_a_session_by_a_provider_does_not_administer_the_instance() {
    let world = World::new().await;
    let id = world.ada().await;
    world.log_in().await;
    let user = kms_store::users::find(&world.store, id).await.unwrap().unwrap();
    let session = kms_store::user_sessions::of_user(&world.store, id, 0).await.unwrap().remove(0);
    let by_provider = kms_store::user_sessions::SessionRow {
        provider_id: Some(world.core.new_id()),
        ..session.clone()
    };
    let administrator = UserRow { super_admin: true, ..user.clone() };
    let administers = crate::sessions::administers_instance;
    assert!(administers(&administrator, &session) && !administers(&administrator, &by_provider));
    assert!(!administers(&user, &session) && !administers(&user, &by_provider));
}

#[tokio::test]
async fn an_organization_that_shortens_logins_ends_those_that_are_longer() {
    let world = World::new().await;
    world.ada().await;
    let login = world.log_in().await;
    let inside = world.enter(&login, world.ours.organization).await;
    world.change_ours(|row| row.user_token_expiration = Some("1h".into())).await;
    world.clock.advance(3_000);
    let next = world.refresh(&inside).await.unwrap();
    let end = world.user_claims(&next.access).exp - world.core.now().seconds();
    assert_eq!(end, 600, "what is left of the hour");
    world.clock.advance(600);
    assert!(matches!(refused(world.refresh(&next).await), Error::SessionOver { .. }));
}

/// A mail link shows an address, and not the app: who holds the mailbox alone would reset and
/// guess for ever.
#[tokio::test]
async fn h4_a_password_reset_by_mail_gives_no_fresh_guesses() {
    use kms_api::accounts::{Recover, ResetPassword, VerifyRecovery};
    let (world, mailbox) = World::mailing().await;
    with_app(&world).await;
    let (core, site) = (&world.core, "https://kms.example.test");
    let token = pending(&world).await;
    for _ in 0..3 {
        assert!(is_wrong(&give(&world, &token, "000000").await));
    }
    core.start_recovery(&Recover { email: EMAIL.into() }, site).await.unwrap();
    let mail = mailbox.take().pop().expect("a mail");
    let in_link = |character: &char| character.is_ascii_alphanumeric() || "-_".contains(*character);
    let mailed: String =
        mail.text.split("token=").nth(1).unwrap().chars().take_while(in_link).collect();
    let body = VerifyRecovery { email: EMAIL.into(), code: mailed.into() };
    let verified = core.verify_recovery(&body).await.unwrap();
    let proven = core.authenticate_proven(&verified.token).unwrap();
    let new_password = "chosen by who reads the mail";
    let body = ResetPassword { new_password: new_password.into() };
    core.reset_password(&proven, &body, &from(HOME), site).await.unwrap();
    let login = world.try_login(EMAIL, new_password, None, &from(HOME)).await.unwrap();
    let owed = world.owe(&login).await.token;
    let guess = refused(give(&world, &owed, "000000").await);
    assert!(matches!(guess, Error::Forbidden { name, .. } if name == "UserLocked"));
}
