//! Personal overrides, as a person's client and a machine's see them.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::people::House;

/// Every row of a list, as `name=value(type)`.
fn rows(list: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let row = |secret: &Value| {
        let (name, value) = (text(&secret["secretKey"]), text(&secret["secretValue"]));
        format!("{name}={value}({})", text(&secret["type"]))
    };
    list["secrets"].as_array().unwrap().iter().map(row).collect()
}

#[tokio::test]
async fn v3_lists_both_and_v4_replaces_when_asked_to() {
    let house = House::new().await;
    let person = house.enter().await.access;
    let machine = house.tenant.token.clone();
    let project = house.tenant.made.project.id.to_string();
    let send = async |token: &str, method: Method, body: Value| {
        let mut all = json!({ "projectId": project, "environment": "dev" });
        all.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        let request = house.server.call(method, "/api/v4/secrets/A").bearer(token);
        request.json(all).send().await
    };
    let read = async |token: &str, path: &str, more: &str| {
        let path = format!("{path}?workspaceId={project}&environment=dev{more}");
        house.server.get(&path).bearer(token).send().await
    };
    let shared = json!({ "secretValue": "shared" });
    let own = json!({ "secretValue": "mine", "type": "personal" });
    assert_eq!(
        send(&person, Method::POST, own.clone()).await.json()["message"],
        "Failed to create personal secret override for no corresponding shared secret"
    );
    send(&machine, Method::POST, shared).await.ok();
    let refused = send(&machine, Method::POST, own.clone()).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert_eq!(refused.json()["message"], "Must be user to create personal secret");
    let made = send(&person, Method::POST, own).await.ok();
    assert_eq!(made["secret"]["type"], "personal");

    let (old, new) = ("/api/v3/secrets/raw", "/api/v4/secrets");
    let with = "&includePersonalOverrides=true";
    let (mine, theirs) = ("A=mine(personal)", "A=shared(shared)");
    assert_eq!(rows(&read(&person, old, "").await.ok()), [theirs, mine]);
    assert_eq!(rows(&read(&person, new, "").await.ok()), [theirs]);
    assert_eq!(rows(&read(&person, new, with).await.ok()), [mine]);
    for (path, more) in [(old, ""), (new, ""), (new, with)] {
        assert_eq!(rows(&read(&machine, path, more).await.ok()), [theirs]);
    }
    let one = |more: &'static str| read(&person, "/api/v4/secrets/A", more);
    assert_eq!(one("").await.ok()["secret"]["secretValue"], "shared");
    assert_eq!(one("&type=personal").await.ok()["secret"]["secretValue"], "mine");
    let other = read(&machine, "/api/v4/secrets/A", "&type=personal").await;
    assert_eq!(other.status, StatusCode::NOT_FOUND);

    let newer = json!({ "secretValue": "newer", "type": "personal" });
    assert_eq!(send(&person, Method::PATCH, newer).await.ok()["secret"]["version"], 2);
    assert_eq!(rows(&read(&person, new, with).await.ok()), ["A=newer(personal)"]);
    let gone = send(&person, Method::DELETE, json!({ "type": "personal" })).await.ok();
    assert_eq!(gone["secret"]["secretValue"], "newer");
    assert_eq!(rows(&read(&person, new, with).await.ok()), [theirs]);
    house.server.stop().await;
}
