//! Attack H5: where an organization asks for its provider, no other way leads in.

use http::{Method, StatusCode};
use kms_api::routes as paths;
use kms_server::route::Access;
use kms_testkit::Answer;
use serde_json::{Value, json};

use super::house::House;

const COOKIE: &str = "__Host-kms_page";
const NO_ID: &str = "0198c0de-0000-7000-8000-000000000000";

/// Connects the administrator with the provider, which enforcing asks for.
async fn connected() -> House {
    let house = House::bare().await;
    let body = house.config(&json!({ "allowedEmailDomains": "localhost, corp.example" }));
    house.set_up(&house.ours, body).await.ok();
    let (email, password) = house.administrator();
    let visit = house.browser();
    house.come_back(&visit, &json!({ "sub": "owner", "email": email })).await;
    visit.log_in(&email, &password, "/login/sso/connect").await;
    let done = visit.submit("/login/sso/connect", &[]).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text());
    house
}

fn organization(house: &House) -> String {
    house.ours.made.organization.id.to_string()
}

async fn acting(house: &House) -> (String, String) {
    let (email, password) = house.administrator();
    let body = json!({ "email": email, "password": password });
    let login = house.server.post(paths::USER_LOGIN).json(body).send().await;
    let token = login.ok()["accessToken"].as_str().unwrap().to_owned();
    let selected = house.select(&token, &organization(house)).await;
    let cookie = selected.header("set-cookie").split(';').next().unwrap().to_owned();
    (selected.ok()["token"].as_str().unwrap().to_owned(), cookie)
}

/// A path with something in the place of every parameter.
fn filled(template: &str) -> String {
    let parts = template.split('/').map(|part| if part.starts_with('{') { NO_ID } else { part });
    parts.collect::<Vec<_>>().join("/")
}

async fn patch(house: &House, token: &str, body: Value) -> Answer {
    let path = paths::ORGANIZATION.replace("{organizationId}", &organization(house));
    house.server.call(Method::PATCH, &path).bearer(token).json(body).send().await
}

#[tokio::test]
async fn an_organization_does_not_lock_itself_out() {
    let house = House::bare().await;
    let (token, _) = acting(&house).await;
    let refused = patch(&house, &token, json!({ "authEnforced": true })).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "no provider");
    house.set_up(&house.ours, house.config(&json!({ "allowedEmailDomains": "" }))).await.ok();
    let refused = house.change(json!({ "authEnforced": true })).await;
    assert!(refused.text().contains("allowedEmailDomains"), "{}", refused.text());
    house.change(json!({ "allowedEmailDomains": "corp.example" })).await.ok();
    let refused = house.change(json!({ "authEnforced": true })).await;
    assert!(refused.text().contains("signed in with single sign-on"), "{}", refused.text());
    house.ada().await;
    let refused = house.change(json!({ "authEnforced": true })).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "no administrator came in by it");

    let house = connected().await;
    house.change(json!({ "authEnforced": true })).await.ok();
    for broken in [json!({ "isActive": false }), json!({ "allowedEmailDomains": "" })] {
        let refused = house.change(broken).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    // A machine that administers the organization is the way back when the provider is gone.
    let off = house.change(json!({ "authEnforced": false, "isActive": false })).await.ok();
    assert_eq!((&off["authEnforced"], &off["isActive"]), (&json!(false), &json!(false)));
}

#[tokio::test]
async fn h5_no_other_way_leads_into_an_organization_that_asks_for_its_provider() {
    let house = connected().await;
    let (email, password) = house.administrator();
    let (before, cookie) = acting(&house).await;
    let (own, _) = acting(&house).await;
    let mine = house.browser();
    mine.log_in(&email, &password, "/account").await;
    let by_provider = house.browser();
    house.come_back(&by_provider, &json!({ "sub": "owner", "email": email })).await;

    let on = patch(&house, &own, json!({ "authEnforced": true })).await.ok();
    assert_eq!(on["organization"]["authEnforced"], true);

    // Choosing it, refreshing in it, and acting in it with what was good a moment ago.
    let token = house.log_in(&email, &password).await;
    let refused = house.select(&token, &organization(&house)).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    let body = refused.json();
    assert_eq!(body["error"], "SsoRequired");
    assert_eq!(body["message"], "This organization signs in with single sign-on: run `kms login`");
    let refused = house.server.post(paths::REFRESH).header("cookie", &cookie).send().await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{}", refused.text());
    let mut refused = 0;
    let takes = [Access::Bearer, Access::Anybody];
    let acting = kms_server::routes().into_iter().filter(|it| takes.contains(&it.info.access));
    for route in acting {
        let path = filled(route.info.path);
        let request = house.server.call(route.method.clone(), &path).bearer(&before);
        let reads = route.method == Method::GET;
        let answer = if reads { request } else { request.json(json!({})) }.send().await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{} {path}", route.method);
        assert_eq!(answer.json()["error"], "SsoRequired", "{} {path}", route.method);
        refused += 1;
    }
    assert!(refused > 60, "{refused}");
    // Pages and what they approve.
    let core = house.server.core();
    let id = house.ours.made.organization.id;
    let person = async |token: String| {
        core.authenticate_page(&token, kms_core::Origin::default()).await.unwrap()
    };
    let refused = core.page_place(&person(mine.cookie(COOKIE).unwrap()).await, id).await;
    assert!(matches!(refused, Err(kms_core::Error::SingleSignOn { .. })), "{refused:?}");
    let place = core.page_place(&person(by_provider.cookie(COOKIE).unwrap()).await, id).await;
    assert_eq!(place.unwrap().owed, None);
    // Machines are not people.
    house.server.get(paths::PROJECTS).bearer(&house.ours.token).send().await.ok();
}

#[tokio::test]
async fn an_administrator_gets_in_by_exception_with_a_second_factor_alone() {
    let house = connected().await;
    let (email, password) = house.administrator();
    let both = json!({ "authEnforced": true, "bypassOrgAuthEnabled": true });
    house.change(both).await.ok();
    let token = house.log_in(&email, &password).await;
    house.mailbox.take();
    let asked = house.select(&token, &organization(&house)).await.ok();
    assert_eq!(asked["isMfaEnabled"], true, "a second factor is owed");
    let pending = asked["token"].as_str().unwrap();
    let code = house.mailed_code();
    let body = json!({ "mfaToken": code });
    let given = house.server.post(paths::MFA_VERIFY).bearer(pending).json(body).send().await.ok();
    let given = given["token"].as_str().unwrap();
    let inside = house.select(given, &organization(&house)).await.ok();
    assert_eq!(inside["isMfaEnabled"], false);
}

#[tokio::test]
async fn a_second_factor_of_ours_is_asked_for_where_the_organization_asks_and_nowhere_else() {
    let house = House::new().await;
    let ada = house.ada().await;
    let core = house.server.core();
    let id = house.ours.made.organization.id;
    let token = ada.cookie(COOKIE).unwrap();
    let person = core.authenticate_page(&token, kms_core::Origin::default()).await.unwrap();
    assert_eq!(core.page_place(&person, id).await.unwrap().owed, None);
    let (admin, _) = acting(&house).await;
    let body = json!({ "enforceMfa": true, "selectedMfaMethod": "totp" });
    patch(&house, &admin, body).await.ok();
    assert_eq!(core.page_place(&person, id).await.unwrap().owed, Some("totp"));
    // Ada's account lives by this provider alone, so its app is hers to set up, once she showed that
    // she reads her mail: what is set up counts wherever a factor is asked for.
    assert!(core.register_totp(&person).await.is_err());
    house.mailbox.take();
    core.send_page_code(&person, true).await.unwrap();
    let mailed = house.mailed_code().into();
    let page = core.verify_page_factor(&person, "email", &mailed, false).await.unwrap();
    let token = secrecy::ExposeSecret::expose_secret(&page.token);
    let person = core.authenticate_page(token, kms_core::Origin::default()).await.unwrap();
    assert!(core.register_totp(&person).await.is_ok());
}

#[tokio::test]
async fn what_rested_on_a_provider_ends_with_it() {
    let house = House::new().await;
    let ada = house.ada().await;
    let core = house.server.core();
    let id = house.ours.made.organization.id;
    let token = ada.cookie(COOKIE).unwrap();
    let sign_in = async || core.authenticate_page(&token, kms_core::Origin::default()).await;
    house.change(json!({ "isActive": false })).await.ok();
    let refused = core.page_place(&sign_in().await.unwrap(), id).await;
    assert!(matches!(refused, Err(kms_core::Error::SingleSignOn { .. })), "{refused:?}");
    house.change(json!({ "isActive": true })).await.ok();
    core.page_place(&sign_in().await.unwrap(), id).await.unwrap();
    // Another client is another provider.
    house.change(json!({ "clientId": "another" })).await.ok();
    assert!(sign_in().await.is_err(), "the session has ended");
}
