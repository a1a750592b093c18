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

    /// Tokens for all of `dev`: one that reads, one that writes, too.
    async fn reader_and_writer(&self) -> [String; 2] {
        let everywhere = json!([{ "environment": "dev", "secretPath": "/**" }]);
        let reader = self.token(everywhere.clone(), json!(["read"])).await;
        [reader, self.token(everywhere, json!(["read", "write"])).await]
    }

    async fn get(&self, token: &str, path: &str) -> Answer {
        self.house.server.get(path).bearer(token).send().await
    }

    /// Reads in `dev`.
    async fn read(&self, token: &str, path: &str, more: &str) -> Value {
        let path = format!("{path}?projectId={}&environment=dev{more}", self.project);
        self.get(token, &path).await.ok()
    }

    /// Sends something about `dev`.
    async fn send(&self, method: &str, path: &str, token: &str, mut body: Value) -> Answer {
        body["projectId"] = self.project.as_str().into();
        body["environment"] = "dev".into();
        let request = self.house.server.call(method.parse().unwrap(), path);
        request.bearer(token).json(body).send().await
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
async fn a_token_imports_in_its_places() {
    let service = Service::start().await;
    let [reader, writer] = service.reader_and_writer().await;
    let body = json!({ "secretValue": "b" });
    service.send("POST", "/api/v4/secrets/B", &writer, body).await.ok();
    service.send("POST", "/api/v2/folders", &writer, json!({ "name": "app" })).await.ok();
    for base in [paths::SECRET_IMPORTS, paths::SECRET_IMPORTS_V1] {
        let body = json!({ "path": "/app", "import": { "environment": "dev", "path": "/" } });
        let refused = service.send("POST", base, &reader, body.clone()).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{base}");
        let made = service.send("POST", base, &writer, body).await.ok();
        let one = format!("{base}/{}", made["secretImport"]["id"].as_str().unwrap());
        assert_eq!(service.read(&reader, &one, "").await["secretImport"]["secretPath"], "/app");
        let listed = service.read(&reader, base, "&path=/app").await;
        assert_eq!(listed["secretImports"][0]["id"], made["secretImport"]["id"]);
        let brought = service.read(&reader, &format!("{base}/secrets"), "&path=/app").await;
        assert_eq!(brought["secrets"][0]["secrets"][0]["secretValue"], "b");
        // What the token does not reach cannot be brought to where it does.
        let elsewhere = json!({ "path": "/app", "import": { "environment": "prod" } });
        let refused = service.send("PATCH", &one, &writer, elsewhere).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{base}");
        service.send("DELETE", &one, &writer, json!({ "path": "/app" })).await.ok();
    }
    service.house.server.stop().await;
}

#[tokio::test]
async fn a_token_moves_copies_and_follows_references_in_its_places() {
    let service = Service::start().await;
    let [reader, writer] = service.reader_and_writer().await;
    for (name, value) in [("A", "${B}!"), ("B", "b")] {
        let path = format!("/api/v4/secrets/{name}");
        service.send("POST", &path, &writer, json!({ "secretValue": value })).await.ok();
    }
    service.send("POST", "/api/v2/folders", &writer, json!({ "name": "app" })).await.ok();
    for base in ["/api/v4/secrets", "/api/v3/secrets/raw"] {
        let tree = service.read(&reader, &format!("{base}/A/secret-reference-tree"), "").await;
        let child = &tree["tree"]["children"][0]["key"];
        assert_eq!((&tree["value"], child), (&json!("b!"), &json!("B")));
    }
    let who = "/api/v4/secrets/B/reference-dependency-tree";
    assert_eq!(service.read(&reader, who, "").await["tree"]["children"][0]["key"], "A");

    let id = service.read(&reader, "/api/v4/secrets/B", "").await["secret"]["id"].clone();
    let carry = async |route: &str, (to, path): (&str, &str), token: &str| {
        let body = json!({ "secretIds": [id], "sourceEnvironment": "dev",
            "destinationEnvironment": to, "destinationSecretPath": path, "shouldOverwrite": true });
        service.send("POST", route, token, body).await
    };
    for route in [paths::SECRETS_DUPLICATE, paths::SECRETS_MOVE, paths::SECRETS_MOVE_V3] {
        for (to, token) in [(("dev", "/app"), &reader), (("prod", "/"), &writer)] {
            let refused = carry(route, to, token).await;
            assert_eq!(refused.status, StatusCode::FORBIDDEN, "{route} {to:?}");
        }
    }
    carry(paths::SECRETS_DUPLICATE, ("dev", "/app"), &writer).await.ok();
    let copied = service.read(&reader, "/api/v4/secrets/B", "&secretPath=/app").await;
    assert_eq!(copied["secret"]["secretValue"], "b");
    assert_ne!(copied["secret"]["id"], id);
    let moved = carry(paths::SECRETS_MOVE_V3, ("dev", "/app"), &writer).await.ok();
    assert_eq!(moved["isSourceUpdated"], true);
    service.house.server.stop().await;
}

#[tokio::test]
async fn t1_a_token_puts_tags_on_secrets_of_its_project_and_learns_of_no_other() {
    let service = Service::start().await;
    let [reader, writer] = service.reader_and_writer().await;
    let server = &service.house.server;
    let body = json!({ "secretValue": "b" });
    service.send("POST", "/api/v4/secrets/B", &writer, body).await.ok();
    let tag = json!({ "slug": "hot", "color": "#ff0000" });
    let tags = path(paths::TAGS, &[&service.project]);
    server.post(&tags).bearer(&service.person).json(tag).send().await.ok();
    let shown = service.read(&reader, &path(paths::PROJECT, &[&service.project]), "").await;
    let put = async |token: &str, slug: &str| {
        let body = json!({ "projectSlug": slug, "environment": "dev", "secretPath": "/",
            "tagSlugs": ["hot"] });
        server.post("/api/v3/secrets/tags/B").bearer(token).json(body).send().await
    };
    let own = shown["project"]["slug"].as_str().unwrap();
    assert_eq!(put(&reader, own).await.status, StatusCode::FORBIDDEN);
    assert_eq!(put(&writer, own).await.ok()["secret"]["tags"][0]["slug"], "hot");
    // Another project of the organization is as if it were not there.
    let other = json!({ "projectName": "other", "slug": "other-one" });
    server.post(paths::PROJECTS).bearer(&service.person).json(other).send().await.ok();
    let mut seen = Vec::new();
    for slug in ["other-one", "no-such-one"] {
        let answer = put(&writer, slug).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        seen.push(answer.json()["message"].as_str().unwrap().replace(slug, "SLUG"));
    }
    assert_eq!(seen[0], seen[1]);
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
