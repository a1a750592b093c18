//! `kms login` through the browser of this machine.

use nix::sys::signal::Signal;
use serde_json::json;

use crate::{
    opener::Opener,
    provider::{Asked, CODE, Provider, Setup, follow},
    support::{
        CANARY, Home, Reply, Server,
        people::{EMAIL, ORGANIZATION, SUB, token},
    },
    terminal::{CTRL_C, Terminal},
};

/// A login that waits, with a browser of the test's.
pub(crate) struct Waiting {
    pub(crate) terminal: Terminal,
    pub(crate) browser: Opener,
    pub(crate) asked: Asked,
}

pub(crate) fn start(home: &Home, url: &str, browser: &Opener, args: &[&str]) -> Terminal {
    let program = browser.program();
    let mut environment = home.environment().to_vec();
    environment.extend([("INFISICAL_API_URL", url), ("BROWSER", &program)]);
    Terminal::start(&[&["login"], args].concat(), &environment)
}

/// Starts one and waits until the browser was sent away.
#[track_caller]
pub(crate) fn waiting(home: &Home, provider: &Provider, args: &[&str]) -> Waiting {
    let browser = Opener::new();
    let terminal = start(home, &provider.url(), &browser, args);
    let asked = provider.asked(&browser.address());
    Waiting { terminal, browser, asked }
}

#[test]
fn without_flags_the_browser_opens_and_the_terminal_says_who_and_where() {
    let (provider, home) = (Provider::start(), Home::new());
    let Waiting { mut terminal, browser, asked } = waiting(&home, &provider, &[]);
    terminal.expect("open this address in a browser").expect(&browser.address());
    terminal.expect("Waiting for the browser");
    let page = follow(&asked.confirmed());
    assert_eq!(page.status, 200);
    assert!(page.body.contains("You can close this window"), "{}", page.body);
    let ended = terminal.finish().with(0);
    assert_eq!(ended.stdout, "");
    assert!(!ended.screen.contains("noise"), "what a browser writes is not shown");
    assert!(!ended.raw.contains(CANARY), "no token and no code is shown");
    ended
        .says(&format!("You are now logged in as {EMAIL} in Example at {}", provider.url()))
        .says("is kept in files sealed by a passphrase")
        .says("hint: next: `kms");
    let config = home.config();
    assert_eq!(config["profiles"][0]["email"], EMAIL);
    assert_eq!(config["profiles"][0]["organization"]["id"], ORGANIZATION);
    assert!(!home.everything().contains(CANARY), "tokens are sealed");
    // Whose the tokens are came with them.
    assert_eq!(provider.requests("/oauth/token").len(), 1);
    assert!(provider.requests("/api/v2/users/me").is_empty());
    assert_eq!(asked.query["host"], nix::unistd::gethostname().unwrap().to_str().unwrap());
}

#[test]
fn plain_prints_the_token_alone_and_the_address_stays_visible() {
    let (provider, home) = (Provider::start(), Home::new());
    let Waiting { mut terminal, browser, asked } =
        waiting(&home, &provider, &["--plain", "--silent"]);
    terminal.expect(&browser.address());
    follow(&asked.confirmed());
    let ended = terminal.finish().with(0);
    assert_eq!(ended.stdout, token(ORGANIZATION) + "\n");
    assert!(!ended.raw.contains(CANARY) && !ended.screen.contains("logged in as"));
    assert_eq!(home.config()["profiles"].as_array().unwrap().len(), 1);
}

#[test]
fn a_login_through_the_browser_is_used_by_later_commands() {
    let (provider, home) = (Provider::start(), Home::new());
    let Waiting { terminal, asked, .. } = waiting(&home, &provider, &[]);
    follow(&asked.confirmed());
    terminal.finish().with(0);
    let bearer = format!("Bearer {}", token(ORGANIZATION));
    let server = &provider;
    let list = crate::support::run(
        crate::support::kms().args(["login", "status", "--json"]).envs(home.environment()),
    );
    let sessions: serde_json::Value = serde_json::from_str(&list.stdout).unwrap();
    assert_eq!(sessions["sessions"][0]["email"], EMAIL);
    assert_eq!(sessions["sessions"][0]["domain"], server.url());
    let calls = server.requests("/api/v1/auth/checkAuth");
    assert_eq!(calls[0].1.header("authorization"), Some(&*bearer));
}

#[test]
fn a_server_that_does_not_say_whose_the_tokens_are_is_asked() {
    let provider = Provider::with(Setup { nameless: true, ..Setup::default() });
    let home = Home::new();
    let Waiting { terminal, asked, .. } = waiting(&home, &provider, &[]);
    follow(&asked.confirmed());
    terminal.finish().with(0).says(&format!("logged in as {EMAIL} in Example at"));
}

#[test]
fn an_organization_of_the_environment_is_asked_for() {
    let (provider, home, browser) = (Provider::start(), Home::new(), Opener::new());
    let (url, program) = (provider.url(), browser.program());
    let mut environment = home.environment().to_vec();
    environment.extend([("INFISICAL_API_URL", &*url), ("BROWSER", &program)]);
    environment.push(("INFISICAL_ORGANIZATION_ID", SUB));
    let mut terminal = Terminal::start(&["login"], &environment);
    terminal.expect("`--email` and `--password` are missing for a direct login");
    let asked = provider.asked(&browser.address());
    assert_eq!(asked.query["organization_id"], SUB);
    follow(&asked.confirmed());
    terminal.finish().with(0);
}

#[test]
fn l1_two_logins_that_wait_at_once_take_their_own_answer_each() {
    let homes = [Home::new(), Home::new()];
    let provider = Provider::start();
    let first = waiting(&homes[0], &provider, &[]);
    let second = waiting(&homes[1], &provider, &[]);
    assert_ne!(first.asked.port(), second.asked.port());
    assert_ne!(first.asked.state, second.asked.state);
    // The second one's answer, sent to the first: it goes on waiting.
    let crossed =
        second.asked.confirmed().replace(&second.asked.redirect_uri, &first.asked.redirect_uri);
    assert_eq!(follow(&crossed).status, 404);
    follow(&second.asked.confirmed());
    second.terminal.finish().with(0);
    let asked = provider.asked(&first.browser.address());
    follow(&asked.confirmed());
    first.terminal.finish().with(0);
}

#[test]
fn who_denies_in_the_browser_ends_the_login() {
    let (provider, home) = (Provider::start(), Home::new());
    let Waiting { terminal, asked, .. } = waiting(&home, &provider, &["--plain"]);
    let page = follow(&asked.denied("You said no"));
    assert!(page.body.contains("Not logged in") && !page.body.contains("You said no"));
    let ended = terminal.finish().with(3);
    assert_eq!(ended.stdout, "");
    ended
        .says("error: the login was denied in the browser")
        .says("You said no")
        .says("hint: to log in after all: `kms login --domain=");
    assert!(provider.requests("/oauth/token").is_empty());
}

#[test]
fn l11_what_a_server_says_cannot_steer_the_terminal() {
    let hostile = "\x1b]52;c;cm0gLXJmIC8=\x07\x1b[2J\u{202e}evil";
    let (provider, home) = (Provider::start(), Home::new());
    let Waiting { terminal, asked, .. } = waiting(&home, &provider, &[]);
    follow(&asked.denied(hostile));
    let denied = terminal.finish().with(3);
    let provider = Provider::with(Setup { email: Some(hostile), ..Setup::default() });
    let Waiting { terminal, asked, .. } = waiting(&home, &provider, &[]);
    follow(&asked.confirmed());
    for ended in [denied, terminal.finish().with(0)] {
        for harmful in ["\x1b]52", "\x1b[2J", "\u{202e}", "\x07"] {
            assert!(!ended.raw.contains(harmful), "{harmful:?}");
        }
        ended.says("\\u{1b}]52");
    }
}

#[test]
fn l12_an_address_that_was_copied_finishes_the_login_unseen() {
    let (provider, home) = (Provider::start(), Home::new());
    let Waiting { mut terminal, asked, .. } = waiting(&home, &provider, &[]);
    terminal.expect("paste it here");
    terminal.enter("https://kms.example.com/").expect("not the address that this login ends with");
    terminal.enter(&asked.confirmed());
    let ended = terminal.finish().with(0);
    assert!(!ended.raw.contains(CODE), "what is pasted is not shown");
    ended.says("You are now logged in as");
}

#[test]
fn a_code_that_the_server_does_not_take_is_an_error_that_says_what_to_do() {
    let (provider, home) = (Provider::start(), Home::new());
    let Waiting { terminal, asked, .. } = waiting(&home, &provider, &[]);
    follow(&asked.confirmed().replace(CODE, "another"));
    terminal.finish().with(3).says("the code was not accepted").says("for a new one: `kms login");
}

#[test]
fn whoever_closes_the_tab_ends_the_wait_at_the_terminal() {
    for (keys, signal, code) in [
        (CTRL_C, None, 130),
        ("", Some(Signal::SIGINT), 130),
        ("", Some(Signal::SIGTERM), 143),
        ("", Some(Signal::SIGHUP), 129),
    ] {
        let (provider, home) = (Provider::start(), Home::new());
        let Waiting { mut terminal, asked, .. } = waiting(&home, &provider, &["--plain"]);
        terminal.expect("Waiting for the browser").wait_for_raw_mode().send(keys);
        if let Some(signal) = signal {
            terminal.signal(signal);
        }
        let ended = terminal.finish().with(code);
        assert_eq!(ended.stdout, "");
        assert!(home.config()["profiles"].as_array().is_none_or(Vec::is_empty));
        let closed = std::net::TcpStream::connect(("127.0.0.1", asked.port()));
        assert!(closed.is_err(), "nothing listens any more");
    }
}

#[test]
fn nobody_is_waited_for_longer_than_ten_minutes() {
    let (provider, home, browser) = (Provider::start(), Home::new(), Opener::new());
    let (url, program) = (provider.url(), browser.program());
    let mut environment = home.environment().to_vec();
    let library = faketime();
    // A second of this machine is five minutes of the program's.
    environment.extend([("LD_PRELOAD", &*library), ("FAKETIME", "+0 x300")]);
    environment.extend([("INFISICAL_API_URL", &*url), ("BROWSER", &program)]);
    let ended = Terminal::start(&["login"], &environment).finish().with(4);
    ended
        .says("nobody logged in within 10 minutes")
        .says("hint: to try again: `kms login")
        .says("with a browser on another device: `kms login --device");
}

/// Where the library of `faketime` is: it says so itself.
fn faketime() -> String {
    let output = std::process::Command::new("faketime")
        .args(["-f", "+0", "sh", "-c", "printf %s \"$LD_PRELOAD\""])
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn where_no_browser_opens_the_address_can_be_opened_by_hand() {
    let (provider, home) = (Provider::start(), Home::new());
    let url = provider.url();
    let mut environment = home.environment().to_vec();
    environment.extend([("INFISICAL_API_URL", &*url), ("BROWSER", "/nowhere/browser")]);
    environment.push(("PATH", "/nowhere"));
    let mut terminal = Terminal::start(&["login"], &environment);
    terminal.expect("No browser could be opened: open the address yourself");
    let address = terminal.word_after("open this address in a browser:");
    follow(&provider.asked(&address).confirmed());
    terminal.finish().with(0);
}

#[test]
fn l8_a_login_goes_to_no_other_server_than_the_one_that_was_named() {
    let changes: [fn(&mut serde_json::Value); 5] = [
        |metadata| metadata["issuer"] = json!("https://evil.example"),
        |metadata| metadata["authorization_endpoint"] = json!("https://evil.example/authorize"),
        |metadata| metadata["token_endpoint"] = json!("https://evil.example/token"),
        |metadata| metadata["device_authorization_endpoint"] = json!("https://evil.example/d"),
        |metadata| metadata["code_challenge_methods_supported"] = json!(["plain"]),
    ];
    for change in changes {
        let provider = Provider::with(Setup { metadata: Some(change), ..Setup::default() });
        let (home, browser) = (Home::new(), Opener::new());
        let ended = start(&home, &provider.url(), &browser, &[]).finish().with(1);
        ended.says("could not ask the server how to log in");
        assert!(!browser.was_opened());
    }
}

#[test]
fn a_server_that_fails_is_not_taken_for_a_compatible_one() {
    let failures = [
        Reply::error(500, "Something went wrong"),
        Reply::text(502, "text/html", "<html>"),
        Reply::text(403, "text/html", "<html>"),
        Reply::text(302, "text/plain", "").with("location", "https://evil.example/login"),
    ];
    for failure in failures {
        let server = Server::start([failure]);
        let (home, browser) = (Home::new(), Opener::new());
        let ended = start(&home, &server.url(), &browser, &[]).finish();
        assert!(matches!(ended.code, 1 | 3 | 5), "{}", ended.screen);
        ended.says("could not ask the server how to log in");
        assert!(!browser.was_opened());
    }
}

#[test]
fn l12_no_code_and_no_token_shows_at_the_highest_log_level() {
    let flows: [(&[&str], bool); 3] = [
        (&["--log-level=trace"], true),
        (&["--log-level=trace", "--device"], false),
        (&["--log-level=trace", "--plain"], true),
    ];
    for (args, by_browser) in flows {
        let (provider, home, browser) = (Provider::start(), Home::new(), Opener::new());
        let terminal = start(&home, &provider.url(), &browser, args);
        if by_browser {
            follow(&provider.asked(&browser.address()).confirmed());
        }
        let ended = terminal.finish().with(0);
        assert!(!ended.raw.contains(CANARY), "{args:?}: {}", ended.raw);
        assert!(ended.raw.contains("/oauth/token"), "it was logged: {}", ended.raw);
    }
}
