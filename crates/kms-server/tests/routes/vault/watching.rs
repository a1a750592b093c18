//! Changes, told while they happen.

use axum::body::Body;
use http::{Method, Response, StatusCode};
use http_body_util::BodyExt as _;
use kms_api::{events, routes as paths};
use serde_json::json;

use super::Vault;

/// A watch, as a client sees it.
struct Told(Response<Body>);

impl Told {
    /// The next text; nothing once the server ended the watch.
    async fn next(&mut self) -> Option<String> {
        let frame = self.0.body_mut().frame().await?.unwrap();
        Some(String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap())
    }

    #[track_caller]
    fn begun(self) -> Self {
        assert_eq!(self.0.status(), StatusCode::OK);
        assert_eq!(self.0.headers()["content-type"], events::MEDIA_TYPE);
        assert_eq!(self.0.headers()["cache-control"], "no-store");
        self
    }
}

async fn watch(vault: &Vault, token: &str, more: &str) -> Told {
    let query = format!("projectId={}&environment=dev{more}", vault.project);
    let path = format!("{}?{query}", paths::SECRET_EVENTS);
    let mut told = Told(vault.server.get(&path).bearer(token).open().await).begun();
    assert_eq!(told.next().await.as_deref(), Some(events::READY));
    told
}

async fn folder(vault: &Vault, name: &str) {
    vault.send("POST", "/api/v2/folders", json!({ "name": name, "path": "/" })).await.ok();
}

#[tokio::test]
async fn a_change_is_told_without_a_value() {
    let vault = Vault::start().await;
    let mut told = watch(&vault, &vault.tenant.token, "").await;
    vault.create("CANARY_NAME", "canary-7c1e9a").await;
    assert_eq!(told.next().await.as_deref(), Some(events::CHANGED));
    assert_eq!(events::CHANGED, "event: changed\ndata: {}\n\n");
    let body = json!({ "secretValue": "another" });
    vault.send("PATCH", "/api/v4/secrets/CANARY_NAME", body).await.ok();
    assert_eq!(told.next().await.as_deref(), Some(events::CHANGED));
    vault.send("DELETE", "/api/v4/secrets/CANARY_NAME", json!({})).await.ok();
    assert_eq!(told.next().await.as_deref(), Some(events::CHANGED));
    vault.stop().await;
}

/// What changes elsewhere is nobody's business who did not ask for it.
#[tokio::test]
async fn only_what_the_list_would_answer_counts() {
    let vault = Vault::start().await;
    folder(&vault, "below").await;
    let mut flat = watch(&vault, &vault.tenant.token, "").await;
    let mut deep = watch(&vault, &vault.tenant.token, "&recursive=true").await;
    let body = json!({ "secretValue": "1", "secretPath": "/below" });
    vault.send("POST", "/api/v4/secrets/BELOW", body).await.ok();
    assert_eq!(deep.next().await.as_deref(), Some(events::CHANGED));
    // Nobody is told of one change twice, nor of another folder's: then the server stops.
    vault.server.core().end_watches();
    assert_eq!(flat.next().await, None);
    assert_eq!(deep.next().await, None);
    vault.stop().await;
}

#[tokio::test]
async fn whoever_may_not_list_may_not_watch() {
    let vault = Vault::start().await;
    let other = vault.server.seed_another("theirs").await;
    for (token, more, status) in [
        (other.token.as_str(), "", StatusCode::NOT_FOUND),
        (vault.tenant.token.as_str(), "&secretPath=/nowhere", StatusCode::NOT_FOUND),
    ] {
        let query = format!("projectId={}&environment=dev{more}", vault.project);
        for path in [paths::SECRET_EVENTS, paths::SECRETS] {
            let path = format!("{path}?{query}");
            assert_eq!(vault.server.get(&path).bearer(token).send().await.status, status, "{path}");
        }
    }
    assert_eq!(vault.server.core().watchers(), 0, "a place is given back");
    vault.stop().await;
}

#[tokio::test]
async fn a_watch_ends_when_the_token_is_revoked() {
    let vault = Vault::start().await;
    let mut told = watch(&vault, &vault.tenant.token, "").await;
    let body = json!({ "accessToken": vault.tenant.token });
    vault.server.post(paths::TOKEN_REVOKE).json(body).send().await.ok();
    assert_eq!(told.next().await, None);
    drop(told);
    assert_eq!(vault.server.core().watchers(), 0);
    vault.stop().await;
}

#[tokio::test]
async fn a_watch_ends_when_the_membership_ends() {
    let vault = Vault::start().await;
    let mut told = watch(&vault, &vault.tenant.token, "").await;
    let identity = vault.tenant.made.machine_identity.id;
    let path = format!("/api/v2/workspace/{}/identity-memberships/{identity}", vault.project);
    vault.request("DELETE", &path).send().await.ok();
    assert_eq!(told.next().await, None);
    vault.stop().await;
}

/// A token that has ended is told nothing, whether or not anything was revoked.
#[tokio::test]
async fn a_watch_tells_nothing_to_a_token_that_has_ended() {
    let vault = Vault::start().await;
    let mut told = watch(&vault, &vault.tenant.token, "").await;
    let (project, caller) = (vault.project.clone(), vault.tenant.caller.clone());
    vault.server.clock.advance(91 * 86_400);
    let body = serde_json::from_value(json!({
        "projectId": project, "environment": "dev", "secretValue": "late",
    }));
    vault.server.core().create_secret(&caller, "LATE", &body.unwrap()).await.unwrap();
    assert_eq!(told.next().await, None);
    vault.stop().await;
}

#[tokio::test]
async fn one_identity_cannot_take_all_places() {
    let vault = Vault::start().await;
    let mut watching = Vec::new();
    for _ in 0..1_024 {
        watching.push(watch(&vault, &vault.tenant.token, "").await);
    }
    let query = format!("{}?projectId={}&environment=dev", paths::SECRET_EVENTS, vault.project);
    let refused = vault.request("GET", &query).send().await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.header("retry-after"), "30");
    // All hear of one write, and the list that they wait for is made few times, not for each.
    vault.create("A", "1").await;
    for told in &mut watching {
        assert_eq!(told.next().await.as_deref(), Some(events::CHANGED));
    }
    watching.pop();
    watch(&vault, &vault.tenant.token, "").await;
    drop(watching);
    assert_eq!(vault.server.core().watchers(), 0);
    vault.stop().await;
}

/// The log tells that somebody began to read; waiting is no read.
#[tokio::test]
async fn a_watch_is_recorded_as_one_list() {
    let vault = Vault::start().await;
    let mut told = watch(&vault, &vault.tenant.token, "").await;
    vault.create("A", "1").await;
    assert_eq!(told.next().await.as_deref(), Some(events::CHANGED));
    // One read that is one, so that what came before it is in the log as well.
    vault.get("/api/v4/secrets", "").await.ok();
    let lists = loop {
        let log = vault.request("GET", "/api/v1/organization/audit-logs").send().await.ok();
        let records = log["auditLogs"].as_array().unwrap().iter();
        let lists = records.filter(|record| record["event"]["type"] == "get-secrets").count();
        if lists >= 2 {
            break lists;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(lists, 2);
    vault.stop().await;
}

/// Several servers on one database: a write and a revocation of one reach who waits at the other.
#[tokio::test]
async fn another_server_of_the_database_is_heard() {
    let vault = Vault::start().await;
    let Some(other) = vault.server.beside().await else { return vault.stop().await };
    let mut told = watch(&vault, &vault.tenant.token, "").await;
    let body = json!({
        "projectId": vault.project, "environment": "dev", "secretValue": "from there",
    });
    let there = |method, path: &str| other.call(method, path);
    let made = there(Method::POST, "/api/v4/secrets/A").bearer(&vault.tenant.token).json(body);
    made.send().await.ok();
    assert_eq!(told.next().await.as_deref(), Some(events::CHANGED));
    let body = json!({ "accessToken": vault.tenant.token });
    there(Method::POST, paths::TOKEN_REVOKE).json(body).send().await.ok();
    assert_eq!(told.next().await, None);
    other.stop().await;
    vault.stop().await;
}
