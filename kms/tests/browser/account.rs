//! A person's own account, and an invitation, as people go through them.

use serde_json::{Value, json};

use crate::{
    browser::{Browser, Script},
    server::Server,
};

/// What Chromium writes to the console about a page that is answered with an error.
const BAD: &str = "status of 400";
const UNFIT: &str = "status of 422";
const GONE: &str = "status of 410";

const GRACE: &str = "grace@example.test";
const PASSWORD: &str = "another horse battery";

/// A token of the server's person, in another organization of theirs; and its id.
fn token_elsewhere(server: &Server, name: &str) -> (String, String) {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let body = json!({ "name": name });
    let made = server.post("/api/v2/organizations", &server.token(), &body).json();
    let id = text(&made["organization"]["id"]);
    let body = json!({ "email": server.email(), "password": server.password() });
    let login = text(&server.post("/api/v3/auth/login", "", &body).json()["accessToken"]);
    let body = json!({ "organizationId": id });
    let chosen = server.post("/api/v3/auth/select-organization", &login, &body).json();
    (text(&chosen["token"]), id)
}

/// Invites Grace; the link that a server without mail answers.
fn invite(server: &Server, token: &str, organization: &str) -> String {
    let body = json!({ "organizationId": organization, "inviteeEmails": [GRACE] });
    let invited = server.post("/api/v1/invite-org/signup", token, &body).json();
    invited["completeInviteLinks"][0]["link"].as_str().unwrap().to_owned()
}

#[test]
fn a_person_sees_their_sessions_ends_them_and_changes_the_password() {
    let server = Server::start();
    let (browser, _token) = (Browser::open(), server.token());
    browser.at_home(&server).click("Sessions").expect("(this browser)");
    browser.expect("Unknown program").screenshot("sessions");
    browser.click("End Unknown program at 127.0.0.1").expect_url(&server.page("/account/sessions"));
    assert!(!browser.text().contains("Unknown program"), "{}", browser.text());
    server.token();
    browser.goto(&server.page("/account/sessions")).click("End all others");
    browser.expect_url(&server.page("/account/sessions")).expect("(this browser)");
    assert!(!browser.shows("End all others"), "{}", browser.text());

    browser.forgive(BAD).forgive(UNFIT).click("Your account").click("Password");
    browser.fill("Present password", "not this one").fill("New password", PASSWORD);
    browser.click("Change it").expect("The present password is wrong.");
    browser.screenshot("account-password-wrong");
    browser.fill("Present password", server.password()).fill("New password", "password1");
    browser.click("Change it").expect("The new password is one of the most common passwords");
    browser.fill("Present password", server.password()).fill("New password", PASSWORD);
    browser.click("Change it").expect("Your password is changed").screenshot("password-changed");
    browser.click("Log in").fill("E-mail address", server.email()).fill("Password", PASSWORD);
    browser.click("Log in").expect_url(&server.page("/account"));
}

/// Without JavaScript, too.
#[test]
fn somebody_who_is_invited_completes_an_account_and_accepts_the_next_one_with_it() {
    let server = Server::start();
    let first = invite(&server, &server.token(), server.credential("/organization/id"));
    let browser = Browser::open_with(Script::Off);
    browser.forgive(UNFIT).forgive(GONE).goto(&first).expect("Join ").screenshot("invitation-new");
    browser.fill("First name", "Grace").fill("Password", GRACE).click("Join");
    browser.expect("The password must not be your address").screenshot("invitation-poor");
    browser.fill("Password", PASSWORD).click("Join").expect("You are in");
    browser.expect("kms login --domain ").screenshot("welcome");
    browser.goto(&first).expect("This link is not valid any more").screenshot("link-gone");

    let (token, organization) = token_elsewhere(&server, "Other place");
    let second = invite(&server, &token, &organization);
    browser.goto(&second).expect("is invited to the organization Other place");
    browser.screenshot("invitation-own").click("Not now").expect_url(&server.page("/account"));
    browser.log_out(&server).at_home(&server);
    browser.goto(&second).expect("This browser is logged in as").screenshot("invitation-others");
    browser.click(&format!("Log in as {GRACE}")).expect("to accept an invitation");
    browser.goto(&second).expect("Log in with it to join").screenshot("invitation-known");
    browser.click("Log in").fill("E-mail address", GRACE).fill("Password", PASSWORD);
    browser.click("Log in").expect("is invited to the organization Other place");
    browser.click("Join").expect("Other place").expect("You are in");
}

/// What a page behind a mailed link leads to never tells others where it came from.
#[test]
fn h11_no_request_but_our_own_knows_the_link() {
    let server = Server::start();
    let link = invite(&server, &server.token(), server.credential("/organization/id"));
    let browser = Browser::open();
    browser.goto(&link).expect("Join ");
    for url in browser.requests() {
        let is_ours = url.starts_with(&format!("{}/", server.url)) || url.starts_with("data:,");
        assert!(is_ours, "{url}");
    }
    let leads = browser.run("return [...document.links].map(link => link.origin)");
    let ours = json!(server.url);
    assert!(leads.as_array().unwrap().iter().all(|origin| *origin == ours), "{leads}");
    let policy = browser.run("return document.referrer");
    assert_eq!(policy, "");
}
