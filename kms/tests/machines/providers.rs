//! OIDC and JWT: tokens that `oidc-provider` issues and signs with each kind of key.

use assert_cmd::Command;
use serde_json::{Value, json};

use crate::{
    peer::Program,
    place::Place,
    support::{Reply, Server as StandIn},
};

const ALGORITHMS: [&str; 4] = ["RS256", "ES256", "EdDSA", "PS256"];
const OIDC: &str = "login-identity-oidc-auth";
const JWT: &str = "login-identity-jwt-auth";

/// A provider that machines get tokens of, by client credentials.
struct Provider(Program);

impl Provider {
    fn start() -> Self {
        Self(Program::start(&["node", "node/token-provider.js"]))
    }

    fn issuer(&self) -> &str {
        self.0.text("/issuer")
    }

    /// A token that is signed with the algorithm.
    fn token(&self, algorithm: &str) -> &str {
        self.0.text(&format!("/tokens/{algorithm}"))
    }

    /// The public key for the algorithm, in PEM form.
    fn key(&self, algorithm: &str) -> &str {
        self.0.text(&format!("/keys/{algorithm}"))
    }
}

/// What is asked of each token: it says `kms` and `deploy`.
fn bound(more: &Value) -> Value {
    let mut settings = json!({
        "boundAudiences": "urn:kms:*", "boundSubject": "machine",
        "boundClaims": { "client_id": "machine", "scope": "deploy" },
    });
    for (name, value) in more.as_object().unwrap() {
        settings[name] = value.clone();
    }
    settings
}

fn login(place: &Place, method: &str, identity: &str, token: &str) -> Command {
    let mut command = place.login(method, identity);
    command.arg("--jwt-stdin").write_stdin(format!("{token}\n"));
    command
}

#[test]
fn a_token_of_a_provider_is_admitted_whatever_it_is_signed_with() {
    let provider = Provider::start();
    let place = Place::start(&[]);
    let issuer = provider.issuer();
    let settings = bound(&json!({ "oidcDiscoveryUrl": issuer, "boundIssuer": issuer }));
    let oidc = place.machine_with("oidc-auth", &settings);
    let published = json!({ "configurationType": "jwks", "jwksUrl": format!("{issuer}/jwks"),
        "boundIssuer": issuer });
    let published = place.machine_with("jwt-auth", &bound(&published));
    for algorithm in ALGORITHMS {
        let token = provider.token(algorithm);
        let said = place.admits(&mut login(&place, "oidc-auth", &oidc, token), OIDC);
        assert_eq!((&said["issuer"], &said["subject"]), (&json!(issuer), &json!("machine")));
        let said = place.admits(&mut login(&place, "jwt-auth", &published, token), JWT);
        assert_eq!((&said["identityId"], &said["subject"]), (&json!(published), &json!("machine")));
    }
}

#[test]
fn a_token_is_admitted_by_a_configured_key_of_each_kind_and_by_no_other() {
    let provider = Provider::start();
    let place = Place::start(&[]);
    for (at, algorithm) in ALGORITHMS.into_iter().enumerate() {
        let keys = json!([provider.key(algorithm)]);
        let settings = bound(&json!({ "configurationType": "static", "publicKeys": keys }));
        let identity = place.machine_with("jwt-auth", &settings);
        let token = provider.token(algorithm);
        place.admits(&mut login(&place, "jwt-auth", &identity, token), JWT);
        let other = provider.token(ALGORITHMS[(at + 1) % ALGORITHMS.len()]);
        let mut login = login(&place, "jwt-auth", &identity, other);
        let refused = "login-identity-jwt-auth-failed";
        place.refuses(&mut login, "Invalid credentials", refused, "the signature does not hold");
    }
}

/// The status is 401 or 403 as the contract has it; to the program both are a refusal.
#[test]
fn what_is_bound_must_be_in_the_token() {
    let provider = Provider::start();
    let place = Place::start(&[]);
    let issuer = provider.issuer();
    let oidc = bound(&json!({ "oidcDiscoveryUrl": issuer, "boundIssuer": issuer }));
    let keys = json!([provider.key("ES256")]);
    let jwt = bound(&json!({ "configurationType": "static", "publicKeys": keys }));
    let subject = json!({ "boundSubject": "machine-?" });
    let audience = json!({ "boundAudiences": "urn:other:*" });
    let claims = json!({ "boundClaims": { "scope": "read, write" } });
    for (method, settings, changed, text) in [
        ("oidc-auth", &oidc, &subject, "Access denied: OIDC subject not allowed."),
        ("oidc-auth", &oidc, &audience, "Access denied: OIDC audience not allowed."),
        ("oidc-auth", &oidc, &claims, "Access denied: OIDC claim not allowed."),
        (
            "jwt-auth",
            &jwt,
            &json!({ "boundIssuer": "https://a.example" }),
            "Access denied: issuer mismatch",
        ),
        ("jwt-auth", &jwt, &subject, "Access denied: subject not allowed"),
        ("jwt-auth", &jwt, &audience, "Access denied: token audience not allowed"),
        ("jwt-auth", &jwt, &claims, "Access denied: claim mismatch for field scope"),
    ] {
        let mut settings = settings.clone();
        for (name, value) in changed.as_object().unwrap() {
            settings[name] = value.clone();
        }
        let identity = place.machine_with(method, &settings);
        let mut login = login(&place, method, &identity, provider.token("ES256"));
        let refused = format!("login-identity-{method}-failed");
        place.refuses(&mut login, text, &refused, text);
    }
}

/// GitHub's runner hands tokens out at an endpoint of its own; the program asks it.
#[test]
fn the_runner_of_a_pipeline_hands_out_the_token() {
    let provider = Provider::start();
    let place = Place::start(&[]);
    let issuer = provider.issuer();
    let settings = bound(&json!({ "oidcDiscoveryUrl": issuer, "boundIssuer": issuer }));
    let identity = place.machine_with("oidc-auth", &settings);
    let runner = StandIn::start([Reply::json(200, json!({ "value": provider.token("RS256") }))]);
    let mut login = place.login("oidc-auth", &identity);
    login.env("ACTIONS_ID_TOKEN_REQUEST_URL", format!("{}/idtoken?api-version=2", runner.url()));
    login.env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "of-the-runner");
    place.admits(login.args(["--oidc-audience", "urn:kms:RS256"]), OIDC);
    assert!(runner.request().target.contains("audience=urn%3Akms%3ARS256"));
}
