//! Second factors over HTTP: what clients send, what they read, and what they act on.

use http::{Method, StatusCode};
use kms_api::routes as paths;
use kms_server::route::Access;
use kms_testkit::Answer;
use serde_json::{Value, json};

use super::{House, Login, cookie, text};
use crate::tenants::{fields, sorted};

const ANY_ID: &str = "0198c0de-0000-7000-8000-000000000000";

impl House {
    /// The person sets an app up and asks for its codes; the app's link and the recovery codes.
    async fn with_app(&self) -> (String, Vec<String>) {
        let login = self.login().await;
        let call = async |method: Method, path: &str, body: Value| {
            self.server.call(method, path).bearer(&login.access).json(body).send().await.ok()
        };
        let made = call(Method::POST, paths::USER_TOTP_REGISTER, json!({})).await;
        assert_eq!(fields(&made), sorted("otpUrl recoveryCodes"));
        let link = text(&made["otpUrl"]);
        let body = json!({ "totp": self.code(&link) });
        let confirmed = call(Method::POST, paths::USER_TOTP_VERIFY, body).await;
        let codes = confirmed["recoveryCodes"].as_array().unwrap().iter().map(text).collect();
        let body = json!({ "isMfaEnabled": true, "selectedMfaMethod": "totp" });
        let user = call(Method::PATCH, paths::USERS_ME_MFA, body).await;
        assert_eq!(user["user"]["isMfaEnabled"], true);
        let state = call(Method::GET, paths::USER_TOTP, json!({})).await;
        assert_eq!(state, json!({ "isVerified": true, "recoveryCodes": [] }));
        self.server.clock.advance(60);
        (link, codes)
    }

    fn code(&self, link: &str) -> String {
        let now = self.server.core().now().seconds();
        let totp = totp_rs::Totp::from_url(link).unwrap();
        totp.generate(u64::try_from(now).unwrap()).to_string()
    }

    /// A login that waits for its second factor.
    async fn pending(&self) -> String {
        let answer = self.select(&self.login().await, &self.organization()).await;
        assert!(!answer.headers.contains_key("set-cookie"), "no session goes on yet");
        let owed = answer.ok();
        assert_eq!(fields(&owed), sorted("token isMfaEnabled mfaMethod"));
        assert_eq!((&owed["isMfaEnabled"], &owed["mfaMethod"]), (&json!(true), &json!("totp")));
        text(&owed["token"])
    }

    async fn verify(&self, token: &str, body: Value) -> Answer {
        self.server.post(paths::MFA_VERIFY).bearer(token).json(body).send().await
    }
}

#[tokio::test]
async fn a_login_with_an_app_goes_as_clients_know_it() {
    let house = House::new().await;
    let (link, codes) = house.with_app().await;
    let token = house.pending().await;
    let check = |path: &'static str| house.server.get(path).bearer(&token).send();
    assert_eq!(check(paths::MFA_CHECK_TOTP).await.ok(), json!({ "isVerified": true }));
    assert_eq!(check(paths::MFA_CHECK_WEBAUTHN).await.ok(), json!({ "hasPasskeys": false }));
    for wrong in ["000000", "\u{ff11}23456"] {
        let answer = house.verify(&token, json!({ "mfaToken": wrong, "mfaMethod": "totp" })).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{wrong:?}");
        let body = answer.json();
        assert_eq!(body["context"], json!({ "code": "mfa_invalid" }));
        assert!(body["message"].is_string());
    }
    // What an older client sends: an address, and nothing about the method.
    let body = json!({ "email": "x", "mfaToken": house.code(&link), "mfaMethod": "" });
    let answer = house.verify(&token, body.clone()).await;
    let login = Login { access: text(&answer.ok()["token"]), refresh: cookie(&answer) };
    let selected = house.select(&login, &house.organization()).await;
    assert_eq!(selected.ok()["isMfaEnabled"], false);
    assert_eq!(house.verify(&token, body).await.status, StatusCode::BAD_REQUEST, "once");
    let token = house.pending().await;
    let recovery = house.server.post(paths::MFA_VERIFY_RECOVERY_CODE).bearer(&token);
    let answer = recovery.json(json!({ "recoveryCode": codes[0] })).send().await;
    let login = Login { access: text(&answer.ok()["token"]), refresh: cookie(&answer) };
    house.select(&login, &house.organization()).await.ok();
    house.server.stop().await;
}

#[tokio::test]
async fn h4_too_many_wrong_codes_lock_all_logins_of_the_person() {
    let house = House::new().await;
    let (link, _) = house.with_app().await;
    let mut answers = Vec::new();
    for _ in 0..5 {
        let token = house.pending().await;
        let body = json!({ "mfaToken": "000000", "mfaMethod": "totp" });
        answers.push(house.verify(&token, body).await.status.as_u16());
    }
    assert_eq!(answers, [400, 400, 400, 403, 403]);
    let token = house.pending().await;
    let right = json!({ "mfaToken": house.code(&link), "mfaMethod": "totp" });
    let locked = house.verify(&token, right).await;
    assert_eq!(locked.json()["error"], "UserLocked");
    house.server.stop().await;
}

#[tokio::test]
async fn a_login_that_waited_too_long_says_so() {
    let house = House::new().await;
    let (link, _) = house.with_app().await;
    let token = house.pending().await;
    house.server.clock.advance(300);
    let answer = house.verify(&token, json!({ "mfaToken": house.code(&link) })).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.json()["context"], json!({ "code": "mfa_expired" }));
    let answer = house.server.post(paths::MFA_VERIFY).json(json!({})).send().await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    house.server.stop().await;
}

/// A login that waits, and a refresh token, at every route (attacks J6, H5).
#[tokio::test]
async fn j6_h5_no_route_takes_a_login_that_waits_but_those_that_it_waits_for() {
    let house = House::new().await;
    house.with_app().await;
    let pending = house.pending().await;
    let refresh = house.login().await.refresh;
    let (mut taken, mut refused) = (0, 0);
    for route in kms_server::routes().into_iter().filter(|route| !route.info.access.is_public()) {
        for (token, is_pending) in [(&pending, true), (&refresh, false)] {
            let path = crate::filled(route.info.path, ANY_ID);
            let request = house.server.call(route.method.clone(), &path).bearer(token);
            let reads = route.method == Method::GET;
            let request = if reads { request } else { request.json(json!({})) };
            let answer = request.send().await;
            let what = format!("{} {path} {}", route.method, answer.text());
            let error = text(&answer.json()["error"].as_str().unwrap_or_default().into());
            if is_pending && route.info.access == Access::Pending {
                assert!(!error.starts_with("Forbidden access"), "{what}");
                taken += 1;
            } else {
                assert_eq!(answer.status, StatusCode::FORBIDDEN, "{what}");
                assert_eq!(error, format!("Forbidden access to {path}"), "{what}");
                refused += 1;
            }
        }
    }
    assert!(taken == 5 && refused > 200, "{taken} {refused}");
    house.server.stop().await;
}

#[tokio::test]
async fn h9_whoever_guesses_is_told_when_to_come_back() {
    let house = House::new().await;
    let mut wrong = house.credentials();
    wrong["password"] = "wrong horse battery".into();
    let guess = || house.server.post(paths::USER_LOGIN).json(wrong.clone()).send();
    for _ in 0..5 {
        assert_eq!(guess().await.status, StatusCode::BAD_REQUEST);
    }
    let answer = guess().await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.header("retry-after"), "1");
    house.server.stop().await;
}
