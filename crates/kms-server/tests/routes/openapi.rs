//! The OpenAPI document.

use kms_testkit::TestServer;

#[tokio::test]
async fn every_route_is_documented_with_all_that_it_needs() {
    let server = TestServer::start().await;
    let document = server.get("/api/docs/json").send().await.ok();
    for route in kms_server::routes() {
        let name = format!("{} {}", route.method, route.info.path);
        let operation =
            &document["paths"][route.info.path][route.method.as_str().to_ascii_lowercase()];
        assert_eq!(operation["summary"], route.summary, "{name}");
        assert_eq!(operation["security"].is_null(), route.info.access.is_public(), "{name}");
        let parameters = operation["parameters"].as_array().unwrap();
        for part in route.info.path.split('/').filter(|part| part.starts_with('{')) {
            let parameter = part.trim_matches(['{', '}']);
            assert!(
                parameters.iter().any(|known| known["name"] == parameter),
                "{name} {parameter}"
            );
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn every_reference_in_the_document_leads_somewhere() {
    let server = TestServer::start().await;
    let text = server.get("/api/docs/json").send().await;
    let document = text.ok();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for reference in text.text().split("\"#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(schemas.contains_key(name), "{name}");
    }
    server.stop().await;
}

#[tokio::test]
async fn the_document_is_as_reviewed() {
    let server = TestServer::start().await;
    insta::assert_json_snapshot!(server.get("/api/docs/json").send().await.ok());
    server.stop().await;
}
