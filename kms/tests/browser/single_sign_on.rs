//! Signing in at an organization's identity provider, a certified one, set up by the command line.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

use crate::{
    browser::{Browser, Script},
    command_line::{Person, confirm},
    server::Server,
};

const SECRET: &str = "provider-secret-5f0c";
const PERSON: &str = "grace@corp.example";

/// `oidc-provider` of npm, as `conformance/node` pins it, at which one person is always signed in.
struct Provider {
    process: Child,
    url: String,
    /// It goes on writing, and ends when nobody reads.
    _output: BufReader<ChildStdout>,
}

impl Provider {
    fn start(server: &Server, person: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../conformance/node");
        let is_installed = folder.join("node_modules/oidc-provider").is_dir();
        assert!(is_installed, "run `scripts/needs` for the pinned packages of conformance/node");
        let mut process = Command::new("node")
            .arg("identity-provider.js")
            .args(["kms", SECRET, &server.page("/login/sso/callback"), person])
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut url = String::new();
        output.read_line(&mut url).unwrap();
        Self { process, url: url.trim().to_owned(), _output: output }
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Runs the command line with something on its standard input; answers what it prints.
fn kms(server: &Server, arguments: &[&str], input: &str) -> String {
    let mut child = Command::new(env!("CARGO_BIN_EXE_kms"))
        .args(arguments)
        .args(["--domain", &server.url])
        .env_clear()
        .env("HOME", server.folder())
        .env("KMS_CONFIG_DIR", server.folder().join("config"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "kms {}: {said}", arguments.join(" "));
    String::from_utf8(output.stdout).unwrap()
}

/// The flag with a token of the machine that administers the organization.
fn token(server: &Server) -> String {
    let id = format!("--client-id={}", server.credential("/machineIdentity/clientId"));
    let secret = server.credential("/machineIdentity/clientSecret");
    let flags = ["--method=universal-auth", "--plain", "--silent", "--client-secret-stdin", &id];
    let printed = kms(server, &[&["login"], &flags[..]].concat(), secret);
    format!("--token={}", printed.trim())
}

/// Sets the provider up.
fn set_up(server: &Server, provider: &Provider) {
    let token = token(server);
    let document = format!("--discovery-url={}/.well-known/openid-configuration", provider.url);
    let set = [
        "organizations",
        "sso",
        "set",
        &document,
        "--client-id=kms",
        "--client-secret-stdin",
        "--domains=corp.example",
        "--output=json",
        &token,
    ];
    let said = kms(server, &set, SECRET);
    assert!(!said.contains(SECRET), "{said}");
    let show = kms(server, &["organizations", "sso", "show", &token], "");
    assert!(show.contains(&server.page("/login/sso/callback")), "{show}");
}

#[test]
fn a_person_of_the_organization_signs_in_and_out() {
    let server = Server::start();
    let provider = Provider::start(&server, PERSON);
    set_up(&server, &provider);
    for script in [Script::On, Script::Off] {
        let browser = Browser::open_with(script);
        browser.goto(&server.page("/account")).click("Sign in with your organization");
        browser.expect_url(&server.page("/login/sso"));
        if script == Script::On {
            browser.screenshot("sso");
        }
        let organization = server.credential("/organization/slug");
        browser.fill("Organization, or your e-mail address there", organization);
        browser.click("Continue");
        browser.expect_url(&server.page("/account")).expect(PERSON);
        // What led here is gone, and what is left no script and no other site gets.
        let cookies = browser.cookies();
        assert_eq!(cookies.len(), 1, "{cookies:?}");
        assert_eq!(cookies[0]["name"], "kms_page");
        assert_eq!(cookies[0]["sameSite"], "Strict");
        assert_eq!(cookies[0]["httpOnly"], true);
    }
}

/// The browser is recommended where single sign-on is set up.
#[test]
fn a_terminal_is_logged_in_through_the_provider() {
    let server = Server::start();
    let provider = Provider::start(&server, PERSON);
    set_up(&server, &provider);
    let (person, browser) = (Person::at(&server), Browser::open());
    let (terminal, address) = person.waits(&[]);
    browser.goto(&address).click("Sign in with your organization");
    let organization = server.credential("/organization/slug");
    browser.fill("Organization, or your e-mail address there", organization);
    browser.click("Continue");
    confirm(&browser);
    terminal.finish().with(0).says(&format!("You are now logged in as {PERSON} in "));
}

#[test]
fn h6_an_account_that_was_there_is_connected_by_its_password_alone() {
    let server = Server::start();
    let provider = Provider::start(&server, "dev@localhost");
    set_up(&server, &provider);
    let browser = Browser::open();
    let begin = || {
        browser.goto(&server.page("/login/sso?continue=%2Faccount"));
        let organization = server.credential("/organization/slug");
        browser.fill("Organization, or your e-mail address there", organization);
        browser.click("Continue");
    };
    begin();
    // The domain is not among those that the provider may vouch for.
    browser.expect("does not take addresses of that domain").forgive("400");
    kms(&server, &["organizations", "sso", "set", "--domains=localhost", &token(&server)], "");
    begin();
    browser.expect_url(&server.page("/login/sso/connect")).expect("There is an account");
    browser.screenshot("sso-connect");
    browser.click("Log in with the account's password").log_in(&server);
    browser.expect_url(&server.page("/login/sso/connect")).click("Connect and continue");
    browser.expect_url(&server.page("/account"));
    // From now on nothing is asked.
    let another = Browser::open();
    another.goto(&server.page("/login/sso"));
    another.fill("Organization, or your e-mail address there", "dev@localhost");
    another.click("Continue");
    another.expect_url(&server.page("/account")).expect("dev@localhost");
}
