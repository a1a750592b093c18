//! `kms login` with a browser elsewhere: a code that is typed there, or one that is pasted here.

use std::time::Duration;

use assert_cmd::Command;
use serde_json::json;

use crate::{
    provider::{CODE, DEVICE_CODE, Provider, Setup, USER_CODE, refusal},
    support::{
        CANARY, Home, Reply, kms,
        people::{EMAIL, ORGANIZATION, SUB, token},
        run,
    },
    terminal::{CTRL_C, Terminal},
};

/// A login with `--device` where nobody can be asked.
fn device(provider: &Provider, home: &Home) -> Command {
    let mut command = kms();
    command.args(["login", "--device", "--domain", &provider.url()]).envs(home.environment());
    command
}

fn pending() -> Reply {
    refusal("authorization_pending")
}

fn on_a_terminal(
    provider: &Provider,
    home: &Home,
    args: &[&str],
    more: &[(&str, &str)],
) -> Terminal {
    let url = provider.url();
    let mut environment = home.environment().to_vec();
    environment.push(("INFISICAL_API_URL", &url));
    environment.extend(more);
    Terminal::start(&[&["login"], args].concat(), &environment)
}

#[test]
fn a_code_on_another_device_needs_no_terminal() {
    let provider = Provider::with(Setup { polls: vec![pending(), pending()], ..Setup::default() });
    let home = Home::new();
    let organization = format!("--organization-id={SUB}");
    let ran = run(device(&provider, &home).args(["--plain", &organization])).ends_with(0);
    assert_eq!(ran.stdout, token(ORGANIZATION) + "\n");
    assert!(!ran.stderr.contains(CANARY), "{}", ran.stderr);
    let url = provider.url();
    ran.says(&format!("    {url}/device\n"))
        .says(&format!("enter this code:  {USER_CODE}"))
        .says(&format!("{url}/device?user_code={USER_CODE}"));
    let polls = provider.requests("/oauth/token");
    assert_eq!(polls.len(), 3);
    for pair in polls.windows(2) {
        assert!(pair[1].0 - pair[0].0 >= Duration::from_secs(1), "not more often than asked for");
    }
    let asked = String::from_utf8(provider.requests("/oauth/device")[0].1.body.clone()).unwrap();
    assert!(asked.contains("client_id=kms-cli") && asked.contains("&host="), "{asked}");
    assert!(asked.contains(&format!("organization_id={SUB}")), "{asked}");
    assert_eq!(home.config()["profiles"].as_array().unwrap().len(), 1);
}

#[test]
fn l6_a_server_that_asks_to_slow_down_is_asked_less_often() {
    let provider =
        Provider::with(Setup { polls: vec![refusal("slow_down"), pending()], ..Setup::default() });
    run(device(&provider, &Home::new()).args(["--plain", "--silent"])).ends_with(0);
    let polls = provider.requests("/oauth/token");
    for pair in polls.windows(2) {
        assert!(pair[1].0 - pair[0].0 >= Duration::from_secs(6));
    }
}

#[test]
fn polls_that_a_gateway_answers_are_repeated_more_slowly() {
    let provider = Provider::with(Setup {
        polls: vec![Reply::text(502, "text/html", "<html>"), pending()],
        ..Setup::default()
    });
    run(device(&provider, &Home::new()).args(["--plain", "--silent"])).ends_with(0);
    let polls = provider.requests("/oauth/token");
    assert!(polls[1].0 - polls[0].0 >= Duration::from_secs(2));
}

#[test]
fn a_refusal_ends_the_wait_and_says_what_to_do() {
    for (code, exit, text, hint) in [
        (
            "access_denied",
            3,
            "the login was denied in the browser",
            "to log in after all: `kms login",
        ),
        ("expired_token", 4, "nobody confirmed the login in time", "to try again: `kms login"),
        ("unauthorized_client", 3, "is not allowed here", "`kms login --paste --domain="),
    ] {
        let provider = Provider::with(Setup { polls: vec![refusal(code)], ..Setup::default() });
        let home = Home::new();
        let ran = run(device(&provider, &home).arg("--plain")).ends_with(exit);
        assert_eq!(ran.stdout, "");
        ran.says(text).says(hint);
        assert_eq!(provider.requests("/oauth/token").len(), 1);
    }
}

#[test]
fn over_ssh_in_a_container_and_without_a_display_a_code_is_shown() {
    let surroundings: [(&str, &[(&str, &str)]); 4] = [
        ("over SSH", &[("SSH_CONNECTION", "192.0.2.1 1 192.0.2.2 22"), ("DISPLAY", ":10")]),
        ("in a container", &[("KUBERNETES_SERVICE_HOST", "192.0.2.1"), ("DISPLAY", ":0")]),
        ("", &[]),
        ("", &[("BROWSER", "w3m")]),
    ];
    for (why, more) in surroundings {
        let (provider, home) = (Provider::start(), Home::new());
        let mut terminal = on_a_terminal(&provider, &home, &[], more);
        terminal.expect("No browser is opened ").expect(why).expect(": use one on any device");
        terminal.expect("open this address on any device").expect("/device").expect(USER_CODE);
        terminal.expect("Waiting for the confirmation, 10 minutes at most");
        terminal.finish().with(0).says(&format!("You are now logged in as {EMAIL} in Example"));
        assert!(!home.everything().contains(DEVICE_CODE));
    }
}

#[test]
fn giving_up_while_a_code_is_waited_for_leaves_the_terminal_as_it_was() {
    let provider = Provider::with(Setup { polls: vec![pending(); 100], ..Setup::default() });
    let home = Home::new();
    let mut terminal = on_a_terminal(&provider, &home, &["--device"], &[]);
    terminal.expect("Waiting for the confirmation").send(CTRL_C);
    terminal.finish().with(130);
}

#[test]
fn l11_a_code_is_typed_at_the_server_that_was_named_and_nowhere_else() {
    let hostile = "\x1b]52;c;x\x07\n\u{202e}evil";
    let answer = |uri: &str| {
        json!({
            "device_code": DEVICE_CODE, "user_code": hostile, "verification_uri": uri,
            "expires_in": 600, "interval": 1,
        })
    };
    let foreign = Reply::json(200, answer("https://evil.example/device"));
    let provider = Provider::with(Setup { no_device: Some(foreign), ..Setup::default() });
    run(&mut device(&provider, &Home::new())).ends_with(1).says("which is not its own");

    let provider = Provider::start();
    let own = Reply::json(200, answer(&format!("{}/device", provider.url())));
    provider.answer_devices_with(own);
    let ran = run(&mut device(&provider, &Home::new())).ends_with(0);
    for harmful in ["\x1b", "\x07", "\u{202e}"] {
        assert!(!ran.stderr.contains(harmful), "{harmful:?} in {}", ran.stderr);
    }
    ran.says("\\u{1b}]52;c;x\\u{7}\\n\\u{202e}evil");
}

/// Servers that give no device code.
fn without_device_codes() -> Vec<Provider> {
    let none: fn(&mut serde_json::Value) = |metadata| {
        metadata.as_object_mut().unwrap().remove("device_authorization_endpoint");
    };
    let forbidden = refusal("unauthorized_client");
    let broken = Reply::text(200, "text/html", "<html>");
    vec![
        Provider::with(Setup { metadata: Some(none), ..Setup::default() }),
        Provider::with(Setup { no_device: Some(forbidden), ..Setup::default() }),
        Provider::with(Setup { no_device: Some(broken), ..Setup::default() }),
    ]
}

#[test]
fn where_there_are_no_device_codes_a_code_is_pasted() {
    for provider in without_device_codes() {
        let home = Home::new();
        let ran = run(&mut device(&provider, &home));
        assert_ne!(ran.code, 0);
        ran.says("on a terminal, paste a code in its place: `kms login --paste --domain=");
        let mut terminal = on_a_terminal(&provider, &home, &["--device"], &[]);
        terminal.expect("a code is pasted in its place");
        let address = terminal.word_after("open this address in a browser:");
        let asked = provider.asked(&address);
        assert_eq!(asked.redirect_uri, format!("{}/oauth/code", provider.url()));
        terminal.expect("Code that the page shows").wait_for_raw_mode().enter(CODE);
        terminal.finish().with(0);
    }
}

#[test]
fn polls_that_make_no_sense_lead_to_pasting() {
    let nonsense = Reply::text(200, "text/html", "<html>");
    let provider = Provider::with(Setup { polls: vec![nonsense], ..Setup::default() });
    let home = Home::new();
    let mut terminal = on_a_terminal(&provider, &home, &[], &[]);
    terminal.expect(USER_CODE).expect("could not ask whether it was confirmed");
    let address = terminal.word_after("open this address in a browser:");
    provider.asked(&address);
    terminal.expect("Code that the page shows").wait_for_raw_mode().enter(CODE);
    terminal.finish().with(0);
}

#[test]
fn a_token_of_another_type_is_not_used() {
    let other = json!({
        "access_token": CANARY, "token_type": "mac", "expires_in": 600, "refresh_token": CANARY,
    });
    let polls = vec![Reply::json(200, other)];
    let provider = Provider::with(Setup { polls, ..Setup::default() });
    let home = Home::new();
    let ran = run(device(&provider, &home).arg("--plain")).ends_with(1);
    assert_eq!(ran.stdout, "");
    assert!(!ran.stderr.contains(CANARY), "{}", ran.stderr);
    ran.says("a token of another type");
}

#[test]
fn l12_a_code_or_the_address_with_it_is_pasted_unseen() {
    for by_address in [false, true] {
        let (provider, home) = (Provider::start(), Home::new());
        let mut terminal = on_a_terminal(&provider, &home, &["--paste", "--plain"], &[]);
        let address = terminal.word_after("open this address in a browser:");
        let asked = provider.asked(&address);
        terminal.expect("Code that the page shows").wait_for_raw_mode();
        terminal.enter(&if by_address { asked.confirmed() } else { CODE.to_owned() });
        let ended = terminal.finish().with(0);
        assert!(!ended.raw.contains(CANARY), "{}", ended.raw);
        assert_eq!(ended.stdout, token(ORGANIZATION) + "\n");
    }
}

#[test]
fn a_wrong_code_is_asked_for_again() {
    let (provider, home) = (Provider::start(), Home::new());
    let mut terminal = on_a_terminal(&provider, &home, &["--paste"], &[]);
    let address = terminal.word_after("open this address in a browser:");
    let asked = provider.asked(&address);
    terminal.expect("Code that the page shows").wait_for_raw_mode().enter("wrong");
    terminal.expect("codes are good once, for a minute");
    terminal.expect("Code that the page shows").wait_for_raw_mode();
    terminal.enter(&asked.confirmed().replace(&asked.state, "other"));
    terminal.expect("neither a code nor the address");
    terminal.expect("Code that the page shows").wait_for_raw_mode().enter(CODE);
    terminal.finish().with(0);
}

#[test]
fn pasting_needs_a_terminal() {
    let (provider, home) = (Provider::start(), Home::new());
    let mut command = kms();
    command.args(["login", "--paste", "--domain", &provider.url()]).envs(home.environment());
    run(&mut command)
        .ends_with(4)
        .says("there is no terminal to ask on")
        .says("with a browser on another device: `kms login --device --domain=");
}

#[test]
fn a_way_through_the_browser_is_one_way() {
    for more in ["--paste", "--interactive", "--email=a@b.c", "--password-stdin", "--mfa-code=1"] {
        run(kms().args(["login", "--device", more])).ends_with(2).says("cannot be used with");
    }
}
