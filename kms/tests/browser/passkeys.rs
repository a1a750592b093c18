//! Passkeys, with a device inside the browser.

use std::net::TcpListener;

use crate::{
    authenticator::Authenticator,
    browser::{Browser, Script},
    server::Server,
};

/// What a page that is answered with an error adds to the console.
const BAD: &str = "status of 400";
const FORM: &str = "application/x-www-form-urlencoded";

/// Logs in by password and adds a passkey.
fn add<'a>(browser: &'a Browser, server: &Server, name: &str) -> Authenticator<'a> {
    let device = browser.authenticator();
    browser.at_home(server).click("Passkeys").expect("You have none yet.");
    browser.click("Add a passkey").fill("Name", name).click("Add it");
    browser.expect_url(&server.page("/account/passkeys")).expect(name).expect("not used yet");
    device
}

#[test]
fn a_passkey_is_added_logs_in_is_renamed_and_removed() {
    let server = Server::start();
    let browser = Browser::open();
    let device = add(&browser, &server, "My laptop");
    assert_eq!(device.credentials()[0]["isResidentCredential"], true);
    assert_eq!(device.credentials()[0]["rpId"], "localhost");
    browser.screenshot("passkeys").log_out(&server);
    browser.screenshot("login");

    browser.click("Log in with a passkey").expect_url(&server.page("/account"));
    browser.goto(&server.page("/account/passkeys")).expect("used last on");
    browser.click("Rename or remove").screenshot("passkeys-rename");
    browser.fill("New name of My laptop", "Work").click("Rename").expect("Work");
    browser.click("Rename or remove").click("Remove Work").expect("You have none yet.");

    browser.log_out(&server).forgive(BAD);
    browser.click("Log in with a passkey").expect("This passkey was not accepted");
    assert!(browser.url().starts_with(&server.page("/login")));
    browser.screenshot("login-refused");
}

#[test]
fn a_passkey_is_the_second_factor_that_its_owner_asks_for() {
    let server = Server::start();
    let browser = Browser::open();
    let device = add(&browser, &server, "Key");
    // Added by password; from now on a password alone changes nothing of it (attack H5).
    browser.goto(&server.page("/account/passkeys")).click("Rename or remove").click("Remove Key");
    browser.expect("Confirm it is you").expect("use a passkey");
    browser.screenshot("confirm-passkey");
    browser.click("Use a passkey").expect_url(&server.page("/account/passkeys"));
    browser.goto(&server.page("/account/second-factor")).click("Always: a passkey").click("Save");
    browser.expect_url(&server.page("/account")).expect("Asked for always: a passkey");

    browser.log_out(&server).at_home(&server);
    let organization = server.credential("/organization/id");
    browser.goto(&server.page(&format!("/login/factor?organization={organization}")));
    browser.expect("asks for a passkey").screenshot("factor-passkey");
    device.recognises(false);
    browser.click("Use a passkey").expect("It was cancelled, or took too long.");
    device.recognises(true);
    browser.click("Use a passkey").expect_url(&server.page("/account"));
}

#[test]
fn without_javascript_the_pages_say_what_else_works() {
    let server = Server::start();
    let browser = Browser::open_with(Script::Off);
    browser.goto(&server.page("/login")).expect("Passkeys need JavaScript");
    assert!(!browser.shows("Log in with a passkey"));
    browser.screenshot("login-without-javascript");
    browser.at_home(&server).click("Passkeys").click("Add a passkey");
    browser.expect("Passkeys need JavaScript");
    assert!(!browser.shows("Add it"));
}

/// What the page asks the device for, and what the device answers to it.
fn answered(browser: &Browser) -> (String, String) {
    let asked = browser.run(
        "const form = document.querySelector('form[data-passkey]');
         return { state: form.elements.state.value, options: form.dataset.options };",
    );
    let script = format!(
        "const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON({});
         const made = await navigator.credentials.get({{ publicKey }});
         return JSON.stringify(made.toJSON());",
        asked["options"].as_str().unwrap()
    );
    let answer = browser.run_async(&script);
    let answer = answer.as_str().unwrap();
    assert!(answer.starts_with('{'), "{answer}");
    (asked["state"].as_str().unwrap().to_owned(), answer.to_owned())
}

/// Sends an answer as the login page would: the status, and whether somebody is signed in.
fn send(server: &Server, state: &str, answer: &str) -> (u16, bool) {
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("state", state), ("response", answer)])
        .finish();
    let headers = [("origin", server.url.as_str()), ("content-type", FORM)];
    let answer = server.ask("POST /login/passkey", &headers, &body);
    (answer.status, answer.head.contains("set-cookie: kms_page=ey"))
}

#[test]
fn h3_an_answer_that_was_overheard_is_worth_nothing_a_second_time() {
    let server = Server::start();
    let browser = Browser::open();
    let _device = add(&browser, &server, "Key");
    browser.log_out(&server);
    let (state, answer) = answered(&browser);
    assert_eq!(send(&server, &state, &answer), (303, true));
    assert_eq!(send(&server, &state, &answer), (400, false));
}

/// The name `localhost` is the same for both servers and the device knows no ports: what tells them
/// apart is the origin of the page.
#[test]
fn j5_an_answer_that_another_page_got_is_refused() {
    let (server, other) = (Server::start(), Server::start());
    let browser = Browser::open();
    let device = add(&browser, &server, "Key");
    browser.log_out(&server);
    let ours = browser.run("return document.querySelector('form[data-passkey]').dataset.options");
    let state = browser.run("return document.querySelector('[name=state]').value");
    // The other page asks for what our page would have asked for.
    browser.goto(&other.page("/login"));
    browser.run(&format!(
        "document.querySelector('form[data-passkey]').dataset.options = JSON.stringify({})",
        ours.as_str().unwrap()
    ));
    let (_, answer) = answered(&browser);
    let state = state.as_str().unwrap();
    assert_eq!(send(&server, state, &answer), (400, false));
    assert_eq!(send(&other, state, &answer), (400, false));
    assert_eq!(device.credentials().len(), 1);
}

#[test]
fn a_copied_passkey_is_noticed_by_its_counter() {
    let server = Server::start();
    let browser = Browser::open();
    let device = add(&browser, &server, "Key");
    let copy = device.credentials().remove(0);
    browser.log_out(&server).click("Log in with a passkey").expect_url(&server.page("/account"));
    device.remove();
    // As it was before that login.
    let clone = browser.authenticator();
    clone.put(&copy);
    browser.log_out(&server).forgive(BAD);
    browser.click("Log in with a passkey").expect("This passkey was not accepted");
}

#[test]
fn h5_a_device_that_does_not_recognise_its_user_logs_nobody_in() {
    let server = Server::start();
    let browser = Browser::open();
    let device = add(&browser, &server, "Key");
    browser.log_out(&server);
    device.recognises(false);
    browser.click("Log in with a passkey").expect("It was cancelled, or took too long.");
    browser.screenshot("login-passkey-cancelled");
    assert!(browser.url().starts_with(&server.page("/login")));
}

/// By the address of a machine instead of its name there are no passkeys, and the pages say so.
#[test]
fn at_a_number_instead_of_a_name_the_pages_say_that_there_are_none() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let site = format!("http://{free}");
    let server = Server::start_with(&["--public-url", &site], &[("KMS_LISTEN", &free.to_string())]);
    let browser = Browser::open();
    browser.goto(&server.page("/login"));
    assert!(!browser.shows("Log in with a passkey") && !browser.text().contains("asskey"));
    browser.at_home(&server).click("Passkeys").expect("do not work at the address of this server");
    assert!(!browser.shows("Add a passkey"));
}
