//! `kms init`.

use std::{fs, path::Path};

use assert_cmd::Command;
use serde_json::{Value, json};

use crate::{
    kept::{at, log_in, login_then},
    support::{
        Home, Reply, Server, kms,
        people::{ORGANIZATION, OTHER, organizations, selected, token},
        run, secrets,
    },
    terminal::{DOWN, ENTER, Terminal},
};

const ID: &str = "0192d0a4-8f9c-7c6e-9f0a-2f4d3a5b6c7d";
const SECOND: &str = "0192d0a4-8f9c-7c6e-9f0a-2f4d3a5b6c7e";
const TIME: &str = "2026-11-23T00:00:00.000Z";

fn project(id: &str, name: &str, organization: &str) -> Value {
    let environment = |slug: &str| json!({ "id": id, "name": slug, "slug": slug });
    json!({
        "id": id, "_id": id, "name": name, "slug": name, "orgId": organization,
        "createdAt": TIME, "updatedAt": TIME,
        "environments": [environment("dev"), environment("staging"), environment("prod")],
    })
}

fn projects() -> Reply {
    let all = [project(ID, "web", ORGANIZATION), project(SECOND, "api", OTHER)];
    Reply::json(200, json!({ "projects": all }))
}

fn with_token(server: &Server, folder: &Path, args: &[&str]) -> Command {
    let mut command = kms();
    command.arg("init").args(args).args(["--domain", &server.url()]);
    command.env("INFISICAL_TOKEN", "t").current_dir(folder);
    command
}

fn file(folder: &Path) -> Value {
    serde_json::from_slice(&fs::read(folder.join(".kms.json")).unwrap()).unwrap()
}

#[test]
fn flags_tie_a_folder_to_a_project_by_id_or_slug() {
    for name in [ID, "web"] {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start([projects()]);
        let args = ["--projectId", name, "--env", "staging", "--branch", "main=prod"];
        let ran = run(&mut with_token(&server, folder.path(), &args)).ends_with(0);
        assert_eq!(ran.stdout, "", "nothing was asked for");
        let expected = json!({
            "workspaceId": ID,
            "organizationId": ORGANIZATION,
            "defaultEnvironment": "staging",
            "gitBranchToEnvironmentMapping": { "main": "prod" },
        });
        assert_eq!(file(folder.path()), expected);
    }
}

#[test]
fn what_the_file_says_besides_is_kept_and_another_project_needs_force() {
    let folder = tempfile::tempdir().unwrap();
    let former = json!({
        "workspaceId": SECOND, "defaultEnvironment": "prod", "x-ours": [1], "theirs": 2,
        "gitBranchToEnvironmentMapping": { "dev": "dev" },
    });
    fs::write(folder.path().join(".infisical.json"), former.to_string()).unwrap();
    let args = ["--projectId", ID, "--branch", "main=prod"];
    let server = Server::start([projects(), projects()]);
    run(&mut with_token(&server, folder.path(), &args)).ends_with(4).says("--force");
    assert!(!folder.path().join(".kms.json").exists());
    let args = [&args[..], &["--force"]].concat();
    run(&mut with_token(&server, folder.path(), &args)).ends_with(0).says("was taken over");
    let now = file(folder.path());
    assert_eq!((&now["workspaceId"], &now["x-ours"]), (&json!(ID), &json!([1])));
    assert_eq!(now.get("theirs"), None, "it would be no field of ours");
    assert_eq!(now["defaultEnvironment"], "prod", "the project has it, too");
    assert_eq!(now["gitBranchToEnvironmentMapping"], json!({ "dev": "dev", "main": "prod" }));
}

#[test]
fn what_does_not_exist_is_named_and_nothing_is_written() {
    for (args, code, text) in [
        (&["--projectId", "nope"][..], 2, "no project `nope`"),
        (&["--projectId", "web", "--env", "qa"], 2, "no environment `qa`"),
        (&["--projectId", "web", "--branch", "main=qa"], 2, "no environment `qa`"),
        (&["--projectId", "web", "--organization-id", OTHER], 2, "no project `web`"),
        (&[], 4, "nobody is there to choose a project"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start([projects()]);
        run(&mut with_token(&server, folder.path(), args)).ends_with(code).says(text);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
    let nowhere = Server::start([]);
    let folder = tempfile::tempdir().unwrap();
    run(&mut with_token(&nowhere, folder.path(), &["--branch", "main"])).ends_with(2);
}

#[test]
fn a_person_chooses_and_later_commands_in_folders_below_follow() {
    let home = Home::new();
    let replies = [organizations(), projects(), Reply::json(200, secrets(&[("A", "1")]))];
    let server = Server::start(login_then(replies));
    log_in(&home, &server, ORGANIZATION);
    let folder = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::start_in(folder.path(), &["init"], &home.environment());
    terminal.expect("Organization:").send(ENTER);
    terminal.expect("Organization or sub-organization:").send(ENTER);
    terminal.expect("Project:").send(ENTER);
    terminal.expect("Environment to start with:").send(DOWN).send(ENTER);
    terminal.finish().with(0).says("ties this folder to `web`");
    let said = file(folder.path());
    assert_eq!(said["domain"], server.url());
    assert_eq!(said["defaultEnvironment"], "staging");
    let below = folder.path().join("a/b");
    fs::create_dir_all(&below).unwrap();
    run(at(&home).arg("secrets").current_dir(&below)).ends_with(0);
    let request = server.requests().pop().unwrap();
    assert!(request.target.contains("environment=staging"), "{}", request.target);
    assert!(request.target.contains(ID), "{}", request.target);
}

#[test]
fn another_organization_gets_a_login_of_its_own_which_the_folder_chooses() {
    let home = Home::new();
    let replies = [
        organizations(),
        selected(OTHER),
        projects(),
        Reply::json(200, secrets(&[("A", "1")])),
        Reply::json(200, json!({ "projects": [] })),
    ];
    let server = Server::start(login_then(replies));
    log_in(&home, &server, ORGANIZATION);
    let folder = tempfile::tempdir().unwrap();
    let args = ["init", "--organization-id", OTHER, "--projectId", "api", "--env", "dev"];
    run(at(&home).args(args).current_dir(folder.path())).ends_with(0).says("Logged in to Other");
    let config = home.config();
    assert_eq!(config["profiles"].as_array().unwrap().len(), 2);
    let current = config["current"].as_str();
    assert_eq!(current, config["profiles"][0]["id"].as_str(), "the current login stays current");
    assert_eq!(file(folder.path())["organizationId"], OTHER);
    run(at(&home).arg("secrets").current_dir(folder.path())).ends_with(0);
    run(at(&home).args(["projects", "list"])).ends_with(0);
    let requests = server.requests();
    let bearer = |index: usize| requests[index].header("authorization").unwrap().to_owned();
    assert_eq!(requests[4].json(), json!({ "organizationId": OTHER }));
    assert_eq!(bearer(4), format!("Bearer {}", token(ORGANIZATION)));
    assert_eq!(requests[4].header("cookie"), None, "the first session stays where it is");
    assert_eq!(bearer(6), format!("Bearer {}", token(OTHER)), "in the folder");
    assert_eq!(bearer(7), format!("Bearer {}", token(ORGANIZATION)), "elsewhere");
}
