//! Changing the password.

use http::StatusCode;

use super::NEW_PASSWORD;
use crate::visit::House;

const PAGE: &str = "/account/password";

#[tokio::test]
async fn a_new_password_ends_all_sessions_and_is_good_from_then_on() {
    let house = House::mailing().await;
    let (visit, elsewhere) = (house.signed_in().await, house.signed_in().await);
    let present = house.password();
    let answer = visit.submit(PAGE, &[("present", &present), ("new", NEW_PASSWORD)]).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert!(answer.text().contains("Your password is changed"));
    assert_eq!(visit.cookie("__Host-kms_page"), None);
    assert_eq!(elsewhere.get("/account").await.status, StatusCode::SEE_OTHER);
    let old = visit.log_in(&house.email(), &present, "/account").await;
    assert_eq!(old.status, StatusCode::BAD_REQUEST);
    let new = visit.log_in(&house.email(), NEW_PASSWORD, "/account").await;
    assert_eq!(new.status, StatusCode::SEE_OTHER);
    let page = visit.get("/account/sessions").await;
    assert_eq!(page.text().matches("name=\"session\"").count(), 1, "those that ended are gone");
    assert!(house.mailbox.take()[0].subject.contains("was changed"));
    house.server.stop().await;
}

#[tokio::test]
async fn d6_what_is_refused_says_why_and_never_what_was_typed() {
    let house = House::new().await;
    let visit = house.signed_in().await;
    let present = house.password();
    for (fields, status, said) in [
        (
            [("present", "canary-present"), ("new", NEW_PASSWORD)],
            400,
            "The present password is wrong",
        ),
        ([("present", present.as_str()), ("new", "canary")], 422, "The new password must have"),
        ([("present", present.as_str()), ("new", "password1")], 422, "most common"),
    ] {
        let answer = visit.submit(PAGE, &fields).await;
        assert_eq!(answer.status.as_u16(), status, "{}", answer.text());
        assert!(answer.text().contains(said), "{said}: {}", answer.text());
        assert!(answer.text().contains("role=\"alert\""));
        assert!(!answer.text().contains("canary"), "{}", answer.text());
        assert!(!answer.text().contains(&present), "a password came back");
    }
    assert_eq!(visit.get("/account").await.status, StatusCode::OK, "nothing was changed");
    house.server.stop().await;
}

#[tokio::test]
async fn h9_guesses_of_the_present_password_wait() {
    let house = House::new().await;
    let visit = house.signed_in().await;
    for _ in 0..6 {
        visit.submit(PAGE, &[("present", "a guess"), ("new", NEW_PASSWORD)]).await;
    }
    let answer = visit.submit(PAGE, &[("present", &house.password()), ("new", NEW_PASSWORD)]).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(answer.text().contains("Try again in"), "{}", answer.text());
    // The page that asks for the password again counts with it.
    house.server.clock.advance(10 * 60 + 1);
    for _ in 0..6 {
        visit.submit("/login/confirm", &[("password", "a guess")]).await;
    }
    let answer = visit.submit("/login/confirm", &[("password", &house.password())]).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    house.server.stop().await;
}
