//! What the browser itself is told to refuse (attack D8), as it does it.

use serde_json::Value;

use crate::{browser::Browser, http::Elsewhere, server::Server};

#[test]
fn d8_no_other_site_frames_a_page() {
    let server = Server::start();
    let browser = Browser::open();
    browser.at_home(&server);
    for path in ["/login", "/account", "/account/passkeys"] {
        let evil = Elsewhere::serve(&format!("<iframe src='{}'></iframe>", server.page(path)));
        browser.goto(&evil.url);
        let inside = browser.run(
            "const frame = document.querySelector('iframe');
             return frame.contentDocument === null ? 'nothing' : frame.contentDocument.title;",
        );
        assert_eq!(inside, "nothing", "{path}");
    }
    let complaints = browser.complaints();
    let refused = complaints.iter().filter(|text| text.contains("frame-ancestors")).count();
    assert_eq!(refused, 3, "{complaints:?}");
    browser.forgive("frame-ancestors");
}

#[test]
fn d8_the_cookie_is_out_of_reach_of_scripts_and_other_sites() {
    let server = Server::start();
    let browser = Browser::open();
    browser.at_home(&server);
    let cookies = browser.cookies();
    assert_eq!(cookies.len(), 1, "{cookies:?}");
    let cookie = &cookies[0];
    assert_eq!((&cookie["name"], &cookie["path"]), (&"kms_page".into(), &"/".into()));
    assert_eq!((&cookie["httpOnly"], &cookie["sameSite"]), (&true.into(), &"Strict".into()));
    // Of this host alone: a domain with a dot in front would be of those below it, too.
    assert_eq!(cookie["domain"], "localhost");
    assert_eq!(browser.run("return document.cookie"), "");
    assert_eq!(browser.run("return localStorage.length + sessionStorage.length"), 0);

    // A link from elsewhere arrives without it, and so does a form, which is refused besides.
    let form = format!(
        "<form method=post action='{}'><button>Go</button></form><a href='{}'>Look</a>",
        server.page("/logout"),
        server.page("/account")
    );
    let evil = Elsewhere::serve(&form);
    browser.goto(&evil.url).click("Look").expect_url(&server.page("/login"));
    browser.goto(&evil.url).forgive("status of 403").click("Go").expect_url(&server.page("/"));
    browser.goto(&server.page("/account")).expect("Your account");
}

#[test]
fn d8_what_is_put_into_a_page_neither_runs_nor_loads() {
    let server = Server::start();
    let browser = Browser::open();
    browser.goto(&server.page("/login"));
    browser.run(
        "const script = document.createElement('script');
         script.textContent = \"document.title = 'evil'\";
         document.body.append(script);
         document.body.insertAdjacentHTML('beforeend', `
            <img src='http://127.0.0.1:9/x.png' onerror=\"document.title = 'evil'\">
            <style>h1 { display: none }</style>
            <form action='http://127.0.0.1:9/' method=post><button id=out>Out</button></form>`);",
    );
    browser.click("Out").expect("Log in");
    assert_eq!(browser.title(), "Log in · Hanzo KMS");
    assert_eq!(
        browser.run("return getComputedStyle(document.querySelector('h1')).display"),
        "block"
    );
    assert!(browser.url().starts_with(&server.url));
    let complaints = browser.complaints();
    for directive in ["script-src", "img-src", "style-src", "form-action"] {
        let is_refused = complaints.iter().any(|text| text.contains(directive));
        assert!(is_refused, "{directive}: {complaints:#?}");
    }
    browser.forgive("Content Security Policy");
}

#[test]
fn l7_a_link_to_the_login_leads_nowhere_else() {
    let server = Server::start();
    let browser = Browser::open();
    for target in
        ["https://example.com/", "//example.com/", "/\\example.com", "javascript:alert(1)"]
    {
        let target = form_urlencoded::byte_serialize(target.as_bytes()).collect::<String>();
        browser.goto(&server.page(&format!("/login?continue={target}"))).log_in(&server);
        browser.expect_url(&server.page("/account")).log_out(&server);
    }
}

#[test]
fn nothing_of_a_page_is_kept_after_logging_out() {
    let server = Server::start();
    let browser = Browser::open();
    browser.at_home(&server).goto(&server.page("/account/sessions"));
    browser.log_out(&server);
    browser.run("history.go(-2)");
    browser.expect("Log in");
    assert!(!browser.text().contains(server.email()));
    assert_eq!(browser.cookies(), Vec::<Value>::new());
}
