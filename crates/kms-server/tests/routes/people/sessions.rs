//! From the login to the logout.

use http::StatusCode;
use kms_api::routes as paths;
use kms_server::Settings;
use kms_testkit::{Setup, TestServer};
use serde_json::json;

use super::{House, Login, cookie, text, with_cookie};
use crate::tenants::{fields, path, sorted};

#[tokio::test]
async fn a_person_logs_in_and_chooses_where_to_act() {
    let house = House::new().await;
    let login = house.login().await;
    assert_eq!(house.check(&login.access).await.ok()["message"], "Authenticated");
    let nowhere = house.server.get(paths::PROJECTS).bearer(&login.access).send().await;
    assert_eq!(nowhere.status, StatusCode::UNAUTHORIZED);
    assert!(nowhere.text().contains("no organization"));
    let answer = house.select(&login, &house.organization()).await;
    let selected = answer.ok();
    assert_eq!(fields(&selected), sorted("token isMfaEnabled"));
    assert_eq!(selected["isMfaEnabled"], false);
    let access = text(&selected["token"]);
    house.server.get(paths::PROJECTS).bearer(&access).send().await.ok();
    for route in [paths::USER, paths::USERS_ME] {
        let me = house.server.get(route).bearer(&access).send().await.ok();
        let email = house.tenant.made.user.email.as_str();
        assert_eq!((&me["user"]["email"], &me["user"]["username"]), (&email.into(), &email.into()));
        assert_eq!(me["user"]["superAdmin"], true);
        assert!(me["user"].get("passwordHash").is_none());
    }
    house.server.stop().await;
}

#[tokio::test]
async fn h1_every_login_that_does_not_hold_answers_alike() {
    let house = House::new().await;
    let mut answers = Vec::new();
    for (email, password) in [
        ("nobody@example.test", "correct horse battery"),
        ("no address", "correct horse battery"),
        (house.tenant.made.user.email.as_str(), "correct horse battery"),
        (house.tenant.made.user.email.as_str(), ""),
        ("", ""),
    ] {
        let body = json!({ "email": email, "password": password });
        let answer = house.server.post(paths::USER_LOGIN).json(body).send().await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{email}");
        assert!(!answer.headers.contains_key("set-cookie"));
        answers.push(answer.without_request_id());
    }
    assert_eq!(answers[0]["message"], "Invalid username or email");
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    house.server.stop().await;
}

#[tokio::test]
async fn logins_by_srp_are_refused_in_words() {
    let server = TestServer::start().await;
    for route in [paths::USER_LOGIN_SRP_1, paths::USER_LOGIN_SRP_2] {
        let body = json!({ "email": "ada@example.test", "clientPublicKey": "ab" });
        let answer = server.post(route).json(body).send().await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert!(answer.json()["message"].as_str().unwrap().contains("does not offer SRP"));
    }
    server.stop().await;
}

#[tokio::test]
async fn a_refresh_answers_the_next_tokens_for_the_same_place() {
    let house = House::new().await;
    let login = house.enter().await;
    house.server.clock.advance(16 * 60);
    let expired = house.check(&login.access).await;
    assert_eq!(expired.status, StatusCode::FORBIDDEN, "an access token lives for minutes");
    let answer = house.refresh(&login.refresh).await;
    let refreshed = answer.ok();
    assert_eq!(fields(&refreshed), sorted("token organizationId"));
    assert_eq!(refreshed["organizationId"], house.organization());
    let access = text(&refreshed["token"]);
    house.server.get(paths::PROJECTS).bearer(&access).send().await.ok();
    assert_ne!(cookie(&answer), login.refresh);
    let answer = house.server.post(paths::REFRESH).send().await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND, "no cookie");
    for token in ["nonsense", access.as_str()] {
        let answer = house.refresh(token).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert_eq!(answer.json()["error"], "InvalidToken");
    }
    let two = house.server.post(paths::REFRESH);
    let two = two.header("cookie", &format!("jid={0}; jid={0}", cookie(&answer_of(&house).await)));
    assert_eq!(two.send().await.status, StatusCode::NOT_FOUND, "two cookies are none");
    house.server.stop().await;
}

async fn answer_of(house: &House) -> kms_testkit::Answer {
    house.server.post(paths::USER_LOGIN).json(house.credentials()).send().await
}

#[tokio::test]
async fn a_logout_ends_the_session_and_takes_the_cookie_back() {
    let house = House::new().await;
    let (first, second, third) = (house.enter().await, house.enter().await, house.enter().await);
    let answer = with_cookie(house.server.post(paths::LOGOUT), &first.refresh).send().await;
    assert_eq!(answer.ok()["message"], "Successfully logged out");
    let cleared = "jid=; HttpOnly; Path=/; SameSite=Strict; Max-Age=0";
    assert_eq!(answer.header("set-cookie"), cleared);
    house.server.post(paths::LOGOUT).bearer(&second.access).send().await.ok();
    for Login { access, refresh } in [&first, &second] {
        let stale = house.check(access).await;
        assert_eq!(stale.status, StatusCode::UNAUTHORIZED);
        assert_eq!(stale.json()["error"], "StaleSession");
        assert_eq!(house.refresh(refresh).await.status, StatusCode::UNAUTHORIZED);
    }
    house.check(&third.access).await.ok();
    for nothing in ["", "nonsense", first.refresh.as_str()] {
        with_cookie(house.server.post(paths::LOGOUT), nothing).send().await.ok();
    }
    house.server.stop().await;
}

#[tokio::test]
async fn a_person_sees_and_ends_their_sessions() {
    let house = House::new().await;
    let first = house.enter().await;
    house.server.clock.advance(1);
    let second = house.enter().await;
    let list = async |login: &Login| {
        house.server.get(paths::USERS_ME_SESSIONS).bearer(&login.access).send().await
    };
    let sessions = list(&first).await.ok();
    let sessions = sessions.as_array().unwrap();
    assert_eq!(sessions.len(), 2);
    assert_eq!(fields(&sessions[0]), sorted("id ip userAgent lastUsed createdAt updatedAt"));
    let one = path(paths::USERS_ME_SESSION, &[sessions[1]["id"].as_str().unwrap()]);
    let delete = |path: &str, login: &Login| {
        house.server.call(http::Method::DELETE, path).bearer(&login.access)
    };
    delete(&one, &first).send().await.ok();
    assert_eq!(delete(&one, &first).send().await.status, StatusCode::NOT_FOUND);
    assert_eq!(list(&second).await.status, StatusCode::NOT_FOUND, "it was ended");
    delete(paths::USERS_ME_SESSIONS, &first).send().await.ok();
    assert_eq!(list(&first).await.status, StatusCode::NOT_FOUND);
    house.server.stop().await;
}

#[tokio::test]
async fn the_cookie_stays_on_https_where_there_is_https() {
    let settings = Settings { public_url: "https://kms.example.com".into(), ..Settings::default() };
    let server = TestServer::with(Setup { settings, ..Setup::default() }).await;
    let house = House { tenant: server.seed().await, server };
    let answer = answer_of(&house).await;
    assert!(answer.header("set-cookie").ends_with("; HttpOnly; Path=/; SameSite=Strict; Secure"));
    house.server.stop().await;
}
