//! Lost and changed passwords, and addresses that are shown to be somebody's.

use kms_api::accounts::{ChangePassword, Recover, ResetPassword, VerifyAddress, VerifyRecovery};
use kms_api::auth::user::PasswordLogin;
use kms_store::{
    second_factors::{self, TotpRow},
    users,
};
use secrecy::SecretString;

use super::{PASSWORD, SITE, code_of, link_of, token_of};
use crate::{Core, Error, Origin, SignedIn, testing::World};

const ADDRESS: &str = "admin@ours.test";
const NEW: &str = "a fresh start for everybody";

fn recover(email: &str) -> Recover {
    Recover { email: email.into() }
}

fn with(email: &str, code: &str) -> VerifyRecovery {
    VerifyRecovery { email: email.into(), code: SecretString::from(code) }
}

fn to(password: &str) -> ResetPassword {
    ResetPassword { new_password: SecretString::from(password) }
}

/// Gives our administrator a password.
async fn set_password(world: &World) {
    let core = &world.core;
    let mut user = users::by_username(&world.store, ADDRESS).await.unwrap().unwrap();
    let password = SecretString::from(PASSWORD);
    let hash = core.passwords.hash(&password, &core.options.entropy).await.unwrap();
    user.password_hash = Some(hash);
    let mut tx = world.store.begin().await.unwrap();
    let epoch = user.epoch;
    assert!(core.update_user(&mut tx, &mut user, epoch).await.unwrap());
    tx.commit().await.unwrap();
}

async fn log_in(core: &Core, password: &str) -> Result<SignedIn, Error> {
    let body = PasswordLogin { email: ADDRESS.into(), password: SecretString::from(password) };
    let opened = core.password_login(&body, None, &Origin::default()).await?;
    core.authenticate_user(&opened.answer.access_token, Origin::default()).await
}

#[tokio::test]
async fn h8_a_reset_sets_the_password_and_ends_all_sessions() {
    let (world, mailbox) = World::mailing().await;
    let (core, origin) = (&world.core, Origin::default());
    set_password(&world).await;
    let body = PasswordLogin { email: ADDRESS.into(), password: SecretString::from(PASSWORD) };
    let before = core.password_login(&body, None, &origin).await.unwrap().answer.access_token;
    core.start_recovery(&recover(ADDRESS), SITE).await.unwrap();
    let link = link_of(&mailbox.take()[0]);
    assert!(link.starts_with(&format!("{SITE}/password-reset?token=")), "{link}");
    let token = token_of(&link);
    assert!(token.len() >= 32, "128 bits at least");
    let verified = core.verify_recovery(&with(ADDRESS, &token)).await.unwrap();
    let again = core.verify_recovery(&with(ADDRESS, &token)).await;
    assert!(matches!(again, Err(Error::Unauthorized(_))), "{again:?}");
    let proven = core.authenticate_proven(&verified.token).unwrap();
    let weak = core.reset_password(&proven, &to("password"), &origin, SITE).await;
    assert!(matches!(weak, Err(Error::Validation(_))), "{weak:?}");
    core.reset_password(&proven, &to(NEW), &origin, SITE).await.unwrap();
    let again = core.reset_password(&proven, &to("yet another one"), &origin, SITE).await;
    assert!(matches!(again, Err(Error::Unauthorized(_))), "{again:?}");
    assert!(core.authenticate_user(&before, origin.clone()).await.is_err(), "the old session");
    assert!(log_in(core, PASSWORD).await.is_err(), "the old password");
    log_in(core, NEW).await.unwrap();
    let [mail] = &mailbox.take()[..] else { panic!("the owner is told") };
    assert_eq!(mail.subject, "Your password was changed");
}

/// Whoever runs an organization's identity provider can have it open an account for anybody. What
/// they set up there does not stay behind when its owner takes it over.
#[tokio::test]
async fn h6_the_first_password_of_an_account_ends_what_was_set_up_without_one() {
    let (world, mailbox) = World::mailing().await;
    let (core, origin) = (&world.core, Origin::default());
    let mut user = users::by_username(&world.store, ADDRESS).await.unwrap().unwrap();
    assert!(user.password_hash.is_none());
    let row = TotpRow {
        user_id: user.id,
        sealed: vec![1],
        is_confirmed: false,
        last_step: 0,
        created_at: 0,
    };
    let mut tx = world.store.begin().await.unwrap();
    second_factors::put_totp(&mut tx, &row).await.unwrap();
    second_factors::take_step(&mut tx, &row, 1).await.unwrap();
    second_factors::add_recovery_code(&mut tx, user.id, &[7; 32]).await.unwrap();
    (user.is_mfa_enabled, user.selected_mfa_method) = (true, Some("totp".into()));
    let epoch = user.epoch;
    assert!(core.update_user(&mut tx, &mut user, epoch).await.unwrap());
    tx.commit().await.unwrap();
    core.start_recovery(&recover(ADDRESS), SITE).await.unwrap();
    let token = token_of(&link_of(&mailbox.take()[0]));
    let verified = core.verify_recovery(&with(ADDRESS, &token)).await.unwrap();
    let proven = core.authenticate_proven(&verified.token).unwrap();
    core.reset_password(&proven, &to(NEW), &origin, SITE).await.unwrap();
    assert!(second_factors::totp(&world.store, user.id).await.unwrap().is_none());
    let codes = second_factors::count_recovery_codes(&world.store, user.id).await.unwrap();
    assert_eq!(codes, 0);
    let user = users::find(&world.store, user.id).await.unwrap().unwrap();
    assert!(!user.is_mfa_enabled && user.selected_mfa_method.is_none());
}

#[tokio::test]
async fn h1_a_reset_is_answered_alike_for_known_and_unknown_addresses() {
    let (world, mailbox) = World::mailing().await;
    let core = &world.core;
    for (address, mails) in [(ADDRESS, 1), ("nobody@ours.test", 0)] {
        let before = world.store.statements();
        let hashes = core.keys.lookup.hashes();
        let answer = core.start_recovery(&recover(address), SITE).await.unwrap();
        assert!(answer.message.starts_with("If an account exists"), "{}", answer.message);
        let work = (world.store.statements() - before, core.keys.lookup.hashes() - hashes);
        assert_eq!(work, (2, 2), "{address}");
        assert_eq!(mailbox.take().len(), mails, "{address}");
        let wrong = core.verify_recovery(&with(address, "0123456789abcdef")).await;
        assert_eq!(wrong.map(drop).unwrap_err().to_string(), "Invalid or expired code");
    }
}

#[tokio::test]
async fn h11_a_link_ends_after_half_an_hour_and_what_it_gives_with_the_next_change() {
    let (world, mailbox) = World::mailing().await;
    let (core, origin) = (&world.core, Origin::default());
    set_password(&world).await;
    core.start_recovery(&recover(ADDRESS), SITE).await.unwrap();
    let late = token_of(&link_of(&mailbox.take()[0]));
    world.clock.advance(30 * 60);
    assert!(core.verify_recovery(&with(ADDRESS, &late)).await.is_err());
    core.start_recovery(&recover(ADDRESS), SITE).await.unwrap();
    let token = token_of(&link_of(&mailbox.take()[0]));
    let verified = core.verify_recovery(&with(ADDRESS, &token)).await.unwrap();
    let proven = core.authenticate_proven(&verified.token).unwrap();
    let person = log_in(core, PASSWORD).await.unwrap();
    let body = ChangePassword {
        old_password: SecretString::from(PASSWORD),
        new_password: SecretString::from(NEW),
    };
    core.change_password(&person, &body, SITE).await.unwrap();
    let stolen = core.reset_password(&proven, &to("an attacker's"), &origin, SITE).await;
    assert!(matches!(stolen, Err(Error::Unauthorized(_))), "{stolen:?}");
    world.clock.advance(15 * 60);
    assert!(core.authenticate_proven(&verified.token).is_err(), "it ends by itself too");
}

#[tokio::test]
async fn a_password_is_changed_by_who_knows_it() {
    let (world, _) = World::mailing().await;
    let core = &world.core;
    set_password(&world).await;
    let person = log_in(core, PASSWORD).await.unwrap();
    let change = |old: &str, new: &str| ChangePassword {
        old_password: SecretString::from(old),
        new_password: SecretString::from(new),
    };
    let refused = core.change_password(&person, &change("wrong password", NEW), SITE).await;
    assert!(matches!(refused, Err(Error::BadRequest { .. })), "{refused:?}");
    // Attack H9: a stolen session is no way to guess at leisure.
    let mut throttled = false;
    for _ in 0..10 {
        let refused = core.change_password(&person, &change("wrong password", NEW), SITE).await;
        throttled |= matches!(refused, Err(Error::RateLimited { .. }));
    }
    assert!(throttled);
    world.clock.advance(3_600);
    let person = log_in(core, PASSWORD).await.unwrap();
    let refused = core.change_password(&person, &change(PASSWORD, "short"), SITE).await;
    assert!(matches!(refused, Err(Error::Validation(_))), "{refused:?}");
    core.change_password(&person, &change(PASSWORD, NEW), SITE).await.unwrap();
    assert!(log_in(core, PASSWORD).await.is_err());
    log_in(core, NEW).await.unwrap();
}

#[tokio::test]
async fn an_address_is_shown_to_be_its_owners() {
    let (world, mailbox) = World::mailing().await;
    let core = &world.core;
    set_password(&world).await;
    let person = log_in(core, PASSWORD).await.unwrap();
    core.start_verification(&person, SITE).await.unwrap();
    let digits = code_of(&mailbox.take()[0]);
    let guess = if digits == "000000" { "000001" } else { "000000" };
    let body = |digits: &str| VerifyAddress { code: SecretString::from(digits) };
    let wrong = core.verify_address(&person, &body(guess)).await;
    assert!(matches!(wrong, Err(Error::Unauthorized(_))), "{wrong:?}");
    core.verify_address(&person, &body(&digits)).await.unwrap();
    let user = users::by_username(&world.store, ADDRESS).await.unwrap().unwrap();
    assert!(user.is_email_verified);
}

#[tokio::test]
async fn without_mail_the_answer_says_so_for_every_address() {
    let world = World::new().await;
    for address in [ADDRESS, "nobody@ours.test"] {
        let refused = world.core.start_recovery(&recover(address), SITE).await;
        let text = refused.map(drop).unwrap_err().to_string();
        assert!(text.contains("--print-mail"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn h9_present_passwords_are_guessed_no_faster_from_many_sessions_or_at_once() {
    let (world, _) = World::mailing().await;
    let world = std::sync::Arc::new(world);
    set_password(&world).await;
    let mut people = Vec::new();
    for _ in 0..4 {
        people.push(log_in(&world.core, PASSWORD).await.unwrap());
    }
    let hashed = world.core.passwords.hashed();
    let mut guesses = tokio::task::JoinSet::new();
    for n in 0..40 {
        let (world, person) = (std::sync::Arc::clone(&world), people[n % 4].clone());
        guesses.spawn(async move {
            let body = ChangePassword {
                old_password: SecretString::from("wrong password"),
                new_password: SecretString::from(NEW),
            };
            world.core.change_password(&person, &body, SITE).await.is_ok()
        });
    }
    assert!(guesses.join_all().await.into_iter().all(|changed| !changed));
    let looked_at = world.core.passwords.hashed() - hashed;
    // One more for each that runs beside the last free one.
    assert!((5..=6).contains(&looked_at), "{looked_at}");
    world.clock.advance(900);
    let body = ChangePassword {
        old_password: SecretString::from(PASSWORD),
        new_password: SecretString::from(NEW),
    };
    world.core.change_password(&people[0], &body, SITE).await.unwrap();
}
