//! Where the proofs of machine identities must not show.

use assert_cmd::Command;
use serde_json::json;

use crate::{
    machine::{ACCESS_TOKEN, IDENTITY, granted, login},
    machine_aws::{KEY_ID, SECRET, aws},
    machine_gcp::key_file,
    support::{CANARY, Ran, Reply, Server, run},
};

#[track_caller]
fn is_clean(ran: &Ran) {
    assert!(!ran.stdout.contains(CANARY), "stdout: {}", ran.stdout);
    for secret in [CANARY, ACCESS_TOKEN] {
        assert!(!ran.stderr.contains(secret), "stderr: {}", ran.stderr);
    }
}

/// Sets a method up so that it has the canary to lose, with a vendor where there is one.
type Arrange = fn(&Server, &Server) -> Command;

const METHODS: [Arrange; 6] = [
    |server, _| {
        let mut command = login("jwt-auth", server);
        command.env("INFISICAL_JWT", CANARY);
        command
    },
    |server, vendor| {
        let mut command = login("oidc-auth", server);
        command.env("ACTIONS_ID_TOKEN_REQUEST_URL", vendor.url());
        command.env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", CANARY);
        command
    },
    |server, vendor| {
        let mut command = login("gcp-id-token", server);
        command.env("GCE_METADATA_HOST", vendor.url().replace("http://", ""));
        command
    },
    |server, vendor| {
        let mut command = login("azure", server);
        command.env("AZURE_POD_IDENTITY_AUTHORITY_HOST", vendor.url());
        command.env("INFISICAL_AZURE_AUTH_USE_WORKLOAD_IDENTITY", "false");
        command
    },
    |server, vendor| {
        let mut command = aws(server);
        command.env("AWS_REGION", "us-east-1");
        command.env("AWS_CONTAINER_CREDENTIALS_FULL_URI", vendor.url());
        command.env("AWS_CONTAINER_AUTHORIZATION_TOKEN", CANARY);
        command
    },
    |server, _| {
        let mut command = aws(server);
        command.env("AWS_REGION", "us-east-1");
        command.env("AWS_ACCESS_KEY_ID", KEY_ID).env("AWS_SECRET_ACCESS_KEY", SECRET);
        command
    },
];

/// What a vendor may answer: right, wrong in kind, wrong in form, and a refusal.
fn answers() -> Vec<Reply> {
    let google = |reply: Reply| reply.with("metadata-flavor", "Google");
    let all = json!({
        "value": CANARY, "access_token": CANARY,
        "AccessKeyId": KEY_ID, "SecretAccessKey": SECRET, "Token": CANARY,
        "Expiration": "2099-12-31T23:59:59Z",
    });
    vec![
        google(Reply::json(200, all)),
        google(Reply::text(200, "text/plain", CANARY)),
        google(Reply::json(
            200,
            json!({ "value": [CANARY], "access_token": [CANARY],
            "AccessKeyId": [CANARY], "SecretAccessKey": CANARY }),
        )),
        Reply::text(403, "text/html", CANARY),
        Reply::text(302, "text/html", "").with("location", &format!("https://e.example/?{CANARY}")),
    ]
}

#[test]
fn d5_l12_no_proof_and_no_token_shows_at_the_highest_log_level() {
    let mut granted_once = 0;
    for arrange in METHODS {
        for answer in answers() {
            for reply in
                [granted(), Reply::error(401, "no"), Reply::json(200, json!({ "x": CANARY }))]
            {
                let server = Server::start([reply]);
                let vendor = Server::start([answer.clone()]);
                let mut command = arrange(&server, &vendor);
                let ran = run(command.arg("--log-level=trace"));
                is_clean(&ran);
                granted_once += u32::from(ran.code == 0);
            }
        }
    }
    assert!(granted_once >= 6, "{granted_once} of the logins went through");
}

#[test]
fn a_vendor_is_asked_in_the_log_without_what_it_was_told() {
    let server = Server::start([granted()]);
    let vendor = Server::start([Reply::json(200, json!({ "value": "a.b.c" }))]);
    let mut command = METHODS[1](&server, &vendor);
    command
        .env("ACTIONS_ID_TOKEN_REQUEST_URL", format!("{}/idtoken?secret={CANARY}", vendor.url()));
    let ran = run(command.arg("--log-level=debug")).ends_with(0);
    is_clean(&ran);
    ran.says("GET").says("/idtoken").says("/api/v1/auth/oidc-auth/login");
}

#[test]
fn l10_a_jwt_in_an_argument_is_warned_about_unless_silent() {
    for flag in ["--jwt", "--oidc-jwt"] {
        let server = Server::start([granted(), granted()]);
        let mut command = crate::support::kms();
        command.args(["login", "--method=oidc-auth", "--plain", flag, "a.b.c"]);
        command.args(["--machine-identity-id", IDENTITY]).env("KMS_DOMAIN", server.url());
        run(&mut command)
            .ends_with(0)
            .says(&format!("warning: `{flag}` shows in the process list"))
            .says("--jwt-stdin");
        assert_eq!(run(command.arg("--silent")).ends_with(0).stderr, "");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn l10_the_process_list_shows_no_proof_during_a_login() {
    use std::{fs, io::Write as _, process::Stdio, time::Duration};

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    fs::write(&file, CANARY).unwrap();
    let key = key_file(|key| key["project_id"] = CANARY.into());
    for way in ["variable", "stdin", "file", "kubernetes", "azure", "gcp", "aws"] {
        let vendor = Server::start([Reply::json(200, json!({ "access_token": CANARY }))]);
        let server = Server::start([Reply::error(401, "no").after(Duration::from_millis(500))]);
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_kms"));
        command
            .env_clear()
            .args(["login", "--domain", &server.url(), "--machine-identity-id", IDENTITY])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        match way {
            "variable" => command.arg("--method=jwt-auth").env("INFISICAL_JWT", CANARY),
            "stdin" => command.args(["--method=oidc-auth", "--jwt-stdin"]),
            "file" => command.args(["--method=jwt-auth", "--jwt-file"]).arg(&file),
            "kubernetes" => {
                command.args(["--method=kubernetes", "--service-account-token-path"]).arg(&file)
            }
            "azure" => command
                .args(["--method=azure"])
                .env("IDENTITY_ENDPOINT", vendor.url())
                .env("IDENTITY_HEADER", CANARY),
            "gcp" => {
                command.args(["--method=gcp-iam", "--service-account-key-file-path"]).arg(&key.path)
            }
            _ => command
                .args(["--method=aws-iam"])
                .envs([("AWS_REGION", "us-east-1"), ("AWS_SESSION_TOKEN", CANARY)])
                .envs([("AWS_ACCESS_KEY_ID", KEY_ID), ("AWS_SECRET_ACCESS_KEY", SECRET)]),
        };
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        if way == "stdin" {
            writeln!(stdin, "{CANARY}").unwrap();
        }
        drop(stdin);
        server.wait_for_request();
        let line = fs::read(format!("/proc/{}/cmdline", child.id())).unwrap();
        let line = String::from_utf8(line).unwrap();
        assert!(line.contains("--method") && !line.contains(CANARY), "{line}");
        assert_eq!(child.wait().unwrap().code(), Some(3));
        let proof = server.request().json();
        match way {
            "aws" => assert!(proof["iamRequestHeaders"].is_string(), "{proof}"),
            "gcp" => assert!(proof["jwt"].is_string(), "{proof}"),
            _ => assert_eq!(proof["jwt"], CANARY, "{way}"),
        }
    }
}

#[test]
fn l11_what_a_vendor_says_cannot_steer_the_terminal() {
    let text = "\u{1b}]52;c;ZXZpbA==\u{7}\u{1b}[2J\u{202e}denied\r\nhint: run this";
    let said = json!({ "error": text, "error_description": text, "message": text });
    for arrange in &METHODS[1..5] {
        let server = Server::start([]);
        let vendor = Server::start([Reply::json(400, said.clone())]);
        let ran = run(&mut arrange(&server, &vendor)).ends_with(1);
        let steers = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
        assert!(!ran.stderr.contains(steers), "{:?}", ran.stderr);
        assert!(
            !ran.stderr.lines().any(|line| line.starts_with("hint: run this")),
            "{}",
            ran.stderr
        );
        assert_eq!(vendor.requests().len(), 1);
    }
}

#[test]
fn l9_a_vendor_sends_nobody_elsewhere() {
    for arrange in &METHODS[1..5] {
        for status in [301, 302, 307, 308] {
            let elsewhere = Server::start([]);
            let server = Server::start([]);
            let reply = Reply::text(status, "text/plain", "");
            let vendor = Server::start([reply.with("location", &elsewhere.url())]);
            let ran = run(&mut arrange(&server, &vendor)).ends_with(1);
            is_clean(&ran);
            assert!(elsewhere.requests().is_empty(), "{status}: {:?}", elsewhere.requests());
        }
    }
}

#[test]
fn l11_a_token_that_would_steer_the_terminal_is_not_printed() {
    for token in ["", "a\nb", "a.b.c\u{1b}]52;c;ZXZpbA==\u{7}", "a.\u{202e}b.c"] {
        let answer = json!({ "accessToken": token, "expiresIn": 1, "accessTokenMaxTTL": 1,
            "tokenType": "Bearer" });
        let server = Server::start([Reply::json(200, answer)]);
        let vendor = Server::start([]);
        let ran = run(&mut METHODS[0](&server, &vendor)).ends_with(1);
        assert_eq!(ran.stdout, "");
        ran.says("sent an answer that this version does not understand")
            .says("`accessToken` is not one line of visible characters");
    }
}
