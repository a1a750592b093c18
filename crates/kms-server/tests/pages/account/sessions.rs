//! Where somebody is logged in.

use http::StatusCode;
use kms_api::routes as paths;

use super::{between, leads};
use crate::visit::{House, Visit};

const PAGE: &str = "/account/sessions";

/// The ids on the page, in its order.
async fn listed(visit: &Visit<'_>) -> Vec<String> {
    let page = visit.get(PAGE).await;
    assert_eq!(page.status, StatusCode::OK);
    let rows = page.text().split("name=\"session\" ").skip(1);
    rows.map(|row| between(row, "value=\"", "\"").to_owned()).collect()
}

#[tokio::test]
async fn a_person_sees_where_they_are_logged_in_and_ends_it() {
    let house = House::new().await;
    let access = house.api_login("kms-cli/0.1.0").await;
    house.server.clock.advance(60);
    let visit = house.signed_in().await;
    let page = visit.get(PAGE).await;
    assert!(page.text().contains("kms 0.1.0"), "{}", page.text());
    assert!(page.text().contains("127.0.0.1"), "{}", page.text());
    assert!(page.text().contains("2026-01-05 09:01"), "{}", page.text());
    assert_eq!(page.text().matches("(this browser)").count(), 1);
    let ids = listed(&visit).await;
    assert_eq!(ids.len(), 2);
    leads(&visit.submit("/account/sessions/end", &[("session", &ids[1])]).await, PAGE);
    assert_eq!(listed(&visit).await, ids[..1]);
    let answer = house.server.get(paths::USERS_ME).bearer(&access).send().await;
    assert!(answer.status.is_client_error(), "{}", answer.status);
    // This browser's own is a logout.
    leads(&visit.submit("/account/sessions/end", &[("session", &ids[0])]).await, "/login");
    assert_eq!(visit.get(PAGE).await.status, StatusCode::SEE_OTHER);
    house.server.stop().await;
}

#[tokio::test]
async fn all_others_end_and_this_one_stays() {
    let house = House::mailing().await;
    let elsewhere = house.signed_in().await;
    house.api_login("kms-cli/0.1.0").await;
    let stranger = house.stranger().await;
    // To invite, the person logged in at the API.
    let visit = house.signed_in().await;
    assert_eq!(listed(&visit).await.len(), 4);
    leads(&visit.submit("/account/sessions/end-others", &[]).await, PAGE);
    assert_eq!(listed(&visit).await.len(), 1);
    assert_eq!(elsewhere.get(PAGE).await.status, StatusCode::SEE_OTHER);
    assert_eq!(listed(&stranger).await.len(), 1, "another person's stay");
    house.server.stop().await;
}

#[tokio::test]
async fn t1_somebody_elses_session_answers_like_none() {
    let house = House::mailing().await;
    let (visit, stranger) = (house.signed_in().await, house.stranger().await);
    let theirs = listed(&stranger).await;
    let none = "0198c0de-0000-7000-8000-000000000000";
    let end = async |id: &str| {
        let answer = visit.submit("/account/sessions/end", &[("session", id)]).await;
        let mut headers: Vec<_> =
            answer.headers.iter().map(|(name, value)| format!("{name}: {value:?}")).collect();
        headers.retain(|header| !header.starts_with("x-request-id"));
        (answer.status, headers, answer.body)
    };
    assert_eq!(end(&theirs[0]).await, end(none).await);
    assert_eq!(listed(&stranger).await, theirs, "it goes on");
    house.server.stop().await;
}

/// What a program says that it is, is text on the page.
#[tokio::test]
async fn d8_a_programs_name_is_no_markup() {
    let house = House::new().await;
    house.api_login("<script>alert(1)</script>\"><img src=x>").await;
    let visit = house.signed_in().await;
    let page = visit.get(PAGE).await;
    assert!(!page.text().contains("<script") && !page.text().contains("<img"), "{}", page.text());
    assert!(page.text().contains("alert(1)"));
    house.server.stop().await;
}
