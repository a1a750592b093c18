//! Kubernetes: a strict stand-in for an API server. No real one is to be had in a test; this one is
//! written from the reference of `TokenReview` and of authentication at the API
//! (<https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-review-v1/>).

use std::{fs, net::TcpListener};

use serde_json::{Value, json};

use crate::{
    authority::Authority,
    issuer::now,
    place::Place,
    support::{Reply, Request, Server as StandIn},
};

const LOGIN: &str = "login-identity-kubernetes-auth";
const REFUSED: &str = "login-identity-kubernetes-auth-failed";
/// What the API server itself is called.
const OWN_AUDIENCE: &str = "https://kubernetes.default.svc";

/// A token of a service account, as the cluster knows it.
#[derive(Clone)]
struct Account {
    token: &'static str,
    name: &'static str,
    audiences: &'static [&'static str],
    /// In Unix seconds.
    expires_at: u64,
    /// Whether it may ask for reviews: it is bound to the role `system:auth-delegator`.
    may_review: bool,
}

/// A pod's token, as it is without anything special.
fn pod() -> Account {
    Account {
        token: "eyJhbGciOiJSUzI1NiJ9.pod.canary-7c1e9a",
        name: "system:serviceaccount:payments:api",
        audiences: &[OWN_AUDIENCE],
        expires_at: now() + 600,
        may_review: false,
    }
}

fn reviewer() -> Account {
    let name = "system:serviceaccount:kms:reviewer";
    Account { token: "eyJhbGciOiJSUzI1NiJ9.reviewer.x", name, may_review: true, ..pod() }
}

/// The API server of a cluster that knows these tokens, at `https://127.0.0.1`.
fn cluster(authority: &Authority, accounts: Vec<Account>) -> StandIn {
    let address = "127.0.0.1".parse().unwrap();
    let wrap = authority.localhost(|leaf| {
        leaf.subject_alt_names.push(rcgen::SanType::IpAddress(address));
    });
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    StandIn::answering(listener, wrap, move |request| {
        answer(&accounts, request).unwrap_or_else(|(code, reason)| {
            let status = json!({ "kind": "Status", "apiVersion": "v1", "metadata": {},
                "status": "Failure", "reason": reason, "message": reason, "code": code });
            Reply::json(code, status)
        })
    })
}

fn answer(accounts: &[Account], request: &Request) -> Result<Reply, (u16, &'static str)> {
    let of = |token: &str| {
        accounts.iter().find(|known| known.token == token && known.expires_at > now())
    };
    let bearer = request.header("authorization").and_then(|text| text.strip_prefix("Bearer "));
    let asker = bearer.and_then(of).ok_or((401, "Unauthorized"))?;
    if !asker.audiences.contains(&OWN_AUDIENCE) {
        return Err((401, "Unauthorized"));
    }
    if request.target != "/apis/authentication.k8s.io/v1/tokenreviews" {
        return Err((404, "NotFound"));
    }
    if request.method != "POST" {
        return Err((405, "MethodNotAllowed"));
    }
    if !asker.may_review {
        return Err((403, "Forbidden"));
    }
    if request.header("content-type") != Some("application/json") {
        return Err((415, "UnsupportedMediaType"));
    }
    let review: Value = serde_json::from_slice(&request.body).map_err(|_| (400, "BadRequest"))?;
    let is_review =
        review["kind"] == "TokenReview" && review["apiVersion"] == "authentication.k8s.io/v1";
    let token = review["spec"]["token"].as_str().filter(|token| is_review && !token.is_empty());
    let token = token.ok_or((400, "BadRequest"))?;
    let named = review["spec"]["audiences"].as_array();
    let wanted: Vec<&str> = named
        .map_or_else(|| vec![OWN_AUDIENCE], |list| list.iter().filter_map(Value::as_str).collect());
    let known = of(token).map(|account| {
        let shared = wanted.iter().filter(|name| account.audiences.contains(name));
        (account, shared.copied().collect::<Vec<_>>())
    });
    let status = match known {
        Some((account, audiences)) if !audiences.is_empty() => json!({
            "authenticated": true, "audiences": audiences,
            "user": { "username": account.name, "uid": "0a-1b",
                "groups": ["system:serviceaccounts", "system:authenticated"],
                "extra": { "authentication.kubernetes.io/pod-name": ["api-1"] } },
        }),
        _ => json!({ "user": {}, "error": "[invalid bearer token, token is expired or unknown]" }),
    };
    let mut review = review.clone();
    review["metadata"] = json!({ "creationTimestamp": null });
    review["status"] = status;
    Ok(Reply::json(201, review))
}

fn login(place: &Place, identity: &str, token: &str) -> (assert_cmd::Command, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    fs::write(&file, token).unwrap();
    let mut command = place.login("kubernetes", identity);
    command.arg("--service-account-token-path").arg(file);
    (command, folder)
}

fn settings(authority: &Authority, cluster: &StandIn, more: &Value) -> Value {
    let mut settings = json!({
        "kubernetesHost": format!("https://127.0.0.1:{}", cluster.port()),
        "caCert": authority.pem(), "allowedNamespaces": "payments", "allowedNames": "api",
        "allowedAudience": "", "tokenReviewerJwt": reviewer().token,
    });
    for (name, value) in more.as_object().unwrap() {
        settings[name] = value.clone();
    }
    settings
}

#[test]
fn a_service_account_is_admitted_by_its_cluster() {
    let authority = Authority::new();
    let place = Place::start(&[]);
    let own = Account { audiences: &["kms"], ..pod() };
    let delegator = Account { may_review: true, ..pod() };
    // With somebody who reviews; with an audience; and a token that reviews itself.
    for (accounts, more) in [
        (vec![reviewer(), pod()], json!({})),
        (vec![reviewer(), own], json!({ "allowedAudience": "kms" })),
        (vec![delegator], json!({ "tokenReviewerJwt": "" })),
    ] {
        let cluster = cluster(&authority, accounts);
        let settings = settings(&authority, &cluster, &more);
        let identity = place.machine_with("kubernetes-auth", &settings);
        let (mut login, _file) = login(&place, &identity, pod().token);
        let said = place.admits(&mut login, LOGIN);
        assert_eq!(said["identityId"], identity);
        assert_eq!((&said["namespace"], &said["name"]), (&json!("payments"), &json!("api")));
        assert_eq!(cluster.requests().len(), 1, "a login is one review");
    }
}

#[test]
fn c10_a_token_must_be_current_for_this_audience_and_of_an_account_that_is_allowed() {
    let authority = Authority::new();
    let place = Place::start(&[]);
    let denied = |what: &str| format!("Access denied: K8s {what} not allowed.");
    let unknown = ("Invalid credentials".to_owned(), "the cluster does not know the token");
    let expired = Account { expires_at: now() - 1, ..pod() };
    let person = Account { name: "grace@corp.example", ..pod() };
    let no_account = "Access denied: not a service account".to_owned();
    for (accounts, more, (text, reason)) in [
        (vec![reviewer()], json!({}), unknown.clone()),
        (vec![reviewer(), expired], json!({}), unknown.clone()),
        (vec![reviewer(), pod()], json!({ "allowedAudience": "kms" }), unknown),
        (vec![reviewer(), pod()], json!({ "allowedNamespaces": "pay" }), (denied("namespace"), "")),
        (vec![reviewer(), pod()], json!({ "allowedNames": "api-2, ap" }), (denied("name"), "")),
        (vec![reviewer(), person], json!({}), (no_account, "")),
        (
            vec![pod()],
            json!({ "tokenReviewerJwt": "" }),
            ("Invalid credentials".into(), "the cluster did not let the token review itself"),
        ),
        (
            vec![pod()],
            json!({}),
            ("what verifies this login could not be asked".into(), "the cluster answered with 401"),
        ),
    ] {
        let cluster = cluster(&authority, accounts);
        let settings = settings(&authority, &cluster, &more);
        let identity = place.machine_with("kubernetes-auth", &settings);
        let (mut login, _file) = login(&place, &identity, pod().token);
        let reason = if reason.is_empty() { text.as_str() } else { reason };
        place.refuses(&mut login, &text, REFUSED, reason);
    }
}

#[test]
fn c11_a_cluster_that_another_authority_vouches_for_gets_no_token() {
    let place = Place::start(&[]);
    let cluster = cluster(&Authority::new(), vec![reviewer(), pod()]);
    let more = json!({ "caCert": "" });
    // An authority of somebody else's, and those that everybody trusts.
    for more in [json!({}), more] {
        let settings = settings(&Authority::new(), &cluster, &more);
        let identity = place.machine_with("kubernetes-auth", &settings);
        let (mut login, _file) = login(&place, &identity, pod().token);
        let text = "Access denied: what verifies this login could not be asked";
        let reason = place.reason(&mut login, text, REFUSED);
        assert!(reason.contains("certificate"), "{reason}");
    }
    assert!(cluster.requests().is_empty());
}

#[test]
fn c9_another_host_does_not_get_the_reviewers_token() {
    let authority = Authority::new();
    let place = Place::start(&[]);
    let right = cluster(&authority, vec![reviewer(), pod()]);
    let wrong = cluster(&authority, vec![]);
    let identity = place.machine_with("kubernetes-auth", &settings(&authority, &right, &json!({})));
    let host = json!({ "kubernetesHost": format!("https://127.0.0.1:{}", wrong.port()) });
    let (status, body) = place.change(&identity, "kubernetes-auth", &host);
    assert_eq!(status, 422, "{body}");
    assert!(body.contains("Must be sent again with another `kubernetesHost`"), "{body}");
    let (mut login, _file) = login(&place, &identity, pod().token);
    place.admits(&mut login, LOGIN);
    assert!(wrong.requests().is_empty());
}
