//! Several sources in the project file.

use std::{fs, net::TcpListener, path::Path, time::Duration};

use assert_cmd::Command;
use serde_json::{Value, json};

use crate::{
    kept::{at, log_in},
    support::{CANARY, Home, Reply, Request, Server, kms, people, plain, run, secret, secrets},
};

fn folder(file: &Value) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(".kms.json"), file.to_string()).unwrap();
    fs::create_dir_all(folder.path().join("below/deeper")).unwrap();
    folder
}

/// Answers each list with `WHERE`, the place that was asked for, and what is the same everywhere.
fn start() -> Server {
    Server::answering(TcpListener::bind("127.0.0.1:0").unwrap(), plain(), places)
}

fn places(request: &Request) -> Reply {
    let place = place(request);
    let own = format!("OF_{}", place.split('/').next_back().unwrap().to_uppercase());
    Reply::json(200, secrets(&[("WHERE", &place), (&own, "1")]))
}

fn value(request: &Request, name: &str) -> String {
    let query = request.target.split_once('?').unwrap().1;
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find(|(key, _)| key == name).unwrap().1.into_owned()
}

fn place(request: &Request) -> String {
    let value = |name| value(request, name);
    format!("{}:{}:{}", value("projectId"), value("environment"), value("secretPath"))
}

fn places_of(server: &Server) -> Vec<String> {
    let mut places: Vec<String> = server.requests().iter().map(place).collect();
    places.sort();
    places
}

fn command(server: &Server, folder: &Path, args: &[&str]) -> Command {
    let mut command = kms();
    command.args(args).env("KMS_DOMAIN", server.url()).current_dir(folder);
    command.env("KMS_TOKEN", CANARY).env("PATH", "/usr/bin:/bin");
    command
}

fn three() -> Value {
    json!({
        "workspaceId": "app",
        "defaultEnvironment": "dev",
        "sources": [
            { "projectId": "shared", "environment": "prod", "path": "/base" },
            { "path": "/app", "recursive": true, "includeImports": false },
            { "workspaceId": "last", "path": "/last" },
        ],
    })
}

#[test]
fn each_source_is_read_and_a_later_one_wins() {
    let folder = folder(&three());
    let server = start();
    let args = ["export", "--format=json"];
    let ran = run(&mut command(&server, &folder.path().join("below/deeper"), &args)).ends_with(0);
    let read: Value = serde_json::from_str(&ran.stdout).unwrap();
    let names: Vec<&str> =
        read.as_array().unwrap().iter().map(|row| row["key"].as_str().unwrap()).collect();
    assert_eq!(names, ["OF_APP", "OF_BASE", "OF_LAST", "WHERE"]);
    assert!(ran.stdout.contains("last:dev:/last"), "{}", ran.stdout);
    assert_eq!(places_of(&server), ["app:dev:/app", "last:dev:/last", "shared:prod:/base"]);
    for request in server.requests() {
        let of_second = place(&request) == "app:dev:/app";
        assert_eq!(value(&request, "recursive"), of_second.to_string());
        assert_eq!(value(&request, "includeImports"), (!of_second).to_string());
    }
}

#[test]
fn run_and_secrets_read_the_same() {
    let folder = folder(&three());
    let server = start();
    let shown = ["run", "--", "sh", "-c", "echo $WHERE $OF_BASE$OF_APP$OF_LAST"];
    let ran = run(&mut command(&server, folder.path(), &shown)).ends_with(0);
    assert_eq!(ran.stdout, "last:dev:/last 111\n");
    let list = run(&mut command(&server, folder.path(), &["secrets", "--plain"])).ends_with(0);
    assert_eq!(list.stdout, "OF_APP=1\nOF_BASE=1\nOF_LAST=1\nWHERE=last:dev:/last\n");
    let get = ["secrets", "get", "WHERE", "OF_BASE", "--plain"];
    let get = run(&mut command(&server, folder.path(), &get)).ends_with(0);
    assert_eq!(get.stdout, "last:dev:/last\n1\n");
    let missing = ["secrets", "get", "NOWHERE"];
    run(&mut command(&server, folder.path(), &missing)).ends_with(1).says("the 3 sources of `");
}

#[test]
fn the_order_of_the_answers_does_not_matter() {
    let folder = folder(&three());
    // The scripted server answers one after the other; what wins must not depend on which is last.
    for slow in ["shared", "app", "last"] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Server::answering(listener, plain(), move |request| {
            let is_slow = place(request).starts_with(slow);
            places(request).after(if is_slow { Duration::from_millis(60) } else { Duration::ZERO })
        });
        let args = ["secrets", "get", "WHERE", "--plain"];
        let ran = run(&mut command(&server, folder.path(), &args)).ends_with(0);
        assert_eq!(ran.stdout, "last:dev:/last\n");
    }
}

#[test]
fn a_project_or_folder_that_is_named_takes_the_place_of_all_sources() {
    let folder = folder(&three());
    for (args, expected) in [
        (&["--path", "/other"][..], "app:dev:/other"),
        (&["--projectId", "p"], "p:dev:/"),
        (&["--projectId", "p", "--env", "qa", "--path", "/x"], "p:qa:/x"),
    ] {
        let server = start();
        run(&mut command(&server, folder.path(), &[&["export"], args].concat())).ends_with(0);
        assert_eq!(places_of(&server), [expected]);
    }
    let server = start();
    run(command(&server, folder.path(), &["export"]).env("INFISICAL_PROJECT_ID", "e")).ends_with(0);
    assert_eq!(places_of(&server), ["e:dev:/"]);
}

#[test]
fn flags_for_the_environment_and_for_reading_are_those_of_every_source() {
    let folder = folder(&three());
    let server = start();
    let args = ["export", "--env=qa", "--recursive=false", "--include-imports"];
    run(&mut command(&server, folder.path(), &args)).ends_with(0);
    assert_eq!(places_of(&server), ["app:qa:/app", "last:qa:/last", "shared:qa:/base"]);
    for request in server.requests() {
        assert_eq!(value(&request, "recursive"), "false");
        assert_eq!(value(&request, "includeImports"), "true");
    }
}

#[test]
fn the_git_branch_chooses_the_environment_of_sources_that_name_none() {
    let mut file = three();
    file["gitBranchToEnvironmentMapping"] = json!({ "main": "staging" });
    let folder = folder(&file);
    fs::create_dir(folder.path().join(".git")).unwrap();
    fs::write(folder.path().join(".git/HEAD"), "ref: refs/heads/main\n").unwrap();
    let server = start();
    run(&mut command(&server, folder.path(), &["export"])).ends_with(0);
    assert_eq!(places_of(&server), ["app:staging:/app", "last:staging:/last", "shared:prod:/base"]);
}

#[test]
fn another_directory_can_be_named_for_every_command() {
    let folder = folder(&three());
    let elsewhere = tempfile::tempdir().unwrap();
    let directory = folder.path().to_str().unwrap();
    for args in [&["export"][..], &["secrets"], &["run", "--", "true"]] {
        let server = start();
        let args = [&["--project-config-dir", directory], args].concat();
        run(&mut command(&server, elsewhere.path(), &args)).ends_with(0);
        assert_eq!(places_of(&server).len(), 3);
    }
    let server = start();
    let args = ["secrets", "--project-config-dir", elsewhere.path().to_str().unwrap()];
    run(&mut command(&server, folder.path(), &args)).ends_with(2).says("there is no `.kms.json`");
    assert!(server.requests().is_empty());
}

#[test]
fn one_source_that_fails_is_named_and_nothing_is_printed() {
    let folder = folder(&three());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = Server::answering(listener, plain(), |request| {
        if place(request).starts_with("app") {
            return Reply::error(404, "Folder with path '/app' was not found");
        }
        places(request)
    });
    let ran = run(&mut command(&server, folder.path(), &["export"])).ends_with(1);
    assert_eq!(ran.stdout, "");
    ran.says("could not read the secrets in `/app` of `dev` in the project `app`");
}

#[test]
fn mistakes_name_file_field_and_what_is_allowed() {
    let server = start();
    for (file, says) in [
        (json!({ "workspaceID": "p" }), "`workspaceID` is not known; allowed are `workspaceId`"),
        (json!({ "sources": [{ "enviroment": "dev" }] }), "`sources[0].enviroment` is not known"),
        (json!({ "sources": [{ "recursive": 1 }] }), "`sources[0].recursive` must be `true` or"),
        (json!({ "sources": [{ "path": "/" }] }), "`sources[0]` of `"),
    ] {
        let folder = folder(&file);
        run(&mut command(&server, folder.path(), &["export"]))
            .ends_with(2)
            .says(says)
            .says(".kms.json`");
    }
    assert!(server.requests().is_empty());
}

#[test]
fn what_writes_goes_to_the_project_of_the_file_and_never_to_a_source() {
    let server = Server::start([]);
    let mut file = three();
    file.as_object_mut().unwrap().remove("workspaceId");
    let folder = folder(&file);
    run(&mut command(&server, folder.path(), &["secrets", "delete", "A"]))
        .ends_with(2)
        .says("no project was named")
        .says("are for reading");
    assert!(server.requests().is_empty());
}

#[test]
fn a_reference_without_a_project_needs_sources_of_one_project() {
    let several = folder(&three());
    let server = start();
    let args = ["run", "--references-only", "--", "sh", "-c", "echo $A"];
    run(command(&server, several.path(), &args).env("A", "kms:///dev/WHERE"))
        .ends_with(125)
        .says("of several projects");
    let one =
        folder(&json!({ "workspaceId": "w", "sources": [{ "path": "/a" }, { "path": "/b" }] }));
    let ran = run(command(&server, one.path(), &args).env("A", "kms:///dev/WHERE")).ends_with(0);
    assert_eq!(ran.stdout, "w:dev:/\n");
}

#[test]
fn l8_sources_of_a_hostile_repository_are_sent_no_token() {
    let evil = Server::start([]);
    let file = json!({
        "workspaceId": "p", "domain": evil.url(), "sources": [{ "path": "/a" }, { "path": "/b" }],
    });
    let hostile = folder(&file);
    // A token that was given goes where it would go without the file.
    let server = start();
    let ran = run(&mut command(&server, hostile.path(), &["export"])).ends_with(0);
    assert_eq!(ran.stderr.matches("which is not called").count(), 1, "{}", ran.stderr);
    assert_eq!(server.requests().len(), 2);
    // A login is of another server, and nobody else is asked.
    let home = Home::new();
    let server = Server::start(people::direct());
    log_in(&home, &server, people::ORGANIZATION);
    for args in [&["export"][..], &["secrets"], &["secrets", "get", "A"]] {
        run(at(&home).args(args).current_dir(hostile.path())).ends_with(3).says(&evil.url());
    }
    assert_eq!(server.requests().len(), 3);
    // A source cannot name a server of its own.
    let file = json!({ "workspaceId": "p", "sources": [{ "path": "/a", "domain": evil.url() }] });
    let hostile = folder(&file);
    for args in [&["export"][..], &["secrets"]] {
        let ran = run(at(&home).args(args).current_dir(hostile.path())).ends_with(2);
        ran.says("`sources[0].domain` is not known");
    }
    assert!(evil.requests().is_empty());
}

#[test]
fn a_service_token_reads_its_own_project() {
    let folder = folder(&three());
    let own = json!({
        "_id": "0192d0a4-8f9c-7c6e-9f0a-2f4d3a5b6c7d",
        "id": "0192d0a4-8f9c-7c6e-9f0a-2f4d3a5b6c7d",
        "name": "ci", "projectId": "0192d0a4-8f9c-7c6e-9f0a-2f4d3a5b6c7d",
        "workspace": "0192d0a4-8f9c-7c6e-9f0a-2f4d3a5b6c7d",
        "scopes": [{ "environment": "dev", "secretPath": "/" }],
        "permissions": ["read"], "expiresAt": null, "lastUsed": null,
        "createdBy": "0192d0a4-8f9c-7c6e-9f0a-00000000000a",
        "createdAt": "2026-11-23T00:00:00.000Z", "updatedAt": "2026-11-23T00:00:00.000Z",
    });
    let list = json!({ "secrets": [secret("A", "1")], "imports": [] });
    let server = Server::start([Reply::json(200, own), Reply::json(200, list)]);
    let mut command = command(&server, folder.path(), &["export"]);
    run(command.env("KMS_TOKEN", "st.a.b.c")).ends_with(0).says("are not read");
    assert_eq!(server.requests().len(), 2);
}
