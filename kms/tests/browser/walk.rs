//! Every page, looked at: in light and dark, on a desk and on a phone, and checked each time for what
//! it owes to everybody ([`crate::accessible`]). The pictures are in `target/screenshots/`.

use serde_json::json;

use crate::{
    browser::{Browser, Script},
    server::Server,
};

/// What Chromium writes to the console about a page that is answered with an error.
const BAD: &str = "status of 400";

/// A program's request whose answer is a code to be pasted, at a page of the server.
pub(crate) fn paste_request(server: &Server, host: &str) -> String {
    let answer = server.page("/oauth/code");
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("response_type", "code"),
            ("client_id", "kms-cli"),
            ("redirect_uri", &answer),
            // The base64url SHA-256 of nobody's verifier: 32 bytes.
            ("code_challenge", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
            ("code_challenge_method", "S256"),
            ("state", "state-of-the-test"),
            ("host", host),
        ])
        .finish();
    server.page(&format!("/oauth/authorize?{query}"))
}

/// Makes a second organization that the person is in, with one below the first.
pub(crate) fn more_places(server: &Server) {
    let token = server.token();
    let made = server.post("/api/v1/sub-organizations", &token, &json!({ "name": "team-two" }));
    assert_eq!(made.status, 200, "{}", made.body);
    let made = server.post("/api/v2/organizations", &token, &json!({ "name": "Other place" }));
    assert_eq!(made.status, 200, "{}", made.body);
}

/// Everything that was asked for came from the server itself.
#[track_caller]
fn asked_nobody_else(browser: &Browser, server: &Server) {
    for url in browser.requests() {
        let is_ours = url.starts_with(&format!("{}/", server.url)) || url.starts_with("data:,");
        assert!(is_ours, "{url}");
    }
}

#[test]
fn pages_that_strangers_see() {
    let server = Server::start_with(&["--print-mail"], &[]);
    let browser = Browser::open();
    browser.goto(&server.page("/login"));
    let asked = browser.requests();
    let pages: Vec<_> = asked.iter().filter(|url| !url.starts_with("data:")).collect();
    assert_eq!(pages, [&server.page("/login")], "one answer is the whole page");
    browser.forgive(BAD);
    browser.fill("E-mail address", server.email()).fill("Password", "not this one");
    browser.click("Log in").expect("wrong").screenshot("login-wrong");
    browser.goto(&server.page("/login?continue=%2Fdevice")).screenshot("login-for-a-device");
    browser.goto(&server.page("/password-reset")).screenshot("password-reset");
    browser.fill("E-mail address", server.email()).click("Mail me a link");
    browser.expect_url(&server.page("/password-reset/sent")).screenshot("password-reset-sent");
    // Only who is invited gets an account here; the page says so.
    browser.forgive("status of 403").goto(&server.page("/signup")).screenshot("signup-closed");
    browser.goto(&server.page("/oauth/code?error=access_denied")).screenshot("code-denied");
    browser.forgive("status of 404").goto(&server.page("/nowhere"));
    browser.expect("There is no such page").screenshot("not-found");
    asked_nobody_else(&browser, &server);
}

#[test]
fn pages_of_the_account() {
    let server = Server::start_with(&["--print-mail"], &[]);
    let browser = Browser::open();
    browser.at_home(&server).screenshot("account");
    for (path, name) in [
        ("/account/sessions", "account-sessions"),
        ("/account/password", "account-password"),
        ("/account/authenticator", "account-authenticator"),
        ("/account/second-factor", "account-second-factor"),
        ("/account/passkeys", "account-passkeys-none"),
        ("/account/passkeys/new", "account-passkeys-new"),
        ("/verify", "verify"),
    ] {
        browser.goto(&server.page(path)).screenshot(name);
        assert!(browser.url().starts_with(&server.page(path)), "{} {path}", browser.url());
    }
    asked_nobody_else(&browser, &server);
}

#[test]
fn an_authenticator_app_from_the_first_code_to_the_login_that_asks_for_one() {
    let server = Server::start();
    let browser = Browser::open();
    browser.at_home(&server).click("Authenticator app").click("Set it up");
    browser.expect("Scan this with the app").screenshot("authenticator-new");
    let secret = browser.run("return document.querySelector('.secret').textContent");
    let secret: String = secret.as_str().unwrap().split_whitespace().collect();
    let code = || {
        let link = format!("otpauth://totp/test?secret={secret}");
        let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
        totp_rs::Totp::from_url(&link).unwrap().generate(now).to_string()
    };
    browser.forgive(BAD).fill("Code", "000000").click("Confirm").expect("Invalid code");
    browser.screenshot("authenticator-wrong");
    browser.fill("Code", &code()).click("Confirm").expect("Keep these where you keep");
    browser.screenshot("recovery-codes");
    let recovery = browser.run("return document.querySelector('.codes li').textContent");
    browser.goto(&server.page("/account/recovery-codes")).screenshot("recovery-codes-again");
    browser.goto(&server.page("/account/second-factor"));
    browser.click("Always: a code of my authenticator app").click("Save");
    browser.expect("Asked for always: a code of your authenticator app");

    browser.log_out(&server).at_home(&server);
    let organization = server.credential("/organization/id");
    browser.goto(&server.page(&format!("/login/factor?organization={organization}")));
    browser.expect("asks for a code of your authenticator app").screenshot("factor-app");
    browser.fill("Code", "000000").click("Continue").expect("Invalid code");
    browser.screenshot("factor-app-wrong");
    browser.click("Use a recovery code").screenshot("factor-recovery");
    browser.fill("Recovery code", recovery.as_str().unwrap()).click("Use it");
    browser.expect_url(&server.page("/account"));
}

#[test]
fn pages_that_a_program_leads_to() {
    let server = Server::start();
    let browser = Browser::open();
    browser.at_home(&server);
    let request = paste_request(&server, "laptop-of-ada");
    browser.goto(&request).expect("Log in your terminal?").screenshot("authorize");
    more_places(&server);
    browser.goto(&request).expect("Choose an organization").screenshot("places");
    browser.click("team-two").click("Continue").expect("team-two").click("Confirm");
    browser.expect("Paste this code into your terminal").screenshot("code");
    browser.goto(&server.page("/login?callback_port=49152")).screenshot("places-hand-over");
    browser.click("Continue").expect("Hand over to port 49152").screenshot("hand-over");
    browser.goto(&server.page("/device")).screenshot("device");
    browser.forgive(BAD).fill("Code", "BCDF-GHJK").click("Continue").screenshot("device-wrong");
    browser.goto(&server.page("/oauth/authorize?client_id=evil")).screenshot("authorize-refused");
    asked_nobody_else(&browser, &server);
}

#[test]
fn a_device_is_approved_on_a_page_that_says_what_asks() {
    let server = Server::start();
    let browser = Browser::open();
    let kind = ("content-type", "application/x-www-form-urlencoded");
    let body = "client_id=kms-cli&host=build-machine";
    let asked = server.ask("POST /oauth/device", &[kind], body).json();
    let code = asked["user_code"].as_str().unwrap();
    browser.goto(&server.page(&format!("/device?user_code={code}"))).log_in(&server);
    browser.expect("Log in a device").screenshot("device-with-code");
    browser.click("Continue").expect("Approve this login?").expect("build-machine").expect(code);
    browser.screenshot("device-confirm");
    browser.click("Approve");
    browser.screenshot("device-approved");
    asked_nobody_else(&browser, &server);
}

#[test]
fn without_javascript_a_person_logs_in_chooses_and_confirms() {
    let server = Server::start();
    more_places(&server);
    let browser = Browser::open_with(Script::Off);
    browser.goto(&paste_request(&server, "laptop")).expect("to go on in the terminal");
    browser.log_in(&server).expect("Choose an organization").click("Other place").click("Continue");
    browser.expect("Log in your terminal?").expect("Other place").click("Confirm");
    browser.expect("Paste this code into your terminal");
    asked_nobody_else(&browser, &server);
}

const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";

#[test]
fn with_the_keyboard_alone_a_person_logs_in_and_confirms() {
    let server = Server::start();
    let browser = Browser::open();
    browser.goto(&paste_request(&server, "laptop"));
    assert_eq!(browser.focused(), "E-mail address");
    browser.press(server.email()).press(TAB);
    assert_eq!(browser.focused(), "Password");
    browser.press(server.password()).press(ENTER).expect("Log in your terminal?");
    for step in 0.. {
        assert!(step < 10, "the button is out of reach");
        browser.press(TAB);
        if browser.focused() == "Confirm" {
            break;
        }
    }
    browser.press(ENTER).expect("Paste this code into your terminal");
}

#[test]
fn l11_what_a_program_says_of_itself_is_text() {
    let server = Server::start();
    let browser = Browser::open();
    browser.at_home(&server);
    let host = "<b id=evil>x</b>\u{202e}<script>document.title='evil'</script>";
    browser.goto(&paste_request(&server, host)).expect("<b id=evil>x</b>");
    assert_eq!(browser.run("return document.querySelectorAll('#evil, dl script').length"), 0);
    assert!(!browser.text().contains('\u{202e}') && !browser.title().contains("evil"));
    browser.screenshot("authorize-hostile");
}
