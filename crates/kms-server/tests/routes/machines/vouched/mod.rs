//! The methods that others vouch for, as clients of the contract see them, against stand-ins.
#![expect(clippy::unwrap_used, reason = "tests")]

mod clouds;
mod configuration;
mod replicas;
mod standing;
mod tokens;

use http::StatusCode;
use kms_api::routes as paths;
use kms_core::outbound::Endpoints;
use kms_standins::{METHODS, Signer, Vouchers};
use kms_testkit::{Answer, Setup, TestServer};
use serde_json::{Value, json};

use super::{text, who, with_token};
use crate::tenants::{Instance, fields, path, sorted};

/// Where everybody is unless a test says otherwise.
const HOME: &str = "192.0.2.10:5000";

/// An instance, and those who vouch for its machines.
struct Outside {
    instance: Instance,
    vouchers: Vouchers,
}

/// Where a method is configured.
fn configuration(method: &str, id: &str) -> String {
    format!("/api/v1/auth/{method}/identities/{id}")
}

/// The key of its answers.
fn answer_key(method: &str) -> String {
    let name = method.strip_suffix("-auth").unwrap();
    format!("identity{}{}Auth", name[..1].to_uppercase(), &name[1..])
}

impl Outside {
    async fn start() -> Self {
        let vouchers = Vouchers::start().await;
        let endpoints = Endpoints {
            azure_authority: vouchers.azure_authority(),
            google_keys: vouchers.google_keys(),
            google_certificates: format!("{}/x509", vouchers.issuer.url()),
            aws_sts: Some(vouchers.sts.url()),
            ..Endpoints::default()
        };
        let setup = Setup { endpoints, ..Setup::calling_loopback() };
        let instance = Instance::on(TestServer::with(setup).await).await;
        Self { instance, vouchers }
    }

    fn now(&self) -> i64 {
        self.instance.server.core().now().seconds()
    }

    async fn identity(&self) -> String {
        let body = json!({ "name": "machine", "role": "member",
            "organizationId": self.instance.organization });
        let made = self.instance.send("POST", paths::IDENTITIES, body).await.ok();
        text(&made["identity"]["id"])
    }

    async fn attach(&self, method: &str, id: &str, settings: Value) -> Answer {
        self.instance.send("POST", &configuration(method, id), settings).await
    }

    async fn change(&self, method: &str, id: &str, mut settings: Value) -> Answer {
        if method == "jwt-auth" && settings["configurationType"].is_null() {
            settings["configurationType"] = "static".into();
        }
        self.instance.send("PATCH", &configuration(method, id), settings).await
    }

    /// An identity with a method as it is meant to be used.
    async fn machine(&self, method: &str) -> String {
        let id = self.identity().await;
        self.attach(method, &id, self.vouchers.settings(method)).await.ok();
        id
    }

    fn proof(&self, method: &str, id: &str) -> Value {
        self.vouchers.proof(method, id, self.now())
    }

    async fn login(&self, method: &str, id: &str) -> Answer {
        self.login_with(method, self.proof(method, id), HOME).await
    }

    async fn login_with(&self, method: &str, proof: Value, from: &str) -> Answer {
        let route = format!("/api/v1/auth/{method}/login");
        self.instance.server.post(&route).from(from).json(proof).send().await
    }

    /// Logs in with a token.
    async fn with_jwt(&self, method: &str, id: &str, jwt: &str) -> Answer {
        self.login_with(method, json!({ "identityId": id, "jwt": jwt }), HOME).await
    }

    /// Logs in with a token that says what is usual, with changes; null takes a claim away.
    async fn saying(&self, method: &str, id: &str, changes: &Value) -> Answer {
        let claims = self.vouchers.claims(method, id, self.now());
        let jwt = Signer::rsa().sign(&kms_standins::changed(&claims, changes));
        self.with_jwt(method, id, &jwt).await
    }

    async fn token(&self, method: &str, id: &str) -> String {
        text(&self.login(method, id).await.ok()["accessToken"])
    }
}

/// The one answer to whatever is not believed (attack C15).
#[track_caller]
fn assert_unverified(answer: &Answer, what: &str) {
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{what}: {}", answer.text());
    let body = json!({ "statusCode": 401, "error": "UnauthorizedError",
        "message": "Invalid credentials" });
    assert_eq!(answer.without_request_id(), body, "{what}");
}

/// A refusal, whichever.
#[track_caller]
fn assert_refused(answer: &Answer, what: &str) {
    let refused = matches!(answer.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
    assert!(refused, "{what}: {} {}", answer.status, answer.text());
}
