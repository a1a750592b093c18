//! Roles of projects, under every path they have.

use http::StatusCode;
use kms_api::routes as paths;
use serde_json::{Value, json};

use super::{Instance, fields, path, sorted};

const ROLE: &str = "id name slug description projectId createdAt updatedAt";
const ROLE_WITH_RULES: &str = "id name slug description projectId createdAt updatedAt permissions";

fn rules() -> Value {
    json!([
        {"subject": "secrets", "action": "read", "conditions": {"environment": "dev"}},
        {"subject": "secrets", "action": ["readValue"], "inverted": true,
            "conditions": {"secretPath": {"$glob": "/vault/**"}}},
        {"subject": "tags", "action": ["read", "edit"]},
    ])
}

#[tokio::test]
async fn a_role_is_made_and_unmade_under_every_name_of_its_project() {
    let instance = Instance::start().await;
    let project = instance.project().await;
    let (id, slug) = (project["id"].as_str().unwrap(), project["slug"].as_str().unwrap());
    for (all, one, by_slug, named) in [
        (paths::PROJECT_ROLES, paths::PROJECT_ROLE, paths::PROJECT_ROLE_BY_SLUG, id),
        (paths::WORKSPACE_ROLES_V2, paths::WORKSPACE_ROLE_V2, paths::WORKSPACE_ROLE_BY_SLUG_V2, id),
        (
            paths::WORKSPACE_ROLES_V1,
            paths::WORKSPACE_ROLE_V1,
            paths::WORKSPACE_ROLE_BY_SLUG_V1,
            slug,
        ),
    ] {
        let all = path(all, &[named]);
        // As the Terraform provider sends it, its own fields included.
        let body = json!({"projectSlug": slug, "ProjectId": id, "slug": "readers",
            "name": "Readers", "description": "who read", "permissions": rules()});
        let made = instance.send("POST", &all, body.clone()).await.ok();
        assert_eq!(fields(&made), ["role"]);
        let role = made["role"].clone();
        assert_eq!(fields(&role), sorted(ROLE_WITH_RULES), "{all}");
        assert_eq!(role["permissions"], rules(), "{all}");
        let again = instance.send("POST", &all, body).await;
        assert_eq!(again.status, StatusCode::BAD_REQUEST);

        let listed = instance.get(&all).await.ok();
        let slugs: Vec<_> = listed["roles"].as_array().unwrap().iter().collect();
        assert_eq!((slugs.len(), slugs[4]["slug"].as_str()), (5, Some("readers")));
        assert_eq!(fields(slugs[4]), sorted(ROLE));
        let one = path(one, &[named, role["id"].as_str().unwrap()]);
        let changed = instance.send("PATCH", &one, json!({"name": "R", "description": ""})).await;
        let changed = changed.ok()["role"].clone();
        assert_eq!((&changed["name"], &changed["description"]), (&json!("R"), &Value::Null));
        let read = instance.get(&path(by_slug, &[named, "readers"])).await.ok();
        assert_eq!(read["role"], changed);
        let by_id = instance.get(&path(paths::ROLE, &[role["id"].as_str().unwrap()])).await.ok();
        assert_eq!(by_id["role"]["slug"], "readers");
        let deleted = instance.send("DELETE", &one, json!({"projectSlug": slug})).await.ok();
        assert_eq!(deleted["role"]["id"], role["id"]);
        let gone = instance.get(&path(by_slug, &[named, "readers"])).await;
        assert_eq!(gone.status, StatusCode::NOT_FOUND);
    }
    instance.server.stop().await;
}

/// What the oldest route says about secrets counts for folders and imports, and reads back as it was.
#[tokio::test]
async fn the_oldest_route_knows_no_rules_about_folders() {
    let instance = Instance::start().await;
    let project = instance.project().await;
    let (id, slug) = (project["id"].as_str().unwrap(), project["slug"].as_str().unwrap());
    let body = json!({"slug": "older", "name": "Older", "permissions": rules()});
    let made = instance.send("POST", &path(paths::WORKSPACE_ROLES_V1, &[slug]), body).await.ok();
    assert_eq!(made["role"]["permissions"], rules());
    let read = instance.get(&path(paths::PROJECT_ROLE_BY_SLUG, &[id, "older"])).await.ok();
    let subjects = read["role"]["permissions"].as_array().unwrap().iter();
    let subjects: Vec<_> = subjects.map(|rule| rule["subject"].as_str().unwrap()).collect();
    assert_eq!(subjects, ["secrets", "secret-folders", "secret-imports", "secrets", "tags"]);
    instance.server.stop().await;
}

#[tokio::test]
async fn rules_outside_the_contract_are_named_by_their_path() {
    let instance = Instance::start().await;
    let project = instance.project().await;
    let all = path(paths::PROJECT_ROLES, &[project["id"].as_str().unwrap()]);
    let send = async |permissions: Value| {
        let body = json!({"slug": "other", "name": "Other", "permissions": permissions});
        instance.send("POST", &all, body).await
    };
    for (permissions, path) in [
        (json!([{"subject": "planets", "action": "read"}]), json!(["permissions", 0, "subject"])),
        (
            json!([{"subject": "tags", "action": "read"}, {"subject": "tags", "action": "fly"}]),
            json!(["permissions", 1, "action"]),
        ),
        (
            json!([{"subject": "secrets", "action": "read",
                "conditions": {"environment": {"$like": "x"}}}]),
            json!(["permissions", 0, "conditions", "environment"]),
        ),
    ] {
        let answer = send(permissions).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(answer.json()["message"][0]["path"], path);
    }
    for slug in ["admin", "custom"] {
        let body = json!({"slug": slug, "name": "Other", "permissions": []});
        assert_eq!(instance.send("POST", &all, body).await.status, StatusCode::BAD_REQUEST);
    }
    instance.server.stop().await;
}

#[tokio::test]
async fn a_role_of_a_project_is_given_to_an_identity() {
    let instance = Instance::start().await;
    let project = instance.project().await;
    let id = project["id"].as_str().unwrap();
    let body = json!({"slug": "readers", "name": "Readers", "permissions": rules()});
    let made = instance.send("POST", &path(paths::PROJECT_ROLES, &[id]), body).await.ok();
    let body = json!({"name": "ci", "organizationId": instance.organization});
    let machine = instance.send("POST", paths::IDENTITIES, body).await.ok();
    let machine = machine["identity"]["id"].as_str().unwrap().to_owned();
    let one = path(paths::PROJECT_IDENTITY, &[id, &machine]);
    let roles = json!({"roles": [{"role": "viewer"}, {"role": "readers", "isTemporary": true,
        "temporaryMode": "relative", "temporaryRange": "1h",
        "temporaryAccessStartTime": "2026-01-05T09:00:00.000Z"}]});
    instance.send("POST", &one, roles).await.ok();
    let read = instance.get(&one).await.ok()["identityMembership"]["roles"].clone();
    assert_eq!(read[0]["role"], "viewer");
    assert_eq!(read[0]["customRoleId"], Value::Null);
    assert_eq!(read[1]["role"], "custom");
    assert_eq!(read[1]["customRoleId"], made["role"]["id"]);
    assert_eq!(read[1]["customRoleSlug"], "readers");
    assert_eq!(read[1]["customRoleName"], "Readers");
    assert_eq!(read[1]["temporaryAccessEndTime"], "2026-01-05T10:00:00.000Z");
    let role = path(paths::PROJECT_ROLE, &[id, made["role"]["id"].as_str().unwrap()]);
    let held = instance.send("DELETE", &role, json!({})).await;
    assert_eq!(held.status, StatusCode::BAD_REQUEST, "{}", held.text());
    instance.server.stop().await;
}
