//! `projects roles` and `service-token`, and what service tokens are sent with.

use assert_cmd::Command;
use serde_json::{Value, json};

use crate::support::{Ran, Reply, Server, kms, run, secrets};

const ID: &str = "0192d0a4-8f9c-7c6e-9f0a-2f4d3a5b6c7d";
const OTHER: &str = "0192d0a4-8f9c-7c6e-9f0a-2f4d3a5b6c7e";
const TIME: &str = "2026-11-23T00:00:00.000Z";
/// Four parts; the last one is the client's own.
const TOKEN: &str = "st.0192d0a4-8f9c-7c6e-9f0a-2f4d3a5b6c7d.canary-secret.canary-own";
const SHOWN: &str = "Bearer st.0192d0a4-8f9c-7c6e-9f0a-2f4d3a5b6c7d.canary-secret";

fn called(server: &Server, args: &[&str]) -> Command {
    let mut command = kms();
    command.args(args).args(["--domain", &server.url()]).env("INFISICAL_TOKEN", "t");
    command
}

fn answered(args: &[&str], replies: impl IntoIterator<Item = Value>) -> (Ran, Server) {
    let replies = replies.into_iter().map(|reply| Reply::json(200, reply));
    let server = Server::start(replies);
    (run(&mut called(&server, args)), server)
}

fn asked(server: &Server) -> Vec<String> {
    let name = |request: &crate::support::Request| format!("{} {}", request.method, request.target);
    server.requests().iter().map(name).collect()
}

fn role() -> Value {
    json!({
        "id": OTHER, "name": "Readers", "slug": "readers", "description": null, "projectId": ID,
        "createdAt": TIME, "updatedAt": TIME,
        "permissions": [{ "subject": "secrets", "action": "read" }],
    })
}

#[test]
fn roles_are_listed_and_shown() {
    let args = ["projects", "roles", "list", "--projectId", ID];
    let (ran, server) = answered(&args, [json!({ "roles": [role()] })]);
    assert!(ran.ends_with(0).stdout.contains("readers"));
    assert_eq!(asked(&server), [format!("GET /api/v1/projects/{ID}/roles")]);
    let args = ["project", "role", "show", "readers", "--projectId", ID, "--output=json"];
    let (ran, server) = answered(&args, [json!({ "role": role() })]);
    assert_eq!(serde_json::from_str::<Value>(&ran.ends_with(0).stdout).unwrap(), role());
    assert_eq!(asked(&server), [format!("GET /api/v1/projects/{ID}/roles/slug/readers")]);
}

#[test]
fn a_role_is_made_of_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("role.json");
    let rules = json!([{ "subject": "secrets", "action": ["readValue"], "inverted": true }]);
    for (content, more, name) in [
        (rules.clone(), &["--name", "Readers"][..], "Readers"),
        (json!({ "slug": "readers", "name": "Of file", "permissions": rules }), &[], "Of file"),
        (json!({ "name": "Of file", "permissions": rules }), &["--name=Given"], "Given"),
        (rules.clone(), &[], "readers"),
    ] {
        std::fs::write(&file, content.to_string()).unwrap();
        let mut args = vec!["projects", "roles", "create", "readers", "--projectId", ID];
        args.extend(["--file", file.to_str().unwrap()]);
        args.extend(more);
        let (ran, server) = answered(&args, [json!({ "role": role() })]);
        ran.ends_with(0);
        assert_eq!(asked(&server), [format!("POST /api/v1/projects/{ID}/roles")]);
        let body = json!({
            "slug": "readers", "name": name, "description": null, "permissions": rules,
        });
        assert_eq!(server.request().json(), body);
    }
    for content in ["{", "7", "{}", "{\"permissions\":7}"] {
        std::fs::write(&file, content).unwrap();
        let args = ["projects", "roles", "create", "readers", "--projectId", ID, "--file"];
        let (ran, server) = answered(&[&args[..], &[file.to_str().unwrap()]].concat(), []);
        ran.ends_with(2).says("could not read the rules");
        assert!(server.requests().is_empty());
    }
    let (ran, _) = answered(&["projects", "roles", "create", "readers", "--projectId", ID], []);
    ran.ends_with(2).says("`--file` is missing");
}

#[test]
fn a_role_is_changed_and_deleted_by_its_slug() {
    let found = || json!({ "role": role() });
    let (ran, server) = answered(
        &["projects", "roles", "update", "readers", "--projectId", ID, "--new-slug=others"],
        [found(), found()],
    );
    ran.ends_with(0);
    assert_eq!(asked(&server)[1], format!("PATCH /api/v1/projects/{ID}/roles/{OTHER}"));
    assert_eq!(server.requests()[1].json(), json!({ "slug": "others" }));
    let args = ["projects", "roles", "delete", "readers", "--projectId", ID];
    let (ran, server) = answered(&[&args[..], &["--yes"]].concat(), [found(), found()]);
    ran.ends_with(0).says("Deleted");
    assert_eq!(asked(&server)[1], format!("DELETE /api/v1/projects/{ID}/roles/{OTHER}"));
    let (ran, server) = answered(&args, []);
    ran.ends_with(2).says("--yes");
    assert!(server.requests().is_empty(), "nobody is there to ask");
}

fn data() -> Value {
    json!({
        "id": OTHER, "_id": OTHER, "name": "ci", "projectId": ID, "workspace": ID,
        "scopes": [{ "environment": "dev", "secretPath": "/app" }], "permissions": ["read"],
        "createdBy": ID, "user": ID, "lastUsed": null, "expiresAt": null,
        "createdAt": TIME, "updatedAt": TIME,
    })
}

#[test]
fn a_service_token_is_made_and_printed_alone() {
    let made = || json!({ "serviceToken": "st.a.b", "serviceTokenData": data() });
    let args = [
        "service-token",
        "create",
        "--projectId",
        ID,
        "-s",
        "dev:/app,prod:/x/**",
        "--scope=qa:/",
        "-a",
        "read",
        "-a=write",
        "-n",
        "ci",
        "-e",
        "60",
    ];
    let (ran, server) = answered(&args, [made()]);
    let ran = ran.ends_with(0).says("Created the service token `ci`");
    let token = ran.stdout.strip_suffix('\n').unwrap();
    let own = token.strip_prefix("st.a.b.").unwrap();
    assert!(own.len() == 32 && own.bytes().all(|byte| byte.is_ascii_hexdigit()), "{token}");
    assert!(!ran.stderr.contains("st."), "{}", ran.stderr);
    assert_eq!(asked(&server), ["POST /api/v2/service-token"]);
    let body = json!({
        "name": "ci", "workspaceId": ID, "expiresIn": 60, "permissions": ["read", "write"],
        "encryptedKey": "", "iv": "", "tag": "",
        "scopes": [
            { "environment": "dev", "secretPath": "/app" },
            { "environment": "prod", "secretPath": "/x/**" },
            { "environment": "qa", "secretPath": "/" },
        ],
    });
    assert_eq!(server.request().json(), body);
    let args = ["service-token", "create", "--projectId", ID, "-s=dev:/", "-a=read"];
    for quiet in ["--token-only", "--token-only=true", "--silent"] {
        let (ran, server) = answered(&[&args[..], &[quiet]].concat(), [made()]);
        let ran = ran.ends_with(0);
        assert!(ran.stdout.starts_with("st.a.b.") && ran.stderr.is_empty(), "{}", ran.stderr);
        assert_eq!(server.request().json()["expiresIn"], 86_400);
    }
    for (wrong, says) in [
        (&["-s=dev", "-a=read"][..], "has no environment or no path"),
        (&["-a=read"], "`--scope` is missing"),
        (&["-s=dev:/"], "`--access-level` is missing"),
        (&["-s=dev:/", "-a=admin"], "neither `read` nor `write`"),
    ] {
        let args = ["service-token", "create", "--projectId", ID];
        let (ran, server) = answered(&[&args[..], wrong].concat(), []);
        ran.ends_with(2).says(says);
        assert!(server.requests().is_empty());
    }
}

#[test]
fn service_tokens_are_listed_and_deleted() {
    let args = ["service-token", "list", "--projectId", ID];
    let (ran, server) = answered(&args, [json!({ "serviceTokenData": [data()] })]);
    let ran = ran.ends_with(0);
    assert!(ran.stdout.contains("dev:/app") && ran.stdout.contains("never"), "{}", ran.stdout);
    assert_eq!(asked(&server), [format!("GET /api/v1/workspace/{ID}/service-token-data")]);
    let args = ["service-token", "delete", OTHER, "-y"];
    let (ran, server) = answered(&args, [json!({ "serviceTokenData": data() })]);
    ran.ends_with(0).says("Deleted the service token `ci`");
    assert_eq!(asked(&server), [format!("DELETE /api/v2/service-token/{OTHER}")]);
    let (ran, server) = answered(&["service-token", "delete", TOKEN, "-y"], []);
    let ran = ran.ends_with(2).says("not its id");
    assert!(!ran.stderr.contains("canary"), "{}", ran.stderr);
    assert!(server.requests().is_empty());
}

fn own(scopes: &Value) -> Reply {
    let mut own = data();
    own["scopes"] = scopes.clone();
    own["user"] = json!({ "_id": ID, "id": ID, "email": "a@b.test", "__v": 0 });
    Reply::json(200, own)
}

/// With a service token, and nothing that says where.
fn served(server: &Server, args: &[&str]) -> Command {
    let mut command = kms();
    command.args(["--domain", &server.url()]).args(args).env("INFISICAL_TOKEN", TOKEN);
    command
}

#[test]
fn a_service_token_says_itself_where_it_reads() {
    let one = json!([{ "environment": "qa", "secretPath": "/app" }]);
    let pattern = json!([{ "environment": "qa", "secretPath": "/app/**" }]);
    let two = json!([{ "environment": "qa", "secretPath": "/a" },
        { "environment": "dev", "secretPath": "/b" }]);
    for (args, scopes, environment, path) in [
        (&["secrets", "--plain"][..], &one, "qa", "%2Fapp"),
        (&["export", "--format=json"], &one, "qa", "%2Fapp"),
        (&["run", "--", "true"], &one, "qa", "%2Fapp"),
        (&["secrets", "get", "A", "--plain"], &one, "qa", "%2Fapp"),
        (&["secrets", "--env=qa", "--path=app", "--projectId=other"], &one, "qa", "app"),
        (&["secrets", "--path=/app/x"], &pattern, "qa", "%2Fapp%2Fx"),
        (&["secrets"], &pattern, "qa", "%2F"),
        (&["secrets", "--env=qa", "--path=/a"], &two, "qa", "%2Fa"),
        (&["secrets"], &two, "dev", "%2F"),
    ] {
        let server = Server::start([own(scopes), Reply::json(200, secrets(&[("A", "one")]))]);
        run(&mut served(&server, args)).ends_with(0);
        let requests = server.requests();
        assert_eq!(requests[0].target, "/api/v2/service-token");
        let place = format!("?projectId={ID}&environment={environment}&secretPath={path}&");
        assert!(requests[1].target.contains(&place), "{args:?} {}", requests[1].target);
        for request in requests {
            assert_eq!(request.header("authorization"), Some(SHOWN), "the fourth part stays here");
        }
    }
}

/// The server would answer with the token's own folder: nobody gets other secrets than they named.
#[test]
fn a_service_token_of_one_folder_reads_no_other() {
    let one = json!([{ "environment": "qa", "secretPath": "/app" }]);
    for args in [["secrets", "--env=prod"], ["secrets", "--path=/x"], ["export", "--env=dev"]] {
        let server = Server::start([own(&one)]);
        run(&mut served(&server, &args)).ends_with(3).says("good for `qa:/app` alone");
        assert_eq!(server.requests().len(), 1);
    }
}

#[test]
fn a_write_with_a_service_token_says_where() {
    let server = Server::start([]);
    run(&mut served(&server, &["secrets", "set", "A=b"])).ends_with(2).says("--projectId");
    assert!(server.requests().is_empty());
}

#[test]
fn a_service_token_tells_who_it_is() {
    let scopes = json!([{ "environment": "qa", "secretPath": "/app" }]);
    let server = Server::start([own(&scopes)]);
    let ran = run(&mut served(&server, &["login", "status", "--json"])).ends_with(0);
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(told["sessions"][0]["principalType"], "service-token");
    assert_eq!(told["sessions"][0]["verification"]["state"], "verified");
    let server = Server::start([Reply::error(401, "Invalid service token")]);
    let ran = run(&mut served(&server, &["login", "status", "--json"])).ends_with(3);
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(told["sessions"][0]["verification"]["state"], "rejected");
    assert!(!ran.stdout.contains("canary") && !ran.stderr.contains("canary"));
}
