//! Attack J6: every kind of token at every route.

use http::{Method, StatusCode};
use kms_api::routes as paths;
use kms_server::route::{Access, Route};
use kms_testkit::{Setup, TestServer};
use serde_json::json;

use crate::people::{administrator, still_in};

const ANY_ID: &str = "0198c0de-0000-7000-8000-000000000000";

fn guarded() -> Vec<Route> {
    kms_server::routes().into_iter().filter(|route| !route.info.access.is_public()).collect()
}

/// The status and the name of the error; the route must not have done anything.
async fn call(server: &TestServer, route: &Route, token: &str) -> (StatusCode, String) {
    let path = crate::filled(route.info.path, ANY_ID);
    let request = server.call(route.method.clone(), &path).bearer(token);
    let request = if route.method == Method::GET { request } else { request.json(json!({})) };
    let answer = request.send().await;
    (answer.status, answer.json()["error"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn j6_a_route_takes_the_kinds_of_token_that_it_says_and_no_other() {
    let server = TestServer::start().await;
    let mut person = administrator(&server).await;
    let machine = server.seed_another("machines").await.token;
    let (mut taken, mut refused) = (0, 0);
    for route in guarded() {
        person = still_in(&server, person).await;
        for (token, barred) in [(&person, Access::Identity), (&machine, Access::User)] {
            let (status, error) = call(&server, &route, token).await;
            let what = format!("{} {} {status} {error}", route.method, route.info.path);
            let barred = [barred, Access::Service, Access::Proven, Access::Pending];
            if barred.contains(&route.info.access) {
                assert_eq!(status, StatusCode::FORBIDDEN, "{what}");
                assert!(error.starts_with("Forbidden access to /api/"), "{what}");
                refused += 1;
            } else {
                assert_ne!(status, StatusCode::UNAUTHORIZED, "{what}");
                assert!(!error.starts_with("Forbidden access"), "{what}");
                assert_ne!(error, "TokenError", "{what}");
                taken += 1;
            }
        }
    }
    assert!(taken > 100 && refused > 3, "{taken} {refused}");
    server.stop().await;
}

#[tokio::test]
async fn j6_a_service_token_opens_secrets_folders_imports_and_its_project_and_nothing_else() {
    let server = TestServer::start().await;
    let person = administrator(&server).await;
    let token = service_token(&server, &person).await;
    let (mut opened, mut refused) = (Vec::new(), 0);
    for route in guarded() {
        let (status, error) = call(&server, &route, &token).await;
        let what = format!("{} {} {status} {error}", route.method, route.info.path);
        match route.info.access {
            Access::Bearer | Access::Service => {
                assert_ne!(status, StatusCode::UNAUTHORIZED, "{what}");
                assert!(!error.starts_with("Forbidden access"), "{what}");
                opened.push(route.info.path);
            }
            // Those read their own kind alone.
            Access::Proven | Access::Pending => {
                assert_eq!(status, StatusCode::UNAUTHORIZED, "{what}");
                refused += 1;
            }
            _ => {
                assert_eq!(status, StatusCode::FORBIDDEN, "{what}");
                assert!(error.starts_with("Forbidden access to /api/"), "{what}");
                refused += 1;
            }
        }
    }
    opened.sort_unstable();
    opened.dedup();
    // Secrets may be called `duplicate` and `move`: read, changed and deleted at those paths, too.
    insta::assert_snapshot!(opened.join("\n"), @r"
    /api/v1/folders
    /api/v1/folders/batch
    /api/v1/folders/{folderIdOrName}
    /api/v1/folders/{projectId}/{environment}/{path}
    /api/v1/projects/{projectId}
    /api/v1/secret-imports
    /api/v1/secret-imports/secrets
    /api/v1/secret-imports/secrets/raw
    /api/v1/secret-imports/{secretImportId}
    /api/v1/workspace/{projectId}
    /api/v2/folders
    /api/v2/folders/batch
    /api/v2/folders/{folderIdOrName}
    /api/v2/secret-imports
    /api/v2/secret-imports/secrets
    /api/v2/secret-imports/{secretImportId}
    /api/v2/service-token
    /api/v3/secrets/batch/raw
    /api/v3/secrets/move
    /api/v3/secrets/raw
    /api/v3/secrets/raw/{secretName}
    /api/v3/secrets/raw/{secretName}/secret-reference-tree
    /api/v3/secrets/tags/{secretName}
    /api/v4/secrets
    /api/v4/secrets/batch
    /api/v4/secrets/duplicate
    /api/v4/secrets/move
    /api/v4/secrets/{secretName}
    /api/v4/secrets/{secretName}/reference-dependency-tree
    /api/v4/secrets/{secretName}/secret-reference-tree
    ");
    assert!(refused > 100, "{refused}");
    server.stop().await;
}

/// A token of a project that the person makes.
async fn service_token(server: &TestServer, person: &str) -> String {
    let project = json!({ "projectName": "served" });
    let made = server.post(paths::PROJECTS).bearer(person).json(project).send().await.ok();
    let body = json!({
        "name": "ci",
        "workspaceId": made["project"]["id"],
        "scopes": [{ "environment": "dev", "secretPath": "/" }],
        "permissions": ["read", "write"],
    });
    let made = server.post(paths::SERVICE_TOKEN).bearer(person).json(body).send().await.ok();
    made["serviceToken"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn j6_no_route_takes_a_token_of_another_server_or_none_of_ours() {
    let elsewhere = TestServer::with(Setup { seed: 2, ..Setup::default() }).await;
    let foreign = elsewhere.seed().await.token;
    let server = TestServer::start().await;
    let ours = server.seed().await;
    let (head, rest) = ours.token.split_once('.').unwrap();
    let (claims, signature) = rest.split_once('.').unwrap();
    // {"alg":"none","typ":"JWT"}
    let unsigned = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{claims}.");
    let cut = format!("{head}.{claims}.");
    let service = format!("st.{ANY_ID}.{signature}.{signature}");
    let secret = {
        use secrecy::ExposeSecret as _;
        ours.made.machine_identity.client_secret.expose_secret().to_owned()
    };
    for route in guarded() {
        for (token, expected) in [
            (&foreign, StatusCode::FORBIDDEN),
            (&unsigned, StatusCode::FORBIDDEN),
            (&cut, StatusCode::FORBIDDEN),
            (&secret, StatusCode::FORBIDDEN),
            (&service, StatusCode::UNAUTHORIZED),
        ] {
            let (status, error) = call(&server, &route, token).await;
            assert_eq!(status, expected, "{} {} {token} {error}", route.method, route.info.path);
        }
    }
    server.stop().await;
    elsewhere.stop().await;
}
