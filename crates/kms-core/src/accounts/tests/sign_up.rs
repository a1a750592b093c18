//! Signing up.

use kms_api::{accounts::CompleteSignUp, admin::UpdateInstanceConfig};
use secrecy::SecretString;

use super::{PASSWORD, SITE, code_of, link_of, open_to_all, start, token_of, verify};
use crate::{
    Caller, Core, Error, Origin, Proven,
    testing::{World, signed_in},
};

const ADDRESS: &str = "carol@example.test";

fn account(email: &str, organization: &str) -> CompleteSignUp {
    CompleteSignUp {
        email: email.into(),
        first_name: "Carol".into(),
        last_name: None,
        password: SecretString::from(PASSWORD),
        organization_name: Some(organization.into()),
        use_default_org: None,
    }
}

async fn proven(core: &Core, code: &str) -> Proven {
    let verified = core.verify_sign_up(&verify(ADDRESS, code)).await.unwrap();
    core.authenticate_proven(&verified.token).unwrap()
}

#[tokio::test]
async fn somebody_signs_up_with_the_code_that_was_mailed() {
    let (world, mailbox) = open_to_all().await;
    let core = &world.core;
    core.start_sign_up(&start(" Carol@Example.TEST "), SITE).await.unwrap();
    let [mail] = &mailbox.take()[..] else { panic!("one mail") };
    assert_eq!(mail.to, ADDRESS);
    let proven = proven(core, &code_of(mail)).await;
    let origin = Origin::default();
    let made = core.complete_sign_up(&proven, &account(ADDRESS, "Carols"), &origin).await.unwrap();
    let caller = core.authenticate(&made.answer.token, Origin::default()).await.unwrap();
    assert_eq!(Some(caller.organization), made.answer.organization_id);
    let list = core.list_organizations(&signed_in(&caller)).await.unwrap().organizations;
    assert_eq!((list.len(), list[0].name.as_str()), (1, "Carols"));
    assert_eq!(list[0].user_role.as_deref(), Some("admin"));
    assert!(made.answer.user.is_email_verified);
}

#[tokio::test]
async fn h11_a_code_is_good_once_and_so_is_what_it_gives() {
    let (world, mailbox) = open_to_all().await;
    let core = &world.core;
    core.start_sign_up(&start(ADDRESS), SITE).await.unwrap();
    let code = code_of(&mailbox.take()[0]);
    let proven = proven(core, &code).await;
    let again = core.verify_sign_up(&verify(ADDRESS, &code)).await;
    assert!(matches!(again, Err(Error::Unauthorized(_))), "{again:?}");
    let origin = Origin::default();
    let dave = account("dave@example.test", "Daves");
    let other = core.complete_sign_up(&proven, &dave, &origin).await;
    assert!(matches!(other.map(drop), Err(Error::Unauthorized(_))), "another address");
    core.complete_sign_up(&proven, &account(ADDRESS, "Carols"), &origin).await.unwrap();
    let again = core.complete_sign_up(&proven, &account(ADDRESS, "Again"), &origin).await;
    assert!(matches!(again.map(drop), Err(Error::Unauthorized(_))));
    // Neither is it good for setting a password now that there is an account.
    let body =
        kms_api::accounts::ResetPassword { new_password: SecretString::from("another password") };
    let reset = core.reset_password(&proven, &body, &origin, SITE).await;
    assert!(matches!(reset, Err(Error::Unauthorized(_))), "{reset:?}");
}

#[tokio::test]
async fn h11_a_code_ends_and_its_link_with_it() {
    let (world, mailbox) = open_to_all().await;
    world.core.start_sign_up(&start(ADDRESS), SITE).await.unwrap();
    let mail = mailbox.take().remove(0);
    world.clock.advance(15 * 60);
    for text in [code_of(&mail), token_of(&link_of(&mail))] {
        let late = world.core.verify_sign_up(&verify(ADDRESS, &text)).await;
        assert!(matches!(late, Err(Error::Unauthorized(_))), "{late:?}");
    }
}

#[tokio::test]
async fn h9_a_code_has_three_tries_and_an_address_a_budget() {
    let (world, mailbox) = open_to_all().await;
    let core = &world.core;
    let mut wrong = 0;
    for _ in 0..20 {
        core.start_sign_up(&start(ADDRESS), SITE).await.unwrap();
        let code = code_of(&mailbox.take()[0]);
        let guess = if code == "000000" { "000001" } else { "000000" };
        for _ in 0..3 {
            assert!(core.verify_sign_up(&verify(ADDRESS, guess)).await.is_err());
            wrong += 1;
        }
        let right = core.verify_sign_up(&verify(ADDRESS, &code)).await;
        assert!(right.is_err(), "the tries of the code are used up after {wrong}");
        world.clock.advance(61);
    }
    // The budget is used up; the code is refused at once, but whoever reads the mail gets in.
    core.start_sign_up(&start(ADDRESS), SITE).await.unwrap();
    let mail = mailbox.take().remove(0);
    let refused = core.verify_sign_up(&verify(ADDRESS, &code_of(&mail))).await;
    assert!(refused.is_err(), "no budget is left");
    core.verify_sign_up(&verify(ADDRESS, &token_of(&link_of(&mail)))).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn h9_guesses_at_once_get_no_more_tries() {
    let (world, mailbox) = open_to_all().await;
    world.core.start_sign_up(&start(ADDRESS), SITE).await.unwrap();
    let code = code_of(&mailbox.take()[0]);
    let guess = if code == "000000" { "000001" } else { "000000" };
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let core = world.core.clone();
            tokio::spawn(async move { core.verify_sign_up(&verify(ADDRESS, guess)).await.is_err() })
        })
        .collect();
    for task in tasks {
        assert!(task.await.unwrap());
    }
    assert!(world.core.verify_sign_up(&verify(ADDRESS, &code)).await.is_err());
}

#[tokio::test]
async fn h1_known_and_unknown_addresses_are_answered_alike() {
    let (world, mailbox) = open_to_all().await;
    let core = &world.core;
    let known = "admin@ours.test";
    for address in [known, "nobody@ours.test"] {
        let before = world.store.statements();
        let hashes = core.keys.lookup.hashes();
        let answer = core.start_sign_up(&start(address), SITE).await.unwrap();
        assert_eq!(answer.message.replace(address, "…"), "Sent an email verification code to …");
        let work = (world.store.statements() - before, core.keys.lookup.hashes() - hashes);
        assert_eq!(work, (3, 2), "{address}");
        let [mail] = &mailbox.take()[..] else { panic!("one mail") };
        assert_eq!(mail.text.contains("has an account"), address == known);
        let wrong = core.verify_sign_up(&verify(address, "012345")).await.map(drop).unwrap_err();
        assert_eq!(wrong.to_string(), "Invalid or expired code");
    }
}

#[tokio::test]
async fn a_second_code_waits_and_the_first_stays_good() {
    let (world, mailbox) = open_to_all().await;
    world.core.start_sign_up(&start(ADDRESS), SITE).await.unwrap();
    let code = code_of(&mailbox.take()[0]);
    world.core.start_sign_up(&start(ADDRESS), SITE).await.unwrap();
    assert!(mailbox.take().is_empty(), "a mailbox is not filled by asking often");
    world.core.verify_sign_up(&verify(ADDRESS, &code)).await.unwrap();
}

#[tokio::test]
async fn h2_all_spellings_of_an_address_share_one_code_and_one_count() {
    let (world, mailbox) = open_to_all().await;
    let core = &world.core;
    core.start_sign_up(&start(ADDRESS), SITE).await.unwrap();
    let code = code_of(&mailbox.take()[0]);
    let guess = if code == "000000" { "000001" } else { "000000" };
    for spelling in ["CAROL@example.test", " carol@EXAMPLE.test", "ｃarol@example.test"] {
        assert!(core.start_sign_up(&start(spelling), SITE).await.is_ok());
        assert!(core.verify_sign_up(&verify(spelling, guess)).await.is_err());
    }
    assert!(mailbox.take().is_empty());
    assert!(core.verify_sign_up(&verify(ADDRESS, &code)).await.is_err(), "three were counted");
}

#[tokio::test]
async fn strangers_sign_up_only_where_they_may() {
    let (world, mailbox) = World::mailing().await;
    let core = &world.core;
    let admin = Caller { instance_admin: true, ..world.ours.clone() };
    let refused = core.start_sign_up(&start(ADDRESS), SITE).await;
    assert!(matches!(refused, Err(Error::Forbidden { .. })), "{refused:?}");
    let body = UpdateInstanceConfig {
        allow_sign_up: Some(true),
        allowed_sign_up_domain: Some(Some(" Example.TEST, other.test".into())),
    };
    let refused = core.update_instance_config(&world.ours, &body).await;
    assert!(matches!(refused, Err(Error::Forbidden { .. })), "{refused:?}");
    let config = core.update_instance_config(&admin, &body).await.unwrap().config;
    assert_eq!(config.allowed_sign_up_domain.as_deref(), Some("example.test,other.test"));
    core.start_sign_up(&start(ADDRESS), SITE).await.unwrap();
    assert_eq!(mailbox.take().len(), 1);
    for elsewhere in ["a@evil.test", "a@sub.example.test", "a@xexample.test"] {
        let refused = core.start_sign_up(&start(elsewhere), SITE).await;
        assert!(matches!(refused, Err(Error::Forbidden { .. })), "{elsewhere}: {refused:?}");
    }
    for wrong in ["", "a b", "a,,b", "exa mple.test", "a/b"] {
        let body = UpdateInstanceConfig {
            allowed_sign_up_domain: Some(Some(wrong.into())),
            ..UpdateInstanceConfig::default()
        };
        let refused = core.update_instance_config(&admin, &body).await;
        assert!(matches!(refused, Err(Error::Validation(_))), "{wrong:?}: {refused:?}");
    }
    let body = UpdateInstanceConfig { allowed_sign_up_domain: Some(None), ..Default::default() };
    core.update_instance_config(&admin, &body).await.unwrap();
    core.start_sign_up(&start("a@evil.test"), SITE).await.unwrap();
}

#[tokio::test]
async fn k8_an_instance_opened_in_the_database_is_noticed() {
    let (world, _) = open_to_all().await;
    world.tamper("UPDATE instance_settings SET allowed_sign_up_domain = 'evil.test'").await;
    let used = world.core.start_sign_up(&start("a@evil.test"), SITE).await;
    assert!(matches!(used, Err(Error::Internal(_))), "{used:?}");
}

#[tokio::test]
async fn h11_what_is_kept_of_a_mail_is_no_use_elsewhere() {
    for edit in [
        "UPDATE mailed_proofs SET address = 'dave@example.test'",
        "UPDATE mailed_proofs SET expires_at = expires_at + 1000000",
        "UPDATE mailed_proofs SET purpose = 'recovery'",
    ] {
        let (world, mailbox) = open_to_all().await;
        world.core.start_sign_up(&start(ADDRESS), SITE).await.unwrap();
        let mail = mailbox.take().remove(0);
        world.tamper(edit).await;
        for address in [ADDRESS, "dave@example.test"] {
            for text in [token_of(&link_of(&mail)), code_of(&mail)] {
                let used = world.core.verify_sign_up(&verify(address, &text)).await;
                assert!(used.is_err(), "{edit}: {address}");
            }
        }
    }
}

#[tokio::test]
async fn d4_what_nobody_finishes_is_swept() {
    let (world, mailbox) = open_to_all().await;
    let core = &world.core;
    core.start_sign_up(&start(ADDRESS), SITE).await.unwrap();
    proven(core, &code_of(&mailbox.take()[0])).await;
    core.start_sign_up(&start("dave@example.test"), SITE).await.unwrap();
    world.clock.advance(2 * 86_400);
    core.sweep().await.unwrap();
    assert!(kms_store::users::by_username(&world.store, ADDRESS).await.unwrap().is_none());
    assert_eq!(world.tamper("DELETE FROM mailed_proofs").await, 0);
    let admin = kms_store::users::by_username(&world.store, "admin@ours.test").await.unwrap();
    assert!(admin.is_some(), "complete accounts stay");
}
