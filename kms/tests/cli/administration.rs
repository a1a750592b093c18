//! Tokens, bootstrap, projects, identities and the audit log.

use assert_cmd::Command;
use serde_json::{Value, json};

use crate::support::{CANARY, Ran, Reply, Server, kms, run};

const ID: &str = "0192d0a4-8f9c-7c6e-9f0a-2f4d3a5b6c7d";
const OTHER: &str = "0192d0a4-8f9c-7c6e-9f0a-2f4d3a5b6c7e";
const TIME: &str = "2026-11-23T00:00:00.000Z";

fn command(server: &Server, args: &[&str]) -> Command {
    let mut command = kms();
    command.args(args).args(["--domain", &server.url()]);
    command
}

fn authenticated(server: &Server, args: &[&str]) -> Ran {
    run(command(server, args).env("INFISICAL_TOKEN", "t"))
}

/// Runs a command against one reply and gives back what was asked for.
#[track_caller]
fn asks(args: &[&str], reply: Value) -> (String, Value, String) {
    let server = Server::start([Reply::json(200, reply)]);
    let ran = authenticated(&server, args).ends_with(0);
    let request = server.request();
    let body = if request.body.is_empty() { Value::Null } else { request.json() };
    (format!("{} {}", request.method, request.target), body, ran.stdout)
}

fn environment() -> Value {
    json!({
        "message": "done",
        "workspace": ID,
        "environment": {
            "id": OTHER, "name": "QA", "slug": "qa", "position": 4, "projectId": ID,
            "createdAt": TIME, "updatedAt": TIME,
        },
    })
}

fn membership() -> Value {
    json!({ "identityMembership": {
        "id": OTHER, "projectId": ID, "identityId": ID,
        "createdAt": TIME, "updatedAt": TIME, "roles": [],
    } })
}

fn client_secret() -> Value {
    json!({
        "id": OTHER, "createdAt": TIME, "updatedAt": TIME, "description": "ci",
        "clientSecretPrefix": "abcd", "clientSecretNumUses": 0, "clientSecretNumUsesLimit": 1,
        "clientSecretTTL": 60, "identityUAId": ID, "isClientSecretRevoked": false,
    })
}

#[test]
fn a_token_is_renewed_by_itself() {
    let answer = json!({
        "accessToken": "new", "expiresIn": 60, "accessTokenMaxTTL": 0, "tokenType": "Bearer",
    });
    let reply = Reply::json(200, answer);
    let server = Server::start([reply.clone(), reply]);
    let ran = run(&mut command(&server, &["token", "renew", "old", "--plain", "--silent"]));
    let ran = ran.ends_with(0);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("new\n", ""));
    run(command(&server, &["token", "renew"]).env("KMS_TOKEN", "of-env"))
        .ends_with(0)
        .says("Successfully renewed");
    for (request, token) in server.requests().iter().zip(["old", "of-env"]) {
        assert_eq!(request.target, "/api/v1/auth/token/renew");
        assert_eq!(request.header("authorization"), None);
        assert_eq!(request.json(), json!({ "accessToken": token }));
    }
    run(&mut command(&server, &["token", "renew"])).ends_with(2).says("KMS_TOKEN");
    run(&mut command(&server, &["token", "renew", "st.a.b"])).ends_with(2);
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn bootstrap_prints_what_the_server_made() {
    let answer = json!({
        "message": "Successfully bootstrapped instance",
        "identity": { "id": ID, "name": "admin", "credentials": { "token": "root-token" } },
        "organization": { "id": OTHER, "name": "acme", "slug": "acme-1" },
        "user": {
            "id": ID, "username": "a@b.c", "email": "a@b.c", "firstName": "Admin",
            "lastName": null, "superAdmin": true,
        },
    });
    let server = Server::start([Reply::json(200, answer.clone())]);
    let ran = run(command(&server, &["bootstrap", "--password-stdin", "--silent"])
        .env("INFISICAL_ADMIN_EMAIL", "a@b.c")
        .env("INFISICAL_ADMIN_ORGANIZATION", "acme")
        .env("KMS_SETUP_TOKEN", "set-up")
        .write_stdin("p\n"))
    .ends_with(0);
    assert_eq!(serde_json::from_str::<Value>(&ran.stdout).unwrap(), answer);
    assert!(ran.stdout.starts_with("{\n  \"message\""), "{}", ran.stdout);
    let request = server.request();
    assert_eq!(request.target, "/api/v1/admin/bootstrap");
    assert_eq!(request.header("authorization"), None);
    assert_eq!(
        request.json(),
        json!({ "email": "a@b.c", "password": "p", "organization": "acme", "setupToken": "set-up" })
    );
}

#[test]
fn bootstrap_fails_with_an_exit_code_and_ignores_only_what_is_set_up() {
    let args = ["bootstrap", "--email=a@b.c", "--organization=o"];
    let bootstrap = |server: &Server, more: &[&str]| {
        run(command(server, &args).args(more).env("KMS_ADMIN_PASSWORD", CANARY))
    };
    let set_up = || Reply::error(400, "Instance has already been set up");
    let server = Server::start([set_up(), set_up(), Reply::error(400, "weak password")]);
    bootstrap(&server, &[]).ends_with(1).says("already been set up");
    let ignored = bootstrap(&server, &["--ignore-if-bootstrapped"]).ends_with(0);
    assert_eq!(ignored.stdout, "");
    let weak = bootstrap(&server, &["--ignore-if-bootstrapped"]).ends_with(1);
    assert!(!weak.stderr.contains(CANARY));
    bootstrap(&server, &["--output=k8-secret"]).ends_with(2);
    run(&mut command(&server, &args)).ends_with(2).says("ADMIN_PASSWORD");
    run(kms().args(args).env("KMS_ADMIN_PASSWORD", "p")).ends_with(2).says("`--domain` is missing");
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn environments_are_named_by_slug() {
    let (asked, body, _) =
        asks(&["environments", "create", "qa", "--projectId", ID, "--name=QA"], environment());
    assert_eq!(asked, format!("POST /api/v1/projects/{ID}/environments"));
    assert_eq!(body, json!({ "name": "QA", "slug": "qa" }));

    let found = Reply::json(200, environment()["environment"].clone());
    let server = Server::start([found, Reply::json(200, environment())]);
    let args = ["environments", "delete", "qa", "--project-id", ID, "--yes"];
    authenticated(&server, &args).ends_with(0).says("Deleted");
    let asked: Vec<_> = server
        .requests()
        .iter()
        .map(|request| format!("{} {}", request.method, request.target))
        .collect();
    assert_eq!(
        asked,
        [
            format!("GET /api/v1/projects/{ID}/environments/slug/qa"),
            format!("DELETE /api/v1/projects/{ID}/environments/{OTHER}"),
        ]
    );
}

#[test]
fn deleting_without_a_person_needs_yes() {
    let server = Server::start([]);
    for args in [
        &["projects", "delete", ID][..],
        &["environments", "delete", "qa", "--projectId", ID],
        &["identities", "delete", ID],
        &["identities", "universal-auth", "detach", ID],
        &["identities", "client-secrets", "revoke", ID, OTHER],
        &["identities", "memberships", "remove", ID, "--projectId", ID],
    ] {
        authenticated(&server, args).ends_with(2).says("add `--yes`");
    }
    assert!(server.requests().is_empty());
}

#[test]
fn a_missing_project_is_named_with_flag_and_variable() {
    let server = Server::start([]);
    authenticated(&server, &["environments", "list"])
        .ends_with(2)
        .says("--projectId")
        .says("INFISICAL_PROJECT_ID");
}

#[test]
fn a_client_secret_is_printed_alone() {
    let answer = json!({ "clientSecret": CANARY, "clientSecretData": client_secret() });
    let args = [
        "identities",
        "client-secrets",
        "create",
        ID,
        "--description=ci",
        "--ttl=60",
        "--num-uses-limit=1",
        "--plain",
    ];
    let (asked, body, stdout) = asks(&args, answer);
    assert_eq!(asked, format!("POST /api/v1/auth/universal-auth/identities/{ID}/client-secrets"));
    assert_eq!(body, json!({ "description": "ci", "numUsesLimit": 1, "ttl": 60 }));
    assert_eq!(stdout, format!("{CANARY}\n"));
}

#[test]
fn client_secrets_are_revoked_by_id() {
    let answer = json!({ "clientSecretData": client_secret() });
    let args = ["identities", "client-secrets", "revoke", ID, OTHER, "-y"];
    let (asked, body, _) = asks(&args, answer);
    assert_eq!(
        asked,
        format!("POST /api/v1/auth/universal-auth/identities/{ID}/client-secrets/{OTHER}/revoke")
    );
    assert_eq!(body, Value::Null);
}

#[test]
fn universal_auth_takes_only_the_settings_that_were_given() {
    let answer = json!({ "identityUniversalAuth": {
        "id": OTHER, "clientId": "c", "identityId": ID, "clientSecretTrustedIps": [],
        "accessTokenTrustedIps": [], "accessTokenTTL": 600, "accessTokenMaxTTL": 0,
        "accessTokenNumUsesLimit": 0, "accessTokenPeriod": 0, "lockoutEnabled": true,
        "lockoutThreshold": 3, "lockoutDurationSeconds": 300, "lockoutCounterResetSeconds": 30,
        "createdAt": TIME, "updatedAt": TIME,
    } });
    let args = [
        "identities",
        "universal-auth",
        "attach",
        ID,
        "--access-token-ttl=600",
        "--access-token-trusted-ip=10.0.0.0/8,192.0.2.1",
        "--lockout-enabled=true",
    ];
    let (asked, body, stdout) = asks(&args, answer);
    assert_eq!(asked, format!("POST /api/v1/auth/universal-auth/identities/{ID}"));
    assert_eq!(
        body,
        json!({
            "accessTokenTTL": 600,
            "accessTokenTrustedIps": [{ "ipAddress": "10.0.0.0/8" }, { "ipAddress": "192.0.2.1" }],
            "lockoutEnabled": true,
        })
    );
    assert!(stdout.contains("│ c "), "{stdout}");
}

#[test]
fn memberships_carry_roles() {
    let args =
        ["identities", "memberships", "add", ID, "--projectId", OTHER, "--role=member,viewer"];
    let (asked, body, _) = asks(&args, membership());
    assert_eq!(asked, format!("POST /api/v1/projects/{OTHER}/memberships/identities/{ID}"));
    assert_eq!(body, json!({ "roles": [{ "role": "member" }, { "role": "viewer" }] }));
}

#[test]
fn identities_are_created_with_role_and_metadata() {
    let answer = json!({ "identity": { "id": ID, "name": "ci" } });
    let args = ["identities", "create", "ci", "--role=member", "--metadata=team=core"];
    let (asked, body, stdout) = asks(&args, answer);
    assert_eq!(asked, "POST /api/v1/identities");
    assert_eq!(
        body,
        json!({
            "name": "ci", "role": "member", "metadata": [{ "key": "team", "value": "core" }],
        })
    );
    assert!(stdout.contains(ID));
}

fn record(number: usize) -> Value {
    json!({
        "id": format!("0192d0a4-8f9c-7c6e-9f0a-{number:012}"),
        "sequence": number, "chain": "0", "createdAt": TIME, "updatedAt": TIME,
        "ipAddress": "192.0.2.1", "userAgent": null, "userAgentType": "cli", "expiresAt": null,
        "orgId": ID, "projectId": null, "projectName": null,
        "actor": { "type": "identity", "metadata": { "identityId": ID, "name": "ci" } },
        "event": { "type": "get-secrets", "metadata": {} },
    })
}

#[test]
fn the_audit_log_is_read_page_by_page_up_to_the_limit() {
    let page = |numbers: std::ops::Range<usize>| {
        let records: Vec<_> = numbers.map(record).collect();
        Reply::json(200, json!({ "auditLogs": records }))
    };
    // One record was written in between, so the second page begins with one that is known.
    let server = Server::start([page(0..1000), page(999..1199), page(1199..1200)]);
    let args = [
        "audit",
        "--limit=1200",
        "--event-type=get-secrets,login",
        "--since=2026-11-23T00:00:00Z",
        "--output=json",
    ];
    let ran = authenticated(&server, &args).ends_with(0);
    let records: Vec<Value> = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(records.len(), 1200);
    let targets: Vec<_> = server.requests().iter().map(|r| r.target.clone()).collect();
    let filter = "eventType=get-secrets%2Clogin&startDate=2026-11-23T00%3A00%3A00.000Z";
    assert_eq!(
        targets,
        [
            format!("/api/v1/organization/audit-logs?{filter}&offset=0&limit=1000"),
            format!("/api/v1/organization/audit-logs?{filter}&offset=1000&limit=200"),
            format!("/api/v1/organization/audit-logs?{filter}&offset=1200&limit=1"),
        ]
    );
}

#[test]
fn audit_records_are_shown_with_who_and_what() {
    let (_, _, stdout) = asks(&["audit"], json!({ "auditLogs": [record(1)] }));
    assert!(stdout.contains("identity ci"), "{stdout}");
    assert!(stdout.contains("get-secrets") && stdout.contains("192.0.2.1"), "{stdout}");
}
