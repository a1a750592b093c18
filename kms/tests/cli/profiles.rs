//! Logins that are kept: which one a command uses, and where its tokens go.

use std::{fs, path::Path, thread};

use serde_json::{Value, json};

use crate::{
    kept::{at, list, log_in, login_then, projects, short},
    support::{
        CANARY, Home, Ran, Reply, Server, kms,
        people::{
            EMAIL, ORGANIZATION, OTHER, PASSWORD, direct, organizations, selected, token, welcome,
        },
        run,
    },
};

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
