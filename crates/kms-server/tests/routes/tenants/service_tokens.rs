//! Service tokens, as the compatible CLI and CI jobs use them.

use http::StatusCode;
use kms_api::routes as paths;
use kms_testkit::Answer;
use serde_json::{Value, json};

use super::{fields, path, sorted};
use crate::people::House;

/// A person's house with a project, and a token of it.
struct Service {
    house: House,
    person: String,
    project: String,
}

impl Service {
    async fn start() -> Self {
        let house = House::new().await;
        let person = house.enter().await.access;
        let project = house.tenant.made.project.id.to_string();
        Self { house, person, project }
    }

    async fn make(&self, scopes: Value, permissions: Value) -> Value {
        // With the slash at the end and the fields of the compatible CLI.
        let body = json!({ "name": "ci", "workspaceId": self.project, "scopes": scopes,
            "expiresIn": 0, "encryptedKey": "", "iv": "", "tag": "",
            "randomBytes": "000102030405060708090a0b0c0d0e0f", "permissions": permissions });
        let request = self.house.server.post("/api/v2/service-token/").bearer(&self.person);
        request.json(body).send().await.ok()
    }

    async fn token(&self, scopes: Value, permissions: Value) -> String {
        self.make(scopes, permissions).await["serviceToken"].as_str().unwrap().to_owned()
    }

    async fn get(&self, token: &str, path: &str) -> Answer {
        self.house.server.get(path).bearer(token).send().await
    }
}

#[tokio::test]
async fn a_token_is_made_shown_listed_and_deleted() {
    let service = Service::start().await;
    let scopes = json!([{"environment": "dev", "secretPath": "/"}]);
    let made = service.make(scopes.clone(), json!(["read"])).await;
    assert_eq!(fields(&made), ["serviceToken", "serviceTokenData"]);
    let data = &made["serviceTokenData"];
    let listed = "_id createdAt createdBy expiresAt id lastUsed name permissions projectId scopes
        updatedAt user workspace";
    assert_eq!(fields(data), sorted(listed));
    let token = made["serviceToken"].as_str().unwrap();
    // Four parts, as older clients send them.
    let own = service.get(&format!("{token}.000102"), paths::SERVICE_TOKEN).await.ok();
    assert_eq!(
        fields(&own),
        sorted(
            "__v _id createdAt createdBy expiresAt id lastUsed name permissions projectId scopes
                updatedAt user workspace"
        )
    );
    assert_eq!((&own["workspace"], &own["scopes"]), (&json!(service.project), &scopes));
    assert_eq!((&own["_id"], &own["expiresAt"]), (&data["id"], &Value::Null));
    assert_eq!(own["user"]["email"], service.house.tenant.made.user.email.as_str());

    let all = path(paths::SERVICE_TOKENS, &[&service.project]);
    let listed = service.get(&service.person, &all).await.ok();
    assert_eq!(listed["serviceTokenData"][0]["id"], data["id"]);
    assert!(!listed.to_string().contains(token.rsplit('.').next().unwrap()));
    let one = path(paths::SERVICE_TOKEN_BY_ID, &[data["id"].as_str().unwrap()]);
    let request = service.house.server.call(http::Method::DELETE, &one).bearer(&service.person);
    let deleted = request.send().await.ok();
    assert_eq!(deleted["serviceTokenData"]["id"], data["id"]);
    let after = service.get(token, paths::SERVICE_TOKEN).await;
    assert_eq!(after.status, StatusCode::UNAUTHORIZED, "J11");
    service.house.server.stop().await;
}

#[tokio::test]
async fn a_token_reads_and_writes_under_v3_and_v4() {
    let service = Service::start().await;
    let scopes = json!([{"environment": "dev", "secretPath": "/"}]);
    let token = service.token(scopes.clone(), json!(["read", "write"])).await;
    let server = &service.house.server;
    for (one, all, project) in [
        ("/api/v4/secrets/A", paths::SECRETS, "projectId"),
        ("/api/v3/secrets/raw/B", paths::SECRETS_V3, "workspaceId"),
    ] {
        let mut body = json!({"environment": "dev", "secretValue": "x"});
        body[project] = service.project.clone().into();
        let made = server.post(one).bearer(&token).json(body).send().await.ok();
        assert_eq!(made["secret"]["actor"]["actorType"], "service");
        // Whatever is left out is what the token is good for.
        let read = service.get(&token, one).await.ok();
        assert_eq!(read["secret"]["secretValue"], "x");
        let listed = service.get(&token, all).await.ok();
        assert!(!listed["secrets"].as_array().unwrap().is_empty());
        let query = format!("{all}?{project}=x&environment=prod&secretPath=/x");
        let overridden = service.get(&token, &query).await.ok();
        assert_eq!(overridden["secrets"][0]["environment"], "dev");
    }
    let reader = service.token(scopes, json!(["read"])).await;
    let body = json!({"projectId": service.project, "environment": "dev", "secretValue": "x"});
    let refused = server.post("/api/v4/secrets/C").bearer(&reader).json(body).send().await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(refused.json()["error"], "PermissionDenied");
    let project = service.get(&reader, &path(paths::WORKSPACE, &[&service.project])).await.ok();
    assert_eq!(project["workspace"]["id"], service.project.as_str());
    service.house.server.stop().await;
}

#[tokio::test]
async fn what_is_no_request_for_a_token_is_refused() {
    let service = Service::start().await;
    let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
    let good = json!([{"environment": "dev", "secretPath": "/"}]);
    for (scopes, permissions, status) in [
        (json!([]), json!(["read"]), unprocessable),
        (json!("dev"), json!(["read"]), unprocessable),
        (json!([{"environment": "dev"}]), json!(["read"]), unprocessable),
        (json!([{"environment": "x", "secretPath": "/"}]), json!(["read"]), StatusCode::NOT_FOUND),
        (good.clone(), json!([]), unprocessable),
        (good.clone(), json!(["admin"]), unprocessable),
    ] {
        let body = json!({"name": "ci", "workspaceId": service.project, "scopes": scopes,
            "permissions": permissions});
        let request = service.house.server.post(paths::SERVICE_TOKEN).bearer(&service.person);
        let answer = request.json(body.clone()).send().await;
        assert_eq!(answer.status, status, "{body}: {}", answer.text());
    }
    // Machines make none, and are told nothing about a token that they do not show.
    let machine = &service.house.tenant.token;
    let body = json!({"name": "ci", "workspaceId": service.project, "scopes": good,
        "permissions": ["read"]});
    let request = service.house.server.post(paths::SERVICE_TOKEN).bearer(machine).json(body);
    assert_eq!(request.send().await.status, StatusCode::FORBIDDEN);
    assert_eq!(service.get(machine, paths::SERVICE_TOKEN).await.status, StatusCode::FORBIDDEN);
    service.house.server.stop().await;
}
