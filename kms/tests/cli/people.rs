//! Organizations and the people in them.

use assert_cmd::Command;
use serde_json::{Value, json};

use crate::support::{Ran, Reply, Server, kms, run};

const ID: &str = "0192d0a4-8f9c-7c6e-9f0a-2f4d3a5b6c7d";
const OTHER: &str = "0192d0a4-8f9c-7c6e-9f0a-2f4d3a5b6c7e";
const TIME: &str = "2026-11-23T00:00:00.000Z";
const LINK: &str = "https://kms.example.test/signupinvite?token=canary&to=bob%40example.test";

fn command(server: &Server, args: &[&str]) -> Command {
    let mut command = kms();
    command.args(args).args(["--domain", &server.url()]).env("INFISICAL_TOKEN", "t");
    command
}

fn organization(id: &str, name: &str) -> Value {
    json!({
        "id": id, "name": name, "slug": name, "createdAt": TIME, "updatedAt": TIME,
        "userRole": "admin",
    })
}

/// Runs a command against replies.
#[track_caller]
fn against(replies: &[Value], args: &[&str], code: i32) -> (Server, Ran) {
    let server = Server::start(replies.iter().map(|reply| Reply::json(200, reply.clone())));
    let ran = run(&mut command(&server, args)).ends_with(code);
    (server, ran)
}

#[test]
fn organizations_and_sub_organizations_are_listed_and_made() {
    let list = json!({ "organizations": [organization(ID, "acme")] });
    let one = json!({ "organization": organization(ID, "acme") });
    let sub = json!({ "organizations": [organization(ID, "acme")], "totalCount": 1 });
    for (args, reply, target, body) in [
        (&["organizations", "list"][..], &list, "GET /api/v1/organization", Value::Null),
        (
            &["organizations", "create", "Acme Rockets"],
            &one,
            "POST /api/v2/organizations",
            json!({ "name": "Acme Rockets" }),
        ),
        (
            &["organizations", "sub", "list", "--accessible"],
            &sub,
            "GET /api/v1/sub-organizations?isAccessible=true",
            Value::Null,
        ),
        (
            &["organizations", "sub", "create", "team", "--slug", "crew"],
            &one,
            "POST /api/v1/sub-organizations",
            json!({ "name": "team", "slug": "crew" }),
        ),
    ] {
        let (server, ran) = against(std::slice::from_ref(reply), args, 0);
        assert!(ran.stdout.contains(ID) && ran.stdout.contains("admin"), "{}", ran.stdout);
        let request = server.request();
        assert_eq!(format!("{} {}", request.method, request.target), target);
        let sent = if request.body.is_empty() { Value::Null } else { request.json() };
        assert_eq!(sent, body);
    }
}

#[test]
fn people_are_invited_to_the_only_organization_there_is() {
    let list = json!({ "organizations": [organization(ID, "acme")] });
    let invited = json!({ "message": "done" });
    let args =
        ["organizations", "invite", "bob@example.test", "eve@example.test", "--role", "admin"];
    let (server, ran) = against(&[list, invited], &args, 0);
    assert_eq!(ran.stdout, "", "nothing was asked for");
    let requests = server.requests();
    assert_eq!(requests[1].target, "/api/v1/invite-org/signup");
    let expected = json!({
        "organizationId": ID,
        "inviteeEmails": ["bob@example.test", "eve@example.test"],
        "organizationRoleSlug": "admin",
    });
    assert_eq!(requests[1].json(), expected);
}

#[test]
fn links_are_printed_where_the_server_sends_no_mail() {
    let links = json!([{ "email": "bob@example.test", "link": LINK }]);
    let invited = json!({ "message": "done", "completeInviteLinks": links });
    let args = ["organizations", "invite", "bob@example.test", "--organization-id", OTHER];
    let (server, ran) = against(std::slice::from_ref(&invited), &args, 0);
    assert!(ran.stdout.contains(LINK), "{}", ran.stdout);
    assert!(ran.stderr.contains("pass each link on to its owner alone"), "{}", ran.stderr);
    assert_eq!(server.request().json()["organizationId"], OTHER);
    let args = [&args[..], &["--output", "json", "--silent"]].concat();
    let (_, ran) = against(std::slice::from_ref(&invited), &args, 0);
    assert_eq!(serde_json::from_str::<Value>(&ran.stdout).unwrap(), invited);
    assert_eq!(ran.stderr, "");
}

#[test]
fn of_several_organizations_one_must_be_named() {
    let list = json!({ "organizations": [organization(ID, "acme"), organization(OTHER, "home")] });
    let (_, ran) = against(std::slice::from_ref(&list), &["organizations", "members"], 2);
    for expected in ["--organization-id=", ID, OTHER, "acme", "home"] {
        assert!(ran.stderr.contains(expected), "{}", ran.stderr);
    }
    let none = json!({ "organizations": [] });
    let (_, ran) = against(&[none], &["organizations", "members"], 1);
    assert!(ran.stderr.contains("not a member of any organization"), "{}", ran.stderr);
}

#[test]
fn people_are_listed_with_role_and_state() {
    let person = |name: &str, status: &str, active: bool| {
        json!({
            "id": ID, "role": "member", "status": status, "inviteEmail": null, "orgId": ID,
            "roleId": null, "isActive": active,
            "user": { "id": OTHER, "email": name, "username": name, "firstName": null,
                      "lastName": null, "publicKey": null },
        })
    };
    let users = json!({ "users": [
        person("ada@example.test", "accepted", true),
        person("bob@example.test", "invited", true),
        person("eve@example.test", "accepted", false),
    ] });
    let args = ["organizations", "members", "--organization-id", ID];
    let (server, ran) = against(&[users], &args, 0);
    assert_eq!(server.request().target, format!("/api/v2/organizations/{ID}/memberships"));
    for (name, state) in [("ada", "accepted"), ("bob", "invited"), ("eve", "suspended")] {
        let line = ran.stdout.lines().find(|line| line.contains(name)).unwrap();
        assert!(line.contains(state), "{line}");
    }
}
