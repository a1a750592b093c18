//! Projects, under every path they have.

use http::StatusCode;
use kms_api::routes as paths;
use serde_json::json;

use super::{Instance, fields, path, sorted};

const PROJECT: &str = "id _id name description type slug orgId autoCapitalization createdAt
    updatedAt version upgradeStatus pitVersionLimit auditLogsRetentionDays hasDeleteProtection
    secretSharing kmsCertificateKeyId kmsSecretManagerKeyId environments";

#[tokio::test]
async fn one_project_is_spelled_in_every_way_of_the_contract() {
    let instance = Instance::start().await;
    let body = json!({"projectName": "Reference", "slug": "reference", "projectId": "ignored"});
    let made = instance.send("POST", paths::WORKSPACES_V2, body).await.ok();
    assert_eq!(fields(&made), ["project"]);
    let project = made["project"].clone();
    assert_eq!(fields(&project), sorted(PROJECT));
    assert_eq!(fields(&project["environments"][0]), sorted("id name slug"));
    assert_eq!((&project["type"], &project["version"]), (&json!("secret-manager"), &json!(3)));
    let id = project["id"].as_str().unwrap();
    assert_eq!(project["_id"], project["id"]);
    for (template, value, wrapper) in [
        (paths::PROJECT, id, Some("project")),
        (paths::WORKSPACE, id, Some("workspace")),
        (paths::PROJECT_BY_SLUG, "reference", None),
        (paths::WORKSPACE_BY_SLUG, "reference", None),
    ] {
        let read = instance.get(&path(template, &[value])).await.ok();
        let read = wrapper.map_or(&read, |wrapper| &read[wrapper]);
        assert_eq!(*read, project, "{template}");
    }
    for (template, wrapper) in [(paths::PROJECTS, "projects"), (paths::WORKSPACES, "workspaces")] {
        let list = instance.get(&format!("{template}?includeRoles=true&type=all")).await.ok();
        assert_eq!(list, json!({ wrapper: [project.clone()] }), "{template}");
    }
    instance.server.stop().await;
}

#[tokio::test]
async fn a_project_changes_and_goes_under_either_name() {
    let instance = Instance::start().await;
    for (template, wrapper) in [(paths::PROJECT, "project"), (paths::WORKSPACE, "workspace")] {
        let project = instance.project().await;
        let one = path(template, &[project["id"].as_str().unwrap()]);
        let changed = instance.send("PATCH", &one, json!({"autoCapitalization": true})).await.ok();
        assert_eq!(changed[wrapper]["autoCapitalization"], true);
        assert_eq!(changed[wrapper]["name"], project["name"]);
        // The Terraform provider reads the newer path's answer at the top level.
        if template == paths::PROJECT {
            assert_eq!(
                (&changed["id"], &changed["autoCapitalization"]),
                (&project["id"], &json!(true))
            );
        }
        let gone = instance.send("DELETE", &one, json!({})).await.ok();
        assert_eq!(gone[wrapper]["id"], project["id"]);
        assert_eq!(instance.get(&one).await.status, StatusCode::NOT_FOUND);
    }
    let project = instance.project().await;
    let by_slug = path(paths::WORKSPACE_BY_SLUG, &[project["slug"].as_str().unwrap()]);
    let gone = instance.send("DELETE", &by_slug, json!({})).await.ok();
    assert_eq!(gone["workspace"]["id"], project["id"]);
    assert_eq!(instance.get(&by_slug).await.status, StatusCode::NOT_FOUND);
    instance.server.stop().await;
}

#[tokio::test]
async fn what_a_provider_without_a_slug_sends_makes_a_project_without_environments() {
    let instance = Instance::start().await;
    let body = json!({"projectName": "tf", "slug": "", "organizationSlug": "acme",
                      "shouldCreateDefaultEnvs": false, "hasDeleteProtection": false});
    let made = instance.send("POST", paths::WORKSPACES_V2, body).await.ok();
    assert_eq!(made["project"]["environments"], json!([]));
    assert!(made["project"]["slug"].as_str().unwrap().starts_with("tf-"));
    instance.server.stop().await;
}

#[tokio::test]
async fn statuses_are_those_of_the_contract() {
    let instance = Instance::start().await;
    let body = json!({"projectName": "p", "slug": "taken"});
    instance.send("POST", paths::PROJECTS, body.clone()).await.ok();
    for (body, status) in [
        (body, StatusCode::BAD_REQUEST),
        (json!({}), StatusCode::UNPROCESSABLE_ENTITY),
        (json!({"projectName": 7}), StatusCode::UNPROCESSABLE_ENTITY),
        (json!({"projectName": "p", "slug": "a"}), StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        let answer = instance.send("POST", paths::PROJECTS, body.clone()).await;
        assert_eq!(answer.status, status, "{body}");
    }
    let protected = json!({"projectName": "p", "hasDeleteProtection": true});
    let made = instance.send("POST", paths::PROJECTS, protected).await.ok();
    let one = path(paths::PROJECT, &[made["project"]["id"].as_str().unwrap()]);
    let refused = instance.send("DELETE", &one, json!({})).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let unknown = path(paths::PROJECT, &["not-an-id"]);
    assert_eq!(instance.get(&unknown).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    instance.server.stop().await;
}

#[tokio::test]
async fn roles_and_the_callers_permissions_are_told() {
    let instance = Instance::start().await;
    let project = instance.project().await;
    let id = project["id"].as_str().unwrap();
    let roles = instance.get(&path(paths::PROJECT_ROLES, &[id])).await.ok();
    assert_eq!(
        fields(&roles["roles"][0]),
        sorted("id name slug description projectId createdAt updatedAt")
    );
    for template in [paths::PROJECT_PERMISSIONS, paths::WORKSPACE_PERMISSIONS] {
        let told = instance.get(&path(template, &[id])).await.ok();
        assert_eq!(fields(&told["data"]), sorted("permissions memberships membership"));
        assert_eq!(told["data"]["membership"]["roles"], json!([{"role": "admin"}]));
        let rule = &told["data"]["permissions"][0];
        assert_eq!(*rule, json!(["read,describeSecret,readValue,create,edit,delete", "secrets"]));
    }
    instance.server.stop().await;
}
