//! A Kubernetes API server that checks what a real one checks before it reviews a token.

use std::{
    net::Ipv4Addr,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use serde_json::{Value, json};

use crate::{Authority, Peer, changed, json as answer, status};

/// The token that may ask for reviews.
pub const REVIEWER: &str = "reviewer-token";
/// The one token of a service account that the cluster knows: `web` in the namespace `apps`. It
/// may ask about itself.
pub const GOOD_TOKEN: &str = "good-token";
/// The cluster's own audience.
pub const DEFAULT_AUDIENCE: &str = "https://kubernetes.default.svc";

/// A cluster that knows one token, with a status that can be changed.
pub struct Cluster {
    /// The web server.
    pub peer: Peer,
    reviews: Arc<Mutex<Vec<Value>>>,
}

impl Cluster {
    /// Speaks plain HTTP; the status of its reviews is changed as told.
    pub async fn start(change: Value) -> Self {
        Self::with(None, change).await
    }

    /// Speaks TLS with a certificate of the authority.
    pub async fn secure(authority: &Authority) -> Self {
        Self::with(Some(authority.server("127.0.0.1", |_| {})), json!({})).await
    }

    async fn with(tls: Option<rustls::ServerConfig>, change: Value) -> Self {
        let reviews = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&reviews);
        let respond = move |request: Request<Bytes>| respond(&request, &seen, &change);
        let peer = Peer::start(Ipv4Addr::LOCALHOST, tls, respond).await;
        Self { peer, reviews }
    }

    /// The reviews that were asked for by somebody who may.
    pub fn reviews(&self) -> Vec<Value> {
        self.reviews.lock().unwrap().clone()
    }
}

fn respond(request: &Request<Bytes>, seen: &Mutex<Vec<Value>>, change: &Value) -> Response<Bytes> {
    let path = request.uri().path();
    if request.method() == "GET" && path == "/version" {
        return answer(&json!({ "major": "1", "minor": "31" }));
    }
    if request.method() != "POST" || path != "/apis/authentication.k8s.io/v1/tokenreviews" {
        return status(404);
    }
    let bearer = request.headers().get("authorization").and_then(|value| value.to_str().ok());
    let bearer = bearer.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    if ![REVIEWER, GOOD_TOKEN].contains(&bearer) {
        return status(401);
    }
    let body: Value = serde_json::from_slice(request.body()).unwrap();
    seen.lock().unwrap().push(body.clone());
    if body["kind"] != "TokenReview" || body["apiVersion"] != "authentication.k8s.io/v1" {
        return status(400);
    }
    // As the API server does: the audiences that were asked for and that the token has.
    let asked = body["spec"]["audiences"].as_array().cloned();
    let asked = asked.unwrap_or_else(|| vec![DEFAULT_AUDIENCE.into()]);
    let has = [DEFAULT_AUDIENCE.into(), Value::from("kms")];
    let audiences: Vec<Value> = asked.into_iter().filter(|one| has.contains(one)).collect();
    let known = body["spec"]["token"] == GOOD_TOKEN && !audiences.is_empty();
    let result = if known {
        let user = json!({ "username": "system:serviceaccount:apps:web" });
        json!({ "authenticated": true, "user": user, "audiences": audiences })
    } else {
        json!({ "authenticated": false, "error": "invalid bearer token" })
    };
    let mut review = json!({ "kind": "TokenReview", "apiVersion": "authentication.k8s.io/v1" });
    review["status"] = changed(&result, change);
    let mut response = answer(&review);
    *response.status_mut() = StatusCode::CREATED;
    response
}
