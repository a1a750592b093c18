//! Two servers on one database: what one of them did, the other knows at the next request.

use serde_json::{Value, json};

use crate::{database::Database, http::Connection, server::Server};

/// One request that must succeed.
fn ask(connection: &mut Connection, method: &str, path: &str, body: Option<&Value>) -> Value {
    let (status, answer) = connection.send(method, path, body).unwrap();
    assert_eq!(status, 200, "{method} {path}: {answer}");
    answer
}

fn status(connection: &mut Connection, method: &str, path: &str, body: Option<&Value>) -> u16 {
    connection.send(method, path, body).unwrap().0
}

/// A machine identity that is a member of the project: its id, client id and client secret.
fn machine(admin: &mut Connection, project: &str) -> (String, Value) {
    let identity =
        ask(admin, "POST", "/api/v1/identities", Some(&json!({ "name": "m", "role": "member" })));
    let id = identity["identity"]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/projects/{project}/memberships/identities/{id}");
    ask(admin, "POST", &path, Some(&json!({ "role": "member" })));
    let path = format!("/api/v1/auth/universal-auth/identities/{id}");
    let method = ask(admin, "POST", &path, Some(&json!({})));
    let secret = ask(admin, "POST", &format!("{path}/client-secrets"), Some(&json!({})));
    let proof = json!({
        "clientId": method["identityUniversalAuth"]["clientId"],
        "clientSecret": secret["clientSecret"],
    });
    (id, proof)
}

#[test]
#[ignore = "needs a PostgreSQL server: KMS_TEST_DATABASE_URL"]
fn j11_replicas_on_postgresql_see_each_others_revocations_within_one_request() {
    let database = Database::postgres();
    let first = Server::start(&database, &[]);
    let (token, project) = first.set_up();
    let second = Server::start(&database, &[]);
    let mut here = Connection::open(first.address, &token).unwrap();
    let (identity, proof) = machine(&mut here, &project);
    let login = "/api/v1/auth/universal-auth/login";
    let list = format!("/api/v4/secrets?projectId={project}&environment=dev");

    // What is written here is read there, in a session that was made there.
    let mut anybody = Connection::open(second.address, "").unwrap();
    let answer = ask(&mut anybody, "POST", login, Some(&proof));
    let session = answer["accessToken"].as_str().unwrap().to_owned();
    let mut there = Connection::open(second.address, &session).unwrap();
    let secret = json!({ "projectId": project, "environment": "dev", "secretValue": "one" });
    ask(&mut here, "POST", "/api/v4/secrets/NAME", Some(&secret));
    let listed = ask(&mut there, "GET", &list, None);
    assert_eq!(listed["secrets"][0]["secretValue"], "one");

    // There it may be answered from memory by now, and never is when it changed here.
    for value in (0..50).map(|n| n.to_string()) {
        let place = json!({ "projectId": project, "environment": "dev", "secretValue": value });
        ask(&mut here, "PATCH", "/api/v4/secrets/NAME", Some(&place));
        for _ in 0..2 {
            let listed = ask(&mut there, "GET", &list, None);
            assert_eq!(listed["secrets"][0]["secretValue"], value);
        }
    }

    // A token that is revoked here is dead there at its next request.
    let revoke = json!({ "accessToken": session });
    ask(&mut here, "POST", "/api/v1/auth/token/revoke", Some(&revoke));
    assert_eq!(status(&mut there, "GET", &list, None), 401);

    // So is one whose membership is removed, and one whose login method is taken away.
    let mut fresh = || {
        let answer = ask(&mut anybody, "POST", login, Some(&proof));
        let token = answer["accessToken"].as_str().unwrap().to_owned();
        Connection::open(second.address, &token).unwrap()
    };
    let mut there = fresh();
    ask(&mut there, "GET", &list, None);
    let membership = format!("/api/v1/projects/{project}/memberships/identities/{identity}");
    ask(&mut here, "DELETE", &membership, None);
    assert_eq!(status(&mut there, "GET", &list, None), 403);
    let details = "/api/v1/identities/details";
    ask(&mut there, "GET", details, None);
    let method = format!("/api/v1/auth/universal-auth/identities/{identity}");
    ask(&mut here, "DELETE", &method, None);
    assert_eq!(status(&mut there, "GET", details, None), 401);
    assert_eq!(status(&mut anybody, "POST", login, Some(&proof)), 401);
    first.kill();
    second.kill();
}
