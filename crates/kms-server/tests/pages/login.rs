//! Signing a browser in and out.

use http::StatusCode;
use kms_api::routes as paths;

use crate::visit::{House, inputs};

const COOKIE: &str = "__Host-kms_page";

#[tokio::test]
async fn the_first_page_is_one_small_answer() {
    let house = House::new().await;
    let answer = house.browser().get("/login").await;
    assert_eq!(answer.status, StatusCode::OK);
    // Below the goal without any compression at all.
    assert!(answer.body.len() < 20_000, "{}", answer.body.len());
    for loads in ["src=", "@import", "url(", "<link rel=\"stylesheet\"", "<script "] {
        assert!(!answer.text().contains(loads), "{loads}");
    }
}

#[tokio::test]
async fn a_person_signs_in_is_led_on_and_signs_out() {
    let house = House::new().await;
    let visit = house.browser();
    let page = visit.get("/login?continue=%2Fdevice%3Fuser_code%3DBCDF-GHJK").await;
    let hidden = inputs(page.text());
    assert_eq!(hidden[0], ("continue".into(), "/device?user_code=BCDF-GHJK".into()));
    let answer = visit.log_in(&house.email(), &house.password(), &hidden[0].1).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(answer.header("location"), "/device?user_code=BCDF-GHJK");
    let cookie = answer.header("set-cookie");
    for part in ["; HttpOnly", "; Path=/", "; SameSite=Strict", "; Secure", "; Max-Age=43200"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");
    let token = visit.cookie(COOKIE).unwrap();

    // Asked again, there is nothing to ask.
    assert_eq!(visit.get("/login").await.header("location"), "/account");

    let answer = visit.submit("/logout", &[]).await;
    assert_eq!(answer.header("location"), "/login");
    assert_eq!(visit.cookie(COOKIE), None);
    let copy = house.browser();
    copy.put_cookie(COOKIE, &token);
    assert_eq!(copy.get("/login").await.status, StatusCode::OK, "the session has ended");
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_read_the_same() {
    let house = House::new().await;
    let visit = house.browser();
    let wrong = visit.log_in(&house.email(), "not the password", "/account").await;
    let unknown = visit.log_in("nobody@example.com", "not the password", "/account").await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    assert_eq!(unknown.status, wrong.status);
    assert!(wrong.text().contains("role=\"alert\""), "{}", wrong.text());
    let read = |text: &str, email: &str| without_challenge(&text.replace(email, ""));
    assert_eq!(read(wrong.text(), &house.email()), read(unknown.text(), "nobody@example.com"),);
    assert_eq!(visit.cookie(COOKIE), None);
    assert!(!wrong.text().contains("not the password"), "a password came back");
}

/// A page without what a passkey is asked to sign, which is another one each time.
fn without_challenge(text: &str) -> String {
    let (before, rest) = text.split_once("action=\"/login/passkey\"").unwrap();
    let (form, after) = rest.split_once("</form>").unwrap();
    let (_, button) = form.split_once("<p class=\"alert\"").unwrap();
    format!("{before}{button}{after}")
}

#[tokio::test]
async fn h9_guesses_on_the_page_count_like_those_at_the_api() {
    let house = House::new().await;
    let visit = house.browser();
    for _ in 0..6 {
        visit.log_in(&house.email(), "a guess", "/account").await;
    }
    let answer = visit.log_in(&house.email(), &house.password(), "/account").await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(answer.text().contains("Try again in"), "{}", answer.text());
    let body = serde_json::json!({ "email": house.email(), "password": house.password() });
    let answer = house.server.post(paths::USER_LOGIN).json(body).send().await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn a_browser_is_signed_out_after_half_a_day() {
    let house = House::new().await;
    let visit = house.signed_in().await;
    house.server.clock.advance(12 * 3_600 - 1);
    assert_eq!(visit.get("/login").await.status, StatusCode::SEE_OTHER);
    house.server.clock.advance(1);
    assert_eq!(visit.get("/login").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_browsers_sign_in_is_listed_and_ended_with_the_other_sessions() {
    let house = House::new().await;
    let visit = house.signed_in().await;
    let body = serde_json::json!({ "email": house.email(), "password": house.password() });
    let answer = house.server.post(paths::USER_LOGIN).json(body).send().await;
    let access = answer.ok()["accessToken"].as_str().unwrap().to_owned();
    let listed = house.server.get(paths::USERS_ME_SESSIONS).bearer(&access).send().await.ok();
    assert_eq!(listed.as_array().map(Vec::len), Some(2), "{listed}");
    let ended = house.server.call(http::Method::DELETE, paths::USERS_ME_SESSIONS);
    ended.bearer(&access).send().await.ok();
    assert_eq!(visit.get("/login").await.status, StatusCode::OK);
}

#[tokio::test]
async fn d6_a_page_of_a_failure_says_nothing_of_what_was_sent() {
    let house = House::new().await;
    let visit = house.browser();
    for (path, fields) in [
        ("/login", &[("email", "canary-mail"), ("pass", "canary-secret")][..]),
        ("/login", &[("email", "a@b.c"), ("email", "canary-secret"), ("password", "x")]),
    ] {
        let answer = visit.submit(path, fields).await;
        assert!(answer.status.is_client_error());
        assert!(!answer.text().contains("canary-secret"), "{}", answer.text());
    }
    let missing =
        visit.send(house.server.get("/nowhere/canary").header("accept", "text/html")).await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    assert!(missing.text().contains("There is no such page") && !missing.text().contains("canary"));
}
