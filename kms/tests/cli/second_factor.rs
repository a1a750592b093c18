//! The second factor of a person's login.

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::{
    support::{
        CANARY, Home, Reply, Server, kms,
        people::{
            EMAIL, ORGANIZATION, PASSWORD, challenge, organizations, selected, token, verified,
            welcome,
        },
        run,
    },
    terminal::{CTRL_C, Terminal},
};

const DIRECT: [&str; 3] =
    ["login", "--email=user@example.com", "--organization-id=0192d0a4-8f9c-7c6e-9f0a-000000000001"];

/// A refusal that says what a program may do about it.
fn refusal(status: u16, code: &str) -> Reply {
    let body = json!({
        "reqId": "req-1",
        "statusCode": status,
        "message": "That code is not right",
        "error": "UnauthorizedError",
        "context": { "code": code },
    });
    Reply::json(status, body)
}

fn wrong() -> Reply {
    refusal(401, "mfa_invalid")
}

/// A direct login on a terminal, up to the question for the code.
fn until_asked(server: &Server, home: &Home, more: &[&str]) -> Terminal {
    let url = server.url();
    let mut environment = vec![("KMS_DOMAIN", url.as_str()), ("KMS_PASSWORD", PASSWORD)];
    environment.extend(home.environment());
    let args: Vec<_> = DIRECT.iter().chain(more).copied().collect();
    Terminal::start(&args, &environment)
}

fn targets(server: &Server) -> Vec<String> {
    let requests = server.requests();
    requests.iter().map(|request| request.target.rsplit('/').next().unwrap().to_owned()).collect()
}

fn codes(server: &Server) -> Vec<Value> {
    let requests = server.requests();
    let verify = requests.iter().filter(|request| request.target == "/api/v2/auth/mfa/verify");
    verify.map(|request| request.json()["mfaToken"].clone()).collect()
}

#[test]
fn a_code_is_given_with_the_token_that_is_good_for_it_alone() {
    let replies =
        [welcome(), challenge("totp"), verified(), selected(ORGANIZATION), organizations()];
    let server = Server::start(replies);
    let home = Home::new();
    let mut terminal = until_asked(&server, &home, &[]);
    terminal.expect("Code of your authenticator app:").enter("123 456");
    let ended = terminal.finish().with(0).says("You are now logged in as");
    assert_eq!(ended.stdout, "");
    let requests = server.requests();
    let verify = &requests[2];
    assert_eq!(verify.header("authorization"), Some("Bearer mfa.token.canary-7c1e9a"));
    assert_eq!(verify.json(), json!({ "mfaToken": "123456", "mfaMethod": "totp", "email": EMAIL }));
    assert_eq!(requests[3].target, "/api/v3/auth/select-organization");
    assert_eq!(requests[3].header("authorization"), Some("Bearer verified.token.canary-7c1e9a"));
}

#[test]
fn a_wrong_code_is_asked_for_again() {
    let server = Server::start([
        welcome(),
        challenge("totp"),
        wrong(),
        Reply::error(400, "Invalid code"),
        verified(),
        selected(ORGANIZATION),
        organizations(),
    ]);
    let home = Home::new();
    let mut terminal = until_asked(&server, &home, &[]);
    terminal.expect("authenticator app:").enter("000000");
    terminal.expect("That code is not right").expect("4 tries left");
    terminal.expect("authenticator app:").enter("111111");
    terminal.expect("Invalid code").expect("3 tries left");
    terminal.expect("authenticator app:").enter("222222");
    terminal.finish().with(0);
    assert_eq!(codes(&server), ["000000", "111111", "222222"]);
}

#[test]
fn five_wrong_codes_are_enough_and_nothing_is_kept() {
    let mut replies = vec![welcome(), challenge("email")];
    replies.extend([wrong(), wrong(), wrong(), wrong(), wrong()]);
    let server = Server::start(replies);
    let home = Home::new();
    let mut terminal = until_asked(&server, &home, &["--plain"]);
    for left in ["4 tries left", "3 tries left", "2 tries left", "1 try left", ""] {
        terminal.expect("Code that was sent to user@example.com:").enter("000000");
        terminal.expect(left);
    }
    let ended = terminal.finish().with(3).says("the second factor was not accepted");
    assert_eq!(ended.stdout, "");
    assert_eq!(codes(&server).len(), 5);
    assert!(home.config()["profiles"].as_array().is_none_or(Vec::is_empty));
}

#[test]
fn what_is_no_code_costs_no_try() {
    let server = Server::start([
        welcome(),
        challenge("totp"),
        verified(),
        selected(ORGANIZATION),
        organizations(),
    ]);
    let home = Home::new();
    let mut terminal = until_asked(&server, &home, &[]);
    terminal.expect("authenticator app:").enter("12345");
    terminal.expect("a code has 6 digits").send("6\r");
    terminal.finish().with(0);
    assert_eq!(codes(&server), ["123456"]);
}

#[test]
fn a_mailed_code_can_be_sent_again() {
    let sent = Reply::json(200, json!({ "message": "sent" }));
    let server = Server::start([
        welcome(),
        challenge("email"),
        sent,
        verified(),
        selected(ORGANIZATION),
        organizations(),
    ]);
    let home = Home::new();
    let mut terminal = until_asked(&server, &home, &[]);
    terminal.expect("Code that was sent to user@example.com:").expect("`r` sends another");
    terminal.enter("r");
    terminal.expect("A new code is on its way").expect("Code that was sent").enter("123456");
    terminal.finish().with(0);
    let requests = server.requests();
    assert_eq!(requests[2].target, "/api/v2/auth/mfa/send");
    assert_eq!(requests[2].header("authorization"), Some("Bearer mfa.token.canary-7c1e9a"));
    assert_eq!(requests[3].json()["mfaMethod"], "email");
}

#[test]
fn a_recovery_code_stands_in_for_every_factor() {
    for method in ["totp", "email", "webauthn"] {
        let server = Server::start([
            welcome(),
            challenge(method),
            verified(),
            selected(ORGANIZATION),
            organizations(),
        ]);
        let home = Home::new();
        let mut terminal = until_asked(&server, &home, &[]);
        terminal.expect("ecovery code").wait_for_raw_mode().enter("ab12cd34");
        terminal.finish().with(0);
        let request = &server.requests()[2];
        assert_eq!(request.target, "/api/v2/auth/mfa/verify/recovery-code", "{method}");
        assert_eq!(request.json(), json!({ "recoveryCode": "ab12cd34" }));
    }
}

#[test]
fn a_challenge_that_expired_starts_over() {
    let expired = [
        refusal(401, "mfa_expired"),
        Reply::json(
            403,
            json!({ "statusCode": 403, "message": "Your token has expired", "error": "TokenError" }),
        ),
    ];
    for expired in expired {
        let server = Server::start([
            welcome(),
            challenge("totp"),
            expired,
            challenge("totp"),
            verified(),
            selected(ORGANIZATION),
            organizations(),
        ]);
        let home = Home::new();
        let mut terminal = until_asked(&server, &home, &[]);
        terminal.expect("authenticator app:").enter("000000");
        terminal.expect("starts over").expect("authenticator app:").enter("123456");
        terminal.finish().with(0);
        assert_eq!(
            targets(&server)[..6],
            [
                "login",
                "select-organization",
                "verify",
                "select-organization",
                "verify",
                "select-organization"
            ]
        );
    }
}

#[test]
fn a_locked_account_is_told_at_once() {
    let locked =
        json!({ "statusCode": 403, "message": "Locked for 5 minutes", "error": "UserLocked" });
    let server = Server::start([welcome(), challenge("totp"), Reply::json(403, locked)]);
    let home = Home::new();
    let mut terminal = until_asked(&server, &home, &[]);
    terminal.expect("authenticator app:").enter("000000");
    terminal.finish().with(3).says("Locked for 5 minutes");
}

#[test]
fn without_a_terminal_a_second_factor_needs_a_person_or_a_code() {
    for (method, hint) in [("totp", "--mfa-code=CODE"), ("email", "on a terminal it is asked for")]
    {
        let server = Server::start([welcome(), challenge(method)]);
        let ran = run(kms()
            .args(DIRECT)
            .args(["--plain", "--domain", &server.url()])
            .env("INFISICAL_PASSWORD", PASSWORD))
        .ends_with(4);
        assert!(!(ran.stdout + &ran.stderr).contains(CANARY), "no pending token is printed");
        let ran = crate::support::Ran { code: 4, stdout: String::new(), stderr: ran.stderr };
        ran.says("this login needs a second factor").says(hint).says("--method=universal-auth");
    }
}

#[test]
fn a_code_by_flag_or_environment_needs_nobody() {
    for by_flag in [true, false] {
        let replies =
            [welcome(), challenge("totp"), verified(), selected(ORGANIZATION), organizations()];
        let server = Server::start(replies);
        let mut command = kms();
        command.args(DIRECT).args(["--plain", "--silent", "--domain", &server.url()]);
        command.env("INFISICAL_PASSWORD", PASSWORD);
        if by_flag {
            command.arg("--mfa-code=123456");
        } else {
            command.env("KMS_MFA_CODE", "123456");
        }
        let ran = run(&mut command).ends_with(0);
        assert_eq!(ran.stdout, token(ORGANIZATION) + "\n");
        assert_eq!(codes(&server), ["123456"]);
    }
    let server = Server::start([welcome(), challenge("totp"), wrong()]);
    let ran = run(kms()
        .args(DIRECT)
        .args(["--plain", "--mfa-code=123456", "--domain", &server.url()])
        .env("INFISICAL_PASSWORD", PASSWORD))
    .ends_with(3);
    assert_eq!(ran.stdout, "");
    ran.says("the second factor was not accepted");
}

#[test]
fn a_server_that_never_has_enough_is_not_obeyed() {
    let server = Server::start([welcome(), challenge("totp"), verified(), challenge("totp")]);
    let ran = run(kms()
        .args(DIRECT)
        .args(["--plain", "--mfa-code=123456", "--domain", &server.url()])
        .env("INFISICAL_PASSWORD", PASSWORD))
    .ends_with(1);
    assert_eq!(ran.stdout, "");
    ran.says("once more");
}

#[test]
fn giving_up_at_the_code_leaves_the_terminal_sane_and_keeps_nothing() {
    for by_signal in [false, true] {
        let server = Server::start([welcome(), challenge("totp")]);
        let home = Home::new();
        let mut terminal = until_asked(&server, &home, &["--plain"]);
        terminal.expect("authenticator app:").wait_for_raw_mode();
        if by_signal {
            terminal.signal(Signal::SIGTERM);
        } else {
            terminal.send(CTRL_C);
        }
        let ended = terminal.finish().with(if by_signal { 143 } else { 130 });
        assert_eq!(ended.stdout, "");
        assert!(home.config()["profiles"].as_array().is_none_or(Vec::is_empty));
    }
}
