//! Bodies and queries that are not what a route expects, on every route.

use http::{Method, StatusCode};
use kms_api::routes as paths;
use kms_testkit::Answer;
use serde_json::{Map, Value, json};

use crate::world::{World, common_fields, filled, parameters, routes};

/// Stands where a secret stands in a wrong request; no refusal may show it.
const CANARY: &str = "canary-90d2";

fn assert_silent(answer: &Answer, what: &str) {
    assert!(answer.status.as_u16() < 500, "{what}: {}", answer.text());
    if answer.status == StatusCode::UNPROCESSABLE_ENTITY {
        assert!(!answer.text().contains(CANARY), "{what}: {}", answer.text());
        let body = answer.json();
        assert_eq!(body["error"], "ValidationFailure", "{what}");
        let issues = body["message"].as_array().unwrap();
        assert!(issues.iter().all(|issue| issue["path"].is_array()), "{what}: {body}");
    }
}

/// Each documented field of each route in turn holds what it should not.
#[tokio::test]
async fn d6_no_route_echoes_what_it_refuses() {
    let world = World::prepare().await;
    let mut refused = 0;
    for route in routes().filter(|route| route.method != Method::DELETE) {
        for name in world.documented(&route) {
            for wrong in [
                json!(CANARY),
                json!([CANARY]),
                json!({ CANARY: CANARY }),
                json!(-7),
                json!(format!("{CANARY}\u{0}\u{202e}\r\n")),
            ] {
                let mut fields = common_fields(&world.our_names);
                // What a change could do to our own things would change the next answers.
                fields.insert("projectId".into(), "0198c0de-0000-7000-8000-000000000000".into());
                fields.insert(name.clone(), wrong.clone());
                let answer = world.call(&world.ours, &route, &world.our_names, &fields).await;
                let what = format!("{} {} {name} {wrong}", route.method, route.info.path);
                assert_silent(&answer, &what);
                refused += u32::from(answer.status == StatusCode::UNPROCESSABLE_ENTITY);
            }
        }
    }
    assert!(refused > 150, "{refused}");
    world.server.stop().await;
}

#[tokio::test]
async fn every_route_with_an_id_in_its_path_refuses_what_is_none() {
    let world = World::prepare().await;
    let fields = common_fields(&world.our_names);
    for route in routes() {
        let ids = [
            "projectId",
            "identityId",
            "environmentId",
            "clientSecretId",
            "tokenId",
            "secretImportId",
            "roleId",
            "tagId",
        ];
        let in_path = parameters(route.info.path);
        let spelled = |name: &&str| route.info.path.contains(&format!("{{{name}}}"));
        for name in ids.into_iter().filter(spelled).filter(|name| in_path.contains(name)) {
            let mut names = world.our_names.clone();
            names.insert(name, CANARY.into());
            let answer = world.call(&world.ours, &route, &names, &fields).await;
            let what = format!("{} {} {name}", route.method, route.info.path);
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{what}");
            assert_silent(&answer, &what);
            assert_eq!(answer.json()["message"][0]["path"], json!([name]), "{what}");
        }
    }
    world.server.stop().await;
}

#[tokio::test]
async fn every_route_with_a_body_reads_it_by_the_same_rules() {
    let world = World::prepare().await;
    let large = format!("{{\"a\":\"{}\"}}", "x".repeat(2 * 1024 * 1024));
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(100), "]".repeat(100));
    let json = "application/json";
    for route in routes().filter(|route| route.method != Method::GET) {
        if world.documented(&route).is_empty() {
            continue;
        }
        let path = filled(route.info.path, &world.our_names);
        for (media_type, body, status) in [
            (json, "{", 400),
            (json, deep.as_str(), 400),
            (json, large.as_str(), 413),
            (json, "[]", 422),
            (json, "{\"a\":1,\"a\":2}", 422),
            ("application/json; charset=utf-8", "[]", 422),
            ("text/plain", "{}", 415),
            ("application/x-www-form-urlencoded", "a=b", 415),
            ("multipart/form-data; boundary=x", "--x--", 415),
        ] {
            let request = world.server.call(route.method.clone(), &path);
            let answer = request.bearer(&world.ours.token).body(media_type, body).send().await;
            let what = format!("{} {path} {media_type}", route.method);
            assert_eq!(answer.status.as_u16(), status, "{what}: {}", answer.text());
            assert_eq!(answer.json()["statusCode"], status, "{what}");
        }
    }
    world.server.stop().await;
}

/// PostgreSQL's texts cannot hold it, so no text may; a sealed value is no text.
#[tokio::test]
async fn a_null_character_is_refused_wherever_text_is_read() {
    let world = World::prepare().await;
    let call =
        |method: Method, path: &str| world.server.call(method, path).bearer(&world.ours.token);
    for path in ["/api/v1/projects/slug/a%00", "/api/v1/identities?search=%00"] {
        let answer = call(Method::GET, path).send().await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}");
    }
    let body = json!({ "projectName": "a\u{0}" });
    let answer = call(Method::POST, paths::PROJECTS).json(body).send().await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(answer.json()["message"][0]["path"], json!(["projectName"]));
    let names = &world.our_names;
    let body = json!({
        "projectId": names["projectId"],
        "environment": names["environment"],
        "secretValue": "a\u{0}b",
    });
    let made = call(Method::POST, "/api/v4/secrets/BLOB").json(body).send().await.ok();
    assert_eq!(made["secret"]["secretValue"], "a\u{0}b");
    world.server.stop().await;
}

/// A stranger may not make the server hold much.
#[tokio::test]
async fn d1_a_body_from_anybody_is_small() {
    let world = World::prepare().await;
    let body = json!({ "clientId": "x".repeat(65 * 1024), "clientSecret": "x" });
    let answer = world.server.post(paths::UNIVERSAL_AUTH_LOGIN).json(body).send().await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    world.server.stop().await;
}

#[tokio::test]
async fn a_login_takes_a_form_too() {
    let world = World::prepare().await;
    let machine = serde_json::to_value(&world.ours.made).unwrap()["machineIdentity"].clone();
    let field = |name: &str| machine[name].as_str().unwrap().to_owned();
    let form = format!("clientId={}&clientSecret={}", field("clientId"), field("clientSecret"));
    let request = world.server.post(paths::UNIVERSAL_AUTH_LOGIN);
    let answer = request.body("application/x-www-form-urlencoded", form).send().await;
    assert_eq!(answer.ok()["tokenType"], "Bearer");
    world.server.stop().await;
}

/// Fields that a caller must not decide are not there to be set.
#[tokio::test]
async fn t8_what_is_not_a_field_decides_nothing() {
    let world = World::prepare().await;
    let more = json!({
        "id": "0198c0de-0000-7000-8000-000000000000",
        "orgId": world.their_names["orgId"],
        "organization": world.their_names["orgId"],
        "version": 99,
        "isInstanceAdmin": true,
        "superAdmin": true,
        "createdAt": "1999-01-01T00:00:00.000Z",
    });
    let create = async |path: &str, fields: Value| {
        let mut body: Map<_, _> = more.as_object().unwrap().clone();
        body.extend(fields.as_object().unwrap().clone());
        let request = world.server.post(path).bearer(&world.ours.token);
        request.json(Value::Object(body)).send().await.ok()
    };
    let project = create(paths::PROJECTS, json!({ "projectName": "more" })).await;
    assert_ne!(project["project"]["id"], more["id"]);
    assert_eq!(project["project"]["orgId"], world.our_names["orgId"].as_str());
    let secret = json!({
        "projectId": world.our_names["projectId"],
        "environment": "dev",
        "secretValue": "x",
    });
    let secret = create("/api/v4/secrets/more", secret).await;
    assert_ne!(secret["secret"]["id"], more["id"]);
    assert_eq!(secret["secret"]["version"], 1);
    assert_eq!(secret["secret"]["createdAt"], "2026-01-05T09:00:00.000Z");
    world.server.stop().await;
}
