//! Logins of machines that somebody else vouches for, against one with a client secret.

use kms_core::{Clock as _, SystemClock};
use kms_standins::{Signer, Vouchers, changed};
use serde_json::json;

use crate::{
    Outcome,
    load::Request,
    suites::{Server, compare, login},
};

/// Seconds that the measured tokens are good for: longer than the measurement.
const LIFETIME: i64 = 3_600;

/// Compares logins whose keys are at hand with one by universal auth. One key signs them all (RSA,
/// 2048 bits), so that what differs is what the methods do.
pub(crate) async fn measure(server: &Server) -> Outcome {
    let vouchers = Vouchers::start().await;
    let id = server.facts.identity.as_str();
    let now = SystemClock.now().seconds();
    let keys = json!({
        "configurationType": "jwks", "jwksUrl": vouchers.google_keys(), "publicKeys": null,
    });
    let universal = login(&server.facts);
    for (name, method, change) in [
        ("jwt-auth login, configured key", "jwt-auth", json!({})),
        ("jwt-auth login, key server", "jwt-auth", keys),
        ("oidc-auth login", "oidc-auth", json!({})),
    ] {
        let settings = changed(&vouchers.settings(method), &change);
        let one = format!("/api/v1/auth/{method}/identities/{id}");
        if server.post(&one, &settings).await.is_err() {
            server.patch(&one, &settings).await?;
        }
        let claims = changed(&vouchers.claims(method, id, now), &json!({ "exp": now + LIFETIME }));
        let body = json!({ "identityId": id, "jwt": Signer::rsa().sign(&claims) }).to_string();
        let route = format!("/api/v1/auth/{method}/login");
        let request = Request::new("POST", &route, "", Some(&body));
        compare(server, 64, (name, &request), ("universal-auth login", &universal)).await?;
    }
    Ok(())
}
