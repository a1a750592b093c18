//! `secrets history`, `rollback`, `move` and `tags`.

use assert_cmd::Command;
use serde_json::{Value, json};

use crate::support::{CANARY, Ran, Reply, Server, kms, run, secret};

const ID: &str = "0192d0a4-8f9c-7c6e-9f0a-2f4d3a5b6c7d";
const TIME: &str = "2026-11-23T00:00:00.000Z";

/// The program, logged in to a server.
fn at(server: &Server, args: &[&str]) -> Command {
    let mut command = kms();
    command.args(args).env("KMS_DOMAIN", server.url());
    command.env("KMS_TOKEN", "t").env("INFISICAL_PROJECT_ID", "p1");
    command
}

fn found() -> Reply {
    Reply::json(200, json!({ "secret": secret("A", "<hidden-by-infisical>") }))
}

fn history() -> Reply {
    let version = |version: i64, value: &str| {
        json!({ "id": ID, "secretId": ID, "envId": ID, "folderId": ID, "version": version,
            "type": "shared", "secretKey": "A", "secretValue": value, "secretValueHidden": false,
            "secretComment": "", "createdAt": TIME, "updatedAt": TIME,
            "tags": [{ "id": ID, "slug": "pci", "color": "", "name": "pci" }],
            "actor": { "actorId": ID, "actorType": "user", "name": "ada@example.com",
                "membershipId": null, "groupId": null } })
    };
    Reply::json(200, json!({ "secretVersions": [version(2, CANARY), version(1, "one")] }))
}

fn asked(server: &Server) -> Vec<String> {
    let line = |request: crate::support::Request| format!("{} {}", request.method, request.target);
    server.requests().into_iter().map(line).collect()
}

#[test]
fn a_history_shows_who_and_when_and_values_only_when_asked() {
    let show = |args: &[&str]| -> (Ran, Vec<String>) {
        let server = Server::start([found(), history()]);
        let mut all = vec!["secrets", "history", "A", "--env", "prod"];
        all.extend(args);
        let ran = run(&mut at(&server, &all)).ends_with(0);
        (ran, asked(&server))
    };
    let (ran, asked) = show(&["--limit", "5", "--offset", "1"]);
    assert!(asked[0].starts_with("GET /api/v4/secrets/A?projectId=p1&environment=prod"));
    assert!(asked[0].contains("viewSecretValue=false"), "{asked:?}");
    let path = format!("GET /api/v1/secret/{ID}/secret-versions?offset=1&limit=5");
    assert_eq!(asked[1], path);
    for part in ["ada@example.com", "pci", "2026-11-23"] {
        assert!(ran.stdout.contains(part), "{}", ran.stdout);
    }
    assert!(!ran.stdout.contains(CANARY) && !ran.stderr.contains(CANARY));
    let (ran, _) = show(&["--output", "json"]);
    assert!(!ran.stdout.contains(CANARY));
    let rows: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&rows[0]["version"], &rows[1]["version"]), (&json!(2), &json!(1)));
    assert!(show(&["--show-values"]).0.stdout.contains(CANARY));
    let (ran, _) = show(&["--show-values", "--output=json"]);
    let rows: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(rows[1]["secretValue"], "one");
}

#[test]
fn a_roll_back_names_the_version_and_prints_no_value() {
    let mut rolled = secret("A", CANARY);
    rolled["version"] = json!(3);
    let server = Server::start([found(), Reply::json(200, json!({ "secret": rolled }))]);
    let ran = run(&mut at(&server, &["secrets", "rollback", "A", "--version", "1"])).ends_with(0);
    let requests = server.requests();
    assert_eq!(requests[1].target, format!("/api/v1/secret/{ID}/rollback"));
    assert_eq!(requests[1].json(), json!({ "version": 1 }));
    assert_eq!(ran.stdout, "");
    assert!(!ran.stderr.contains(CANARY));
    ran.says("back to version 1").says("as version 3");
    run(&mut at(&server, &["secrets", "rollback", "A"])).ends_with(2).says("--version");
}

#[test]
fn secrets_move_together() {
    let answer = json!({ "isSourceUpdated": true, "isDestinationUpdated": true });
    let server = Server::start([found(), found(), Reply::json(200, answer)]);
    let args =
        ["secrets", "move", "B", "A", "--env=dev", "--path=/x", "--to-env=prod", "--overwrite"];
    run(&mut at(&server, &args)).ends_with(0).says("Moved the secret `A`");
    let requests = server.requests();
    assert_eq!(requests[2].target, "/api/v4/secrets/move");
    assert_eq!(
        requests[2].json(),
        json!({ "projectId": "p1", "sourceEnvironment": "dev", "sourceSecretPath": "/x",
            "destinationEnvironment": "prod", "destinationSecretPath": "/x",
            "shouldOverwrite": true, "secretIds": [ID, ID] })
    );
    let none = Server::start([]);
    run(&mut at(&none, &["secrets", "move", "A"])).ends_with(2).says("--to-env");
    let taken = json!({ "reqId": "r", "statusCode": 400, "error": "BadRequest",
        "message": "Secrets of these names are already at the destination: A" });
    let server = Server::start([found(), Reply::json(400, taken)]);
    let args = ["secrets", "move", "A", "--to-path", "/y"];
    run(&mut at(&server, &args)).ends_with(1).says("--overwrite");
}

#[test]
fn a_secret_that_is_not_there_is_named() {
    let missing = json!({ "reqId": "r", "statusCode": 404, "error": "NotFound",
        "message": "Secret with name 'A' not found in path '/'" });
    for args in [
        &["secrets", "history", "A"][..],
        &["secrets", "rollback", "A", "--version=1"],
        &["secrets", "move", "A", "--to-path=/x"],
    ] {
        let server = Server::start([Reply::json(404, missing.clone())]);
        run(&mut at(&server, args)).ends_with(1).says("`A`").says("not found");
        assert_eq!(server.requests().len(), 1);
    }
}

#[test]
fn tags_are_listed_made_and_deleted() {
    let tag = json!({ "id": ID, "slug": "pci", "name": "pci", "color": "" });
    let one = Reply::json(200, json!({ "tag": tag }));
    let server = Server::start([Reply::json(200, json!({ "tags": [tag] }))]);
    let ran = run(&mut at(&server, &["secrets", "tags", "list", "--output=json"])).ends_with(0);
    assert_eq!(server.request().target, "/api/v1/projects/p1/tags");
    assert_eq!(serde_json::from_str::<Value>(&ran.stdout).unwrap(), json!([tag]));

    let server = Server::start([one.clone()]);
    let ran = run(&mut at(&server, &["secrets", "tags", "create", "pci"])).ends_with(0);
    assert_eq!(server.request().json(), json!({ "slug": "pci", "color": "" }));
    assert!(ran.stdout.contains(ID), "{}", ran.stdout);

    let server = Server::start([one.clone(), one]);
    let args = ["secrets", "tags", "delete", "pci"];
    run(&mut at(&server, &args)).ends_with(2).says("--yes");
    assert!(server.requests().is_empty());
    run(at(&server, &args).arg("--yes")).ends_with(0).says("Deleted the tag `pci`");
    let expected =
        ["GET /api/v1/projects/p1/tags/slug/pci", &format!("DELETE /api/v1/projects/p1/tags/{ID}")];
    assert_eq!(asked(&server), expected);
}
