//! What holds for every page.

use http::{Method, StatusCode};
use kms_api::routes as paths;
use kms_server::route::Access;

use crate::visit::{House, SITE, pages};

/// Headers of a page beside its policy.
const HEADERS: [(&str, &str); 6] = [
    ("cache-control", "no-store"),
    ("cross-origin-opener-policy", "same-origin"),
    ("referrer-policy", "same-origin"),
    ("strict-transport-security", "max-age=31536000; includeSubDomains"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
];

#[test]
fn d3_the_pages_that_a_stranger_sees_are_these_and_no_others() {
    let public = kms_server::pages().into_iter().filter(|route| route.info.access.is_public());
    let mut public: Vec<_> =
        public.map(|route| format!("{} {}", route.method, route.info.path)).collect();
    public.sort();
    insta::assert_snapshot!(public.join("\n"), @r"
    GET /
    GET /login
    GET /login/cli/over
    GET /login/sso
    GET /login/sso/callback
    GET /login/sso/connect
    GET /oauth/code
    GET /password-reset
    GET /password-reset/sent
    GET /signup
    GET /signupinvite
    POST /login
    POST /login/passkey
    POST /login/sso
    POST /password-reset
    POST /password-reset/new
    POST /signup
    POST /signup/code
    POST /signup/complete
    POST /signupinvite
    ");
}

#[test]
fn every_page_stands_once_and_is_a_page() {
    let mut seen = std::collections::HashSet::new();
    for route in kms_server::pages() {
        assert!(route.info.is_page, "{}", route.info.path);
        assert!(seen.insert((route.method.clone(), route.info.path)), "{}", route.info.path);
    }
    assert!(kms_server::routes().iter().all(|route| !route.info.is_page));
}

#[tokio::test]
async fn d8_every_page_carries_the_same_protection() {
    let house = House::new().await;
    let (stranger, person) = (house.browser(), house.signed_in().await);
    for (method, path) in pages() {
        // The others are seen by somebody who is still signed in.
        if ["/logout", "/login/confirm/again"].contains(&path) {
            continue;
        }
        for visit in [&stranger, &person] {
            let answer = match method {
                Method::GET => visit.get(path).await,
                _ => visit.submit(path, &[]).await,
            };
            let what = format!("{method} {path} {}", answer.status);
            for (name, value) in HEADERS {
                assert_eq!(answer.header(name), value, "{what} {name}");
            }
            let policy = answer.header("content-security-policy");
            assert!(policy.starts_with("default-src 'none'; "), "{what} {policy}");
            assert!(policy.contains("frame-ancestors 'none'"), "{what} {policy}");
            assert!(!policy.contains("unsafe-"), "{what} {policy}");
            if answer.status != StatusCode::SEE_OTHER {
                assert_eq!(answer.header("content-type"), "text/html; charset=utf-8", "{what}");
                assert!(policy.contains("base-uri 'none'; "), "{what} {policy}");
            }
            assert_ne!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{what}");
        }
    }
}

#[tokio::test]
async fn d8_a_form_counts_only_when_it_stands_on_a_page_of_ours() {
    let house = House::new().await;
    let person = house.signed_in().await;
    let posts = pages().into_iter().filter(|(method, _)| *method == Method::POST);
    for (_, path) in posts {
        for (name, value) in [
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("origin", "http://kms.example.com"),
            ("origin", "https://kms.example.com.evil.example"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("x-nothing", "said"),
        ] {
            let answer = person.send(person.form(path, &[]).header(name, value)).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} {name}: {value}");
        }
        // A page of ours that another site put into the middle of its own.
        let request = person.form(path, &[]).header("origin", SITE);
        let answer = person.send(request.header("sec-fetch-site", "cross-site")).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
    }
    assert_eq!(person.get("/login").await.status, StatusCode::SEE_OTHER, "still signed in");
}

#[tokio::test]
async fn d3_every_other_page_leads_a_stranger_to_the_login_and_back() {
    let house = House::new().await;
    let guarded = kms_server::pages().into_iter().filter(|route| !route.info.access.is_public());
    for route in guarded {
        assert_eq!(route.info.access, Access::Browser, "{}", route.info.path);
        let visit = house.browser();
        let answer = match route.method {
            Method::GET => visit.get(route.info.path).await,
            _ => visit.submit(route.info.path, &[]).await,
        };
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", route.info.path);
        assert!(answer.header("location").starts_with("/login?continue="), "{}", route.info.path);
    }
}

/// A page's cookie is no access token, and no token of the API signs a browser in.
#[tokio::test]
async fn j6_cookies_of_pages_and_tokens_of_the_api_are_not_each_other() {
    let house = House::new().await;
    let person = house.signed_in().await;
    let cookie = person.cookie("__Host-kms_page").unwrap();
    for path in [paths::USERS_ME, paths::PROJECTS, paths::CHECK_AUTH] {
        let answer = house.server.get(path).bearer(&cookie).send().await;
        assert!(answer.status.is_client_error(), "{path} {}", answer.status);
    }
    let refresh = house.server.post(paths::REFRESH).header("cookie", &format!("jid={cookie}"));
    assert_eq!(refresh.send().await.status, StatusCode::UNAUTHORIZED);
    let body = serde_json::json!({ "email": house.email(), "password": house.password() });
    let answer = house.server.post(paths::USER_LOGIN).json(body).send().await;
    let access = answer.ok()["accessToken"].as_str().unwrap().to_owned();
    let (_, refresh) =
        answer.header("set-cookie").split(';').next().unwrap().split_once('=').unwrap();
    for token in [access.as_str(), refresh, house.tenant.token.as_str()] {
        let visit = house.browser();
        visit.put_cookie("__Host-kms_page", token);
        assert_eq!(visit.get("/login").await.status, StatusCode::OK, "signed in with {token}");
    }
}
