//! `kms login` at its own server: the program on a terminal, the person in Chromium.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpListener,
    process::{Command, Output, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    browser::{Browser, Script},
    opener::Opener,
    server::Server,
    terminal::{CTRL_C, Terminal},
    walk::more_places,
};

/// Somebody's files, with a vault that needs no keyring.
pub(crate) struct Person {
    files: tempfile::TempDir,
    url: String,
}

impl Person {
    pub(crate) fn at(server: &Server) -> Self {
        let person = Self { files: tempfile::tempdir().unwrap(), url: server.url.clone() };
        assert!(person.run(&["vault", "set", "file"]).status.success());
        person
    }

    fn environment(&self) -> [(&str, &str); 3] {
        [
            ("KMS_CONFIG_DIR", self.files.path().to_str().unwrap()),
            ("KMS_VAULT_FILE_PASSPHRASE", "passphrase-of-tests"),
            ("INFISICAL_API_URL", &self.url),
        ]
    }

    /// Runs a command where nobody can be asked.
    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kms"));
        command.args(args).env_clear().envs(self.environment()).stdin(Stdio::null());
        command
    }

    /// Starts `kms login` on a terminal.
    fn start(&self, args: &[&str], more: &[(&str, &str)]) -> Terminal {
        let environment: Vec<_> =
            self.environment().into_iter().chain(more.iter().copied()).collect();
        Terminal::start(&[&["login"], args].concat(), &environment)
    }

    /// Starts it with a browser of this machine, and says where that is sent.
    #[track_caller]
    pub(crate) fn waits(&self, args: &[&str]) -> (Terminal, String) {
        let opener = Opener::new();
        let terminal = self.start(args, &[("BROWSER", &opener.program())]);
        let address = opener.address();
        (terminal, address)
    }

    #[track_caller]
    fn is_logged_in(&self, server: &Server) {
        let status = self.run(&["login", "status", "--json"]);
        let status: Value = serde_json::from_slice(&status.stdout).unwrap();
        let session = &status["sessions"][0];
        assert_eq!(session["status"], "authenticated");
        assert_eq!(session["verification"]["state"], "verified", "{session}");
        assert_eq!(session["email"], server.email());
        let me = self.run(&["whoami"]);
        let me = String::from_utf8(me.stdout).unwrap();
        assert!(me.contains(&format!("Name: {}", server.email())), "{me}");
        assert!(me.contains("renewed in silence"), "{me}");
        let secrets = self.run(&["secrets", "--projectId", server.credential("/project/id")]);
        assert!(secrets.status.success(), "{}", String::from_utf8_lossy(&secrets.stderr));
    }
}

/// Confirms on the page, and is sent back to the program.
#[track_caller]
pub(crate) fn confirm(browser: &Browser) {
    browser.expect("Log in your terminal?").click("Confirm");
    browser.expect_url("http://127.0.0.1:").expect("You can close this window");
}

#[test]
fn a_login_opens_the_browser_and_ends_at_the_terminal() {
    for script in [Script::On, Script::Off] {
        let server = Server::start();
        let (person, browser) = (Person::at(&server), Browser::open_with(script));
        let (mut terminal, address) = person.waits(&[]);
        terminal.expect(&address);
        browser.goto(&address).log_in(&server);
        browser.expect(nix::unistd::gethostname().unwrap().to_str().unwrap());
        confirm(&browser);
        browser.screenshot("back-at-the-terminal");
        let ended = terminal.finish().with(0);
        assert_eq!(ended.stdout, "");
        ended.says(&format!("You are now logged in as {} in ", server.email()));
        person.is_logged_in(&server);
    }
}

#[test]
fn somebody_who_is_logged_in_there_only_confirms() {
    let server = Server::start();
    let (person, browser) = (Person::at(&server), Browser::open());
    browser.at_home(&server);
    for _ in 0..3 {
        let (terminal, address) = person.waits(&["--plain", "--silent"]);
        browser.goto(&address).expect("Log in your terminal?");
        let started = Instant::now();
        browser.click("Confirm");
        let ended = terminal.finish().with(0);
        let took = started.elapsed();
        assert_eq!(ended.stdout.split('.').count(), 3, "a token and nothing else");
        // What the driver takes to find the button is in it, and so is an unoptimised build.
        assert!(took < Duration::from_secs(3), "{took:?}");
    }
    person.is_logged_in(&server);
}

#[test]
fn the_organization_is_chosen_in_the_browser() {
    let server = Server::start();
    more_places(&server);
    let (person, browser) = (Person::at(&server), Browser::open());
    let (terminal, address) = person.waits(&[]);
    browser.goto(&address).log_in(&server).expect("Where will the program in your terminal act?");
    browser.click("team-two").click("Continue");
    confirm(&browser);
    terminal.finish().with(0).says("/ team-two at");
}

#[test]
fn l1_two_programs_wait_at_once_and_each_gets_its_own_answer() {
    let server = Server::start();
    let people = [Person::at(&server), Person::at(&server)];
    let browser = Browser::open();
    browser.at_home(&server);
    let first = people[0].waits(&[]);
    let second = people[1].waits(&[]);
    browser.goto(&second.1);
    confirm(&browser);
    second.0.finish().with(0);
    people[1].is_logged_in(&server);
    assert!(!people[0].run(&["login", "status"]).status.success(), "nobody is logged in there");
    browser.goto(&first.1);
    confirm(&browser);
    first.0.finish().with(0);
    people[0].is_logged_in(&server);
}

#[test]
fn l1_another_state_does_not_come_through() {
    let server = Server::start();
    let (person, browser) = (Person::at(&server), Browser::open());
    browser.at_home(&server).forgive("status of 404");
    let (terminal, address) = person.waits(&[]);
    let (before, rest) = address.split_once("&state=").unwrap();
    let (_, after) = rest.split_once('&').unwrap();
    browser.goto(&format!("{before}&state=another&{after}")).expect("Log in your terminal?");
    browser.click("Confirm").expect_url("http://127.0.0.1:").expect("Not Found");
    browser.goto(&address);
    confirm(&browser);
    terminal.finish().with(0);
}

#[test]
fn who_denies_is_not_logged_in() {
    let server = Server::start();
    let (person, browser) = (Person::at(&server), Browser::open());
    browser.at_home(&server);
    let (terminal, address) = person.waits(&[]);
    browser.goto(&address).expect("Log in your terminal?").click("Deny");
    browser.expect_url("http://127.0.0.1:").expect("Not logged in").screenshot("denied");
    terminal.finish().with(3).says("the login was denied in the browser");
    assert!(!person.run(&["login", "status"]).status.success());
}

#[test]
fn who_closes_the_tab_ends_the_wait_at_the_terminal() {
    let server = Server::start();
    let person = Person::at(&server);
    let browser = Browser::open();
    let (mut terminal, address) = person.waits(&[]);
    browser.goto(&address).expect("Log in");
    drop(browser);
    terminal.expect("Waiting for the browser").wait_for_raw_mode().send(CTRL_C);
    terminal.finish().with(130);
}

#[test]
fn a_code_is_typed_in_another_browser() {
    let server = Server::start();
    let (person, browser) = (Person::at(&server), Browser::open());
    let mut terminal = person.start(&["--device"], &[]);
    let code = terminal.word_after("enter this code:");
    browser.goto(&server.page("/device")).log_in(&server);
    browser.fill("Code", &code).click("Continue").expect("Approve this login?").expect(&code);
    browser.expect(nix::unistd::gethostname().unwrap().to_str().unwrap());
    browser.click("Approve").expect("You may close this page");
    terminal.finish().with(0).says("You are now logged in as");
    person.is_logged_in(&server);
}

#[test]
fn a_code_works_without_a_terminal_and_can_be_denied() {
    let server = Server::start();
    let (person, browser) = (Person::at(&server), Browser::open());
    browser.at_home(&server);
    for (decision, exit) in [("Approve", 0), ("Deny", 3)] {
        let mut child = person
            .command(&["login", "--device", "--plain"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let link = loop {
            assert_ne!(stderr.read_line(&mut said).unwrap(), 0, "{said}");
            if let Some((_, rest)) = said.split_once("Or open ")
                && let Some((link, _)) = rest.split_once(',')
            {
                break link.to_owned();
            }
        };
        browser.goto(&link).click("Continue").expect("Approve this login?").click(decision);
        browser.expect("You may close this page");
        stderr.read_to_string(&mut said).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(exit), "{said}");
        let tokens = String::from_utf8(output.stdout).unwrap();
        assert_eq!(tokens.lines().count(), usize::from(exit == 0));
    }
}

#[test]
fn l5_an_organization_that_forbids_codes_says_so_and_pasting_works() {
    let server = Server::start();
    let (person, browser) = (Person::at(&server), Browser::open());
    let organization = server.credential("/organization/id").to_owned();
    let path = format!("/api/v1/organization/{organization}");
    let bearer = format!("Bearer {}", server.token());
    let headers = [("content-type", "application/json"), ("authorization", &*bearer)];
    let off = json!({ "allowDeviceLogin": false }).to_string();
    let off = server.ask(&format!("PATCH {path}"), &headers, &off);
    assert_eq!(off.status, 200, "{}", off.body);
    let mut terminal = person.start(&["--device"], &[]);
    let code = terminal.word_after("enter this code:");
    browser.at_home(&server).forgive("status of 403").goto(&server.page("/device"));
    browser.fill("Code", &code).click("Continue");
    browser.expect("does not let its members log in devices by a code");
    terminal.send(CTRL_C);
    terminal.finish().with(130);
    pastes(&person, &browser, &server);
}

#[test]
fn l12_a_code_that_the_page_shows_is_pasted() {
    let server = Server::start();
    let (person, browser) = (Person::at(&server), Browser::open());
    browser.at_home(&server);
    pastes(&person, &browser, &server);
}

#[track_caller]
fn pastes(person: &Person, browser: &Browser, server: &Server) {
    let mut terminal = person.start(&["--paste"], &[]);
    let address = terminal.word_after("open this address in a browser:");
    browser.goto(&address).expect("Log in your terminal?").click("Confirm");
    browser.expect("Paste this code into your terminal");
    let code = browser.run("return document.querySelector('.secret').textContent");
    let code = code.as_str().unwrap().to_owned();
    // A page that shows a code asks for another address after a minute; nothing waits for that.
    browser.goto("about:blank");
    terminal.expect("Code that the page shows").wait_for_raw_mode().enter(&code);
    let ended = terminal.finish().with(0);
    assert!(!ended.raw.contains(&code));
    person.is_logged_in(server);
}

/// Listens at a port and tells where the browser was sent.
fn listen_in_place_of(port: u16) -> mpsc::Receiver<String> {
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let (sender, overheard) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            // Browsers open connections that they may not need.
            stream.get_ref().set_read_timeout(Some(Duration::from_millis(500))).unwrap();
            let mut line = String::new();
            if stream.read_line(&mut line).is_err() || line.is_empty() {
                continue;
            }
            let answer = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
            stream.get_mut().write_all(answer).unwrap();
            let target = line.split(' ').nth(1).unwrap().to_owned();
            if target.contains("code=") && sender.send(target).is_err() {
                return;
            }
        }
    });
    overheard
}

#[test]
fn l2_a_code_that_was_overheard_is_worth_nothing() {
    let server = Server::start();
    let (person, browser) = (Person::at(&server), Browser::open());
    browser.at_home(&server);
    let (mut terminal, address) = person.waits(&[]);
    terminal.expect("Waiting for the browser").wait_for_raw_mode();
    // Somebody else listens where the program did: the browser brings the code there.
    terminal.send(CTRL_C);
    terminal.finish().with(130);
    let address = url::Url::parse(&address).unwrap();
    let sent: std::collections::HashMap<_, _> = address.query_pairs().into_owned().collect();
    let place = url::Url::parse(&sent["redirect_uri"]).unwrap();
    let overheard = listen_in_place_of(place.port().unwrap());
    browser.goto(address.as_str()).expect("Log in your terminal?").click("Confirm");
    let target = overheard.recv_timeout(Duration::from_secs(15)).unwrap();
    let answer = place.join(&target).unwrap();
    let brought: std::collections::HashMap<_, _> = answer.query_pairs().into_owned().collect();
    assert_eq!(brought["state"], sent["state"]);
    for verifier in [&sent["code_challenge"], &sent["state"], ""] {
        let form = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("grant_type", "authorization_code"),
                ("client_id", "kms-cli"),
                ("code", &brought["code"]),
                ("redirect_uri", &sent["redirect_uri"]),
                ("code_verifier", verifier),
            ])
            .finish();
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let refused = server.ask("POST /oauth/token", &headers, &form);
        assert_eq!(refused.status, 400, "{}", refused.body);
        assert!(!refused.body.contains("access_token"), "{}", refused.body);
    }
}

/// A program that waits as the compatible one does (wire contract, clients, section 4.7): any path,
/// any body that has the fields, and no word about private networks. Tells the port and the body.
fn compatible(origin: &str) -> (u16, mpsc::Receiver<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, sessions) = mpsc::channel();
    let cors = format!(
        "access-control-allow-origin: {origin}\r\naccess-control-allow-credentials: true\r\n\
         access-control-allow-methods: POST, OPTIONS\r\naccess-control-allow-headers: Content-Type\r\n"
    );
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            stream.get_ref().set_read_timeout(Some(Duration::from_millis(500))).unwrap();
            let (mut line, mut length) = (String::new(), 0);
            if stream.read_line(&mut line).is_err() || line.is_empty() {
                continue;
            }
            let mut header = String::new();
            while stream.read_line(&mut header).is_ok_and(|read| read > 2) {
                if let Some(value) = header.to_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                header.clear();
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).unwrap();
            let answer =
                format!("HTTP/1.1 200 OK\r\n{cors}connection: close\r\ncontent-length: 0\r\n\r\n");
            stream.get_mut().write_all(answer.as_bytes()).unwrap();
            if line.starts_with("POST ") {
                let _ = sender.send(serde_json::from_slice(&body).unwrap());
            }
        }
    });
    (port, sessions)
}

#[test]
fn l7_a_compatible_program_gets_its_session_after_a_click_and_not_before() {
    let server = Server::start();
    let browser = Browser::open();
    let (port, sessions) = compatible(&server.url);
    browser.goto(&server.page(&format!("/login?callback_port={port}"))).log_in(&server);
    browser.expect(&format!("A program waits at port {port} of this computer"));
    assert!(sessions.try_recv().is_err(), "a link alone hands nothing over");
    browser.click(&format!("Hand over to port {port}"));
    let session = sessions.recv_timeout(Duration::from_secs(15)).unwrap();
    assert_eq!(session["email"], server.email());
    assert_eq!(session["privateKey"], "");
    let token = session["JTWToken"].as_str().unwrap();
    assert_eq!(server.post("/api/v1/auth/checkAuth", token, &json!({})).status, 200);
}
