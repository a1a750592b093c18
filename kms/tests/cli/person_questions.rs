//! `kms login` of a person on a terminal.

use nix::sys::signal::Signal;
use serde_json::json;

use crate::{
    support::{
        CANARY, Home, Reply, Server,
        people::{
            EMAIL, ORGANIZATION, OTHER, PASSWORD, SUB, organizations, selected, token, welcome,
        },
    },
    terminal::{CTRL_C, DOWN, ENTER, ESCAPE, Terminal},
};

/// Starts on a terminal with a home.
fn start(home: &Home, args: &[&str], more: &[(&str, &str)]) -> Terminal {
    let mut environment = home.environment().to_vec();
    environment.extend(more);
    Terminal::start(args, &environment)
}

fn answers(organization: &str) -> [Reply; 3] {
    [welcome(), organizations(), selected(organization)]
}

#[test]
fn interactive_asks_for_server_address_password_and_organization() {
    let server = Server::start(answers(OTHER));
    let home = Home::new();
    let mut terminal = start(&home, &["login", "--interactive"], &[]);
    terminal.expect("Where is your account?").expect("US cloud").expect("EU cloud");
    terminal.send("another").send(ENTER);
    terminal.expect("Address of your server:").enter("nonsense");
    terminal.expect("not a URL").send(&"\x7f".repeat(8)).enter(&format!("{}/api/", server.url()));
    terminal.expect("E-mail address:").enter(EMAIL);
    terminal.expect("Password of user@example.com:").enter(PASSWORD);
    terminal.expect("Organization:").expect("Example (example), 1 sub-organization");
    terminal.send(DOWN).send(ENTER);
    let ended = terminal.finish().with(0);
    assert_eq!(ended.stdout, "");
    assert!(!ended.screen.contains(CANARY), "the password is not shown: {}", ended.screen);
    ended
        .says(&format!("You are now logged in as {EMAIL} in Other at {}", server.url()))
        .says("hint: next: `kms");
    let requests = server.requests();
    assert_eq!(requests[0].json(), json!({ "email": EMAIL, "password": PASSWORD }));
    assert_eq!(requests[1].target, "/api/v1/organization/accessible-with-sub-orgs");
    assert_eq!(requests[1].header("authorization"), Some("Bearer login.token.canary-7c1e9a"));
    assert_eq!(requests[2].json(), json!({ "organizationId": OTHER }));
    assert_eq!(home.config()["domains"], json!([server.url()]));
}

#[test]
fn a_server_used_before_is_offered() {
    let server = Server::start([answers(OTHER), answers(OTHER)].concat());
    let home = Home::new();
    let url = server.url();
    for round in 0..2 {
        let mut terminal = start(&home, &["login", "-i"], &[("KMS_PASSWORD", PASSWORD)]);
        terminal.expect("Where is your account?");
        if round == 0 {
            terminal.send("another").send(ENTER).expect("Address of your server:").enter(&url);
        } else {
            terminal.expect(&format!("Own server ({url})")).send("own server (").send(ENTER);
        }
        terminal.expect("E-mail address:").enter(EMAIL);
        terminal.expect("Organization:").send("oth").send(ENTER);
        terminal.finish().with(0);
    }
    assert_eq!(server.requests().len(), 6);
}

#[test]
fn a_sub_organization_is_chosen_in_a_second_list() {
    for (keys, chosen) in [("", ORGANIZATION), (DOWN, SUB)] {
        let server = Server::start(answers(chosen));
        let home = Home::new();
        let url = server.url();
        let mut terminal = start(&home, &["login", "-i", "--email", EMAIL, "--domain", &url], &[]);
        terminal.expect("Password of").enter(PASSWORD);
        terminal.expect("Organization:").send(ENTER);
        terminal.expect("Organization or sub-organization:").expect("Example (organization)");
        terminal.expect("Team two (team2)").send(keys).send(ENTER);
        terminal.finish().with(0);
        assert_eq!(server.requests()[2].json(), json!({ "organizationId": chosen }));
        let profile = &home.config()["profiles"][0];
        assert_eq!(profile["organization"]["id"], ORGANIZATION);
        let sub = (chosen == SUB).then_some(SUB);
        assert_eq!(profile["subOrganization"]["id"].as_str(), sub);
    }
}

#[test]
fn what_is_given_elsewhere_is_not_asked_for() {
    let server = Server::start([welcome(), selected(ORGANIZATION), organizations()]);
    let home = Home::new();
    let environment = [
        ("INFISICAL_API_URL", &*server.url()),
        ("INFISICAL_EMAIL", EMAIL),
        ("INFISICAL_PASSWORD", PASSWORD),
        ("INFISICAL_ORGANIZATION_ID", ORGANIZATION),
    ];
    let ended = start(&home, &["login", "--interactive"], &environment).finish().with(0);
    assert!(!ended.screen.contains('?'), "{}", ended.screen);
}

#[test]
fn the_token_is_captured_while_the_terminal_asks() {
    let server = Server::start(answers(OTHER));
    let home = Home::new();
    let url = server.url();
    let args = ["login", "-i", "--plain", "--silent", "--domain", &url];
    let mut terminal = start(&home, &args, &[]);
    terminal.expect("E-mail address:").enter(EMAIL);
    terminal.expect("Password of").enter(PASSWORD);
    terminal.expect("Organization:").send(DOWN).send(ENTER);
    let ended = terminal.finish().with(0);
    assert_eq!(ended.stdout, token(OTHER) + "\n");
    assert!(!ended.screen.contains(CANARY), "{}", ended.screen);
}

#[test]
fn a_part_by_flag_is_an_error_on_a_terminal_too() {
    let home = Home::new();
    let terminal = start(&home, &["login", "--email", EMAIL], &[]);
    terminal
        .finish()
        .with(2)
        .says("`--password` and `--organization-id` are missing")
        .says("or by questions: `kms login --interactive`");
}

#[test]
fn nobody_is_asked_when_that_is_forbidden() {
    let home = Home::new();
    for (args, environment) in [
        (&["login", "-i", "--non-interactive"][..], &[][..]),
        (&["login", "--non-interactive"], &[]),
        (&["login"], &[("CI", "true")]),
        (&["login", "-i"], &[("KMS_NON_INTERACTIVE", "1")]),
    ] {
        start(&home, args, environment).finish().with(4).says("--method=universal-auth");
    }
}

#[test]
fn a_mistyped_password_may_be_typed_again_and_each_costs_one_attempt() {
    let wrong = || Reply::error(400, "Invalid credentials");
    let server = Server::start([vec![wrong()], answers(OTHER).to_vec()].concat());
    let home = Home::new();
    let url = server.url();
    let mut terminal = start(&home, &["login", "-i", "--domain", &url], &[]);
    terminal.expect("E-mail address:").enter("user@example.con");
    terminal.expect("Password of user@example.con:").enter(PASSWORD);
    terminal.expect("Invalid credentials");
    terminal.expect("user@example.con").send("\x7f").enter("m");
    terminal.expect("Password of user@example.com:").enter(PASSWORD);
    terminal.expect("Organization:").send(DOWN).send(ENTER);
    terminal.finish().with(0);
    assert_eq!(server.requests()[1].json()["email"], EMAIL);

    let server = Server::start([wrong(), wrong(), wrong()]);
    let url = server.url();
    let mut terminal = start(&home, &["login", "-i", "--email", EMAIL, "--domain", &url], &[]);
    for _ in 0..3 {
        terminal.expect("Password of").wait_for_raw_mode().enter("wrong");
    }
    terminal.finish().with(3).says("could not log in as user@example.com");
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn giving_up_leaves_the_terminal_as_it_was() {
    let home = Home::new();
    let url = "http://localhost:1";
    let asks: [(&[&str], &str); 3] = [
        (&["login", "-i"], "Where is your account?"),
        (&["login", "-i", "--domain", url], "E-mail address:"),
        (&["login", "-i", "--domain", url, "--email", EMAIL], "Password of"),
    ];
    for (args, question) in asks {
        for (keys, signal, code) in [
            (CTRL_C, None, 130),
            (ESCAPE, None, 4),
            ("", Some(Signal::SIGINT), 130),
            ("", Some(Signal::SIGTERM), 143),
            ("", Some(Signal::SIGHUP), 129),
        ] {
            let mut terminal = start(&home, args, &[]);
            terminal.expect(question).wait_for_raw_mode().send(keys);
            if let Some(signal) = signal {
                terminal.signal(signal);
            }
            let ended = terminal.finish().with(code);
            assert_eq!(ended.stdout, "");
        }
    }
}

#[test]
fn an_interrupt_while_the_server_is_asked_ends_the_login() {
    let slow = welcome().after(std::time::Duration::from_secs(3));
    let server = Server::start([slow]);
    let home = Home::new();
    let url = server.url();
    let mut terminal = start(&home, &["login", "-i", "--domain", &url, "--email", EMAIL], &[]);
    terminal.expect("Password of").enter(PASSWORD);
    server.wait_for_request();
    terminal.signal(Signal::SIGINT);
    terminal.finish().with(130);
}

#[test]
fn l11_names_that_a_server_chose_cannot_steer_the_terminal() {
    let hostile = "\x1b]52;c;cm0gLXJmIC8=\x07\x1b[2J\u{202e}evil";
    let list = json!({ "organizations": [{
        "id": OTHER, "name": hostile, "slug": hostile,
        "createdAt": "2026-01-02T03:04:05Z", "subOrganizations": [],
    }] });
    let server = Server::start([
        Reply::error(400, hostile),
        welcome(),
        Reply::json(200, list),
        selected(OTHER),
    ]);
    let home = Home::new();
    let url = server.url();
    let mut terminal = start(&home, &["login", "-i", "--domain", &url, "--email", EMAIL], &[]);
    terminal.expect("Password of").enter("wrong");
    terminal.expect("evil").expect("Password of").enter(PASSWORD);
    terminal.expect("Organization:").expect("evil").send(ENTER);
    let ended = terminal.finish().with(0);
    for harmful in ["\x1b]52", "\x1b[2J", "\u{202e}", "\x07"] {
        assert!(!ended.raw.contains(harmful), "{harmful:?}");
    }
    ended.says("\\u{1b}]52");
}

#[test]
fn an_account_without_an_organization_is_told_what_to_do() {
    let none = Reply::json(200, json!({ "organizations": [] }));
    let server = Server::start([welcome(), none]);
    let home = Home::new();
    let url = server.url();
    let mut terminal = start(&home, &["login", "-i", "--domain", &url, "--email", EMAIL], &[]);
    terminal.expect("Password of").enter(PASSWORD);
    terminal.finish().with(3).says("in no organization").says("invite");
}

#[test]
fn an_older_server_lists_root_organizations_only() {
    let at = "2026-01-02T03:04:05.678Z";
    let list = json!({ "organizations": [
        { "id": OTHER, "name": "Other", "slug": "other", "createdAt": at, "updatedAt": at },
    ] });
    let missing = Reply::error(404, "Route GET:/api/v1/organization/… not found");
    let server = Server::start([welcome(), missing, Reply::json(200, list), selected(OTHER)]);
    let home = Home::new();
    let url = server.url();
    let mut terminal = start(&home, &["login", "-i", "--domain", &url, "--email", EMAIL], &[]);
    terminal.expect("Password of").enter(PASSWORD);
    terminal.expect("Other (other)").send(ENTER);
    terminal.finish().with(0);
    assert_eq!(server.requests()[2].target, "/api/v1/organization");
}
