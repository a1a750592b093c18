//! How paths are read.

use http::{Method, StatusCode};
use kms_testkit::TestServer;

#[tokio::test]
async fn a_slash_at_the_end_changes_nothing_and_redirects_nowhere() {
    let server = TestServer::start().await;
    for path in ["/api/status", "/api/status/", "/api/status/?x=1"] {
        assert_eq!(server.get(path).send().await.ok()["message"], "Ok", "{path}");
    }
    let answer = server.get("/api/status//").send().await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    server.stop().await;
}

#[tokio::test]
async fn unknown_paths_and_methods_answer_alike() {
    let server = TestServer::start().await;
    for (method, path) in [
        (Method::GET, "/api/nowhere"),
        (Method::PUT, "/api/status"),
        (Method::OPTIONS, "/api/status"),
        (Method::GET, "/nowhere"),
        (Method::GET, "/api/status/x"),
        (Method::GET, "/API/STATUS"),
        (Method::GET, "/api/%73tatus"),
    ] {
        let answer = server.call(method.clone(), path).send().await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{method} {path}");
        let mut body = answer.json();
        assert_eq!(body["reqId"], answer.header("x-request-id"));
        body.as_object_mut().unwrap().remove("reqId");
        let expected = serde_json::json!({
            "statusCode": 404,
            "message": format!("Route {method}:{path} not found"),
            "error": "Not Found",
        });
        assert_eq!(body, expected);
        assert_eq!(answer.header("allow"), "", "{method} {path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn malformed_percent_encoding_is_refused() {
    let server = TestServer::start().await;
    for path in ["/api/status?a=%", "/api/status?a=%4", "/api/status?a=%zz", "/api/%g0"] {
        let answer = server.get(path).send().await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}");
        assert_eq!(answer.json()["error"], "BadRequest", "{path}");
    }
    server.stop().await;
}
