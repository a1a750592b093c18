//! Identities and their place in the organization.

use http::StatusCode;
use kms_api::routes as paths;
use serde_json::{Value, json};

use super::{Machine, text, who};
use crate::tenants::{Instance, fields, path, sorted};

const IDENTITY: &str = "id name hasDeleteProtection orgId authMethods authMethod createdAt
    updatedAt metadata";
const MEMBER: &str = "id role roleId orgId createdAt updatedAt identityId lastLoginAuthMethod
    lastLoginTime identity";

#[tokio::test]
async fn an_identity_lives_as_the_contract_says() {
    let instance = Instance::start().await;
    let body = json!({"name": "ci-bot", "organizationId": instance.organization,
        "role": "member", "hasDeleteProtection": true,
        "metadata": [{"key": "team", "value": "a"}], "extra": 1});
    let made = instance.send("POST", paths::IDENTITIES, body).await.ok()["identity"].clone();
    assert_eq!(fields(&made), sorted(IDENTITY));
    assert_eq!(made["authMethod"], Value::Null);
    let one = path(paths::IDENTITY, &[&text(&made["id"])]);
    let read = instance.get(&one).await.ok()["identity"].clone();
    assert_eq!(fields(&read), sorted(MEMBER));
    assert_eq!((&read["role"], &read["roleId"]), (&json!("member"), &Value::Null));
    assert_eq!(read["identity"]["id"], made["id"]);
    let refused = instance.send("DELETE", &one, json!({})).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    let new = json!({"name": "cd-bot", "role": "admin", "hasDeleteProtection": false});
    let changed = instance.send("PATCH", &one, new).await.ok();
    assert_eq!(changed["identity"]["name"], "cd-bot");
    let gone = instance.send("DELETE", &one, json!({})).await.ok();
    assert_eq!(gone["identity"]["id"], made["id"]);
    let again = instance.send("DELETE", &one, json!({})).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND);
    assert_eq!(
        again.json()["message"],
        format!("Failed to find identity with id {}", text(&made["id"]))
    );
    instance.server.stop().await;
}

#[tokio::test]
async fn lists_are_the_same_under_both_paths() {
    let instance = Instance::start().await;
    Machine::plain(&instance).await;
    let newer = format!("{}?orgId={}&search=MACH", paths::IDENTITIES, instance.organization);
    let newer = instance.get(&newer).await.ok();
    assert_eq!(fields(&newer), sorted("identities totalCount"));
    assert_eq!(
        (&newer["totalCount"], &newer["identities"][0]["identity"]["authMethods"]),
        (&json!(1), &json!(["universal-auth"]))
    );
    let older = path(paths::ORGANIZATION_IDENTITIES, &[&instance.organization]);
    let older = instance.get(&format!("{older}?search=mach")).await.ok();
    assert_eq!(older["identityMemberships"], newer["identities"]);
    let page = instance.get(&format!("{}?limit=1&offset=1", paths::IDENTITIES)).await.ok();
    assert_eq!((page["identities"].as_array().unwrap().len(), &page["totalCount"]), (1, &json!(2)));
    for bad in ["?limit=0", "?limit=1001", "?offset=-1", "?orgId=x"] {
        let answer = instance.get(&format!("{}{bad}", paths::IDENTITIES)).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{bad}");
    }
    let foreign = "?orgId=00000000-0000-7000-8000-000000000000";
    let answer = instance.get(&format!("{}{foreign}", paths::IDENTITIES)).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    instance.server.stop().await;
}

#[tokio::test]
async fn a_machine_learns_who_it_is_and_which_projects_it_has() {
    let instance = Instance::start().await;
    let machine = Machine::plain(&instance).await;
    let token = machine.token(&instance).await;
    let details = who(&instance, &token).await.ok()["identityDetails"].clone();
    assert_eq!(details["organization"]["id"], instance.organization.as_str());
    assert_eq!(details["identityId"], machine.id.as_str());
    let project = instance.project().await;
    let member = path(paths::PROJECT_IDENTITY, &[&text(&project["id"]), &machine.id]);
    instance.send("POST", &member, json!({"role": "viewer"})).await.ok();
    let list = instance.get(&path(paths::IDENTITY_PROJECTS, &[&machine.id])).await.ok();
    let membership = &list["identityMemberships"][0];
    assert_eq!(membership["project"]["id"], project["id"]);
    assert_eq!(membership["roles"][0]["role"], "viewer");
    instance.server.stop().await;
}

#[tokio::test]
async fn t4_a_member_makes_no_identity_and_a_bad_role_is_not_found() {
    let instance = Instance::start().await;
    let token = Machine::plain(&instance).await.token(&instance).await;
    let body = json!({"name": "x", "role": "no-access"});
    let refused = instance.server.post(paths::IDENTITIES).bearer(&token).json(body).send().await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(refused.json()["error"], "PermissionDenied");
    assert_eq!(refused.json()["message"], "You are not allowed to create on identity");
    for (body, status) in [
        (json!({"name": "x", "role": "wizard"}), StatusCode::BAD_REQUEST),
        (json!({"name": " "}), StatusCode::UNPROCESSABLE_ENTITY),
        (json!({}), StatusCode::UNPROCESSABLE_ENTITY),
        (
            json!({"name": "x", "metadata": [{"key": "", "value": "v"}]}),
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
    ] {
        let answer = instance.send("POST", paths::IDENTITIES, body.clone()).await;
        assert_eq!(answer.status, status, "{body}");
    }
    instance.server.stop().await;
}
