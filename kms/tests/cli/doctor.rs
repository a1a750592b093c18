//! `kms doctor`.

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    time::{Duration, SystemTime},
};

use assert_cmd::Command;
use serde_json::{Value, json};

use crate::{
    authority::Authority,
    kept::{at, log_in},
    support::{
        CANARY, Home, Ran, Reply, Request, Server, kms,
        people::{EMAIL, ORGANIZATION, direct},
        plain, run,
    },
    terminal::Terminal,
};

const PROJECT: &str = "0192d0a4-8f9c-7c6e-9f0a-2f4d3a5b6c7d";
const TIME: &str = "2026-11-23T00:00:00.000Z";

fn status() -> Reply {
    Reply::json(200, json!({ "date": TIME, "message": "Ok" }))
}

fn date(ahead: i64) -> String {
    let now = SystemTime::now();
    let apart = Duration::from_secs(ahead.unsigned_abs());
    httpdate::fmt_http_date(if ahead < 0 { now - apart } else { now + apart })
}

fn project() -> Value {
    let environment = |slug: &str| json!({ "id": PROJECT, "name": slug, "slug": slug });
    json!({ "project": {
        "id": PROJECT, "_id": PROJECT, "name": "web", "slug": "web", "orgId": ORGANIZATION,
        "createdAt": TIME, "updatedAt": TIME,
        "environments": [environment("dev"), environment("prod")],
    } })
}

/// Answers whatever the doctor asks.
fn answer(request: &Request) -> Reply {
    let path = request.target.split('?').next().unwrap();
    match path {
        "/api/status" => status().with("x-kms-version", "9.8.7").with("date", &date(0)),
        "/api/v1/auth/checkAuth" => Reply::json(200, json!({ "message": "Authenticated" })),
        "/api/v1/organization" => Reply::json(
            200,
            json!({ "organizations": [{
                "id": ORGANIZATION, "name": "Example", "slug": "example", "userRole": "admin",
                "createdAt": TIME, "updatedAt": TIME,
            }] }),
        ),
        "/api/v2/users/me" => Reply::json(
            200,
            json!({ "user": {
                "id": "0192d0a4-8f9c-7c6e-9f0a-00000000000a", "username": EMAIL, "email": EMAIL,
                "firstName": null, "lastName": null, "createdAt": TIME, "updatedAt": TIME,
            } }),
        ),
        path if path.contains(PROJECT) => Reply::json(200, project()),
        other => Reply::error(404, &format!("not scripted: {other}")),
    }
}

fn healthy() -> Server {
    Server::answering(TcpListener::bind("127.0.0.1:0").unwrap(), plain(), answer)
}

fn doctor(domain: &str) -> Command {
    let mut command = kms();
    command.args(["doctor", "--output=json", "--domain", domain]);
    command
}

/// The checks by name, with their status and text.
fn checks(ran: &Ran) -> Vec<(String, String, String)> {
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let text = |check: &Value, field: &str| check[field].as_str().unwrap().to_owned();
    let checks = report["checks"].as_array().unwrap().iter();
    checks.map(|it| (text(it, "name"), text(it, "status"), text(it, "text"))).collect()
}

#[track_caller]
fn says(ran: &Ran, name: &str, status: &str, text: &str) {
    let checks = checks(ran);
    let (_, is, says) = checks.iter().find(|(check, ..)| check == name).unwrap();
    assert!(is == status && says.contains(text), "{name}: {is}: {says}, not {status}: {text}");
}

/// What is to be typed next.
fn next(ran: &Ran, name: &str) -> String {
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let checks = report["checks"].as_array().unwrap();
    checks.iter().find(|check| check["name"] == name).unwrap()["next"].to_string()
}

#[test]
fn somebody_who_is_logged_in_hears_that_nothing_is_in_the_way() {
    let home = Home::new();
    let mut replies = direct().into_iter();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = Server::answering(listener, plain(), move |request| {
        replies.next().unwrap_or_else(|| answer(request))
    });
    log_in(&home, &server, ORGANIZATION);
    let private = fs::Permissions::from_mode(0o700);
    fs::set_permissions(home.environment()[0].1, private).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = json!({ "workspaceId": PROJECT, "defaultEnvironment": "prod" });
    fs::write(folder.path().join(".kms.json"), file.to_string()).unwrap();
    let ran = run(at(&home).args(["doctor", "--output=json"]).current_dir(folder.path()));
    let ran = ran.ends_with(0);
    let names: Vec<String> = checks(&ran).into_iter().map(|(name, ..)| name).collect();
    let all = [
        "configuration",
        "project file",
        "domain",
        "proxy",
        "name",
        "connection",
        "certificate",
        "server",
        "clock",
        "vault",
        "credential",
        "organization",
        "project",
    ];
    assert_eq!(names, all);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["status"], "ok", "{report}");
    says(&ran, "configuration", "ok", "1 login");
    says(&ran, "project file", "ok", "the environment `prod`");
    says(&ran, "domain", "ok", "the server of the login `");
    says(&ran, "server", "ok", "Hanzo KMS 9.8.7 (this program is ");
    says(&ran, "vault", "ok", "`file`");
    says(&ran, "credential", "ok", EMAIL);
    says(&ran, "organization", "ok", "`Example`, role `admin`");
    says(&ran, "project", "ok", "`web`, environment `prod`");
    assert!(!ran.stdout.contains(CANARY), "{}", ran.stdout);
    for request in server.requests().iter().filter(|it| it.target == "/api/status") {
        assert_eq!(request.header("authorization"), None, "who asks is nobody's business there");
    }
}

#[test]
fn without_a_login_it_warns_and_ends_with_0() {
    let server = healthy();
    let ran = run(&mut doctor(&server.url())).ends_with(0);
    says(&ran, "domain", "ok", "as `--domain` says");
    says(&ran, "credential", "warning", "not logged in");
    assert!(next(&ran, "credential").contains("kms login --domain http://127.0.0.1:"));
    says(&ran, "project", "skipped", "nobody to ask the server as");
    assert_eq!(server.request().target, "/api/status");
}

#[test]
fn a_compatible_server_is_told_from_ours() {
    let server = Server::start([status()]);
    let ran = run(&mut doctor(&server.url())).ends_with(0);
    says(&ran, "server", "ok", "a compatible server");
    says(&ran, "clock", "skipped", "tells no time");
    let server = Server::start([status().with("x-kms-version", "v0.160.0-postgres")]);
    says(&run(&mut doctor(&server.url())), "server", "ok", "a compatible server");
}

#[test]
fn clocks_that_are_apart_are_a_warning_and_then_a_failure() {
    for (ahead, code, found) in [
        (10, 0, "ok"),
        (-20, 0, "ok"),
        (60, 0, "warning"),
        (-200, 0, "warning"),
        (3600, 1, "failed"),
    ] {
        let server = Server::start([status().with("date", &date(ahead))]);
        let ran = run(&mut doctor(&server.url())).ends_with(code);
        let side = match (found, ahead > 0) {
            ("ok", _) => "from the server's",
            (_, true) => "behind the server's",
            (_, false) => "ahead of the server's",
        };
        says(&ran, "clock", found, side);
        assert_eq!(next(&ran, "clock").contains("timedatectl"), found != "ok");
    }
}

#[test]
fn the_first_step_that_fails_ends_the_way_with_5() {
    let ran = run(&mut doctor("https://kms.invalid")).ends_with(5);
    says(&ran, "name", "failed", "`kms.invalid` has no address");
    says(&ran, "connection", "skipped", "");
    says(&ran, "server", "skipped", "");
    ran.says("`name` is in the way");
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let ran = run(&mut doctor(&format!("http://{free}"))).ends_with(5);
    says(&ran, "name", "ok", "is an address");
    says(&ran, "connection", "failed", "refused");
    let server = Server::start([Reply::text(200, "text/html", "<html>")]);
    let ran = run(&mut doctor(&server.url())).ends_with(1);
    says(&ran, "server", "failed", "does not answer like a KMS");
    assert!(next(&ran, "server").contains("--domain"));
}

#[test]
fn a_failure_of_this_machine_that_comes_first_decides_the_code() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(".kms.json"), r#"{"workspaceId":1}"#).unwrap();
    let ran = run(doctor("https://kms.invalid").current_dir(folder.path())).ends_with(1);
    says(&ran, "project file", "failed", "`workspaceId` must be a text");
    says(&ran, "name", "failed", "");
}

#[test]
fn the_certificate_is_told_with_issuer_end_and_whose_word_counts() {
    let authority = Authority::new();
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    fs::write(&ca, authority.pem()).unwrap();
    let start = || {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Server::on(
            listener,
            [status()],
            authority.localhost(|leaf| {
                leaf.not_after = rcgen::date_time_ymd(2095, 6, 7);
            }),
        );
        let url = format!("https://localhost:{}", server.port());
        (server, url)
    };
    let (_server, url) = start();
    let ran = run(doctor(&url).arg("--cacert").arg(&ca)).ends_with(0);
    says(
        &ran,
        "certificate",
        "ok",
        "`kms.test`, issued by `Example Root CA`, good until 2095-06-07",
    );
    says(&ran, "certificate", "ok", "those of `--cacert`");
    let (_server, url) = start();
    let ran = run(doctor(&url).env("SSL_CERT_FILE", &ca)).ends_with(0);
    says(&ran, "certificate", "ok", "trusted by the system's");
    let (_server, url) = start();
    let ran = run(&mut doctor(&url)).ends_with(5);
    says(&ran, "certificate", "failed", "`Example Root CA`, which issued");
    assert!(next(&ran, "certificate").contains("--cacert FILE"));
    says(&ran, "server", "skipped", "");
    let ran = run(doctor(&url).arg("--cacert=/no/such/file")).ends_with(1);
    says(&ran, "certificate", "failed", "/no/such/file");
}

#[test]
fn a_certificate_that_ends_soon_is_a_warning() {
    let authority = Authority::new();
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    fs::write(&ca, authority.pem()).unwrap();
    let soon = SystemTime::now() + Duration::from_hours(72);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let wrap = authority.localhost(|leaf| leaf.not_after = soon.into());
    let server = Server::on(listener, [status()], wrap);
    let url = format!("https://localhost:{}", server.port());
    let ran = run(doctor(&url).arg("--cacert").arg(&ca)).ends_with(0);
    says(&ran, "certificate", "warning", "it ends soon");
}

#[test]
fn a_configuration_that_others_may_write_to_is_in_the_way() {
    let server = healthy();
    let folder = tempfile::tempdir().unwrap();
    let at_mode = |mode| {
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
        run(doctor(&server.url()).env("KMS_CONFIG_DIR", folder.path()))
    };
    let ran = at_mode(0o777).ends_with(1);
    says(&ran, "configuration", "failed", "others may write");
    assert!(next(&ran, "configuration").contains("chmod 700"));
    says(&at_mode(0o755).ends_with(0), "configuration", "warning", "others may look into");
    says(&at_mode(0o700).ends_with(0), "configuration", "ok", "yours alone");
    fs::write(folder.path().join("config.json"), "{").unwrap();
    says(&at_mode(0o700).ends_with(1), "configuration", "failed", "could not read");
}

#[test]
fn a_token_that_is_not_taken_is_told_and_never_shown() {
    for reply in [Reply::error(401, "no"), Reply::error(403, "no")] {
        let server =
            Server::answering(TcpListener::bind("127.0.0.1:0").unwrap(), plain(), move |request| {
                match request.target.as_str() {
                    "/api/status" => status(),
                    _ => reply.clone(),
                }
            });
        let proxy_password = format!("http://user:{CANARY}@127.0.0.1:9");
        let ran = run(doctor(&server.url())
            .args(["--log-level=trace"])
            .env("KMS_TOKEN", CANARY)
            .env("HTTPS_PROXY", proxy_password)
            .env("KMS_CUSTOM_HEADERS", format!("X-Proxy-Secret={CANARY}")))
        .ends_with(1);
        says(&ran, "credential", "failed", "machine identity of `KMS_TOKEN`; not taken");
        assert!(next(&ran, "credential").contains("kms login --method=universal-auth"));
        says(&ran, "proxy", "ok", "`HTTPS_PROXY`");
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(!said.contains(CANARY), "{said}");
    }
}

#[test]
fn an_environment_that_the_project_lacks_is_in_the_way() {
    let server = healthy();
    let token = crate::support::people::token(ORGANIZATION);
    let ran = run(doctor(&server.url())
        .args(["--projectId", PROJECT, "--env", "qa"])
        .env("KMS_TOKEN", &token))
    .ends_with(1);
    says(&ran, "project", "failed", "`web` has no environment `qa`");
    assert!(next(&ran, "project").contains("`--env dev`, `--env prod`"));
    assert!(!format!("{}{}", ran.stdout, ran.stderr).contains(&token));
}

#[test]
fn l8_a_hostile_project_file_has_the_doctor_ask_nobody_as_anybody() {
    let home = Home::new();
    let server = Server::start(direct().into_iter().chain([status()]));
    let evil = Server::start([]);
    log_in(&home, &server, ORGANIZATION);
    let folder = tempfile::tempdir().unwrap();
    let file = json!({ "workspaceId": "p", "domain": evil.url() });
    fs::write(folder.path().join(".kms.json"), file.to_string()).unwrap();
    let ran = run(at(&home).args(["doctor", "--output=json"]).current_dir(folder.path()));
    let ran = ran.ends_with(1);
    says(&ran, "credential", "failed", "which nobody is logged in to here");
    assert!(evil.requests().is_empty());
}

#[test]
fn a_locked_vault_is_a_warning_and_nobody_is_asked() {
    let home = Home::new();
    let mut replies = direct().into_iter();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = Server::answering(listener, plain(), move |request| {
        replies.next().unwrap_or_else(|| answer(request))
    });
    log_in(&home, &server, ORGANIZATION);
    let folder = Path::new(home.environment()[0].1);
    run(at(&home).args(["vault", "lock"])).ends_with(0);
    let locked = run(kms().args(["doctor", "--output=json"]).env("KMS_CONFIG_DIR", folder));
    says(&locked, "vault", "warning", "locked");
    says(&locked, "credential", "skipped", "its key is in the vault");
}

#[test]
fn on_a_terminal_it_is_lines_that_fit() {
    let server = healthy();
    let mut terminal = Terminal::start_with(
        &std::env::temp_dir(),
        &["doctor", "--domain", &server.url()],
        &[("KMS_CONFIG_DIR", "/nonexistent/kms-doctor")],
        true,
    );
    terminal.expect("ok       domain").expect("warning  credential").expect("next: people:");
    assert_eq!(terminal.finish().code, 0);
    let ran = run(kms().args(["doctor", "--domain", &server.url()])).ends_with(0);
    assert!(ran.stdout.lines().count() > 12 && !ran.stdout.contains('\u{1b}'), "{}", ran.stdout);
}
