//! Who may change how they log in: who signed in a moment ago, and gave their second factor.

use http::{Method, StatusCode};
use kms_api::routes as paths;
use serde_json::json;

use super::{NEW_PASSWORD, SENSITIVE, leads};
use crate::visit::{House, inputs, pages};

/// The pages and forms that change how one logs in.
fn guarded() -> Vec<(Method, &'static str)> {
    let below = |path: &str| SENSITIVE.iter().any(|page| path.starts_with(page));
    let found: Vec<_> = pages().into_iter().filter(|(_, path)| below(path)).collect();
    assert!(found.len() >= 9, "{found:?}");
    found
}

fn confirm(page: &str) -> String {
    let name = page.strip_prefix("/account/").unwrap().split('/').next().unwrap();
    format!("/login/confirm?continue=%2Faccount%2F{}", name.replace('-', "%2D"))
}

#[tokio::test]
async fn a_login_of_some_time_ago_asks_for_the_password_again() {
    let house = House::new().await;
    let visit = house.signed_in().await;
    house.server.clock.advance(10 * 60);
    assert_eq!(visit.get("/account/password").await.status, StatusCode::OK);
    house.server.clock.advance(1);
    for (method, path) in guarded() {
        let answer = match method {
            Method::GET => visit.get(path).await,
            _ => visit.submit(path, &[("code", "000000"), ("method", "none")]).await,
        };
        leads(&answer, &confirm(path));
    }
    // Looking is not changing.
    for path in ["/account", "/account/sessions"] {
        assert_eq!(visit.get(path).await.status, StatusCode::OK, "{path}");
    }
    let page = visit.get("/login/confirm?continue=%2Faccount%2Fpassword").await;
    assert!(page.text().contains("give your password again"), "{}", page.text());
    let wrong = visit.submit("/login/confirm", &[("password", "canary-wrong")]).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    assert!(!wrong.text().contains("canary"), "{}", wrong.text());
    leads(&visit.get("/account/password").await, &confirm("/account/password"));
    let target = inputs(page.text())[0].1.clone();
    let fields = [("password", house.password()), ("continue", target)];
    let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
    leads(&visit.submit("/login/confirm", &fields).await, "/account/password");
    assert_eq!(visit.get("/account/password").await.status, StatusCode::OK);
    // That counts for ten minutes, too, and the session still ends when it would have.
    house.server.clock.advance(10 * 60 + 1);
    leads(&visit.get("/account/password").await, &confirm("/account/password"));
    house.server.clock.advance(12 * 3_600 - 20 * 60 - 2);
    assert_eq!(visit.get("/account").await.status, StatusCode::SEE_OTHER);
    house.server.stop().await;
}

/// A copy of the browser's token of before gains nothing by it.
#[tokio::test]
async fn the_password_counts_for_the_browser_that_it_was_given_with() {
    let house = House::new().await;
    let visit = house.signed_in().await;
    let copy = house.browser();
    copy.put_cookie("__Host-kms_page", &visit.cookie("__Host-kms_page").unwrap());
    house.server.clock.advance(10 * 60 + 1);
    visit.submit("/login/confirm", &[("password", &house.password())]).await;
    assert_eq!(visit.get("/account/password").await.status, StatusCode::OK);
    leads(&copy.get("/account/password").await, &confirm("/account/password"));
    house.server.stop().await;
}

#[tokio::test]
async fn somebody_may_log_in_again_in_place_of_it() {
    let house = House::new().await;
    let visit = house.signed_in().await;
    house.server.clock.advance(10 * 60 + 1);
    let answer = visit.submit("/login/confirm/again", &[("continue", "/account/password")]).await;
    leads(&answer, "/login?continue=%2Faccount%2Fpassword");
    assert_eq!(visit.cookie("__Host-kms_page"), None);
    visit.log_in(&house.email(), &house.password(), "/account").await;
    assert_eq!(visit.get("/account/password").await.status, StatusCode::OK);
    house.server.stop().await;
}

#[tokio::test]
async fn h5_a_password_alone_changes_nothing_where_a_second_factor_is_asked_for() {
    let house = House::mailing().await;
    let visit = house.signed_in().await;
    let (secret, _) = visit.set_up_app(&house).await;
    leads(&visit.submit("/account/second-factor", &[("method", "totp")]).await, "/account");
    let thief = house.signed_in().await;
    let present = house.password();
    let fields =
        [("present", present.as_str()), ("new", NEW_PASSWORD), ("method", "none"), ("code", "1")];
    for (method, path) in guarded() {
        let answer = match method {
            Method::GET => thief.get(path).await,
            _ => thief.submit(path, &fields).await,
        };
        leads(&answer, &confirm(path));
    }
    // The password once more is no second factor, and neither is a wrong code.
    thief.submit("/login/confirm", &[("password", &house.password())]).await;
    leads(&thief.get("/account/password").await, &confirm("/account/password"));
    let page = thief.get("/login/confirm?continue=%2Faccount%2Fpassword").await;
    assert!(page.text().contains("a code of your authenticator app"), "{}", page.text());
    let give = [("kind", "code"), ("code", "000000"), ("continue", "/account/password")];
    let wrong = thief.submit("/login/confirm/code", &give).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST, "{}", wrong.text());
    // Nor does the API take the password alone.
    let access = house.api_login("kms-cli/0.1.0").await;
    let body = json!({ "oldPassword": house.password(), "newPassword": NEW_PASSWORD });
    let answer = house.server.post(paths::PASSWORD_CHANGE).bearer(&access).json(body).send().await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.text());
    // Its owner goes on.
    house.server.clock.advance(60);
    let code = house.code(&secret);
    let give = [("kind", "code"), ("code", code.as_str()), ("continue", "/account/password")];
    leads(&thief.submit("/login/confirm/code", &give).await, "/account/password");
    assert_eq!(thief.get("/account/password").await.status, StatusCode::OK);
    house.server.stop().await;
}

#[tokio::test]
async fn both_may_be_missing_and_are_given_one_after_the_other() {
    let house = House::mailing().await;
    let visit = house.signed_in().await;
    leads(&visit.submit("/account/second-factor", &[("method", "email")]).await, "/account");
    let visit = house.signed_in().await;
    house.server.clock.advance(10 * 60 + 1);
    house.mailbox.take();
    let target = "/account/second-factor";
    let answer = visit.get(target).await;
    let page = visit.follow(answer).await;
    assert!(page.text().contains("name=\"password\""), "{}", page.text());
    let password = house.password();
    let fields = [("password", password.as_str()), ("continue", target)];
    let page = visit.follow(visit.submit("/login/confirm", &fields).await).await;
    assert!(page.text().contains("code that was mailed"), "{}", page.text());
    let mails = house.mailbox.take();
    let code = super::between(&mails[0].text, "Your code is ", ".");
    let fields = [("kind", "code"), ("code", code), ("continue", target)];
    let page = visit.follow(visit.submit("/login/confirm/code", &fields).await).await;
    assert!(page.text().contains("value=\"email\" required checked"), "{}", page.text());
    // The code did not take the password away: there is nothing more to give.
    leads(&visit.get("/login/confirm?continue=%2Faccount%2Fpassword").await, "/account/password");
    house.server.stop().await;
}
