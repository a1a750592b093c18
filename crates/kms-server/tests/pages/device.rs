//! Logging in a device that has no browser.

use http::{Method, StatusCode};
use kms_api::{
    oauth::{CLI_CLIENT, DEVICE_GRANT},
    routes as paths,
};
use kms_testkit::Answer;
use serde_json::{Value, json};

use crate::visit::{House, SITE, Visit, inputs};

/// Where devices ask from.
const PEER: &str = "198.51.100.7:4000";

struct Waiting {
    user_code: String,
    device_code: String,
    /// Path and query of the page with the code in it.
    page: String,
}

async fn ask_with(house: &House, program: &str, fields: &[(&str, &str)]) -> Waiting {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("client_id", CLI_CLIENT).extend_pairs(fields);
    let request = house.server.post(paths::OAUTH_DEVICE).header("user-agent", program).from(PEER);
    let given = request.body("application/x-www-form-urlencoded", form.finish()).send().await.ok();
    let text = |name: &str| given[name].as_str().unwrap().to_owned();
    let page = text("verification_uri_complete").strip_prefix(SITE).unwrap().to_owned();
    Waiting { user_code: text("user_code"), device_code: text("device_code"), page }
}

async fn ask(house: &House) -> Waiting {
    ask_with(house, "kms-cli/1.0 (linux)", &[("host", "build-7")]).await
}

/// A device's question, as soon as it may be asked again.
async fn poll(house: &House, device: &Waiting) -> Answer {
    house.server.clock.advance(5);
    let fields = [
        ("grant_type", DEVICE_GRANT),
        ("client_id", CLI_CLIENT),
        ("device_code", &device.device_code),
    ];
    let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let request = house.server.post(paths::OAUTH_TOKEN).from(PEER);
    request.body("application/x-www-form-urlencoded", form).send().await
}

async fn assert_pending(house: &House, device: &Waiting, what: &str) {
    assert_eq!(poll(house, device).await.json()["error"], "authorization_pending", "{what}");
}

async fn type_code(visit: &Visit<'_>, code: &str) -> Answer {
    visit.submit(paths::DEVICE, &[("user_code", code)]).await
}

async fn decide(visit: &Visit<'_>, device: &Waiting, place: &str, decision: &str) -> Answer {
    let fields = [
        ("user_code", device.user_code.as_str()),
        ("organization_id", place),
        ("decision", decision),
    ];
    visit.submit(paths::DEVICE, &fields).await
}

/// The person's token for the API, in their organization.
async fn access(house: &House) -> String {
    let body = json!({ "email": house.email(), "password": house.password() });
    let login = house.server.post(paths::USER_LOGIN).json(body).send().await.ok();
    let login = login["accessToken"].as_str().unwrap();
    let body = json!({ "organizationId": house.organization() });
    let chosen = house.server.post(paths::SELECT_ORGANIZATION).bearer(login).json(body);
    chosen.send().await.ok()["token"].as_str().unwrap().to_owned()
}

async fn change_policy(house: &House, policy: Value) {
    let path = paths::ORGANIZATION.replace("{organizationId}", &house.organization());
    let change = house.server.call(Method::PATCH, &path).bearer(&access(house).await);
    change.json(policy).send().await.ok();
}

#[tokio::test]
async fn a_device_is_logged_in_by_whoever_types_its_code_and_approves() {
    let house = House::new().await;
    let device = ask(&house).await;
    let visit = house.browser();
    let login = visit.get(&device.page).await;
    assert!(login.header("location").starts_with("/login?continue=%2Fdevice%3Fuser%5Fcode%3D"));
    let page = visit.follow(login).await;
    let target = inputs(page.text())[0].1.clone();
    assert_eq!(target, device.page);
    let answer = visit.log_in(&house.email(), &house.password(), &target).await;
    let page = visit.follow(answer).await;
    assert_eq!(inputs(page.text())[0], ("user_code".into(), device.user_code.clone()));
    assert_pending(&house, &device, "a code in a link approves nothing").await;

    let page = type_code(&visit, &device.user_code.to_lowercase().replace('-', " ")).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text());
    assert_pending(&house, &device, "to look is not to approve").await;
    let hidden = inputs(page.text());
    assert_eq!(hidden[0], ("user_code".into(), device.user_code.clone()));
    assert_eq!(hidden[1], ("organization_id".into(), house.organization()));
    let answer = decide(&visit, &device, &hidden[1].1, "approve").await;
    assert!(answer.text().contains("Approved"), "{}", answer.text());
    let given = poll(&house, &device).await.ok();
    assert_eq!(given["session"]["email"], house.email());
    let access = given["access_token"].as_str().unwrap();
    let me = house.server.get(paths::USERS_ME).bearer(access).send().await.ok();
    assert_eq!(me["user"]["email"], house.email());
    assert_eq!(poll(&house, &device).await.json()["error"], "invalid_grant");
}

#[tokio::test]
async fn l5_no_link_and_no_other_site_approves_a_device() {
    let house = House::new().await;
    let (device, visit) = (ask(&house).await, house.signed_in().await);
    let fields = [
        ("user_code", device.user_code.as_str()),
        ("organization_id", &house.organization()),
        ("decision", "approve"),
    ];
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let path = format!("{}?{query}", paths::DEVICE);
    for method in [Method::GET, Method::HEAD] {
        let answer = visit.send(house.server.call(method.clone(), &path)).await;
        assert_eq!(answer.status, StatusCode::OK, "{method}");
    }
    assert_pending(&house, &device, "a link").await;
    // What stands in the address does not count in a form either.
    let page = visit.submit(&path, &[("user_code", &device.user_code)]).await;
    assert!(page.text().contains("Approve this login?"), "{}", page.text());
    assert_pending(&house, &device, "a form with a link's decision").await;
    for (name, value) in [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")] {
        let answer = visit.send(visit.form(paths::DEVICE, &fields).header(name, value)).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{name}");
    }
    assert_pending(&house, &device, "another site").await;
    let stranger = house.browser().submit(paths::DEVICE, &fields).await;
    assert_eq!(stranger.status, StatusCode::SEE_OTHER);
    assert_pending(&house, &device, "nobody").await;
}

#[tokio::test]
async fn l5_the_page_shows_what_asks_as_text_and_warns() {
    let house = House::new().await;
    let host = "<script>alert(1)</script>\u{202e}";
    let device = ask_with(&house, "evil\"><img src=x>/1.0", &[("host", host)]).await;
    house.server.clock.advance(90);
    let visit = house.signed_in().await;
    let page = type_code(&visit, &device.user_code).await;
    let text = page.text();
    for shown in [
        device.user_code.as_str(),
        "&#60;script&#62;alert(1)&#60;/script&#62;\u{fffd}",
        "evil&#34;&#62;&#60;img src=x&#62;/1.0",
        "198.51.100.7",
        "90 seconds ago",
        &house.email(),
        "Approve only what you started yourself",
    ] {
        assert!(text.contains(shown), "{shown}: {text}");
    }
    assert!(!text.contains("<script") && !text.contains("<img"), "{text}");
    assert!(!page.header("content-security-policy").contains("script-src"));
}

#[tokio::test]
async fn l5_the_page_says_where_an_organization_has_switched_it_off() {
    let house = House::new().await;
    let (device, visit) = (ask(&house).await, house.signed_in().await);
    change_policy(&house, json!({ "allowDeviceLogin": false })).await;
    for answer in [
        type_code(&visit, &device.user_code).await,
        decide(&visit, &device, &house.organization(), "approve").await,
    ] {
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert!(answer.text().contains("does not let its members log in devices"));
    }
    assert_pending(&house, &device, "switched off").await;
    change_policy(&house, json!({ "allowDeviceLogin": true })).await;
    decide(&visit, &device, &house.organization(), "approve").await;
    assert_eq!(poll(&house, &device).await.status, StatusCode::OK);
}

#[tokio::test]
async fn l6_wrong_codes_count_for_the_person_in_whichever_browser() {
    let house = House::new().await;
    let browsers = [house.signed_in().await, house.signed_in().await];
    let device = ask(&house).await;
    for n in 0..5 {
        let answer = type_code(&browsers[n % 2], "BBBB-BBBB").await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert!(answer.text().contains("role=\"alert\""), "{}", answer.text());
    }
    for visit in &browsers {
        let answer = type_code(visit, &device.user_code).await;
        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(answer.header("retry-after"), "600");
        let answer = decide(visit, &device, &house.organization(), "approve").await;
        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    }
    assert_pending(&house, &device, "guessed").await;
}

#[tokio::test]
async fn h5_a_second_factor_is_given_before_anything_is_approved() {
    let house = House::new().await;
    let (device, visit) = (ask(&house).await, house.signed_in().await);
    change_policy(&house, json!({ "enforceMfa": true, "selectedMfaMethod": "totp" })).await;
    let answer = type_code(&visit, &device.user_code).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    let place = house.organization();
    let location = answer.header("location");
    assert!(
        location.starts_with(&format!("/login/factor?organization={place}&continue=%2Fdevice"))
    );
    let page = visit.get(location).await;
    let back = inputs(page.text())[0].1.clone();
    // Back here, the code and the place are filled in; nothing is done before a click.
    let page = visit.get(&back).await;
    let filled = inputs(page.text());
    assert_eq!(filled[0], ("organization_id".into(), place.clone()));
    assert_eq!(filled[1], ("user_code".into(), device.user_code.clone()));
    let refused = decide(&visit, &device, &place, "approve").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_pending(&house, &device, "without a factor").await;
}

#[tokio::test]
async fn t1_an_organization_of_others_reads_as_if_there_were_none() {
    let house = House::new().await;
    let theirs = house.server.seed_another("theirs").await.made.organization.id.to_string();
    let visit = house.signed_in().await;
    let nowhere = "00000000-0000-7000-8000-000000000000";
    let mut read = Vec::new();
    for organization in [theirs.as_str(), nowhere] {
        let device = ask_with(&house, "kms-cli", &[("organization_id", organization)]).await;
        let answer = type_code(&visit, &device.user_code).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        read.push(answer.text().to_owned());
        let answer = decide(&visit, &device, organization, "approve").await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        read.push(answer.text().to_owned());
        let answer = decide(&visit, &device, &house.organization(), "approve").await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "not the one that was asked for");
        assert_pending(&house, &device, organization).await;
    }
    assert!(read.iter().all(|text| *text == read[0]), "{read:?}");
}

#[tokio::test]
async fn who_belongs_to_several_organizations_chooses_one() {
    let house = House::new().await;
    let made = house.server.post(paths::ORGANIZATIONS_V2).bearer(&access(&house).await);
    let made = made.json(json!({ "name": "Second" })).send().await.ok();
    let second = made["organization"]["id"].as_str().unwrap().to_owned();
    let (device, visit) = (ask(&house).await, house.signed_in().await);
    let page = type_code(&visit, &device.user_code).await;
    let offered = inputs(page.text());
    assert_eq!(offered[0], ("user_code".into(), device.user_code.clone()));
    let mut places: Vec<_> = offered[1..].iter().map(|(_, value)| value.clone()).collect();
    places.sort();
    let mut ours = vec![house.organization(), second.clone()];
    ours.sort();
    assert_eq!(places, ours);
    let fields = [("user_code", device.user_code.as_str()), ("organization_id", &second)];
    let page = visit.submit(paths::DEVICE, &fields).await;
    assert!(page.text().contains("<strong>Second</strong>"), "{}", page.text());
    decide(&visit, &device, &second, "approve").await;
    let given = poll(&house, &device).await.ok();
    assert_eq!(given["session"]["organization"]["id"], second);
}

#[tokio::test]
async fn a_login_that_is_denied_or_late_is_over() {
    let house = House::new().await;
    let (denied, late, visit) = (ask(&house).await, ask(&house).await, house.signed_in().await);
    let answer = decide(&visit, &denied, &house.organization(), "deny").await;
    assert!(answer.text().contains("Nobody was logged in"), "{}", answer.text());
    assert_eq!(poll(&house, &denied).await.json()["error"], "access_denied");
    house.server.clock.advance(600);
    let answer = type_code(&visit, &late.user_code).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.text().contains("older than ten minutes"), "{}", answer.text());
    assert_eq!(poll(&house, &late).await.json()["error"], "expired_token");
}
