//! Tags, as the CLI and the Terraform provider call for them.

use http::StatusCode;
use serde_json::{Value, json};

use super::Vault;

#[tokio::test]
async fn a_tag_is_looked_for_and_made_as_the_cli_does_it() {
    let vault = Vault::start().await;
    let tags = format!("/api/v1/projects/{}/tags", vault.project);
    let by_slug = format!("{tags}/slug/pci");
    let missing = vault.request("GET", &by_slug).send().await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND, "absence is a 404");
    let body = json!({ "slug": "pci", "color": "" });
    let made = vault.request("POST", &tags).json(body.clone()).send().await.ok();
    assert_eq!((&made["tag"]["slug"], &made["tag"]["name"]), (&json!("pci"), &json!("pci")));
    let found = vault.request("GET", &by_slug).send().await.ok();
    assert_eq!(found["tag"]["id"], made["tag"]["id"]);
    assert_eq!(found["tag"]["color"], "");
    let again = vault.request("POST", &tags).json(body).send().await;
    assert_eq!(again.status, StatusCode::BAD_REQUEST);
    assert_eq!(again.json()["message"], "Tag already exist");
    let list = vault.request("GET", &tags).send().await.ok();
    assert_eq!(list["tags"].as_array().unwrap().len(), 1);
    vault.stop().await;
}

#[tokio::test]
async fn tags_live_and_end_as_terraform_has_them() {
    let vault = Vault::start().await;
    let tags = format!("/api/v1/workspace/{}/tags", vault.project);
    let body = json!({ "name": "Data base", "color": "#aabbcc", "slug": "db",
        "projectId": vault.project });
    let made = vault.request("POST", &tags).json(body).send().await.ok()["workspaceTag"].clone();
    for field in ["id", "slug", "name", "color", "projectId"] {
        assert!(made[field].is_string(), "{field}: {made}");
    }
    let one = format!("{tags}/{}", made["id"].as_str().unwrap());
    let read = vault.request("GET", &one).send().await.ok();
    assert_eq!(read["workspaceTag"], made);
    let by_slug = vault.request("GET", &format!("{tags}/slug/db")).send().await.ok();
    assert_eq!(by_slug["workspaceTag"], made);
    let body = json!({ "slug": "data", "projectId": vault.project, "tagId": made["id"] });
    let changed = vault.request("PATCH", &one).json(body).send().await.ok();
    assert_eq!(changed["workspaceTag"]["slug"], "data");
    assert_eq!(changed["workspaceTag"]["color"], "#aabbcc", "what is left out stays");
    let body = json!({ "projectId": vault.project, "tagId": made["id"] });
    let gone = vault.request("DELETE", &one).json(body).send().await.ok();
    assert_eq!(gone["workspaceTag"]["id"], made["id"]);
    assert_eq!(vault.request("GET", &one).send().await.status, StatusCode::NOT_FOUND);
    let list = vault.request("GET", &tags).send().await.ok();
    assert_eq!(list, json!({ "workspaceTags": [] }));
    vault.stop().await;
}

#[tokio::test]
async fn secrets_are_tagged_and_listed_by_tags_in_both_versions() {
    let vault = Vault::start().await;
    let tags = format!("/api/v1/projects/{}/tags", vault.project);
    let mut ids = Vec::new();
    for slug in ["one", "two"] {
        let body = json!({ "slug": slug, "color": "#fff" });
        let made = vault.request("POST", &tags).json(body).send().await.ok();
        ids.push(made["tag"]["id"].clone());
    }
    let body = json!({ "secretValue": "v", "tagIds": [ids[0]] });
    let made = vault.send_old("POST", "/api/v3/secrets/raw/A", body).await.ok();
    let expected = json!([{ "id": ids[0], "slug": "one", "color": "#fff", "name": "one" }]);
    assert_eq!(made["secret"]["tags"], expected);
    vault.create("PLAIN", "v").await;
    let names = |list: Value| -> Vec<String> {
        let secrets = list["secrets"].as_array().unwrap();
        secrets.iter().map(|each| each["secretKey"].as_str().unwrap().to_owned()).collect()
    };
    for filter in ["&tagSlugs=one", "&tagSlugs=two,one"] {
        assert_eq!(names(vault.get("/api/v4/secrets", filter).await.ok()), ["A"]);
        assert_eq!(names(vault.get_old("/api/v3/secrets/raw", filter).await.ok()), ["A"]);
    }
    assert!(names(vault.get("/api/v4/secrets", "&tagSlugs=two").await.ok()).is_empty());
    let slug = vault.tenant.made.project.slug.clone();
    let body = json!({ "projectSlug": slug, "environment": "dev", "secretPath": "/",
        "type": "shared", "tagSlugs": ["two"] });
    let path = "/api/v3/secrets/tags/A";
    let put = vault.request("POST", path).json(body.clone()).send().await.ok();
    assert_eq!(put["secret"]["tags"].as_array().unwrap().len(), 2);
    let off = vault.request("DELETE", path).json(body).send().await.ok();
    assert_eq!(off["secret"]["tags"], expected);
    let body = json!({ "tagIds": ["0198c0de-0000-7000-8000-000000000000"] });
    let wrong = vault.send("PATCH", "/api/v4/secrets/A", body).await;
    assert_eq!(wrong.status, StatusCode::NOT_FOUND);
    assert!(wrong.json()["message"].as_str().unwrap().starts_with("Tag not found."));
    vault.stop().await;
}
