//! What the pipeline does around a handler, shown on handlers that misbehave.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use axum::extract::State;
use http::StatusCode;
use kms_core::{Caller, Error};
use kms_server::{ApiError, AppState, Json, extract::Body, route::Route};
use kms_testkit::{Setup, TestServer};
use serde_json::{Value, json};

const CANARY: &str = "canary-77aa";

static CHANGED: AtomicBool = AtomicBool::new(false);

async fn panics(State(_): State<AppState>) -> Result<Json<Value>, ApiError> {
    panic!("{CANARY}")
}

async fn panics_in_a_change(Body(_): Body<Value>) -> Result<Json<Value>, ApiError> {
    panic!("{CANARY}")
}

async fn fails(State(_): State<AppState>) -> Result<Json<Value>, ApiError> {
    Err(Error::Internal(CANARY.into()).into())
}

async fn is_unavailable(State(_): State<AppState>) -> Result<Json<Value>, ApiError> {
    Err(Error::Unavailable(CANARY).into())
}

async fn changes_slowly(Body(_): Body<Value>) -> Result<Json<Value>, ApiError> {
    tokio::time::sleep(Duration::from_millis(200)).await;
    CHANGED.store(true, Ordering::SeqCst);
    Ok(Json(json!({})))
}

async fn waits(Body(_): Body<Value>) -> Result<Json<Value>, ApiError> {
    tokio::time::sleep(Duration::from_millis(500)).await;
    Ok(Json(json!({})))
}

async fn denies(_: Caller) -> Result<Json<Value>, ApiError> {
    let rules = Vec::new();
    Err(Error::PermissionDenied { action: "edit", subject: "secrets", rules }.into())
}

fn routes() -> Vec<Route> {
    vec![
        Route::get("/panic", panics, "Panics"),
        Route::post("/panic", panics_in_a_change, "Panics"),
        Route::get("/fail", fails, "Fails"),
        Route::get("/unavailable", is_unavailable, "Fails for now"),
        Route::post("/slow", changes_slowly, "Takes its time"),
        Route::post("/wait", waits, "Takes longer"),
        Route::get("/deny", denies, "Refuses"),
    ]
}

async fn misbehaving() -> TestServer {
    TestServer::with(Setup { routes: Some(routes()), ..Setup::default() }).await
}

#[tokio::test]
async fn d5_a_failure_of_ours_says_nothing_but_its_id() {
    let server = misbehaving().await;
    for (request, status) in [
        (server.get("/panic"), 500),
        (server.post("/panic"), 500),
        (server.get("/fail"), 500),
        (server.get("/unavailable"), 503),
    ] {
        let answer = request.send().await;
        assert_eq!(answer.status.as_u16(), status);
        let expected = json!({
            "reqId": answer.header("x-request-id"),
            "statusCode": status,
            "message": "Something went wrong",
            "error": "InternalServerError",
        });
        assert_eq!(answer.json(), expected);
        assert_eq!(answer.header("retry-after"), if status == 503 { "1" } else { "" });
    }
    // It goes on serving.
    assert_eq!(server.get("/fail").send().await.status, StatusCode::INTERNAL_SERVER_ERROR);
    server.stop().await;
}

/// Whoever hangs up must not leave a change half made.
#[tokio::test]
async fn a_change_is_finished_when_its_client_goes_away_and_before_the_server_stops() {
    let server = misbehaving().await;
    let request = server.post("/slow").json(json!({})).send();
    let gave_up = tokio::time::timeout(Duration::from_millis(20), request).await;
    assert!(gave_up.is_err());
    assert!(!CHANGED.load(Ordering::SeqCst));
    server.stop().await;
    assert!(CHANGED.load(Ordering::SeqCst));
}

#[tokio::test]
async fn d2_more_than_the_server_works_on_is_refused_at_once() {
    let server = misbehaving().await;
    let many = (0..1_024).map(|_| tokio::spawn(server.post("/wait").json(json!({})).send()));
    let many: Vec<_> = many.collect();
    // Everybody's turn comes before ours often enough.
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
    let answer = server.get("/fail").send().await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.header("retry-after"), "1");
    for each in many {
        assert_eq!(each.await.unwrap().status, StatusCode::OK);
    }
    assert_eq!(server.get("/fail").send().await.status, StatusCode::INTERNAL_SERVER_ERROR);
    server.stop().await;
}

/// Time passes as soon as nothing else happens, so nobody waits for it here.
#[tokio::test]
async fn d2_a_body_that_does_not_come_is_not_waited_for() {
    let server = misbehaving().await;
    let never = futures_util::stream::pending::<Result<bytes::Bytes, std::io::Error>>();
    let request = server.post("/wait").stream("application/json", never);
    tokio::time::pause();
    let answer = request.send().await;
    tokio::time::resume();
    assert_eq!(answer.status, StatusCode::REQUEST_TIMEOUT);
    server.stop().await;
}

#[tokio::test]
async fn d7_a_refusal_is_recorded_before_it_is_answered() {
    let server = misbehaving().await;
    let seeded = server.seed().await;
    let answer = server.get("/deny").bearer(&seeded.token).send().await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(answer.json()["error"], "PermissionDenied");
    let query = kms_api::audit::AuditQuery::default();
    let log = server.core().list_audit_logs(&seeded.caller, &query).await;
    let log = serde_json::to_value(log.unwrap()).unwrap();
    let record = &log["auditLogs"][0];
    assert_eq!(record["event"]["type"], "access-denied", "{log}");
    assert_eq!(record["event"]["metadata"]["route"], "/deny");
    server.stop().await;
}
