//! Logins that are kept: which one a command uses, where its tokens go, and how it ends.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink},
    path::Path,
    thread,
};

use assert_cmd::Command;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::support::{
    CANARY, Home, Ran, Reply, Server, kms,
    people::{
        EMAIL, ORGANIZATION, OTHER, PASSWORD, direct, organizations, selected, token, welcome,
    },
    run,
};

/// A command of somebody with a home.
fn at(home: &Home) -> Command {
    let mut command = kms();
    command.envs(home.environment());
    command
}

fn log_in(home: &Home, server: &Server, organization: &str) {
    run(at(home)
        .args(["login", "--silent", "--email", EMAIL, "--organization-id", organization])
        .args(["--domain", &server.url()])
        .env("KMS_PASSWORD", PASSWORD))
    .ends_with(0);
}

/// What a login is answered, then what follows.
fn login_then(replies: impl IntoIterator<Item = Reply>) -> Vec<Reply> {
    direct().into_iter().chain(replies).collect()
}

fn projects() -> Reply {
    Reply::json(200, json!({ "projects": [] }))
}

fn list(home: &Home) -> Ran {
    run(at(home).args(["projects", "list", "--output=json"]))
}

/// An access token that lives this long, in seconds.
fn short(life: i64, mark: &str) -> String {
    let claims = json!({
        "authTokenType": "accessToken",
        "userId": "0192d0a4-8f9c-7c6e-9f0a-00000000000a",
        "organizationId": ORGANIZATION,
        "iat": 1_700_000_000,
        "exp": 1_700_000_000 + life,
        "mark": mark,
    });
    format!("eyJhbGciOiJIUzI1NiJ9.{}.{CANARY}", URL_SAFE_NO_PAD.encode(claims.to_string()))
}

/// A login whose access token has ended at once.
fn ended_login(jid: Option<&str>) -> Vec<Reply> {
    let selected = Reply::json(200, json!({ "token": short(0, "a"), "isMfaEnabled": false }));
    let selected = match jid {
        Some(jid) => selected.with("set-cookie", &format!("jid={jid}; Path=/; HttpOnly")),
        None => selected,
    };
    let welcome = match jid {
        Some(_) => welcome(),
        None => Reply::json(200, json!({ "accessToken": "login.token.canary-7c1e9a" })),
    };
    vec![welcome, selected, organizations()]
}

fn refreshed(token: &str, jid: Option<&str>) -> Reply {
    let reply = Reply::json(200, json!({ "token": token }));
    match jid {
        Some(jid) => reply.with("set-cookie", &format!("jid={jid}; Path=/; HttpOnly")),
        None => reply,
    }
}

#[test]
fn a_kept_login_is_used_by_every_command_without_a_request_of_its_own() {
    let home = Home::new();
    let server = Server::start(login_then([projects(), projects()]));
    log_in(&home, &server, ORGANIZATION);
    list(&home).ends_with(0);
    list(&home).ends_with(0);
    let requests = server.requests();
    assert_eq!(requests.len(), 5);
    for request in &requests[3..] {
        assert_eq!(request.target, "/api/v1/projects");
        let bearer = format!("Bearer {}", token(ORGANIZATION));
        assert_eq!(request.header("authorization"), Some(bearer.as_str()));
        assert_eq!(request.header("cookie"), None);
    }
}

#[test]
fn an_ended_access_token_is_renewed_in_silence_and_its_successor_kept() {
    let home = Home::new();
    let server = Server::start(ended_login(Some("first")).into_iter().chain([
        refreshed(&short(3_600, "b"), Some("second")),
        projects(),
        projects(),
    ]));
    log_in(&home, &server, ORGANIZATION);
    let ran = list(&home).ends_with(0);
    assert_eq!(ran.stderr, "", "renewing is no news");
    list(&home).ends_with(0);
    let requests = server.requests();
    assert_eq!(requests[3].target, "/api/v1/auth/token");
    assert_eq!(requests[3].header("cookie"), Some("jid=first"));
    assert_eq!(requests[3].header("authorization"), None);
    let bearer = format!("Bearer {}", short(3_600, "b"));
    for request in &requests[4..] {
        assert_eq!(request.header("authorization"), Some(bearer.as_str()));
    }
    assert_eq!(requests.len(), 6);
}

#[test]
fn a_compatible_server_that_does_not_rotate_is_asked_with_the_same_refresh_token() {
    let home = Home::new();
    let server = Server::start(ended_login(Some("only")).into_iter().chain([
        refreshed(&short(0, "b"), None),
        projects(),
        refreshed(&short(0, "c"), None),
        projects(),
    ]));
    log_in(&home, &server, ORGANIZATION);
    list(&home).ends_with(0);
    list(&home).ends_with(0);
    for at in [3, 5] {
        assert_eq!(server.requests()[at].header("cookie"), Some("jid=only"));
    }
}

#[test]
fn a_token_that_the_server_does_not_take_is_renewed_once() {
    let ended = json!({
        "reqId": "req-1", "statusCode": 403, "error": "TokenError",
        "message": "Your token has expired. Please re-authenticate.",
    });
    for refusal in [Reply::error(401, "revoked"), Reply::json(403, ended)] {
        let home = Home::new();
        let server = Server::start(login_then([
            refusal,
            refreshed(&short(3_600, "b"), Some("third")),
            projects(),
        ]));
        log_in(&home, &server, ORGANIZATION);
        list(&home).ends_with(0);
        let requests = server.requests();
        assert_eq!(requests[4].header("cookie"), Some("jid=canary-7c1e9a-second"));
        let bearer = format!("Bearer {}", short(3_600, "b"));
        assert_eq!(requests[5].header("authorization"), Some(bearer.as_str()));
        assert_eq!(requests.len(), 6);
    }
}

#[test]
fn what_is_not_allowed_is_no_reason_to_renew() {
    let home = Home::new();
    let server = Server::start(login_then([Reply::error(403, "You are not allowed")]));
    log_in(&home, &server, ORGANIZATION);
    list(&home).ends_with(3).says("You are not allowed");
    assert_eq!(server.requests().len(), 4);
}

#[test]
fn a_session_that_is_over_is_one_sentence_and_exit_code_3() {
    for (jid, answer) in [
        (Some("first"), Some(Reply::error(401, "Refresh token reuse detected"))),
        (Some("first"), Some(Reply::error(404, "no session"))),
        (None, None),
    ] {
        let home = Home::new();
        let server = Server::start(ended_login(jid).into_iter().chain(answer));
        log_in(&home, &server, ORGANIZATION);
        let before = server.requests().len();
        let ran = list(&home).ends_with(3);
        let sentence = format!("the session on `{}` has ended", server.url());
        assert_eq!(ran.stderr.matches(&sentence).count(), 1, "{}", ran.stderr);
        assert_eq!(ran.stdout, "");
        let asked = server.requests().len() - before;
        assert_eq!(asked, usize::from(jid.is_some()));
        ran.says(&format!("kms login --domain {}", server.url()));
    }
}

#[test]
fn l8_a_hostile_repository_is_sent_no_token() {
    let home = Home::new();
    let server = Server::start(login_then([projects()]));
    let evil = Server::start([]);
    log_in(&home, &server, ORGANIZATION);
    let repository = tempfile::tempdir().unwrap();
    let file = |name: &str, content: Value| {
        fs::write(repository.path().join(name), content.to_string()).unwrap();
    };
    for content in [
        json!({ "workspaceId": "p", "domain": evil.url() }),
        json!({ "workspaceId": "p", "domain": format!("{}/api", evil.url()), "profile": "example" }),
    ] {
        for name in [".kms.json", ".infisical.json"] {
            file(name, content.clone());
            for command in [&["projects", "list"][..], &["secrets"], &["export"], &["whoami"]] {
                let ran = run(at(&home).args(command).current_dir(repository.path()));
                assert!(matches!(ran.code, 2 | 3), "{command:?}: {} {}", ran.code, ran.stderr);
                assert!(ran.stderr.contains(&evil.url()), "{}", ran.stderr);
            }
            fs::remove_file(repository.path().join(name)).unwrap();
        }
    }
    assert_eq!(evil.requests().len(), 0);
    // A server that is known may be chosen, under any name of this machine.
    file(".kms.json", json!({ "domain": format!("http://localhost:{}/api", server.port()) }));
    run(at(&home).args(["projects", "list"]).current_dir(repository.path())).ends_with(0);
}

#[test]
fn l8_who_changes_the_configuration_does_not_get_the_tokens() {
    let home = Home::new();
    let server = Server::start(direct());
    let evil = Server::start([]);
    log_in(&home, &server, ORGANIZATION);
    let path = Path::new(home.environment()[0].1).join("config.json");
    let text = fs::read_to_string(&path).unwrap().replace(&server.url(), &evil.url());
    fs::write(&path, text).unwrap();
    list(&home).ends_with(3).says(&server.url());
    assert_eq!(evil.requests().len(), 0);
}

#[test]
fn parallel_shells_use_different_logins() {
    let home = Home::new();
    let one = Server::start(login_then((0..5).map(|_| projects())));
    let two = Server::start(
        vec![welcome(), selected(OTHER), organizations()]
            .into_iter()
            .chain((0..5).map(|_| projects())),
    );
    log_in(&home, &one, ORGANIZATION);
    log_in(&home, &two, OTHER);
    let shells = ["example", "other"].map(|name| {
        let mut commands: Vec<_> = (0..5).map(|_| at(&home)).collect();
        thread::spawn(move || {
            for command in &mut commands {
                run(command.args(["projects", "list"]).env("KMS_PROFILE", name)).ends_with(0);
            }
        })
    });
    for shell in shells {
        shell.join().unwrap();
    }
    for (server, organization) in [(&one, ORGANIZATION), (&two, OTHER)] {
        let bearer = format!("Bearer {}", token(organization));
        assert_eq!(server.requests().len(), 8);
        for request in &server.requests()[3..] {
            assert_eq!(request.header("authorization"), Some(bearer.as_str()));
        }
    }
}

#[test]
fn user_lists_switches_and_names_logins() {
    let home = Home::new();
    let one = Server::start(login_then([projects()]));
    let two = Server::start([welcome(), selected(OTHER), organizations()]);
    log_in(&home, &one, ORGANIZATION);
    log_in(&home, &two, OTHER);
    let shown = |home: &Home| -> Vec<(String, bool)> {
        let ran = run(at(home).args(["user", "--output=json"])).ends_with(0);
        let list: Vec<Value> = serde_json::from_str(&ran.stdout).unwrap();
        let pair =
            |v: &Value| (v["name"].as_str().unwrap().to_owned(), v["current"].as_bool().unwrap());
        list.iter().map(pair).collect()
    };
    assert_eq!(shown(&home), [("example".into(), false), ("other".into(), true)]);
    run(at(&home).args(["user", "switch", "example"])).ends_with(0);
    assert_eq!(shown(&home), [("example".into(), true), ("other".into(), false)]);
    list(&home).ends_with(0);
    run(at(&home).args(["user", "switch", "nobody"])).ends_with(2).says("`example`");
    run(at(&home).args(["user", "switch"])).ends_with(4).says("kms user switch NAME");
    run(at(&home).args(["projects", "list", "--profile=nobody"])).ends_with(2).says("kms user");
    let table = run(at(&home).arg("user")).ends_with(0).stdout;
    assert!(table.contains("example") && table.contains(EMAIL) && table.contains(&one.url()));
}

#[test]
fn a_token_that_was_given_beats_the_login_and_whoami_explains_it() {
    let home = Home::new();
    let server = Server::start(login_then([projects()]));
    log_in(&home, &server, ORGANIZATION);
    run(at(&home).args(["projects", "list"]).env("KMS_TOKEN", "given")).ends_with(0);
    assert_eq!(server.requests()[3].header("authorization"), Some("Bearer given"));
    let nobody = run(kms().args(["whoami", "--explain"]));
    nobody.ends_with(3).says("`KMS_TOKEN`: not set").says("logins: none is kept here");
}

#[test]
fn whoami_tells_who_where_until_when_and_why() {
    let home = Home::new();
    let at_time = "2026-01-02T03:04:05.678Z";
    let me = json!({ "user": {
        "id": "0192d0a4-8f9c-7c6e-9f0a-00000000000a", "username": EMAIL, "email": EMAIL,
        "firstName": null, "lastName": null, "createdAt": at_time, "updatedAt": at_time,
    } });
    let mine = json!({ "organizations": [{
        "id": ORGANIZATION, "name": "Example\u{1b}]52;c;x\u{7}\u{202e}", "slug": "example",
        "createdAt": at_time, "updatedAt": at_time, "userRole": "admin",
    }] });
    let server =
        Server::start(login_then([Reply::json(200, me), Reply::json(200, mine), projects()]));
    log_in(&home, &server, ORGANIZATION);
    let ran = run(at(&home).args(["whoami", "--explain"])).ends_with(0);
    for part in [
        &format!("Name: {EMAIL}"),
        "Type: person",
        &format!("Server: {}", server.url()),
        "role admin",
        "the login `example`: it is the current one",
        "renewed in silence",
        "`INFISICAL_TOKEN`: not set",
    ] {
        assert!(ran.stdout.contains(part), "{part} in {}", ran.stdout);
    }
    assert!(!ran.stdout.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{:?}", ran.stdout);
    assert!(!ran.stdout.contains(CANARY));
}

#[test]
fn l11_names_from_a_server_do_not_steer_the_terminal() {
    let home = Home::new();
    let hostile = "\u{1b}[2J\u{202e}evil\u{1b}]52;c;aGk=\u{7}";
    let answer = json!({ "organizations": [{
        "id": ORGANIZATION, "name": hostile, "slug": hostile,
        "createdAt": "2026-01-02T03:04:05.678Z", "subOrganizations": [],
    }] });
    let server = Server::start([welcome(), selected(ORGANIZATION), Reply::json(200, answer)]);
    let login = run(at(&home)
        .args(["login", "--email", EMAIL, "--organization-id", ORGANIZATION])
        .args(["--domain", &server.url()])
        .env("KMS_PASSWORD", PASSWORD))
    .ends_with(0);
    let user = run(at(&home).arg("user")).ends_with(0);
    let vault = run(at(&home).arg("vault")).ends_with(0);
    for text in [login.stderr, login.stdout, user.stdout, user.stderr, vault.stdout] {
        assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{text:?}");
    }
}

#[test]
fn login_status_says_by_exit_code_whether_the_credential_is_taken() {
    let done = || Reply::json(200, json!({ "message": "Authenticated" }));
    let home = Home::new();
    let server = Server::start(login_then([
        done(),
        Reply::error(401, "no"),
        Reply::error(401, "no"),
        Reply::error(503, "later"),
        done(),
    ]));
    log_in(&home, &server, ORGANIZATION);
    let status = |home: &Home| run(at(home).args(["login", "status", "--json"]));
    let first = |ran: &Ran| -> Value {
        serde_json::from_str::<Value>(&ran.stdout).unwrap()["sessions"][0].clone()
    };
    let ran = status(&home).ends_with(0);
    let session = first(&ran);
    assert_eq!(session["principalType"], "user");
    assert_eq!(session["status"], "authenticated");
    assert_eq!(session["verification"], json!({ "state": "verified" }));
    assert_eq!(session["email"], EMAIL);
    assert_eq!(session["organization"], ORGANIZATION);
    assert_eq!(session["token"]["exp"], 4_000_000_000_u32);
    // Not taken, and not renewed either.
    let ran = status(&home).ends_with(3);
    assert_eq!(first(&ran)["status"], "rejected");
    // Nobody knows: works offline.
    let ran = status(&home).ends_with(0);
    assert_eq!(first(&ran)["verification"]["state"], "unknown");
    let ran = run(at(&home).args(["login", "status"])).ends_with(0);
    assert!(ran.stdout.starts_with(&format!("✓ Authenticated as {EMAIL}\n")), "{}", ran.stdout);
    let nobody = run(kms().args(["login", "status", "--json"])).ends_with(3);
    assert_eq!(serde_json::from_str::<Value>(&nobody.stdout).unwrap(), json!({ "sessions": [] }));
    let ended = run(at(&home).args(["login", "status", "--json"]).env("KMS_TOKEN", short(5, "x")));
    assert_eq!(first(&ended.ends_with(3))["status"], "expired");
    assert_eq!(server.requests().len(), 8);
}

#[test]
fn logout_ends_the_session_on_the_server_and_here() {
    let home = Home::new();
    let done = Reply::json(200, json!({ "message": "Successfully logged out" }));
    let server = Server::start(login_then([done]));
    log_in(&home, &server, ORGANIZATION);
    run(at(&home).arg("logout")).ends_with(0).says("Logged out");
    let request = &server.requests()[3];
    assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/api/v1/auth/logout"));
    assert_eq!(request.header("cookie"), Some("jid=canary-7c1e9a-second"));
    list(&home).ends_with(3);
    assert_eq!(home.config()["profiles"], json!([]));
    assert_eq!(ages(Path::new(home.environment()[0].1)), ["vault/identity.age"]);
    run(at(&home).arg("logout")).ends_with(3);
}

#[test]
fn logout_without_the_server_forgets_what_is_here_and_says_that_no_more_was_done() {
    let home = Home::new();
    let server = Server::start(direct());
    log_in(&home, &server, ORGANIZATION);
    drop(server);
    run(at(&home).arg("logout")).ends_with(5).says("is forgotten here");
    assert_eq!(home.config()["profiles"], json!([]));
}

#[test]
fn reset_forgets_everything_without_passphrase_and_server() {
    let home = Home::new();
    let server = Server::start(direct());
    log_in(&home, &server, ORGANIZATION);
    let folder = home.environment()[0].1;
    run(kms().arg("reset").env("KMS_CONFIG_DIR", folder)).ends_with(2).says("--yes");
    // Not even a configuration that can't be read is in the way.
    fs::write(Path::new(folder).join("config.json"), "{").unwrap();
    run(kms().args(["reset", "--yes"]).env("KMS_CONFIG_DIR", folder)).ends_with(0);
    assert_eq!(fs::read_dir(folder).unwrap().count(), 0);
}

#[test]
fn update_domain_moves_a_login_only_when_its_owner_says_so() {
    let home = Home::new();
    let server = Server::start(direct());
    let status = json!({
        "date": "2026-01-02T03:04:05.678Z", "message": "Ok", "emailConfigured": false,
        "inviteOnlySignup": false, "redisConfigured": true, "secretScanningConfigured": false,
    });
    let moved = Server::start([Reply::json(200, status), projects()]);
    log_in(&home, &server, ORGANIZATION);
    let update = ["user", "update", "domain", &moved.url()];
    run(at(&home).args(update)).ends_with(2).says("--yes");
    assert_eq!(moved.requests().len(), 0);
    run(at(&home).args(update).arg("--yes")).ends_with(0);
    list(&home).ends_with(0);
    assert_eq!(moved.requests()[0].header("authorization"), None);
    let bearer = format!("Bearer {}", token(ORGANIZATION));
    assert_eq!(moved.requests()[1].header("authorization"), Some(bearer.as_str()));
}

#[test]
fn user_get_token_prints_it_because_that_was_asked_for() {
    let home = Home::new();
    let server = Server::start(direct());
    log_in(&home, &server, ORGANIZATION);
    let ran = run(at(&home).args(["user", "get", "token", "--plain"])).ends_with(0);
    assert_eq!((ran.stdout, ran.stderr.as_str()), (token(ORGANIZATION) + "\n", ""));
    let ran = run(at(&home).args(["user", "get", "token"])).ends_with(0);
    assert!(ran.stdout.contains(&format!("Token: {}\n", token(ORGANIZATION))));
    assert!(ran.stdout.contains("Expires At: 2096-"), "{}", ran.stdout);
}

#[test]
fn l12_no_token_shows_where_none_was_asked_for() {
    let home = Home::new();
    let server = Server::start(ended_login(Some("canary-7c1e9a-jid")).into_iter().chain([
        refreshed(&short(3_600, "b"), Some("canary-7c1e9a-next")),
        projects(),
        Reply::error(401, "no"),
        Reply::error(401, "no"),
        Reply::json(200, json!({})),
    ]));
    log_in(&home, &server, ORGANIZATION);
    for args in
        [&["projects", "list"][..], &["projects", "list"], &["user"], &["vault"], &["logout"]]
    {
        let ran = run(at(&home).args(args).args(["--log-level=trace"]));
        assert!(!ran.stdout.contains(CANARY) && !ran.stderr.contains(CANARY), "{}", ran.stderr);
    }
}

#[test]
fn run_hands_none_of_our_credentials_to_the_program() {
    let home = Home::new();
    let secrets = Reply::json(200, crate::support::secrets(&[("A", "1")]));
    let server = Server::start(login_then([secrets]));
    log_in(&home, &server, ORGANIZATION);
    let ran = run(at(&home)
        .args(["run", "--silent", "--projectId=p", "--", "/usr/bin/env"])
        .env("INFISICAL_VAULT_FILE_PASSPHRASE", "passphrase-of-tests"))
    .ends_with(0);
    assert!(ran.stdout.contains("A=1\n") && ran.stdout.contains("KMS_CONFIG_DIR="));
    for secret in [CANARY, "passphrase-of-tests", "VAULT_FILE_PASSPHRASE"] {
        assert!(!ran.stdout.contains(secret), "{secret}");
    }
}

#[test]
fn s1_a_copy_of_the_files_opens_nothing() {
    let home = Home::new();
    let server = Server::start(direct());
    log_in(&home, &server, ORGANIZATION);
    let everything = home.everything();
    for secret in [CANARY, "passphrase-of-tests", "AGE-SECRET-KEY"] {
        assert!(!everything.contains(secret), "{secret}");
    }
    run(at(&home).args(["vault", "lock"])).ends_with(0);
    let folder = home.environment()[0].1;
    let without = |command: &mut Command| run(command.env("KMS_CONFIG_DIR", folder));
    without(kms().args(["projects", "list"])).ends_with(4).says("KMS_VAULT_FILE_PASSPHRASE");
    without(kms().args(["projects", "list"]).env("KMS_VAULT_FILE_PASSPHRASE", "guess"))
        .ends_with(3)
        .says("not the passphrase");
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn s1_without_a_keyring_nothing_takes_its_place_in_silence() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start([]);
    let ran = run(kms()
        .args(["login", "--email", EMAIL, "--organization-id", ORGANIZATION])
        .args(["--domain", &server.url()])
        .env("KMS_PASSWORD", PASSWORD)
        .env("KMS_CONFIG_DIR", folder.path())
        .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/bus"))
    .ends_with(1);
    ran.says("keyring").says("kms vault set file");
    assert!(!folder.path().join("sessions").exists());
}

#[test]
fn s2_files_are_private_from_their_first_byte_whatever_the_umask() {
    let home = Home::new();
    let server =
        Server::start(login_then([Reply::error(401, "no"), refreshed(&short(9, "b"), None)]));
    let line = format!(
        "umask 000; exec {} login --silent --email {EMAIL} --organization-id {ORGANIZATION} \
         --domain {}",
        env!("CARGO_BIN_EXE_kms"),
        server.url()
    );
    let mut shell = Command::new("/bin/sh");
    shell.env_clear().envs(home.environment()).env("KMS_PASSWORD", PASSWORD).args(["-c", &line]);
    run(&mut shell).ends_with(0);
    let _ = list(&home);
    let folder = Path::new(home.environment()[0].1);
    let mut seen = 0;
    for part in ["", "sessions", "vault"] {
        for entry in fs::read_dir(folder.join(part)).unwrap() {
            let metadata = entry.unwrap().metadata().unwrap();
            let expected = if metadata.is_dir() { 0o700 } else { 0o600 };
            assert_eq!(metadata.mode() & 0o777, expected);
            seen += 1;
        }
    }
    assert!(seen >= 8, "{seen}");
}

#[test]
fn s2_links_and_files_that_others_may_write_to_are_refused() {
    let home = Home::new();
    let server = Server::start(direct());
    log_in(&home, &server, ORGANIZATION);
    let folder = Path::new(home.environment()[0].1);
    let config = folder.join("config.json");
    fs::set_permissions(&config, fs::Permissions::from_mode(0o666)).unwrap();
    list(&home).ends_with(1).says("go-w");
    fs::rename(&config, folder.join("elsewhere")).unwrap();
    symlink(folder.join("elsewhere"), &config).unwrap();
    list(&home).ends_with(1).says("symbolic link");
}

#[test]
fn a_vault_that_cannot_be_used_takes_nothing_over() {
    let home = Home::new();
    let server = Server::start(login_then([projects()]));
    log_in(&home, &server, ORGANIZATION);
    run(at(&home)
        .args(["vault", "set", "auto"])
        .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/bus"))
    .ends_with(1);
    list(&home).ends_with(0);
    let shown = run(at(&home).args(["vaults", "--output=json"])).ends_with(0);
    let vaults: Vec<Value> = serde_json::from_str(&shown.stdout).unwrap();
    let used: Vec<_> = vaults.iter().filter(|vault| vault["inUse"] == true).collect();
    assert_eq!(used.len(), 1);
    assert_eq!((&used[0]["name"], &used[0]["available"]), (&json!("file"), &json!(true)));
    run(at(&home).args(["vault", "set", "nothing"])).ends_with(2);
}

#[test]
fn the_age_program_opens_what_the_file_vault_seals() {
    let home = Home::new();
    let server = Server::start(direct());
    log_in(&home, &server, ORGANIZATION);
    let folder = Path::new(home.environment()[0].1);
    let text = fs::read_to_string(folder.join("vault/recipient.txt")).unwrap();
    assert!(text.starts_with("age1"), "{text}");
    let sealed = fs::read_dir(folder.join("sessions")).unwrap().map(|file| file.unwrap().path());
    let sealed: Vec<_> =
        sealed.filter(|path| path.extension().is_some_and(|e| e == "age")).collect();
    assert_eq!(sealed.len(), 1);
    // A stranger's identity does not open it, and the program agrees on the format.
    let identity = tempfile::NamedTempFile::new().unwrap();
    let key = run(&mut Command::new("age-keygen")).ends_with(0).stdout;
    fs::write(identity.path(), key).unwrap();
    let mut age = Command::new("age");
    let ran = run(age.arg("-d").arg("-i").arg(identity.path()).arg(&sealed[0])).ends_with(1);
    ran.says("no identity matched");
}

#[test]
fn logins_of_the_compatible_cli_are_taken_over_and_left_alone() {
    let home = Home::new();
    let server = Server::start([projects()]);
    let theirs = tempfile::tempdir().unwrap();
    let path = theirs.path().join(".infisical/infisical-config.json");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::create_dir_all(theirs.path().join("infisical-keyring")).unwrap();
    let sealed = include_str!("fixtures/compatible-vault.jwe").trim();
    fs::write(theirs.path().join("infisical-keyring").join(EMAIL), sealed).unwrap();
    let config = json!({
        "loggedInUserEmail": EMAIL,
        "LoggedInUserDomain": format!("{}/api", server.url()),
        "loggedInUsers": [
            { "email": EMAIL, "domain": format!("{}/api", server.url()) },
            { "email": "gone@example.com", "domain": "https://gone.example/api" },
        ],
        "vaultBackendType": "file",
        "vaultBackendPassphrase": "dGVuIGNoYXJzIQ==",
    });
    fs::write(&path, config.to_string()).unwrap();
    let import = || {
        let mut command = at(&home);
        run(command.args(["user", "import", "--from"]).arg(theirs.path()))
    };
    let ran = import().ends_with(0).says("Taken over: user@example.com");
    ran.says("gone@example.com on https://gone.example/api: its tokens were not found");
    import().ends_with(0);
    list(&home).ends_with(0);
    let bearer = server.request().header("authorization").unwrap().to_owned();
    assert!(bearer.starts_with("Bearer eyJ") && bearer.ends_with(CANARY));
    assert_eq!(home.config()["profiles"].as_array().unwrap().len(), 1);
    assert_eq!(fs::read_to_string(&path).unwrap(), config.to_string());
    let wrong = config.to_string().replace("dGVuIGNoYXJzIQ==", "d3Jvbmc=");
    fs::write(&path, wrong).unwrap();
    import().ends_with(1).says("that is not its passphrase");
}

/// Every sealed file below a folder, as paths from there.
fn ages(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for part in ["sessions", "vault"] {
        for entry in fs::read_dir(folder.join(part)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if name.ends_with(".age") {
                found.push(format!("{part}/{name}"));
            }
        }
    }
    found.sort();
    found
}
