//! Setting a new password in place of a lost one.

use http::StatusCode;

use super::{ADDRESS, PASSWORD, fields, filled, token_of, with_token};
use crate::{
    account::{NEW_PASSWORD, STRANGER, leads},
    visit::House,
};

const PAGE: &str = "/password-reset";
const SET: &str = "/password-reset/new";

#[tokio::test]
async fn whoever_reads_the_mail_sets_a_new_password_once() {
    let house = House::mailing().await;
    let elsewhere = house.signed_in().await;
    let visit = house.browser();
    leads(&visit.submit(PAGE, &[("email", &house.email())]).await, "/password-reset/sent");
    let link = house.mailed_path();
    for _ in 0..3 {
        assert_eq!(house.browser().get(&link).await.status, StatusCode::OK);
    }
    let page = visit.get(&link).await;
    let poor = visit.submit(SET, &fields(&filled(&page, &[("password", "canary")]))).await;
    assert_eq!(poor.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", poor.text());
    assert!(poor.text().contains("The password must have") && !poor.text().contains("canary"));
    assert_eq!(elsewhere.get("/account").await.status, StatusCode::OK, "nothing happened yet");
    let sent = filled(&poor, &[("password", NEW_PASSWORD)]);
    let done = visit.submit(SET, &fields(&sent)).await;
    assert!(done.text().contains("Your password is set"), "{}", done.text());
    assert_eq!(elsewhere.get("/account").await.status, StatusCode::SEE_OTHER);
    let old = visit.log_in(&house.email(), &house.password(), "/account").await;
    assert_eq!(old.status, StatusCode::BAD_REQUEST);
    let new = visit.log_in(&house.email(), NEW_PASSWORD, "/account").await;
    assert_eq!(new.status, StatusCode::SEE_OTHER);
    for again in [visit.get(&link).await, visit.submit(SET, &fields(&sent)).await] {
        assert_eq!(again.status, StatusCode::GONE, "{}", again.text());
    }
    let first = filled(&page, &[("password", PASSWORD)]);
    assert_eq!(visit.submit(SET, &fields(&first)).await.status, StatusCode::GONE);
    house.server.stop().await;
}

/// A new password is no way around the second factor.
#[tokio::test]
async fn h5_a_lost_password_takes_no_second_factor_away() {
    let house = House::mailing().await;
    let visit = house.signed_in().await;
    visit.set_up_app(&house).await;
    leads(&visit.submit("/account/second-factor", &[("method", "totp")]).await, "/account");
    house.browser().submit(PAGE, &[("email", &house.email())]).await;
    let visit = house.browser();
    let page = visit.get(&house.mailed_path()).await;
    visit.submit(SET, &fields(&filled(&page, &[("password", NEW_PASSWORD)]))).await;
    let answer = visit.log_in(&house.email(), NEW_PASSWORD, "/account/authenticator").await;
    let page = visit.follow(answer).await;
    assert!(page.text().contains("a code of your authenticator app"), "{}", page.text());
    let factor = format!("/login/factor?organization={}", house.organization());
    assert_eq!(visit.get(&factor).await.status, StatusCode::OK, "it is still owed there");
    house.server.stop().await;
}

#[tokio::test]
async fn h1_the_answer_is_the_same_whoever_asks() {
    let house = House::mailing().await;
    let ask = async |email: &str| {
        let visit = house.browser();
        let first = visit.submit(PAGE, &[("email", email)]).await;
        let mut headers: Vec<_> =
            first.headers.iter().map(|(name, value)| format!("{name}: {value:?}")).collect();
        headers.retain(|header| !header.starts_with("x-request-id"));
        (first.status, headers, first.body.clone(), visit.follow(first).await.body)
    };
    let known = ask(&house.email()).await;
    assert_eq!(house.mailbox.take().len(), 1);
    let invited = house.invite(ADDRESS).await;
    assert!(invited.starts_with("/signupinvite"));
    for other in ["nobody@example.test", ADDRESS, &house.email()] {
        assert_eq!(ask(other).await, known, "{other}");
        assert!(house.mailbox.take().is_empty(), "{other}");
    }
    house.server.stop().await;
}

#[tokio::test]
async fn h2_every_spelling_of_an_address_is_one_account_and_one_mail() {
    let house = House::mailing().await;
    let visit = house.browser();
    let email = house.email();
    for spelling in [email.to_uppercase(), format!(" {email}\t"), email.replace('a', "\u{ff41}")] {
        let answer = visit.submit(PAGE, &[("email", &spelling)]).await;
        leads(&answer, "/password-reset/sent");
        let link = house.mailed_path();
        let page = visit.get(&link).await;
        assert_eq!(page.status, StatusCode::OK, "{spelling:?}");
        // And the same spelling again finds the mail that was sent just now.
        visit.submit(PAGE, &[("email", &email)]).await;
        assert!(house.mailbox.take().is_empty(), "{spelling:?}");
        let sent = filled(&page, &[("email", &spelling), ("password", NEW_PASSWORD)]);
        let done = visit.submit(SET, &fields(&sent)).await;
        assert_eq!(done.status, StatusCode::OK, "{spelling:?} {}", done.text());
        house.mailbox.take();
        house.server.clock.advance(61);
    }
    house.server.stop().await;
}

#[tokio::test]
async fn h11_a_link_is_of_one_address_and_good_for_half_an_hour() {
    let house = House::mailing().await;
    house.stranger().await;
    let visit = house.browser();
    visit.submit(PAGE, &[("email", &house.email())]).await;
    let link = house.mailed_path();
    visit.submit(PAGE, &[("email", STRANGER)]).await;
    let other = house.mailed_path();
    let crossed = visit.get(&with_token(&link, token_of(&other))).await;
    assert_eq!(crossed.status, StatusCode::GONE);
    let page = visit.get(&link).await;
    let swapped = filled(&page, &[("email", STRANGER), ("password", NEW_PASSWORD)]);
    assert_eq!(visit.submit(SET, &fields(&swapped)).await.status, StatusCode::GONE);
    // A token of another kind is none either.
    let invitation = house.invite(ADDRESS).await;
    let foreign = visit.get(&with_token(&link, token_of(&invitation))).await;
    assert_eq!(foreign.status, StatusCode::GONE);
    for proof in ["canary", &house.tenant.token] {
        let fields = [("email", &*house.email()), ("proof", proof), ("password", NEW_PASSWORD)];
        let answer = visit.submit(SET, &fields).await;
        assert_eq!(answer.status, StatusCode::GONE, "{}", answer.text());
        assert!(!answer.text().contains(proof));
    }
    house.server.clock.advance(30 * 60 - 1);
    assert_eq!(visit.get(&link).await.status, StatusCode::OK);
    house.server.clock.advance(1);
    assert_eq!(visit.get(&link).await.status, StatusCode::GONE);
    let late = filled(&page, &[("password", NEW_PASSWORD)]);
    assert_eq!(visit.submit(SET, &fields(&late)).await.status, StatusCode::GONE);
    house.server.stop().await;
}

#[tokio::test]
async fn a_server_without_mail_says_so() {
    let house = House::new().await;
    let answer = house.browser().submit(PAGE, &[("email", &house.email())]).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.text().contains("This server sends no mail"), "{}", answer.text());
    let answer = house.browser().submit(PAGE, &[("email", "canary")]).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.text().contains("must be an e-mail address"), "{}", answer.text());
    house.server.stop().await;
}
