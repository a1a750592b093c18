//! Signing up.

use http::StatusCode;

use super::{ADDRESS, PASSWORD, SPELLINGS, fields, filled};
use crate::{
    account::{between, leads},
    visit::House,
};

const PERSON: [(&str, &str); 3] =
    [("first_name", "Bob"), ("organization", "Bobs Rockets"), ("password", PASSWORD)];

async fn open_house() -> House {
    let house = House::mailing().await;
    house.open_to_all().await;
    house
}

#[tokio::test]
async fn somebody_signs_up_with_the_code() {
    let house = open_house().await;
    let visit = house.browser();
    let page = visit.submit("/signup", &[("email", ADDRESS)]).await;
    assert!(page.text().contains("A mail went to"), "{}", page.text());
    let mail = house.mailbox.take().remove(0);
    let code = between(&mail.text, "is\n\n    ", "\n").to_owned();
    let wrong = if code == "000000" { "000001" } else { "000000" };
    let again = visit.submit("/signup/code", &fields(&filled(&page, &[("code", wrong)]))).await;
    assert_eq!(again.status, StatusCode::UNAUTHORIZED);
    assert!(again.text().contains("This code is wrong"), "{}", again.text());
    let page = visit.submit("/signup/code", &fields(&filled(&again, &[("code", &code)]))).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text());
    assert!(!page.text().contains(&code), "it was used up");
    let odd = [("first_name", "Bob"), ("organization", "Bob's"), ("password", PASSWORD)];
    let odd = visit.submit("/signup/complete", &fields(&filled(&page, &odd))).await;
    assert_eq!(odd.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(odd.text().contains("The organization&#39;s name must be"), "{}", odd.text());
    let answer = visit.submit("/signup/complete", &fields(&filled(&odd, &PERSON))).await;
    leads(&answer, "/account/welcome");
    assert!(visit.follow(answer).await.text().contains("Bobs Rockets"));
    let again = house.browser().submit("/signup/complete", &fields(&filled(&odd, &PERSON))).await;
    assert_eq!(again.status, StatusCode::GONE);
    house.server.stop().await;
}

#[tokio::test]
async fn h11_the_link_does_what_the_code_does_and_opening_it_does_nothing() {
    let house = open_house().await;
    let visit = house.browser();
    visit.submit("/signup", &[("email", ADDRESS)]).await;
    let link = house.mailed_path();
    for _ in 0..5 {
        assert_eq!(house.browser().get(&link).await.status, StatusCode::OK);
    }
    let page = visit.get(&link).await;
    leads(
        &visit.submit("/signup/complete", &fields(&filled(&page, &PERSON))).await,
        "/account/welcome",
    );
    for again in [
        visit.get(&link).await,
        visit.submit("/signup/complete", &fields(&filled(&page, &PERSON))).await,
    ] {
        assert_eq!(again.status, StatusCode::GONE, "good once");
    }
    house.server.stop().await;
}

/// A link whose token is a code would let a page count its tries.
#[tokio::test]
async fn h11_looking_at_codes_takes_no_try_and_tells_nothing() {
    let house = open_house().await;
    let visit = house.browser();
    let page = visit.submit("/signup", &[("email", ADDRESS)]).await;
    let mail = house.mailbox.take().remove(0);
    let code = between(&mail.text, "is\n\n    ", "\n").to_owned();
    for guess in ["000000", "111111", "222222", "333333", &code] {
        let answer = visit.get(&format!("/signup?token={guess}&to=bob%40example.test")).await;
        assert_eq!(answer.status, StatusCode::GONE, "{guess}");
    }
    let page = visit.submit("/signup/code", &fields(&filled(&page, &[("code", &code)]))).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text());
    house.server.stop().await;
}

#[tokio::test]
async fn h1_an_address_with_an_account_reads_like_one_without() {
    let house = open_house().await;
    let ask = async |email: &str| {
        let page = house.browser().submit("/signup", &[("email", email)]).await;
        let wrong = filled(&page, &[("code", "000000")]);
        let wrong = house.browser().submit("/signup/code", &fields(&wrong)).await;
        let read = |text: &str| text.replace(email, "ADDRESS");
        (page.status, read(page.text()), wrong.status, read(wrong.text()))
    };
    assert_eq!(ask(&house.email()).await, ask(ADDRESS).await);
    let mails = house.mailbox.take();
    assert!(mails[0].text.contains("/password-reset"), "{}", mails[0].text);
    assert!(!mails[0].text.contains("token="), "{}", mails[0].text);
    house.server.stop().await;
}

#[tokio::test]
async fn h2_every_spelling_of_the_address_is_one_account() {
    let house = open_house().await;
    let visit = house.browser();
    visit.submit("/signup", &[("email", SPELLINGS[0])]).await;
    let page = visit.get(&house.mailed_path()).await;
    for spelling in &SPELLINGS[1..] {
        visit.submit("/signup", &[("email", spelling)]).await;
        assert!(house.mailbox.take().is_empty(), "{spelling}: a mail went there just now");
    }
    let mut sent = filled(&page, &PERSON);
    for (name, value) in &mut sent {
        if name == "email" {
            SPELLINGS[1].clone_into(value);
        }
    }
    leads(&visit.submit("/signup/complete", &fields(&sent)).await, "/account/welcome");
    for spelling in SPELLINGS {
        let login = house.browser().log_in(spelling, PASSWORD, "/account").await;
        assert_eq!(login.status, StatusCode::SEE_OTHER, "{spelling}");
    }
    house.server.stop().await;
}

#[tokio::test]
async fn strangers_are_let_in_nowhere_else() {
    let house = House::mailing().await;
    let answer = house.browser().submit("/signup", &[("email", ADDRESS)]).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.text());
    assert!(house.mailbox.take().is_empty());
    let answer = house.browser().submit("/signup/code", &[("email", ADDRESS), ("code", "1")]).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.text());
    house.server.stop().await;
}
