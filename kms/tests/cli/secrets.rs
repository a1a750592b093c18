//! `secrets`: what is asked of the server, what is printed, what is kept quiet.

use assert_cmd::Command;
use serde_json::{Value, json};

use crate::support::{CANARY, Reply, Server, kms, run, secret, secrets};

/// The program, logged in to a server.
pub(crate) fn at(server: &Server, args: &[&str]) -> Command {
    let mut command = kms();
    command.args(args).env("KMS_DOMAIN", server.url());
    command.env("KMS_TOKEN", "t").env("INFISICAL_PROJECT_ID", "p1");
    command
}

pub(crate) fn list(pairs: &[(&str, &str)]) -> Reply {
    Reply::json(200, secrets(pairs))
}

#[test]
fn a_list_is_one_request_and_a_sorted_table() {
    let server = Server::start([list(&[("B", "two"), ("A", "one")])]);
    let ran = run(&mut at(&server, &["secrets", "--env=prod", "--path", "/a b", "--recursive"]));
    assert_eq!(
        server.request().target,
        "/api/v4/secrets?projectId=p1&environment=prod&secretPath=%2Fa+b\
         &expandSecretReferences=true&recursive=true&includeImports=true\
         &includePersonalOverrides=true"
    );
    let rows: Vec<&str> = ran.stdout.lines().filter(|line| line.contains("shared")).collect();
    assert!(rows[0].contains("A ") && rows[1].contains("B "), "{}", ran.stdout);
    assert_eq!(ran.ends_with(0).stderr, "");
}

#[test]
fn switches_are_sent_as_given_before_or_after_the_command() {
    for args in [
        ["secrets", "--expand=false", "--include-imports=false", "-t", "x,y", "get", "A"],
        ["secrets", "get", "--expand=false", "--include-imports=false", "-t", "x,y", "A"],
    ] {
        let server = Server::start([list(&[("A", "one")])]);
        run(&mut at(&server, &args)).ends_with(0);
        let target = server.request().target;
        for part in ["expandSecretReferences=false", "includeImports=false", "tagSlugs=x%2Cy"] {
            assert!(target.contains(part), "{target}");
        }
    }
}

#[test]
fn forms_for_programs_are_exact() {
    for (args, expected) in [
        (&["--plain"][..], "A=one two\n"),
        (&["--output", "json"], "[{\"secretKey\":\"A\",\"secretValue\":\"one two\"}]\n"),
        (&["-o", "yaml"], "- secretKey: A\n  secretValue: one two\n"),
        (&["--output=dotenv"], "A=one two\n"),
        (&["--plain", "--output=json"], "[{\"secretKey\":\"A\",\"secretValue\":\"one two\"}]\n"),
    ] {
        let server = Server::start([list(&[("A", "one two")])]);
        let ran = run(at(&server, &["secrets"]).args(args)).ends_with(0);
        assert_eq!(ran.stdout, expected, "{args:?}");
    }
}

#[test]
fn r2_a_value_of_several_lines_cannot_pose_as_further_names() {
    let server = Server::start([list(&[("A", "1\nADMIN=1")])]);
    let ran = run(&mut at(&server, &["secrets", "--output=dotenv"])).ends_with(1);
    assert_eq!(ran.stdout, "");
    ran.says("`A`").says("hint: ");
}

#[test]
fn an_unknown_form_is_refused_before_anything_is_written() {
    let server = Server::start([]);
    run(&mut at(&server, &["secrets", "set", "A=1", "--output=jsn"])).ends_with(2);
    assert!(server.requests().is_empty());
}

#[test]
fn get_keeps_the_order_and_prints_values_alone() {
    let server = Server::start([list(&[("A", "one"), ("B", "two")])]);
    let ran = run(&mut at(&server, &["secrets", "get", "B", "A", "--plain"])).ends_with(0);
    assert_eq!(ran.stdout, "two\none\n");
}

#[test]
fn a_missing_name_shows_and_fails() {
    let server = Server::start([list(&[("A", "one")]), list(&[("A", "one")])]);
    let ran = run(&mut at(&server, &["secrets", "get", "A", "NOPE"])).ends_with(1);
    assert!(ran.stdout.contains("│ NOPE        │ *not found*"), "{}", ran.stdout);
    ran.says("there is no secret `NOPE` in `/` of `dev`").says("--recursive");
    let ran = run(&mut at(&server, &["secrets", "get", "A", "NOPE", "--plain"])).ends_with(1);
    assert_eq!(ran.stdout, "one\n");
}

#[test]
fn a_name_in_other_letters_is_hinted_at() {
    let server = Server::start([list(&[("DATABASE_URL", CANARY)])]);
    let ran = run(&mut at(&server, &["secrets", "get", "database_url"])).ends_with(1);
    assert!(!ran.stdout.contains(CANARY) && !ran.stderr.contains(CANARY));
    ran.says("upper and lower case count: there is `DATABASE_URL`");
}

#[test]
fn an_unknown_folder_ends_with_the_commands_to_look() {
    let reply = Reply::error(404, "Folder with path '/x' in environment 'dev' was not found");
    let server = Server::start([reply]);
    run(&mut at(&server, &["secrets", "--path=/x"]))
        .ends_with(1)
        .says("could not read the secrets in `/x` of `dev` in the project `p1`")
        .says("hint: its environments: `kms environments list --projectId p1`")
        .says("hint: its folders: `kms secrets folders get --projectId p1 --env dev --recursive`");
}

#[test]
fn a_value_that_may_not_be_read_is_not_replaced_by_its_placeholder() {
    let mut hidden = secret("A", "<hidden-by-infisical>");
    hidden["secretValueHidden"] = json!(true);
    for args in [
        &["secrets", "get", "A", "--plain"][..],
        &["secrets", "get", "A", "--output=dotenv"],
        &["secrets", "--plain"],
        &["secrets", "-o", "dotenv"],
        &["export"],
        &["run", "--", "true"],
    ] {
        let body = json!({ "secrets": [hidden.clone()], "imports": [] });
        let server = Server::start([Reply::json(200, body)]);
        let ran = run(&mut at(&server, args));
        assert_ne!(ran.code, 0);
        assert_eq!(ran.stdout, "");
        ran.says("you may not read the value of `A`");
    }
    for (args, expected) in [
        (&["secrets"][..], "│ A           │ *hidden*     │"),
        (&["secrets", "get", "A"], "│ A           │ *hidden*     │"),
        (&["secrets", "-o", "json"], "\"secretValueHidden\":true"),
    ] {
        let body = json!({ "secrets": [hidden.clone()], "imports": [] });
        let server = Server::start([Reply::json(200, body)]);
        let ran = run(&mut at(&server, args)).ends_with(0);
        assert!(ran.stdout.contains(expected), "{}", ran.stdout);
    }
}

#[test]
fn l11_names_and_values_of_a_server_cannot_steer_or_forge() {
    let name = "A\u{1b}]52;c;ZXZpbA==\u{7}\n│ ADMIN \u{202e}";
    let value = "x\u{1b}[2J\u{9b}31m\ty\u{2066}\u{e0041}";
    for args in [&["secrets"][..], &["secrets", "get", name]] {
        let server = Server::start([list(&[(name, value)])]);
        let ran = run(&mut at(&server, args)).ends_with(0);
        let forbidden =
            |c: char| c.is_control() && c != '\n' || "\u{202e}\u{2066}\u{e0041}".contains(c);
        assert!(!ran.stdout.contains(forbidden), "{:?}", ran.stdout);
        assert_eq!(ran.stdout.lines().count(), 5, "{}", ran.stdout);
    }
    for args in [&["secrets", "--plain"][..], &["secrets", "-o", "dotenv"]] {
        let server = Server::start([list(&[("A\nADMIN", "1")])]);
        let ran = run(&mut at(&server, args)).ends_with(1);
        assert_eq!(ran.stdout, "");
        ran.says("cannot carry the name `A\\nADMIN`");
    }
}

pub(crate) fn stored(pairs: &[(&str, &str)]) -> Reply {
    let stored: Vec<Value> = pairs.iter().map(|(name, value)| secret(name, value)).collect();
    Reply::json(200, json!({ "secrets": stored }))
}

#[test]
fn delete_sends_all_names_at_once_and_says_so_on_stderr() {
    let server = Server::start([stored(&[])]);
    let ran = run(&mut at(&server, &["secrets", "delete", "B", "A"])).ends_with(0);
    let request = server.request();
    assert_eq!(
        (request.method.as_str(), request.target.as_str()),
        ("DELETE", "/api/v4/secrets/batch")
    );
    let items = json!([
        {"secretKey": "A", "type": "shared"}, {"secretKey": "B", "type": "shared"}
    ]);
    assert_eq!(request.json()["secrets"], items);
    assert_eq!(ran.stdout, "");
    ran.says("Deleted the secret `A` from `/` of `dev`");
}

#[test]
fn options_that_mean_nothing_are_refused() {
    let server = Server::start([]);
    run(&mut at(&server, &["secrets", "delete", "A", "--recursive"]))
        .ends_with(2)
        .says("`--recursive` has no meaning for `secrets delete`");
    run(&mut at(&server, &["secrets", "set", "A=1", "--path=/a", "--path=/b"])).ends_with(2);
    assert!(server.requests().is_empty());
}

#[test]
fn folders_are_listed_created_and_deleted() {
    let folder = json!({
        "id": "0192d0a4-8f9c-7c6e-9f0a-2f4d3a5b6c7d", "name": "db", "version": 1,
        "createdAt": "2026-01-01T00:00:00.000Z", "updatedAt": "2026-01-01T00:00:00.000Z",
        "envId": "0192d0a4-8f9c-7c6e-9f0a-2f4d3a5b6c7d", "parentId": null, "isReserved": false,
        "description": null, "lastSecretModified": null,
    });
    let one = Reply::json(200, json!({ "folder": folder.clone() }));
    let all = Reply::json(200, json!({ "folders": [folder] }));
    let server = Server::start([all, one.clone(), one]);
    let row = "{\"folderName\":\"db\",\"folderPath\":\"/a/db\",\
               \"folderId\":\"0192d0a4-8f9c-7c6e-9f0a-2f4d3a5b6c7d\"}";
    let folders = |args: &[&str]| {
        let mut command = at(&server, &["secrets", "folders"]);
        run(command.args(args).args(["--path=/a", "--output=json"])).ends_with(0).stdout
    };
    assert_eq!(folders(&["get"]), format!("[{row}]\n"));
    assert_eq!(folders(&["create", "-n", "db"]), format!("{row}\n"));
    assert_eq!(folders(&["delete", "--name=db"]), format!("{row}\n"));
    let methods: Vec<String> = server.requests().into_iter().map(|it| it.method).collect();
    assert_eq!(methods, ["GET", "POST", "DELETE"]);
}

#[test]
fn folders_are_drawn_as_a_tree() {
    let folder = |path: &str| {
        json!({
            "id": "0192d0a4-8f9c-7c6e-9f0a-2f4d3a5b6c7d", "name": path.rsplit('/').next(),
            "relativePath": path, "version": 1, "isReserved": false, "description": null,
            "createdAt": "2026-01-01T00:00:00.000Z", "updatedAt": "2026-01-01T00:00:00.000Z",
            "envId": "0192d0a4-8f9c-7c6e-9f0a-2f4d3a5b6c7d", "parentId": null,
            "lastSecretModified": null,
        })
    };
    let all = [folder("/db"), folder("/app"), folder("/app/\u{1b}[2Jweb")];
    let server = Server::start([Reply::json(200, json!({ "folders": all }))]);
    let ran = run(&mut at(&server, &["secrets", "folders", "get", "--tree"])).ends_with(0);
    assert_eq!(ran.stdout, "/\n├── app\n│   └── \\u{1b}[2Jweb\n└── db\n");
    assert!(server.request().target.contains("recursive=true"));
    run(&mut at(&server, &["secrets", "folders", "get", "--tree", "--output=json"])).ends_with(2);
}

#[test]
fn l8_a_project_file_chooses_the_project_and_never_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let evil = Server::start([]);
    let text = json!({
        "workspaceId": "of-the-file", "defaultEnvironment": "prod", "domain": evil.url(),
    });
    std::fs::write(folder.path().join(".infisical.json"), text.to_string()).unwrap();
    let server = Server::start([list(&[])]);
    let mut command = at(&server, &["secrets"]);
    command.env_remove("INFISICAL_PROJECT_ID").current_dir(folder.path());
    run(&mut command).ends_with(0).says("which is not called");
    assert!(server.request().target.contains("projectId=of-the-file&environment=prod"));
    assert!(evil.requests().is_empty());
}
