//! Organizations and sub-organizations, for people and for machines.

use http::{Method, StatusCode};
use kms_api::routes as paths;
use kms_testkit::Answer;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::{House, text};
use crate::tenants::{fields, path, sorted};

impl House {
    async fn send(&self, bearer: &str, method: Method, path: &str, body: Value) -> Answer {
        self.server.call(method, path).bearer(bearer).json(body).send().await
    }

    async fn sub(&self, bearer: &str, name: &str) -> String {
        let body = json!({ "name": name });
        let made = self.send(bearer, Method::POST, paths::SUB_ORGANIZATIONS, body).await.ok();
        text(&made["organization"]["id"])
    }

    /// Logs the machine in, in a sub-organization by its slug.
    async fn machine(&self, slug: Option<&str>) -> Answer {
        let machine = &self.tenant.made.machine_identity;
        let mut body = json!({
            "clientId": machine.client_id,
            "clientSecret": machine.client_secret.expose_secret(),
        });
        if let Some(slug) = slug {
            body["organizationSlug"] = slug.into();
        }
        self.server.post(paths::UNIVERSAL_AUTH_LOGIN).json(body).send().await
    }

    /// Where a machine's token acts.
    async fn acts_in(&self, token: &str) -> String {
        let answer = self.server.get(paths::IDENTITY_DETAILS).bearer(token).send().await.ok();
        text(&answer["identityDetails"]["organization"]["id"])
    }
}

#[tokio::test]
async fn a_person_without_an_organization_lists_makes_and_enters_them() {
    let house = House::new().await;
    let login = house.login().await;
    let list = house.server.get(paths::ORGANIZATIONS).bearer(&login.access).send().await.ok();
    assert_eq!(list["organizations"][0]["id"], house.organization());
    let body = json!({ "name": "Second" });
    let made = house.send(&login.access, Method::POST, paths::ORGANIZATIONS_V2, body).await.ok();
    let second = text(&made["organization"]["id"]);
    let entered = house.select(&login, &second).await.ok();
    let team = house.sub(&text(&entered["token"]), "team").await;
    let list = house.server.get(paths::ACCESSIBLE_ORGANIZATIONS).bearer(&login.access);
    let list = list.send().await.ok();
    let found = list["organizations"].as_array().unwrap();
    let found = found.iter().find(|organization| organization["id"] == second).unwrap();
    assert_eq!(fields(found), sorted("id name slug createdAt userJoinedAt subOrganizations"),);
    assert_eq!(found["subOrganizations"], json!([{ "id": team, "name": "team", "slug": "team" }]));
    let roots = house.server.get(paths::ORGANIZATIONS).bearer(&login.access).send().await.ok();
    assert_eq!(roots["organizations"].as_array().unwrap().len(), 2, "roots alone");
    let login = house.login().await;
    let inside = house.select(&login, &team).await.ok();
    let project = json!({ "projectName": "p" });
    let token = text(&inside["token"]);
    let made = house.send(&token, Method::POST, paths::PROJECTS, project).await.ok();
    assert_eq!(made["project"]["orgId"], team);
    let gone = path(paths::ORGANIZATION_V2, &[&second]);
    let login = house.login().await;
    let entered = text(&house.select(&login, &second).await.ok()["token"]);
    house.send(&entered, Method::DELETE, &gone, json!({})).await.ok();
    let after = house.server.get(paths::ORGANIZATIONS).bearer(&house.login().await.access);
    assert_eq!(after.send().await.ok()["organizations"].as_array().unwrap().len(), 1);
    house.server.stop().await;
}

#[tokio::test]
async fn a_machine_reaches_the_sub_organizations_that_it_is_a_member_of_and_no_other() {
    let house = House::new().await;
    let person = house.enter().await;
    let team = house.sub(&person.access, "team").await;
    let home = house.organization();
    // Left out, and the home organization by its own slug.
    let slug = house.tenant.made.organization.slug.clone();
    for slug in [None, Some(""), Some(slug.as_str())] {
        let token = text(&house.machine(slug).await.ok()["accessToken"]);
        assert_eq!(house.acts_in(&token).await, home, "{slug:?}");
    }
    // Not a member, and unknown.
    let refused = house.machine(Some("team")).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        refused.json()["message"],
        "Identity not authorized to access sub organization team"
    );
    let refused = house.machine(Some("crew")).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);
    assert_eq!(refused.json()["message"], "Sub organization with slug crew not found");
    // Reached.
    let inside = text(&house.select(&person, &team).await.ok()["token"]);
    let identity = house.tenant.made.machine_identity.id.to_string();
    let membership = path(paths::ORGANIZATION_IDENTITY_MEMBERSHIP, &[&identity]);
    let body = json!({ "role": "member" });
    let added = house.send(&inside, Method::POST, &membership, body).await.ok();
    assert_eq!(added["identityMembership"]["role"], "member");
    let token = text(&house.machine(Some("team")).await.ok()["accessToken"]);
    assert_eq!(house.acts_in(&token).await, team);
    // There it sees nothing of its home.
    let project = path(paths::PROJECT, &[&house.tenant.made.project.id.to_string()]);
    let hidden = house.server.get(&project).bearer(&token).send().await;
    assert_eq!(hidden.status, StatusCode::NOT_FOUND);
    // Out again, at once.
    house.send(&inside, Method::DELETE, &membership, json!({})).await.ok();
    let late = house.server.get(paths::IDENTITY_DETAILS).bearer(&token).send().await;
    assert_eq!(late.status, StatusCode::UNAUTHORIZED);
    house.server.stop().await;
}

#[tokio::test]
async fn an_identity_of_a_sub_organization_acts_in_it_alone() {
    let house = House::new().await;
    let person = house.enter().await;
    let team = house.sub(&person.access, "team").await;
    house.sub(&house.enter().await.access, "crew").await;
    let inside = text(&house.select(&person, &team).await.ok()["token"]);
    let body = json!({ "name": "robot", "organizationId": team, "role": "admin" });
    let made = house.send(&inside, Method::POST, paths::IDENTITIES, body).await.ok();
    let identity = text(&made["identity"]["id"]);
    let attach = path(paths::UNIVERSAL_AUTH, &[&identity]);
    let attached = house.send(&inside, Method::POST, &attach, json!({})).await.ok();
    let client_id = text(&attached["identityUniversalAuth"]["clientId"]);
    let secrets = path(paths::CLIENT_SECRETS, &[&identity]);
    let secret = house.send(&inside, Method::POST, &secrets, json!({})).await.ok();
    let secret = text(&secret["clientSecret"]);
    let root = house.tenant.made.organization.slug.clone();
    // Its slug names nothing below it: it has no sub-organizations, and the root is not below.
    for slug in [None, Some("team"), Some("crew"), Some(root.as_str())] {
        let body = json!({
            "clientId": client_id, "clientSecret": secret, "organizationSlug": slug,
        });
        let answer = house.server.post(paths::UNIVERSAL_AUTH_LOGIN).json(body).send().await;
        let answer = answer.ok();
        assert_eq!(house.acts_in(&text(&answer["accessToken"])).await, team, "{slug:?}");
    }
    // The root does not know it.
    let one = path(paths::IDENTITY, &[&identity]);
    let outside = house.server.get(&one).bearer(&house.tenant.token).send().await;
    assert_eq!(outside.status, StatusCode::NOT_FOUND);
    house.server.stop().await;
}

#[tokio::test]
async fn people_are_added_to_and_removed_from_projects_by_their_addresses() {
    let house = House::new().await;
    let person = house.enter().await.access;
    let email = house.tenant.made.user.email.clone();
    let body = json!({ "projectName": "mine" });
    let machine = house.tenant.token.clone();
    let made = house.send(&machine, Method::POST, paths::PROJECTS, body).await.ok();
    let project = text(&made["project"]["id"]);
    let all = path(paths::PROJECT_MEMBERSHIPS, &[&project]);
    let body = json!({ "emails": [email.to_uppercase()], "roleSlugs": ["viewer"] });
    let added = house.send(&machine, Method::POST, &all, body.clone()).await.ok();
    let membership = added["memberships"][0].clone();
    assert_eq!(
        (&membership["user"]["email"], &membership["roles"][0]["role"]),
        (&json!(email), &json!("viewer"))
    );
    let again = house.send(&machine, Method::POST, &all, body).await;
    assert_eq!(again.status, StatusCode::BAD_REQUEST);
    let stranger = json!({ "usernames": ["nobody@example.test"] });
    let refused = house.send(&machine, Method::POST, &all, stranger).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);
    let details = path(paths::PROJECT_MEMBERSHIP_DETAILS, &[&project]);
    let found = house.send(&machine, Method::POST, &details, json!({ "username": email })).await;
    assert_eq!(found.ok()["membership"]["id"], membership["id"]);
    let one = path(paths::PROJECT_MEMBERSHIP, &[&project, membership["id"].as_str().unwrap()]);
    // Attack T4: a viewer raises nobody, not even themselves.
    let admin = json!({ "roles": [{ "role": "admin" }] });
    let raised = house.send(&person, Method::PATCH, &one, admin.clone()).await;
    assert_eq!(raised.status, StatusCode::FORBIDDEN);
    let roles = house.send(&machine, Method::PATCH, &one, admin).await.ok();
    assert_eq!(roles["roles"][0]["role"], "admin");
    let temporary = json!({ "roles": [{
        "role": "viewer", "isTemporary": true, "temporaryMode": "relative", "temporaryRange": "1h",
        "temporaryAccessStartTime": "2026-01-05T09:00:00.000Z",
    }] });
    let refused = house.send(&machine, Method::PATCH, &one, temporary).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let leave = path(paths::PROJECT_LEAVE, &[&project]);
    house.send(&person, Method::DELETE, &leave, json!({})).await.ok();
    let gone = house.send(&machine, Method::DELETE, &all, json!({ "emails": [email] })).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
    house.server.stop().await;
}
