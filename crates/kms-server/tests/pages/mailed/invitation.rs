//! Accepting an invitation.

use http::StatusCode;

use super::{ADDRESS, PASSWORD, SPELLINGS, fields, filled, token_of, with_token};
use crate::{
    account::leads,
    visit::{House, Visit},
};

const PERSON: [(&str, &str); 2] = [("first_name", "Bob"), ("password", PASSWORD)];

/// Bob, with an account, by another invitation.
async fn bob(house: &House) -> Visit<'_> {
    let visit = house.browser();
    let page = visit.get(&house.invite(ADDRESS).await).await;
    leads(
        &visit.submit("/signupinvite", &fields(&filled(&page, &PERSON))).await,
        "/account/welcome",
    );
    visit
}

/// Another organization's invitation of Bob; its link.
async fn invited_again(house: &House) -> String {
    use kms_api::routes as paths;
    use serde_json::json;
    let body = json!({ "name": "Moonshot" });
    let made = house.as_administrator(http::Method::POST, paths::ORGANIZATIONS_V2, body).await;
    let id = made["organization"]["id"].as_str().unwrap().to_owned();
    let access = house.api_login("kms-cli/0.1.0").await;
    let request = house.server.post(paths::SELECT_ORGANIZATION).bearer(&access);
    let token = request.json(json!({ "organizationId": id })).send().await.ok()["token"].clone();
    let body = json!({ "organizationId": id, "inviteeEmails": [ADDRESS] });
    let request = house.server.post(paths::INVITE).bearer(token.as_str().unwrap());
    request.json(body).send().await.ok();
    house.mailed_path()
}

#[tokio::test]
async fn somebody_without_an_account_completes_one_and_joins() {
    let house = House::mailing().await;
    let link = house.invite(ADDRESS).await;
    let visit = house.browser();
    // Mail scanners open links; that changes nothing.
    for _ in 0..3 {
        let page = house.browser().get(&link).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text());
    }
    assert_eq!(house.members().await, 1);
    let page = visit.get(&link).await;
    assert!(page.text().contains("<h1>Join "), "{}", page.text());
    assert!(page.text().contains(ADDRESS));
    let answer = visit.submit("/signupinvite", &fields(&filled(&page, &PERSON))).await;
    leads(&answer, "/account/welcome");
    let page = visit.follow(answer).await;
    assert!(page.text().contains("kms login --domain"), "{}", page.text());
    assert_eq!(house.members().await, 2);
    let login = house.browser().log_in(ADDRESS, PASSWORD, "/account").await;
    assert_eq!(login.status, StatusCode::SEE_OTHER);
    assert_eq!(house.browser().get(&link).await.status, StatusCode::GONE, "good once");
    house.server.stop().await;
}

#[tokio::test]
async fn what_is_refused_is_asked_once_more_without_the_link() {
    let house = House::mailing().await;
    let link = house.invite(ADDRESS).await;
    let visit = house.browser();
    let page = visit.get(&link).await;
    let poor = [("first_name", "Bob <b>"), ("password", "canary")];
    let again = visit.submit("/signupinvite", &fields(&filled(&page, &poor))).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", again.text());
    assert!(again.text().contains("The password must have"), "{}", again.text());
    assert!(again.text().contains("Bob &#60;b&#62;"), "{}", again.text());
    assert!(again.text().contains("autofocus aria-describedby=\"rule error\""), "{}", again.text());
    assert!(!again.text().contains("canary"), "a password came back");
    assert!(!again.text().contains(token_of(&link)), "it was used up");
    assert_eq!(house.members().await, 1);
    let sent = filled(&again, &PERSON);
    leads(&visit.submit("/signupinvite", &fields(&sent)).await, "/account/welcome");
    assert_eq!(house.members().await, 2);
    let replayed = house.browser().submit("/signupinvite", &fields(&sent)).await;
    assert_eq!(replayed.status, StatusCode::GONE, "{}", replayed.text());
    house.server.stop().await;
}

#[tokio::test]
async fn somebody_with_an_account_logs_in_and_joins() {
    let house = House::mailing().await;
    let visit = bob(&house).await;
    let link = invited_again(&house).await;
    // Nobody: to the login, and back again.
    let stranger = house.browser();
    let page = stranger.get(&link).await;
    assert!(page.text().contains("Log in with it to join"), "{}", page.text());
    let login = crate::account::between(page.text(), "href=\"/login", "\"").to_owned();
    let page = stranger.get(&format!("/login{}", crate::visit::unescaped(&login))).await;
    assert!(page.text().contains("to accept an invitation"), "{}", page.text());
    let target = crate::visit::inputs(page.text())[0].1.clone();
    let answer = stranger.log_in(ADDRESS, PASSWORD, &target).await;
    let page = stranger.follow(answer).await;
    assert!(page.text().contains("action=\"/signupinvite/accept\""), "{}", page.text());
    // A button joins, the page did not.
    let listed = visit.get("/account").await;
    assert!(!listed.text().contains("Moonshot"), "{}", listed.text());
    let answer = visit.submit("/signupinvite/accept", &fields(&filled(&page, &[]))).await;
    leads(&answer, "/account/welcome");
    assert!(visit.follow(answer).await.text().contains("Moonshot"));
    let again = visit.submit("/signupinvite/accept", &fields(&filled(&page, &[]))).await;
    assert_eq!(again.status, StatusCode::GONE, "good once");
    house.server.stop().await;
}

#[tokio::test]
async fn h11_an_invitation_is_accepted_by_whom_it_was_sent_to() {
    let house = House::mailing().await;
    let visit = bob(&house).await;
    let link = invited_again(&house).await;
    let other = house.signed_in().await;
    let page = other.get(&link).await;
    assert!(page.text().contains("This browser is logged in as"), "{}", page.text());
    assert!(!page.text().contains("/signupinvite/accept"));
    let pairs: Vec<_> =
        form_urlencoded::parse(link.split_once('?').unwrap().1.as_bytes()).into_owned().collect();
    let answer = other.submit("/signupinvite/accept", &fields(&pairs)).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.text());
    // Nor with another address on the form: the token is of one.
    let mine: Vec<_> = pairs
        .iter()
        .map(|(name, value)| {
            (name.clone(), if name == "to" { house.email() } else { value.clone() })
        })
        .collect();
    let answer = other.submit("/signupinvite/accept", &fields(&mine)).await;
    assert_eq!(answer.status, StatusCode::GONE, "{}", answer.text());
    // Somebody who has an account does not get another one.
    let form: Vec<_> = [
        ("email", ADDRESS),
        ("code", token_of(&link)),
        ("first_name", "Eve"),
        ("password", "a password of hers"),
        ("organization_id", &pairs[2].1),
    ]
    .into();
    let answer = house.browser().submit("/signupinvite", &form).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    assert!(answer.header("location").starts_with("/signupinvite?token="));
    let eve = house.browser().log_in(ADDRESS, "a password of hers", "/account").await;
    assert_eq!(eve.status, StatusCode::BAD_REQUEST);
    // It is still Bob's.
    assert_eq!(visit.get(&link).await.status, StatusCode::OK);
    let answer = visit.submit("/signupinvite/accept", &fields(&pairs)).await;
    leads(&answer, "/account/welcome");
    house.server.stop().await;
}

#[tokio::test]
async fn h11_one_invitation_is_not_another_and_ends_after_three_days() {
    let house = House::mailing().await;
    let link = house.invite(ADDRESS).await;
    let other = house.invite("carol@example.test").await;
    let visit = house.browser();
    let crossed = visit.get(&with_token(&link, token_of(&other))).await;
    assert_eq!(crossed.status, StatusCode::GONE);
    let page = visit.get(&link).await;
    let mut swapped = filled(&page, &PERSON);
    for (name, value) in &mut swapped {
        if name == "code" {
            token_of(&other).clone_into(value);
        }
    }
    assert_eq!(visit.submit("/signupinvite", &fields(&swapped)).await.status, StatusCode::GONE);
    house.server.clock.advance(3 * 86_400 - 1);
    assert_eq!(visit.get(&link).await.status, StatusCode::OK);
    house.server.clock.advance(1);
    assert_eq!(visit.get(&link).await.status, StatusCode::GONE);
    let late = visit.submit("/signupinvite", &fields(&filled(&page, &PERSON))).await;
    assert_eq!(late.status, StatusCode::GONE, "{}", late.text());
    house.server.stop().await;
}

#[tokio::test]
async fn h2_every_spelling_of_the_address_is_the_one_that_was_invited() {
    for spelling in SPELLINGS {
        let house = House::mailing().await;
        let link = house.invite(ADDRESS).await;
        let visit = house.browser();
        let page = visit.get(&link).await;
        let mut sent = filled(&page, &PERSON);
        for (name, value) in &mut sent {
            if name == "email" {
                spelling.clone_into(value);
            }
        }
        leads(&visit.submit("/signupinvite", &fields(&sent)).await, "/account/welcome");
        let login = house.browser().log_in(ADDRESS, PASSWORD, "/account").await;
        assert_eq!(login.status, StatusCode::SEE_OTHER, "{spelling}");
        house.server.stop().await;
    }
}
