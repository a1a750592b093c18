//! The harness itself: what the other tests rely on.

use std::{thread, time::Duration};

use crate::{
    browser::{Browser, Script},
    driver::{family, runs},
    server::Server,
};

#[test]
fn a_page_loads_and_its_requests_are_seen() {
    let server = Server::start();
    let browser = Browser::open();
    browser.goto(&server.page("/api/status"));
    browser.expect_url(&server.url).expect("\"message\":\"Ok\"");
    assert!(browser.cookies().is_empty());
    assert_eq!(server.credential("/url"), server.url);
    assert!(server.folder().join("credentials.json").exists());
    let requests = browser.requests();
    assert_eq!(requests.first(), Some(&server.page("/api/status")), "{requests:?}");
    browser.forgive("/favicon.ico");
}

#[test]
fn fields_and_buttons_are_found_by_the_names_that_are_said_of_them() {
    let browser = Browser::open();
    browser.goto(
        "data:text/html;charset=utf-8,<!doctype html><html lang=en><meta name=color-scheme content='light dark'>\
         <meta name=viewport content='width=device-width'><title>Form · Hanzo KMS</title>\
         <style>*{font:16px sans-serif}body{background:canvas}</style><main><h1>Form</h1>\
         <label for=name>Your name</label> <input id=name value=old autocomplete=name>\
         <label>Place <select><option>Here<option>There</select></label>\
         <label><input type=checkbox> Remember</label>\
         <button onclick=\"this.textContent = 'Hello ' + document.getElementById('name').value\">\
         Greet</button> <button onclick=\"this.textContent = 'Pressed'\">Press</button>",
    );
    browser.fill("Your name", "Ada").choose("Place", "There").click("Remember").click("Greet");
    browser.expect("Hello Ada");
    assert!(browser.shows("Hello Ada") && !browser.shows("Greet"));
    let chosen = browser.run("return document.querySelector('select').value");
    assert_eq!(chosen, "There");
    assert_eq!(browser.run_async("return document.querySelectorAll(':checked').length"), 2);
    assert_eq!(browser.press("\u{e004}").focused(), "Press");
    browser.press("\u{e007}").expect("Pressed");
    assert!(browser.source().contains("<h1>Form</h1>"));
    browser.screenshot("harness");
    assert_eq!(browser.run("return innerWidth"), 1000);
}

#[test]
fn a_passkey_can_be_made_and_moved() {
    let server = Server::start();
    let browser = Browser::open();
    browser.goto(&server.page("/api/status")).forgive("/favicon.ico");
    let device = browser.authenticator();
    assert!(device.credentials().is_empty());
    let make = "const made = await navigator.credentials.create({ publicKey: {
            rp: { name: 'Test' }, user: { id: new Uint8Array(8), name: 'a', displayName: 'a' },
            challenge: new Uint8Array(32), pubKeyCredParams: [{ type: 'public-key', alg: -7 }],
            authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
        } });
        return made.id;";
    let id = browser.run_async(make);
    let held = device.credentials();
    assert_eq!(held[0]["credentialId"], id);
    assert_eq!(held[0]["rpId"], "localhost");
    device.recognises(false);
    assert!(browser.run_async(make).as_str().unwrap().starts_with("NotAllowedError"));
    device.remove();
    let another = browser.authenticator();
    another.put(&held[0]);
    assert_eq!(another.credentials()[0]["credentialId"], id);
}

#[test]
fn scripts_run_only_where_they_may() {
    let page = "data:text/html,<title>no script</title><script>document.title='script'</script>";
    for (script, title) in [(Script::On, "script"), (Script::Off, "no script")] {
        let browser = Browser::open_with(script);
        browser.goto(page);
        assert_eq!(browser.title(), title);
    }
}

#[test]
fn what_pages_complain_about_is_collected() {
    let browser = Browser::open();
    browser.goto(
        "data:text/html,<meta http-equiv=content-security-policy content=\"default-src 'none'\">\
         <img src=http://example.com/x.png>",
    );
    let complaints = browser.complaints();
    assert!(
        complaints.iter().any(|text| text.contains("Content Security Policy")),
        "{complaints:?}"
    );
    assert_eq!(browser.requests().last().unwrap(), "http://example.com/x.png", "an attempt counts");
    browser.forgive("Content Security Policy");
}

#[test]
fn nothing_outlives_a_browser_even_when_its_driver_is_killed() {
    let ended = |processes: Vec<u32>| {
        for _ in 0..500 {
            if !processes.iter().any(|id| runs(*id)) {
                return true;
            }
            thread::sleep(Duration::from_millis(20));
        }
        false
    };
    let browser = Browser::open();
    let processes = family(browser.driver().id());
    assert!(processes.len() > 3, "{processes:?}");
    drop(browser);
    assert!(ended(processes));

    let browser = Browser::open();
    let driver = browser.driver().id();
    let processes = family(driver);
    nix::sys::signal::kill(
        nix::unistd::Pid::from_raw(driver.try_into().unwrap()),
        nix::sys::signal::Signal::SIGKILL,
    )
    .unwrap();
    assert!(ended(processes));
}
