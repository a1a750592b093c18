//! Organizations and the people in them.

use assert_cmd::Command;
use serde_json::{Value, json};

use crate::{
    kept::{at, log_in},
    support::{
        Home, Ran, Reply, Server, kms,
        people::{SUB, organizations, selected, welcome},
        run,
    },
    terminal::Terminal,
};

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
    assert_eq!(ran.stdout, format!("bob@example.test {LINK}\n"));
    assert!(ran.stderr.contains("pass each link on to its owner alone"), "{}", ran.stderr);
    assert_eq!(server.request().json()["organizationId"], OTHER);
    let args = [&args[..], &["--output", "json", "--silent"]].concat();
    let (_, ran) = against(std::slice::from_ref(&invited), &args, 0);
    assert_eq!(serde_json::from_str::<Value>(&ran.stdout).unwrap(), invited);
    assert_eq!(ran.stderr, "");
}

const INVITATION: &str = "/signupinvite?token=canary-7c1e9a&to=bob%40example.test&organization_id=";

/// What an invitation that holds is answered; with a token where an account has to be completed.
fn verified(token: Option<&str>) -> Reply {
    let user = json!({
        "id": OTHER, "username": "bob@example.test", "email": "bob@example.test",
        "firstName": null, "lastName": null, "createdAt": TIME, "updatedAt": TIME,
    });
    let mut answer = json!({ "message": "done", "user": user, "token": token });
    if token.is_none() {
        answer.as_object_mut().unwrap().remove("token");
    }
    Reply::json(200, answer)
}

/// The link leads to a server; that the environment names another must not matter.
fn join(server: &Server, more: &[&str]) -> Command {
    let mut command = kms();
    let link = format!("{}{INVITATION}{ID}", server.url());
    command.args(["organizations", "join", &link]).args(more);
    command
        .env("INFISICAL_API_URL", "https://evil.example.test")
        .env("KMS_PASSWORD", "long enough");
    command
}

#[test]
fn an_invitation_is_accepted_at_the_server_of_its_link() {
    let server = Server::start([verified(None)]);
    let ran = run(&mut join(&server, &["--first-name", "Bob"])).ends_with(0);
    assert!(ran.stdout.is_empty() && !ran.stderr.contains("canary"), "{}", ran.stderr);
    let request = server.request();
    assert_eq!(request.target, "/api/v1/invite-org/verify");
    let proof =
        json!({ "email": "bob@example.test", "organizationId": ID, "code": "canary-7c1e9a" });
    assert_eq!(request.json(), proof);
}

#[test]
fn who_has_no_account_completes_one_and_stays_logged_out() {
    let completed = verified(Some("whole")).with("set-cookie", "jid=session; HttpOnly; Path=/");
    let done = Reply::json(200, json!({ "message": "done" }));
    let server = Server::start([verified(Some("proof")), completed, done]);
    let ran = run(&mut join(&server, &["--first-name", "Bob"])).ends_with(0);
    ran.says("bob@example.test is a member now").says("kms login --interactive --domain=");
    let requests = server.requests();
    assert_eq!(requests[1].target, "/api/v3/signup/complete-account/invite");
    assert_eq!(requests[1].header("authorization"), Some("Bearer proof"));
    let expected =
        json!({ "email": "bob@example.test", "firstName": "Bob", "password": "long enough" });
    assert_eq!(requests[1].json(), expected);
    assert_eq!(requests[2].target, "/api/v1/auth/logout");
}

#[test]
fn a_link_is_not_spent_in_vain_and_not_repeated() {
    let server = Server::start([Reply::error(403, "Invalid or expired code")]);
    run(&mut join(&server, &[])).ends_with(4).says("--first-name=NAME");
    let mut elsewhere = kms();
    elsewhere.args(["organizations", "join", "https://kms.example.test/?token=canary-7c1e9a"]);
    let ran = run(elsewhere.env("KMS_PASSWORD", "x").args(["--first-name", "Bob"])).ends_with(2);
    assert!(!ran.stderr.contains("canary"), "{}", ran.stderr);
    assert!(server.requests().is_empty());
    run(&mut join(&server, &["--first-name", "Bob"])).ends_with(3).says("ask for one");
}

#[test]
fn a_refused_password_of_a_new_account_is_asked_for_again() {
    let refused = Reply::error(422, "is one of the most common passwords");
    let replies = [verified(Some("proof")), refused, verified(Some("whole"))];
    let server = Server::start(replies);
    let link = format!("{}{INVITATION}{ID}", server.url());
    let mut terminal = Terminal::start(&["organizations", "join", &link], &[]);
    terminal.expect("First name:").enter("Bob");
    terminal.expect("Last name:").enter("");
    for password in ["password", "long enough"] {
        terminal.expect("New password of bob@example.test at").enter(password);
        terminal.expect("The same password again:").enter(password);
    }
    terminal.finish().with(0).says("bob@example.test is a member now");
    assert_eq!(server.requests()[2].json()["password"], "long enough");
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
fn without_a_name_it_is_the_organization_of_the_login_in_use() {
    let home = Home::new();
    let nobody = Reply::json(200, json!({ "users": [] }));
    let server = Server::start([welcome(), selected(SUB), organizations(), nobody]);
    log_in(&home, &server, SUB);
    run(at(&home).args(["organizations", "members"])).ends_with(0);
    let expected = format!("/api/v2/organizations/{SUB}/memberships");
    assert_eq!(server.requests()[3].target, expected);
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
