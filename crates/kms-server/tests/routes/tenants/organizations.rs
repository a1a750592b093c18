//! Organizations.

use http::StatusCode;
use kms_api::routes as paths;
use kms_testkit::TestServer;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::{PASSWORD, fields, path, sorted};

/// A server with its first administrator: the token and the organization's id.
async fn administrator() -> (TestServer, String, String) {
    let server = TestServer::start().await;
    let token = server.core().setup_token().await.unwrap().unwrap();
    let body = json!({"email": "ada@example.test", "password": PASSWORD, "firstName": "Ada",
                      "setupToken": token.expose_secret()});
    let made = server.post(paths::ADMIN_SIGNUP).json(body).send().await.ok();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (server, text(&made["token"]), text(&made["organization"]["id"]))
}

#[tokio::test]
async fn a_person_lists_reads_and_changes_the_organization() {
    let (server, token, id) = administrator().await;
    let one = path(paths::ORGANIZATION, &[&id]);
    let read = server.get(&one).bearer(&token).send().await.ok();
    let known = sorted(
        "id name slug customerId createdAt updatedAt authEnforced scimEnabled kmsDefaultKeyId
         defaultMembershipRole enforceMfa selectedMfaMethod userTokenExpiration rootOrgId
         parentOrgId allowDeviceLogin bypassOrgAuthEnabled",
    );
    assert_eq!(fields(&read["organization"]), known);
    let patch = server.call(http::Method::PATCH, &one).bearer(&token);
    let changed = patch.json(json!({"name": "Renamed", "slug": "renamed"})).send().await.ok();
    assert_eq!(fields(&changed), sorted("message organization"));
    let list = server.get(paths::ORGANIZATIONS).bearer(&token).send().await.ok();
    assert_eq!(list["organizations"][0]["slug"], "renamed");
    assert_eq!(list["organizations"][0]["userRole"], "admin");
    server.stop().await;
}

#[tokio::test]
async fn its_people_and_projects_are_listed() {
    let (server, token, id) = administrator().await;
    let users = server.get(&path(paths::ORGANIZATION_USERS, &[&id])).bearer(&token);
    let users = users.send().await.ok();
    let user = &users["users"][0];
    assert_eq!(fields(user), sorted("id role status inviteEmail orgId roleId isActive user"));
    assert_eq!(fields(&user["user"]), sorted("username email firstName lastName id publicKey"));
    assert_eq!((&user["role"], &user["status"]), (&json!("admin"), &json!("accepted")));
    let body = json!({"projectName": "p"});
    server.post(paths::WORKSPACES_V2).bearer(&token).json(body).send().await.ok();
    let list = server.get(&path(paths::ORGANIZATION_WORKSPACES, &[&id])).bearer(&token);
    let workspace = list.send().await.ok()["workspaces"][0].clone();
    assert_eq!(fields(&workspace), sorted("id name slug organization environments"));
    assert_eq!(workspace["environments"][0], json!({"name": "Development", "slug": "dev"}));
    server.stop().await;
}

#[tokio::test]
async fn t1_another_organization_is_not_found() {
    let (server, token, _) = administrator().await;
    let other = "11111111-2222-4333-8444-555555555555";
    for template in [paths::ORGANIZATION, paths::ORGANIZATION_USERS, paths::ORGANIZATION_WORKSPACES]
    {
        let answer = server.get(&path(template, &[other])).bearer(&token).send().await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{template}");
        let answer = server.get(&path(template, &["not-an-id"])).bearer(&token).send().await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{template}");
    }
    server.stop().await;
}
