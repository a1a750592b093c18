//! `kms login` of a person, without questions.

use std::time::{Duration, Instant};

use assert_cmd::Command;
use serde_json::json;

use crate::support::{
    CANARY, Home, Ran, Reply, Server, kms,
    people::{
        EMAIL, ORGANIZATION, OTHER, PASSWORD, direct, organizations, selected, token, welcome,
    },
    run,
};

/// A login in a container: no home, no keyring, no terminal.
fn login(server: &Server, args: &[&str]) -> Command {
    let mut command = kms();
    command.arg("login").args(args).env("INFISICAL_API_URL", server.url());
    command
}

const ALL: [&str; 3] = ["--email=user@example.com", "--password", "--organization-id"];

fn all<'a>() -> Vec<&'a str> {
    vec![ALL[0], ALL[1], PASSWORD, ALL[2], ORGANIZATION]
}

#[test]
fn a_direct_login_is_three_calls_as_the_contract_says() {
    let server = Server::start(direct());
    let ran = run(login(&server, &all()).args(["--plain", "--silent"])).ends_with(0);
    assert_eq!((ran.stdout, ran.stderr.as_str()), (token(ORGANIZATION) + "\n", ""));
    let requests = server.requests();
    let targets: Vec<_> = requests.iter().map(|r| (r.method.as_str(), r.target.as_str())).collect();
    assert_eq!(
        targets,
        [
            ("POST", "/api/v3/auth/login"),
            ("POST", "/api/v3/auth/select-organization"),
            ("GET", "/api/v1/organization/accessible-with-sub-orgs"),
        ]
    );
    assert_eq!(requests[0].json(), json!({ "email": EMAIL, "password": PASSWORD }));
    assert_eq!(requests[0].header("authorization"), None);
    assert_eq!(requests[1].json(), json!({ "organizationId": ORGANIZATION }));
    assert_eq!(requests[1].header("authorization"), Some("Bearer login.token.canary-7c1e9a"));
    for request in &requests {
        assert_eq!(request.header("cookie"), None, "the refresh token is for refreshing alone");
        assert!(request.header("user-agent").unwrap().starts_with("kms-cli/"));
    }
}

#[test]
fn flags_and_environment_mix_and_flags_win() {
    for by_flag in 0..8_u8 {
        let server = Server::start(direct());
        let mut command = login(&server, &["--plain", "--silent"]);
        let flag = |bit: u8| by_flag & bit != 0;
        let value =
            |bit: u8, right: &'static str| if flag(bit) { "of-the-environment" } else { right };
        if flag(1) {
            command.args(["--email", EMAIL]);
        }
        if flag(2) {
            command.args(["--password", PASSWORD]);
        }
        if flag(4) {
            command.args(["--organization-id", ORGANIZATION]);
        }
        command.env("INFISICAL_EMAIL", value(1, EMAIL));
        command.env("INFISICAL_PASSWORD", value(2, PASSWORD));
        command.env("INFISICAL_ORGANIZATION_ID", value(4, ORGANIZATION));
        let ran = run(&mut command).ends_with(0);
        assert_eq!(ran.stdout, token(ORGANIZATION) + "\n", "{by_flag:b}");
        let requests = server.requests();
        assert_eq!(requests[0].json(), json!({ "email": EMAIL, "password": PASSWORD }));
        assert_eq!(requests[1].json(), json!({ "organizationId": ORGANIZATION }));
    }
}

#[test]
fn our_names_of_the_variables_work_and_win() {
    let server = Server::start(direct());
    run(login(&server, &["--plain", "--silent"])
        .env("KMS_EMAIL", EMAIL)
        .env("INFISICAL_EMAIL", "theirs@example.com")
        .env("KMS_PASSWORD", PASSWORD)
        .env("KMS_ORGANIZATION_ID", ORGANIZATION))
    .ends_with(0);
    assert_eq!(server.requests()[0].json()["email"], EMAIL);
}

#[test]
fn without_a_keyring_plain_prints_the_token_and_warns() {
    let server = Server::start(direct());
    let ran = run(login(&server, &all()).arg("--plain")).ends_with(0);
    assert_eq!(ran.stdout, token(ORGANIZATION) + "\n");
    assert!(!ran.stderr.contains(CANARY), "{}", ran.stderr);
    ran.says("warning: the token is printed, not kept");
}

#[test]
fn without_a_keyring_a_login_says_what_to_do_before_it_asks_the_server() {
    let server = Server::start([]);
    let folder = tempfile::tempdir().unwrap();
    let ran = run(login(&server, &all()).env("KMS_CONFIG_DIR", folder.path()));
    assert_ne!(ran.code, 0);
    assert_eq!(ran.stdout, "");
    ran.says("hint:").says("kms vault set file");
    assert!(server.requests().is_empty());
}

#[test]
fn a_login_is_kept_and_says_so_on_standard_error() {
    let server = Server::start(direct());
    let home = Home::new();
    let ran = run(login(&server, &all()).envs(home.environment())).ends_with(0);
    assert_eq!(ran.stdout, "");
    assert!(!ran.stderr.contains(CANARY), "{}", ran.stderr);
    ran.says(&format!("You are now logged in as {EMAIL} in Example at {}", server.url()))
        .says("is kept in files sealed by a passphrase")
        .says("hint: next: `kms");
    let config = home.config();
    assert_eq!(config["profiles"][0]["email"], EMAIL);
    assert_eq!(config["profiles"][0]["domain"], server.url());
    assert_eq!(config["profiles"][0]["organization"]["id"], ORGANIZATION);
    assert!(!home.everything().contains(CANARY), "tokens are sealed");
}

#[test]
fn plain_prints_the_token_and_keeps_the_login_too() {
    let server = Server::start(direct());
    let home = Home::new();
    let ran = run(login(&server, &all()).args(["--plain", "--silent"]).envs(home.environment()))
        .ends_with(0);
    assert_eq!((ran.stdout, ran.stderr.as_str()), (token(ORGANIZATION) + "\n", ""));
    assert_eq!(home.config()["profiles"].as_array().unwrap().len(), 1);
}

#[test]
fn an_organization_that_no_list_names_is_good_enough() {
    let refusals =
        [Reply::error(404, "Route not found"), Reply::error(500, "Something went wrong")];
    for refusal in refusals {
        let server = Server::start([welcome(), selected(OTHER), refusal, Reply::error(500, "no")]);
        let home = Home::new();
        let args = [ALL[0], ALL[1], PASSWORD, ALL[2], OTHER];
        run(login(&server, &args).envs(home.environment()))
            .ends_with(0)
            .says(&format!("logged in as {EMAIL} in {OTHER}"));
    }
}

type Variables = &'static [(&'static str, &'static str)];

/// Which parts are there by flag and by environment, the code, and what has to be said.
const PARTIAL: [(&[&str], Variables, i32, &str); 9] = [
    (&["--email=a@b.c"], &[], 2, "`--password` and `--organization-id` are missing"),
    (&["--password=canary-7c1e9a"], &[], 2, "`--email` and `--organization-id` are missing"),
    (&["--organization-id=x"], &[], 2, "`--email` and `--password` are missing"),
    (&["--email=a@b.c", "--organization-id=x"], &[], 2, "`--password` is missing"),
    (&["--password-stdin"], &[], 2, "`--email` and `--organization-id` are missing"),
    (&["--email=", "--password=", "--organization-id="], &[], 2, "are missing"),
    (&[], &[("INFISICAL_EMAIL", "a@b.c")], 2, "`--password` and `--organization-id` are missing"),
    (&["--email=a@b.c"], &[("KMS_PASSWORD", "canary-7c1e9a")], 2, "`--organization-id` is missing"),
    (&[], &[], 4, "needs a browser or a terminal, and there is neither"),
];

#[test]
fn partial_input_without_a_terminal_fails_at_once_with_what_works() {
    for (args, environment, code, text) in PARTIAL {
        let server = Server::start([]);
        let started = Instant::now();
        let ran = run(login(&server, args).envs(environment.iter().copied())).ends_with(code);
        assert!(started.elapsed() < Duration::from_secs(2), "{args:?}");
        assert!(!ran.stderr.contains(CANARY), "{}", ran.stderr);
        assert_eq!(ran.stdout, "");
        ran.says(text)
            .says("--password-file=FILE --organization-id=")
            .says("INFISICAL_PASSWORD")
            .says("kms login --method=universal-auth --client-id=ID --client-secret-file=FILE");
        assert!(server.requests().is_empty());
    }
}

#[test]
fn the_suggested_command_has_what_is_known() {
    let server = Server::start([]);
    let organization = format!("--organization-id={ORGANIZATION}");
    run(&mut login(&server, &["--email=it's@b.c", &organization])).ends_with(2).says(&format!(
        "`kms login --domain={} --email='it'\\''s@b.c' --password-file=FILE \
         --organization-id={ORGANIZATION}`",
        server.url()
    ));
}

#[test]
fn being_asked_needs_a_terminal() {
    let server = Server::start([]);
    for flag in ["--interactive", "-i", "--interactive=true"] {
        run(login(&server, &[flag]).args(all()))
            .ends_with(4)
            .says("there is no terminal to ask on")
            .says("kms login --domain=");
    }
}

#[test]
fn l10_a_password_comes_from_a_file_or_standard_input() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    std::fs::write(&file, format!("{PASSWORD}\n")).unwrap();
    let args = [ALL[0], ALL[2], ORGANIZATION, "--plain"];
    let server = Server::start([direct(), direct()].concat());
    let by_file = run(login(&server, &args).arg("--password-file").arg(&file)).ends_with(0);
    let by_stdin =
        run(login(&server, &args).arg("--password-stdin").write_stdin(format!("{PASSWORD}\r\n")))
            .ends_with(0);
    for ran in [by_file, by_stdin] {
        assert!(!ran.stderr.contains("process list"), "{}", ran.stderr);
    }
    for request in [&server.requests()[0], &server.requests()[3]] {
        assert_eq!(request.json()["password"], PASSWORD);
    }
    run(login(&server, &args).arg("--password-file").arg(folder.path().join("none"))).ends_with(2);
}

#[test]
fn l10_a_password_in_an_argument_is_warned_about_unless_silent() {
    let server = Server::start([direct(), direct()].concat());
    run(login(&server, &all()).arg("--plain"))
        .ends_with(0)
        .says("warning: `--password` shows in the process list")
        .says("INFISICAL_PASSWORD");
    let silent = run(login(&server, &all()).args(["--plain", "--silent"])).ends_with(0);
    assert_eq!(silent.stderr, "");
}

#[test]
fn a_wrong_password_costs_one_attempt() {
    for status in [400, 401] {
        let server = Server::start([Reply::error(status, "Invalid credentials")]);
        run(login(&server, &all()).arg("--plain"))
            .ends_with(3)
            .says(&format!("could not log in as {EMAIL}"))
            .says("Invalid credentials")
            .says(&format!("sent to `{}`", server.url()))
            .says("another server, pass `--domain`");
        server.request();
    }
}

#[test]
fn h10_a_login_that_is_turned_away_waits_as_long_as_told() {
    let busy = Reply::error(429, "Too many requests").with("retry-after", "1");
    let server = Server::start([vec![busy], direct()].concat());
    let started = Instant::now();
    run(login(&server, &all()).args(["--plain", "--silent"])).ends_with(0);
    assert!(started.elapsed() >= Duration::from_secs(1));
    assert_eq!(server.requests().len(), 4);

    let full = Reply::error(429, "Too many requests").with("retry-after", "600");
    let server = Server::start([full]);
    run(login(&server, &all()).arg("--plain")).ends_with(1).says("600 seconds");
    server.request();
}

#[test]
fn what_is_no_id_is_refused_before_the_password_is_sent() {
    let server = Server::start([]);
    let args = [ALL[0], ALL[1], PASSWORD, ALL[2], "my-org", "--plain"];
    run(&mut login(&server, &args))
        .ends_with(2)
        .says("`my-org` is not the id of an organization")
        .says("--interactive");
    assert!(server.requests().is_empty());
}

#[test]
fn a_login_that_cannot_be_kept_is_ended_on_the_server() {
    let server =
        Server::start([direct(), vec![Reply::json(200, json!({ "message": "bye" }))]].concat());
    let home = Home::new();
    // Where the tokens would go, something else is.
    std::fs::write(std::path::Path::new(home.environment()[0].1).join("sessions"), "").unwrap();
    let ran = run(login(&server, &all()).envs(home.environment()));
    assert_ne!(ran.code, 0);
    ran.says("could not keep the login");
    let last = server.requests().pop().unwrap();
    assert_eq!(last.target, "/api/v1/auth/logout");
    assert_eq!(last.header("cookie"), Some("jid=canary-7c1e9a-second"));
}

#[test]
fn a_token_of_the_environment_is_said_to_win() {
    let server = Server::start(direct());
    let home = Home::new();
    run(login(&server, &all()).envs(home.environment()).env("INFISICAL_TOKEN", CANARY))
        .ends_with(0)
        .says("`INFISICAL_TOKEN` is set: commands use that token, not this login");
    assert!(
        server.requests().iter().all(|request| {
            request.header("authorization") != Some(&format!("Bearer {CANARY}"))
        })
    );
}

#[track_caller]
fn is_clean(ran: &Ran) {
    assert!(!ran.stdout.contains(CANARY), "stdout: {}", ran.stdout);
    assert!(!ran.stderr.contains(CANARY), "stderr: {}", ran.stderr);
}

#[test]
fn l12_no_token_and_no_password_shows_at_the_highest_log_level() {
    let endings: Vec<Vec<Reply>> = vec![
        direct(),
        vec![Reply::error(400, "no")],
        vec![welcome(), Reply::error(403, "no")],
        vec![Reply::json(200, json!({ "unexpected": CANARY }))],
        vec![welcome(), Reply::json(200, json!({ "token": 1, "x": CANARY }))],
        vec![welcome(), selected(ORGANIZATION), Reply::text(200, "text/html", "<html>")],
    ];
    for replies in endings {
        let server = Server::start(replies);
        let home = Home::new();
        is_clean(&run(kms()
            .args(["login", "--log-level=trace", ALL[0], ALL[2], ORGANIZATION])
            .args(["--domain", &server.url()])
            .env("INFISICAL_PASSWORD", PASSWORD)
            .envs(home.environment())));
        assert!(!home.everything().contains(CANARY));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn l10_the_process_list_shows_no_password_during_a_login() {
    use std::{fs, process::Stdio};

    let server = Server::start([Reply::error(401, "no").after(Duration::from_millis(500))]);
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_kms"))
        .env_clear()
        .args(["login", "--plain", "--domain", &server.url()])
        .env("INFISICAL_EMAIL", EMAIL)
        .env("INFISICAL_PASSWORD", PASSWORD)
        .env("INFISICAL_ORGANIZATION_ID", ORGANIZATION)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    server.wait_for_request();
    let line = fs::read(format!("/proc/{}/cmdline", child.id())).unwrap();
    let line = String::from_utf8(line).unwrap();
    assert!(line.contains("login") && !line.contains(CANARY), "{line}");
    assert_eq!(child.wait().unwrap().code(), Some(3));
}

/// The lines about a person's login that the reference shows, as they stand there.
fn example_lines() -> Vec<String> {
    let table = include_str!("../../../docs/seed-coverage.md");
    let rows = table.lines().filter_map(|row| row.strip_prefix("| "));
    let texts = rows.filter_map(|row| row.split(" | ").nth(1));
    let code = texts.filter_map(|text| text.strip_prefix('`')?.strip_suffix('`'));
    code.filter(|line| line.contains("kms login") && line.contains("--email"))
        .filter(|line| !line.contains("eu.kms") && !line.contains("your-self-hosted"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_example_line_works_as_written() {
    let lines = example_lines();
    assert!(lines.len() >= 5, "{lines:?}");
    for line in lines {
        let server = Server::start(direct());
        let home = Home::new();
        let script = line
            .replace("<email>", EMAIL)
            .replace("<password>", "your-password")
            .replace("<organization-id>", ORGANIZATION)
            .replace("your-organization-id", ORGANIZATION);
        let ran = run(Command::new("/bin/sh")
            .env_clear()
            .envs(home.environment())
            .env("INFISICAL_API_URL", server.url())
            .env("PATH", std::path::Path::new(env!("CARGO_BIN_EXE_kms")).parent().unwrap())
            .args(["-c", &format!("{script}\necho \"token=$INFISICAL_TOKEN\"")]))
        .ends_with(0);
        let printed = script.starts_with("export");
        let expected = if printed { token(ORGANIZATION) } else { String::new() };
        assert!(ran.stdout.ends_with(&format!("token={expected}\n")), "{line}: {}", ran.stdout);
        assert_eq!(
            server.requests()[0].json(),
            json!({ "email": EMAIL, "password": "your-password" }),
            "{line}"
        );
    }
}

#[test]
fn the_examples_with_exported_variables_work_as_written() {
    let server = Server::start([direct(), direct()].concat());
    let home = Home::new();
    let script = format!(
        r#"export INFISICAL_EMAIL="user@example.com"
export INFISICAL_PASSWORD="your-password"
export INFISICAL_ORGANIZATION_ID="{ORGANIZATION}"
kms login || exit
export INFISICAL_TOKEN=$(kms login --plain --silent)
echo "$INFISICAL_TOKEN""#
    );
    let ran = run(Command::new("/bin/sh")
        .env_clear()
        .envs(home.environment())
        .env("INFISICAL_API_URL", server.url())
        .env("PATH", std::path::Path::new(env!("CARGO_BIN_EXE_kms")).parent().unwrap())
        .args(["-c", &script]))
    .ends_with(0);
    assert_eq!(ran.stdout, token(ORGANIZATION) + "\n");
    assert_eq!(server.requests().len(), 6);
}

#[test]
fn an_account_without_an_organization_is_told() {
    let server = Server::start([welcome(), Reply::error(403, "not a member"), organizations()]);
    run(login(&server, &all()).arg("--plain"))
        .ends_with(3)
        .says("could not choose the organization")
        .says("not a member");
}
