//! Memberships in projects, under every path they have.

use http::StatusCode;
use kms_api::routes as paths;
use serde_json::{Value, json};

use super::{Instance, fields, path, sorted};

const ROLE: &str = "id role customRoleId customRoleName customRoleSlug isTemporary temporaryMode
    temporaryRange temporaryAccessStartTime temporaryAccessEndTime";

async fn machine(instance: &Instance, name: &str) -> String {
    let body = json!({"name": name, "organizationId": instance.organization});
    let made = instance.send("POST", paths::IDENTITIES, body).await.ok();
    made["identity"]["id"].as_str().unwrap().to_owned()
}

async fn project(instance: &Instance) -> String {
    instance.project().await["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_identity_joins_changes_and_leaves_under_either_name() {
    let instance = Instance::start().await;
    for (all, one, written) in [
        (paths::PROJECT_IDENTITIES, paths::PROJECT_IDENTITY, "identityMembership"),
        (paths::WORKSPACE_IDENTITIES, paths::WORKSPACE_IDENTITY, "roles"),
    ] {
        let (project, id) = (project(&instance).await, machine(&instance, "ci").await);
        let one = path(one, &[&project, &id]);
        let roles = json!({"roles": [{"role": "viewer", "isTemporary": false}]});
        let added = instance.send("POST", &one, roles).await.ok();
        let membership = &added["identityMembership"];
        assert_eq!(
            (&membership["identityId"], &membership["projectId"]),
            (&json!(id), &json!(project))
        );
        assert_eq!(fields(&membership["roles"][0]), sorted(ROLE));
        let again = instance.send("POST", &one, json!({"role": "viewer"})).await;
        assert_eq!(again.status, StatusCode::BAD_REQUEST);
        assert_eq!(
            again.json()["message"],
            format!("Identity with id {id} already exists in project with id {project}")
        );
        let temporary = json!({"roles": [{"role": "member", "isTemporary": true,
            "temporaryMode": "relative", "temporaryRange": "1h",
            "temporaryAccessStartTime": "2026-01-05T09:00:00.000Z"}]});
        let changed = instance.send("PATCH", &one, temporary).await.ok();
        assert_eq!(fields(&changed), [written]);
        let read = instance.get(&one).await.ok()["identityMembership"].clone();
        let role = &read["roles"][0];
        assert_eq!(role["temporaryAccessEndTime"], "2026-01-05T10:00:00.000Z");
        assert_eq!(read["identity"]["name"], "ci");
        assert_eq!(read["project"], json!({"id": project, "name": "p"}));
        let list = instance.get(&format!("{}?limit=1&offset=1", path(all, &[&project]))).await.ok();
        assert_eq!(
            (&list["totalCount"], list["identityMemberships"].as_array().unwrap().len()),
            (&json!(2), 1)
        );
        instance.send("DELETE", &one, json!({})).await.ok();
        assert_eq!(instance.get(&one).await.status, StatusCode::NOT_FOUND);
    }
    instance.server.stop().await;
}

#[tokio::test]
async fn roles_outside_the_contract_are_refused() {
    let instance = Instance::start().await;
    let (project, id) = (project(&instance).await, machine(&instance, "ci").await);
    let one = path(paths::PROJECT_IDENTITY, &[&project, &id]);
    let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
    for (body, status) in [
        (json!({"role": "wizard"}), StatusCode::BAD_REQUEST),
        (json!({"roles": []}), unprocessable),
        (json!({"roles": [{}]}), unprocessable),
        (json!({"roles": [{"role": "viewer", "isTemporary": true}]}), unprocessable),
        (json!({"roles": "viewer"}), unprocessable),
    ] {
        let answer = instance.send("POST", &one, body.clone()).await;
        assert_eq!(answer.status, status, "{body}");
    }
    let absent = path(paths::PROJECT_IDENTITY, &[&project, "11111111-2222-4333-8444-555555555555"]);
    let answer = instance.send("POST", &absent, json!({"role": "admin"})).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    instance.server.stop().await;
}

#[tokio::test]
async fn people_are_listed_under_every_name() {
    let instance = Instance::start().await;
    let project = project(&instance).await;
    for (template, wrapper) in [
        (paths::PROJECT_MEMBERSHIPS, "memberships"),
        (paths::WORKSPACE_MEMBERSHIPS, "memberships"),
        (paths::WORKSPACE_USERS, "users"),
    ] {
        let list: Value = instance.get(&path(template, &[&project])).await.ok();
        assert_eq!(list, json!({ wrapper: [] }), "a machine made this project");
    }
    instance.server.stop().await;
}
