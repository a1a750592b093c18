//! Where credentials must not show.

use serde_json::json;

use crate::support::{CANARY, Ran, Reply, Server, kms, run};

/// Every way in which a call can end.
fn endings() -> Vec<Reply> {
    vec![
        Reply::json(200, json!({ "projects": [] })),
        Reply::json(200, json!({ "unexpected": true })),
        Reply::text(200, "text/html", "<html>"),
        Reply::error(400, "bad request"),
        Reply::error(401, "no"),
        Reply::error(403, "no"),
        Reply::error(404, "no"),
        Reply::error(500, "Internal Server Error"),
        Reply::text(302, "text/html", "").with("location", "https://other.example"),
        Reply::error(429, "slower").with("retry-after", "600"),
    ]
}

#[track_caller]
fn is_clean(ran: &Ran) {
    assert!(!ran.stdout.contains(CANARY), "stdout: {}", ran.stdout);
    assert!(!ran.stderr.contains(CANARY), "stderr: {}", ran.stderr);
}

#[test]
fn d5_no_credential_shows_at_the_highest_log_level() {
    for reply in endings() {
        let server = Server::start([reply.clone(), reply.clone(), reply]);
        let shared = ["--log-level=trace", "--domain", &server.url()];
        is_clean(&run(kms()
            .args(["projects", "list", "--token", CANARY])
            .env("KMS_CUSTOM_HEADERS", format!("X-Proxy-Secret={CANARY}"))
            .args(shared)));
        is_clean(&run(kms()
            .args(["login", "--method=universal-auth", "--client-id=i"])
            .env("INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET", CANARY)
            .args(shared)));
        is_clean(&run(kms().args(["token", "renew", CANARY]).args(shared)));
        assert_eq!(server.requests().len(), 3);
    }
}

#[test]
fn d5_a_log_line_names_method_path_and_status() {
    let server = Server::start([Reply::json(200, json!({ "projects": [] }))]);
    let ran = run(kms()
        .args(["projects", "list", "-l", "debug", "--token", CANARY])
        .args(["--domain", &server.url()]))
    .ends_with(0);
    is_clean(&ran);
    ran.says("GET").says("/api/v1/projects").says("200");
}

#[test]
fn d6_malformed_credentials_are_refused_without_repeating_them() {
    let token = format!("{CANARY}\u{7f}\u{e9}");
    let ran =
        run(kms().args(["projects", "list", "--token", &token]).arg("--domain=http://localhost:1"));
    is_clean(&ran.ends_with(2));
    let url = format!("https://user:{CANARY}@kms.example");
    is_clean(&run(kms().args(["projects", "list", "--token=t", "--domain", &url])).ends_with(2));
}

#[cfg(target_os = "linux")]
#[test]
fn l10_the_process_list_shows_no_secret_during_a_login() {
    use std::{fs, io::Write as _, process::Stdio, time::Duration};

    let slow = || Reply::error(401, "no").after(Duration::from_millis(500));
    for by_environment in [true, false] {
        let server = Server::start([slow()]);
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_kms"));
        command
            .env_clear()
            .args(["login", "--method=universal-auth", "--client-id=i"])
            .args(["--domain", &server.url()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if by_environment {
            command.env("KMS_UNIVERSAL_AUTH_CLIENT_SECRET", CANARY);
        } else {
            command.arg("--client-secret-stdin");
        }
        let mut child = command.spawn().unwrap();
        if by_environment {
            drop(child.stdin.take());
        } else {
            writeln!(child.stdin.take().unwrap(), "{CANARY}").unwrap();
        }
        server.wait_for_request();
        let line = fs::read(format!("/proc/{}/cmdline", child.id())).unwrap();
        let line = String::from_utf8(line).unwrap();
        assert!(line.contains("universal-auth"), "{line}");
        assert!(!line.contains(CANARY), "{line}");
        assert_eq!(child.wait().unwrap().code(), Some(3));
        assert_eq!(server.request().json()["clientSecret"], CANARY);
    }
}
