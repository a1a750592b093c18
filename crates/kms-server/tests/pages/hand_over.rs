//! Handing a session to a program of the compatible kind.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::StatusCode;
use kms_api::routes as paths;
use kms_server::{RateLimits, Settings};
use kms_testkit::{Answer, Setup, TestServer};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::visit::{House, SITE, inputs};

/// What stands between two marks of a page.
fn between<'p>(page: &'p Answer, start: &str, end: &str) -> &'p str {
    let (_, rest) = page.text().split_once(start).unwrap_or_else(|| panic!("{}", page.text()));
    rest.split_once(end).unwrap().0
}

#[tokio::test]
async fn a_compatible_program_gets_a_session_by_one_click() {
    let house = House::new().await;
    let visit = house.browser();
    let login = visit.follow(visit.get("/login?callback_port=50123").await).await;
    let target = inputs(login.text())[0].1.clone();
    assert_eq!(target, "/login/cli?callback_port=50123");
    let answer = visit.log_in(&house.email(), &house.password(), &target).await;
    let page = visit.follow(answer).await;
    for told in ["port <strong>50123</strong>", &house.email(), "127.0.0.1:50123"] {
        assert!(page.text().contains(told), "{told}: {}", page.text());
    }
    assert!(!page.text().contains("<script"));
    let fields = inputs(page.text());
    let fields: Vec<_> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
    let page = visit.submit("/login/cli", &fields).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text());
    let session = STANDARD.decode(between(&page, "aria-describedby=\"why\">", "<")).unwrap();
    let session: Value = serde_json::from_slice(&session).unwrap();
    let token = session["JTWToken"].as_str().unwrap();
    let expected = json!({ "JTWToken": token, "email": house.email(), "privateKey": "" });
    assert_eq!(session, expected);
    let check = house.server.post(paths::CHECK_AUTH).bearer(token).send().await;
    assert_eq!(check.status, StatusCode::OK);
    assert_eq!(house.server.get(paths::PROJECTS).bearer(token).send().await.status, StatusCode::OK);
    // The one script is the one that the policy names, and it reaches one address.
    let script = between(&page, "<script>", "</script>");
    let hash = STANDARD.encode(Sha256::digest(script));
    let policy = page.header("content-security-policy");
    let scripts = format!("; script-src 'sha256-{hash}'; connect-src http://127.0.0.1:50123/");
    assert!(policy.ends_with(&scripts), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'"));
    assert_eq!(page.header("cache-control"), "no-store");
    assert_eq!(page.header("refresh"), "30; url=/login/cli/over");
    let over = visit.get("/login/cli/over").await;
    assert_eq!(over.status, StatusCode::OK);
}

/// Attack L7: whoever can make somebody follow a link gets nothing by it.
#[tokio::test]
async fn l7_a_crafted_link_hands_nothing_over() {
    let house = House::new().await;
    let visit = house.signed_in().await;
    let organization = house.organization();
    for path in [
        "/login?callback_port=50123".to_owned(),
        "/login/cli?callback_port=50123".to_owned(),
        format!("/login/cli?callback_port=50123&organization_id={organization}"),
        format!("/login/cli?callback_port=50123&organization={organization}"),
        format!(
            "/login?continue=%2Flogin%2Fcli%3Fcallback_port%3D50123&organization={organization}"
        ),
    ] {
        let page = visit.follow(visit.get(&path).await).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        assert!(page.text().contains("Hand over to port 50123"), "{path}");
        assert!(!page.text().contains("JTWToken") && !page.text().contains("eyJ"), "{path}");
        assert!(!page.text().contains("<script"), "{path}");
        assert_eq!(page.header("x-frame-options"), "DENY", "it cannot be clicked through a frame");
        let policy = page.header("content-security-policy");
        assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("connect-src"));
    }
    let fields = [("callback_port", "50123"), ("organization", organization.as_str())];
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("origin", "http://127.0.0.1:50123"),
        ("sec-fetch-site", "same-site"),
        ("referer", SITE),
    ] {
        let request = visit.form("/login/cli", &fields).header(name, value);
        let answer = visit.send(request).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{name}: {value}");
        assert!(!answer.text().contains("eyJ"));
    }
    let answer = house.browser().submit("/login/cli", &fields).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn l7_only_ports_of_programs_are_named() {
    let house = House::new().await;
    let visit = house.signed_in().await;
    let organization = house.organization();
    for port in [
        "",
        "0",
        "80",
        "1023",
        "65536",
        "050123",
        "+50123",
        "-1",
        "5e4",
        "0xc3cb",
        "50123/",
        "50123@evil.example",
        "50123;script-src *",
        " 50123",
        "50123\n",
        "５０１２３",
    ] {
        let encoded: String = form_urlencoded::byte_serialize(port.as_bytes()).collect();
        for path in ["/login", "/login/cli"] {
            let answer = visit.get(&format!("{path}?callback_port={encoded}")).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{path} {port}");
        }
        let fields = [("callback_port", port), ("organization", organization.as_str())];
        let answer = visit.submit("/login/cli", &fields).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{port}");
        assert!(!answer.header("content-security-policy").contains("connect-src"), "{port}");
    }
    for port in ["1024", "65535"] {
        let page = visit.get(&format!("/login/cli?callback_port={port}")).await;
        assert_eq!(page.status, StatusCode::OK, "{port}");
    }
}

#[tokio::test]
async fn l7_an_operator_can_switch_it_off() {
    let settings = Settings {
        public_url: SITE.into(),
        rate_limits: RateLimits::OFF,
        no_hand_over: true,
        ..Settings::default()
    };
    let server = TestServer::with(Setup { settings, ..Setup::default() }).await;
    let tenant = server.seed().await;
    let house = House { server, tenant, mailbox: Arc::default() };
    let visit = house.signed_in().await;
    let page = visit.get("/login/cli?callback_port=50123").await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert!(page.text().contains("kms login"));
    let organization = house.organization();
    let fields = [("callback_port", "50123"), ("organization", organization.as_str())];
    let answer = visit.submit("/login/cli", &fields).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(!answer.text().contains("session") || !answer.text().contains("eyJ"));
}
