//! Attack H6: accounts that were there before, and what a provider's word is worth.

use http::{Method, StatusCode};
use kms_api::routes as paths;
use serde_json::json;

use super::house::{ADA, House, leads_to};
use crate::visit::Visit;

const COOKIE: &str = "__Host-kms_page";

/// Sends a browser through the provider of the other organization, whose administrator is hostile
/// and has it say what they like.
async fn hostile(house: &House, visit: &Visit<'_>, email: &str) -> kms_testkit::Answer {
    let domain = email.split('@').nth(1).unwrap();
    let body = house.config(&json!({ "allowedEmailDomains": domain }));
    let made = house.set_up(&house.theirs, body).await;
    assert!(made.status == StatusCode::OK || made.status == StatusCode::BAD_REQUEST);
    let slug = house.theirs.made.organization.slug.clone();
    let location = house.begin(visit, &slug).await;
    let claims = json!({ "sub": "victim", "email": email });
    visit.get(&house.provider.sign_in(&location, house.now(), &claims)).await
}

#[tokio::test]
async fn h6_a_hostile_provider_does_not_become_an_account_that_was_there() {
    let house = House::bare().await;
    let (victim, password) = house.administrator();
    let mallory = house.browser();
    let answer = hostile(&house, &mallory, &victim).await;
    assert_eq!(leads_to(&answer), "/login/sso/connect");
    assert_eq!(mallory.cookie(COOKIE), None, "signed in without proof");
    let page = mallory.get("/login/sso/connect").await;
    assert!(!page.text().contains("Connect and continue"), "{}", page.text());
    let answer = mallory.submit("/login/sso/connect", &[]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "asks to log in");
    // Somebody else's login proves nothing about this account.
    house.set_up(&house.ours, house.config(&json!({}))).await.ok();
    let ada = house.ada().await;
    let location = house.begin(&ada, &house.theirs.made.organization.slug).await;
    let claims = json!({ "sub": "victim", "email": victim });
    ada.get(&house.provider.sign_in(&location, house.now(), &claims)).await;
    let refused = ada.submit("/login/sso/connect", &[]).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{}", refused.text());
    // The password of the account does.
    let owner = house.browser();
    hostile(&house, &owner, &victim).await;
    owner.log_in(&victim, &password, "/login/sso/connect").await;
    let page = owner.get("/login/sso/connect").await;
    assert!(page.text().contains("Connect and continue"), "{}", page.text());
    let done = owner.submit("/login/sso/connect", &[]).await;
    assert_eq!(done.header("location"), "/device", "{}", done.text());
}

/// An invitation makes nobody a member, and a provider of the inviting organization is no proof.
#[tokio::test]
async fn h6_an_invitation_does_not_stand_for_the_proof_of_an_old_account() {
    let house = House::bare().await;
    let (victim, _) = house.administrator();
    let core = house.server.core();
    let body = serde_json::from_value(json!({
        "organizationId": house.theirs.made.organization.id,
        "inviteeEmails": [victim],
    }));
    core.invite(&house.theirs.caller, &body.unwrap(), crate::visit::SITE).await.unwrap();
    let mallory = house.browser();
    let answer = hostile(&house, &mallory, &victim).await;
    assert_eq!(leads_to(&answer), "/login/sso/connect");
    assert_eq!(mallory.cookie(COOKIE), None);
}

/// Somebody invited has no account yet: the provider's word completes it, in that organization.
#[tokio::test]
async fn an_invited_person_joins_by_the_provider_and_others_do_not() {
    let house = House::bare().await;
    let body = house.config(&json!({ "allowedEmailDomains": "" }));
    house.set_up(&house.ours, body).await.ok();
    let claims = json!({ "sub": "ada", "email": ADA });
    let answer = house.come_back(&house.browser(), &claims).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.text().contains("Nobody invited you"), "{}", answer.text());
    assert_eq!(house.reasons().await, ["not-invited"]);
    let body = json!({
        "organizationId": house.ours.made.organization.id,
        "inviteeEmails": [ADA],
    });
    let core = house.server.core();
    let body = serde_json::from_value(body).unwrap();
    core.invite(&house.ours.caller, &body, crate::visit::SITE).await.unwrap();
    assert_eq!(house.mailbox.take().len(), 1);
    house.ada().await;
}

/// A session that rests on one organization's provider knows of nothing beyond it.
#[tokio::test]
async fn h6_a_providers_word_is_worth_nothing_beyond_its_organization() {
    let house = House::new().await;
    let (owner, password) = house.administrator();
    // The administrator of ours belongs to theirs as well, and connects the account there.
    let core = house.server.core();
    let body = json!({
        "organizationId": house.theirs.made.organization.id,
        "inviteeEmails": [owner],
    });
    core.invite(&house.theirs.caller, &serde_json::from_value(body).unwrap(), crate::visit::SITE)
        .await
        .unwrap();
    let visit = house.browser();
    hostile(&house, &visit, &owner).await;
    visit.log_in(&owner, &password, "/login/sso/connect").await;
    let done = visit.submit("/login/sso/connect", &[]).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text());

    // From now on the hostile provider may sign its browser in as the administrator.
    let mallory = house.browser();
    let answer = hostile(&house, &mallory, &owner).await;
    assert_eq!(leads_to(&answer), "/device");
    let token = mallory.cookie(COOKIE).unwrap();
    let person = core.authenticate_page(&token, kms_core::Origin::default()).await.unwrap();
    let ours = house.ours.made.organization.id;
    let theirs = house.theirs.made.organization.id;
    core.page_place(&person, theirs).await.unwrap();
    let refused = core.page_place(&person, ours).await;
    assert!(matches!(refused, Err(kms_core::Error::SingleSignOn { .. })), "{refused:?}");
    let places = core.list_organizations(&person).await.unwrap().organizations;
    assert_eq!(places.iter().map(|place| place.id).collect::<Vec<_>>(), [theirs]);
    // Nothing of the account changes that counts elsewhere.
    let forbidden = core.register_totp(&person).await;
    assert!(matches!(forbidden, Err(kms_core::Error::Forbidden { .. })));
    let body = serde_json::from_value(json!({ "name": "evil" })).unwrap();
    let forbidden = core.create_organization(&person, &body).await;
    assert!(matches!(forbidden, Err(kms_core::Error::Forbidden { .. })));
    // Sessions of the owner's own are neither shown nor ended.
    let listed = core.list_sessions(&person).await.unwrap();
    assert_eq!(listed.len(), 2, "those by this provider");
    let own = house.log_in(&owner, &password).await;
    core.revoke_sessions(&person).await.unwrap();
    house.server.get(paths::USERS_ME).bearer(&own).send().await.ok();
}

/// Whoever asks for a second factor themselves gives it to connect the account, too.
#[tokio::test]
async fn h6_the_proof_of_an_old_account_includes_its_second_factor() {
    let house = House::bare().await;
    let (owner, password) = house.administrator();
    let token = house.log_in(&owner, &password).await;
    let body = json!({ "isMfaEnabled": true, "selectedMfaMethod": "email" });
    let call = house.server.call(Method::PATCH, paths::USERS_ME_MFA).bearer(&token).json(body);
    call.send().await.ok();
    house
        .set_up(&house.ours, house.config(&json!({ "allowedEmailDomains": "localhost" })))
        .await
        .ok();
    let visit = house.browser();
    let claims = json!({ "sub": "owner", "email": owner });
    house.come_back(&visit, &claims).await;
    visit.log_in(&owner, &password, "/login/sso/connect").await;
    house.mailbox.take();
    let asked = visit.get("/login/sso/connect").await;
    assert!(asked.header("location").starts_with("/login/confirm?"), "{}", asked.text());
    let refused = visit.submit("/login/sso/connect", &[]).await;
    assert!(refused.header("location").starts_with("/login/confirm?"), "{}", refused.text());
    visit.follow(asked).await;
    let mail = house.mailbox.take().pop().unwrap();
    let is_code = |word: &&str| word.len() == 6 && word.bytes().all(|byte| byte.is_ascii_digit());
    let code = mail.text.split_whitespace().find(is_code).unwrap().to_owned();
    let fields = [("kind", "code"), ("code", &code), ("continue", "/login/sso/connect")];
    let given = visit.submit("/login/confirm/code", &fields).await;
    let page = visit.follow(given).await;
    assert!(page.text().contains("Connect and continue"), "{}", page.text());
    let done = visit.submit("/login/sso/connect", &[]).await;
    assert_eq!(done.header("location"), "/device", "{}", done.text());
}
