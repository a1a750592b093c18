//! Confirming an address.

use http::StatusCode;
use kms_api::routes as paths;
use serde_json::json;

use super::{ADDRESS, PASSWORD, fields, filled};
use crate::{
    account::{between, leads},
    visit::House,
};

#[tokio::test]
async fn somebody_confirms_their_address_with_a_code() {
    let house = House::mailing().await;
    // Somebody who was handed the link in place of a mail: nothing shows whose the address is.
    let quiet = House::new().await;
    let body = json!({ "organizationId": quiet.organization(), "inviteeEmails": [ADDRESS] });
    let answer = quiet.as_administrator(http::Method::POST, paths::INVITE, body).await;
    let link = answer["completeInviteLinks"][0]["link"].as_str().unwrap().to_owned();
    let visit = quiet.browser();
    let page = visit.get(&link[link.find("/signupinvite").unwrap()..]).await;
    let person = [("first_name", "Bob"), ("password", PASSWORD)];
    visit.submit("/signupinvite", &fields(&filled(&page, &person))).await;
    assert!(visit.get("/account").await.text().contains("not confirmed"));
    let page = visit.submit("/verify/send", &[]).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    assert!(page.text().contains("This server sends no mail"), "{}", page.text());
    quiet.server.stop().await;

    let visit = house.signed_in().await;
    let confirmed = visit.get("/account").await;
    assert!(!confirmed.text().contains("not confirmed"), "{}", confirmed.text());
    leads(&visit.get("/verify").await, "/account");
    visit.submit("/verify/send", &[]).await;
    let mail = house.mailbox.take().remove(0);
    let code = between(&mail.text, "is\n\n    ", "\n").to_owned();
    let wrong = if code == "000000" { "000001" } else { "000000" };
    let again = visit.submit("/verify", &[("code", wrong)]).await;
    assert_eq!(again.status, StatusCode::UNAUTHORIZED);
    assert!(again.text().contains("This code is wrong"), "{}", again.text());
    leads(&visit.submit("/verify", &[("code", &code)]).await, "/account");
    assert_eq!(visit.submit("/verify", &[("code", &code)]).await.status, StatusCode::UNAUTHORIZED);
    house.server.stop().await;
}
