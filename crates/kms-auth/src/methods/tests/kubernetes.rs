//! C9, C10 and C11, against a stand-in that checks what an API server checks.

use kms_api::auth::kubernetes::{Config, Kubernetes};
use kms_standins::{Cluster, DEFAULT_AUDIENCE, REVIEWER};
use secrecy::ExposeSecret as _;
use serde_json::json;

use super::*;
use crate::testing::{Authority, Peer, changed, status};

fn config(cluster: &Cluster, changes: &Value) -> Config {
    let settings = json!({
        "kubernetesHost": cluster.peer.url(),
        "tokenReviewerJwt": REVIEWER,
        "allowedNamespaces": "apps, jobs",
        "allowedNames": "web",
        "allowedAudience": "kms",
    });
    attach::<Kubernetes>(&changed(&settings, changes)).unwrap()
}

async fn with(cluster: &Cluster, changes: &Value, jwt: &str) -> Result<Principal, AuthError> {
    login::<Kubernetes>(&verifier(Endpoints::default()), &config(cluster, changes), jwt).await
}

#[tokio::test]
async fn a_service_account_that_its_cluster_knows_logs_in() {
    let cluster = Cluster::start(json!({})).await;
    let principal = with(&cluster, &json!({}), "good-token\n").await.unwrap();
    let expected = json!({ "kubernetes": { "namespace": "apps", "name": "web" } });
    assert_eq!(Value::Object(principal.identity_auth), expected);
    let body = cluster.reviews()[0].clone();
    assert_eq!(body["spec"], json!({ "token": "good-token", "audiences": ["kms"] }));
    // Without a reviewer the token asks about itself, for the cluster's own audience.
    let own = json!({ "tokenReviewerJwt": null, "allowedAudience": "" });
    assert!(with(&cluster, &own, "good-token").await.is_ok());
    let body = cluster.reviews()[1].clone();
    assert_eq!(body["spec"], json!({ "token": "good-token" }));
    assert_eq!(refused(with(&cluster, &own, "bad-token").await), unverified());
}

#[tokio::test]
async fn c10_only_a_whole_service_account_with_the_audience_logs_in() {
    for change in [
        json!({ "authenticated": false }),
        json!({ "authenticated": null }),
        json!({ "error": "expired" }),
        json!({ "user": null }),
        json!({ "user": { "username": "" } }),
        json!({ "user": { "username": "admin" } }),
        json!({ "user": { "username": "system:node:web" } }),
        json!({ "user": { "username": "system:serviceaccount:apps" } }),
        json!({ "user": { "username": "system:serviceaccount:apps:" } }),
        json!({ "user": { "username": "system:serviceaccount::web" } }),
        json!({ "user": { "username": "system:serviceaccount:apps:web:x" } }),
        json!({ "user": { "username": "x:system:serviceaccount:apps:web" } }),
        json!({ "user": { "username": "system:serviceaccount:apps:web " } }),
        json!({ "user": { "username": "system:serviceaccount:apps, x:web" } }),
        json!({ "user": { "username": "System:serviceaccount:apps:web" } }),
        json!({ "user": { "username": "system:serviceaccount:APPS:web" } }),
        json!({ "user": { "username": "system:serviceaccount:other:web" } }),
        json!({ "user": { "username": "system:serviceaccount:apps:other" } }),
        json!({ "user": { "username": "system:serviceaccount:web:apps" } }),
        json!({ "audiences": null }),
        json!({ "audiences": [] }),
        json!({ "audiences": ["kms2"] }),
        json!({ "audiences": [DEFAULT_AUDIENCE] }),
        json!({ "audiences": "kms" }),
    ] {
        let cluster = Cluster::start(change.clone()).await;
        assert!(with(&cluster, &json!({}), "good-token").await.is_err(), "{change}");
    }
    let cluster = Cluster::start(json!({})).await;
    assert_eq!(refused(with(&cluster, &json!({}), "bad-token").await), unverified());
    let refusals = [
        (json!({ "allowedNamespaces": "app, apps2" }), "K8s namespace not allowed"),
        (json!({ "allowedNames": "we, web2, *" }), "K8s name not allowed"),
    ];
    for (changes, part) in refusals {
        let (is, text) = refused(with(&cluster, &changes, "good-token").await);
        assert!(is == 401 && text.contains(part), "{text}");
    }
    let everybody = json!({ "allowedNamespaces": "", "allowedNames": "" });
    assert!(with(&cluster, &everybody, "good-token").await.is_ok());
}

#[test]
fn c10_no_limit_is_something_that_somebody_chose() {
    let bare = json!({ "kubernetesHost": "https://k8s.example.com" });
    assert_eq!(fields(attach::<Kubernetes>(&bare)), ["allowedNamespaces"]);
    assert!(attach::<Kubernetes>(&changed(&bare, &json!({ "allowedNames": "" }))).is_ok());
    let gateway = json!({ "allowedNames": "a", "tokenReviewMode": "gateway" });
    assert_eq!(fields(attach::<Kubernetes>(&changed(&bare, &gateway))), ["tokenReviewMode"]);
}

#[tokio::test]
async fn c9_a_reviewer_stays_with_its_cluster() {
    let (old, canary) = (Cluster::start(json!({})).await, Cluster::start(json!({})).await);
    let before = config(&old, &json!({}));
    let moved = change::<Kubernetes>(&before, &json!({ "kubernetesHost": canary.peer.url() }));
    assert_eq!(fields(moved), ["tokenReviewerJwt"]);
    // Case, slashes and port are not the same address to everybody: they ask for the token too.
    let other = format!("{}/", old.peer.url());
    assert!(change::<Kubernetes>(&before, &json!({ "kubernetesHost": other })).is_ok());
    let again = json!({ "kubernetesHost": canary.peer.url(), "tokenReviewerJwt": null });
    let removed = change::<Kubernetes>(&before, &again).unwrap();
    assert!(removed.token_reviewer_jwt.is_none());
    let verifier = verifier(Endpoints::default());
    drop(login::<Kubernetes>(&verifier, &removed, "somebody").await);
    let bearers: Vec<String> = canary.peer.requests().iter().map(bearer).collect();
    assert_eq!(bearers, ["Bearer somebody"]);
    let kept = change::<Kubernetes>(&before, &json!({ "allowedNames": "x" })).unwrap();
    assert_eq!(kept.token_reviewer_jwt.unwrap().expose_secret(), REVIEWER);
}

fn bearer(request: &http::Request<()>) -> String {
    request.headers()["authorization"].to_str().unwrap().to_owned()
}

#[test]
fn c9_x1_an_address_inside_is_not_saved() {
    for host in [
        "https://10.96.0.1",
        "https://127.0.0.1:6443",
        "127.0.0.1",
        "10.0.0.1:6443",
        "http://k8s.example.com",
        "https://localhost:6443",
        "https://a@k8s.example.com",
        "https://[::ffff:10.0.0.1]",
        "https://169.254.169.254",
        "",
        "https://k8s.example.com\r\nA: b",
    ] {
        let settings = json!({ "kubernetesHost": host, "allowedNames": "a" });
        let settings = serde_json::from_value(settings).unwrap();
        let refused = fields(Kubernetes::configure(None, &settings, &strict()));
        assert!(refused.contains(&"kubernetesHost".to_owned()), "{host:?} {refused:?}");
    }
    let bad = json!({
        "kubernetesHost": "k8s.example.com:6443", "allowedNames": "a",
        "tokenReviewerJwt": "a\r\nX-Injected: 1", "caCert": "x",
    });
    assert_eq!(fields(attach::<Kubernetes>(&bad)), ["tokenReviewerJwt", "caCert"]);
}

#[tokio::test]
async fn c9_a_redirect_gets_no_bearer() {
    let canary = Peer::http(|_| status(200)).await;
    let to = canary.url();
    let peer = Peer::http(move |_| {
        let answer = http::Response::builder().status(307).header("location", &to);
        answer.body(bytes::Bytes::new()).unwrap()
    })
    .await;
    let settings = json!({
        "kubernetesHost": peer.url(), "tokenReviewerJwt": REVIEWER, "allowedNames": "web",
    });
    let config = attach::<Kubernetes>(&settings).unwrap();
    let result = login::<Kubernetes>(&verifier(Endpoints::default()), &config, "t").await;
    assert_eq!(refused(result).0, 401);
    assert_eq!(canary.connections(), 0);
}

#[tokio::test]
async fn c11_a_cluster_without_the_right_certificate_gets_no_token() {
    let (ours, other) = (Authority::new(), Authority::new());
    for (authority, pem) in [(&ours, String::new()), (&other, ours.pem())] {
        let tls = authority.server("127.0.0.1", |_| {});
        let at = std::net::Ipv4Addr::LOCALHOST;
        let peer = Peer::start(at, Some(tls), |_| status(200)).await;
        let settings = json!({
            "kubernetesHost": format!("https://{}", peer.address), "caCert": pem,
            "tokenReviewerJwt": REVIEWER, "allowedNames": "web",
        });
        let config = attach::<Kubernetes>(&settings).unwrap();
        let result = login::<Kubernetes>(&verifier(Endpoints::default()), &config, "t").await;
        assert_eq!(refused(result).0, 401);
        assert_eq!(peer.requests().len(), 0);
    }
}
