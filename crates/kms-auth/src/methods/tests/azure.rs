//! C8, against a directory of two tenants.

use kms_api::auth::azure::{Azure, Config};
use serde_json::json;

use super::*;
use crate::testing::{Peer, Signer, changed, json as answer, status};

const TENANT: &str = "6a7d1c2e-0000-4000-8000-000000000001";
const OTHER: &str = "6a7d1c2e-0000-4000-8000-000000000002";
const PRINCIPAL: &str = "11111111-0000-4000-8000-000000000003";

/// A directory: each tenant's keys at its own address, and only there.
async fn directory() -> (Peer, Verifier) {
    let ours = json!({ "keys": [Signer::rsa().jwk()] });
    let theirs = json!({ "keys": [Signer::imposter().jwk()] });
    let peer = Peer::http(move |request| match request.uri().path() {
        path if path == format!("/{TENANT}/discovery/keys") => answer(&ours),
        path if path == format!("/{OTHER}/discovery/keys") => answer(&theirs),
        _ => status(404),
    })
    .await;
    let endpoints = Endpoints { azure_authority: peer.url(), ..Endpoints::default() };
    (peer, verifier(endpoints))
}

fn config(changes: &Value) -> Config {
    let settings = json!({ "tenantId": TENANT, "allowedServicePrincipalIds": PRINCIPAL });
    attach::<Azure>(&changed(&settings, changes)).unwrap()
}

fn claims() -> Value {
    json!({
        "iss": format!("https://sts.windows.net/{TENANT}/"), "tid": TENANT, "oid": PRINCIPAL,
        "appid": "22222222-0000-4000-8000-000000000004", "aud": "https://management.azure.com/",
        "exp": NOW + 3_600, "nbf": NOW, "iat": NOW, "ver": "1.0",
    })
}

#[tokio::test]
async fn a_managed_identity_of_the_tenant_logs_in() {
    let (peer, verifier) = directory().await;
    let token = Signer::rsa().sign(&claims());
    let principal = login::<Azure>(&verifier, &config(&json!({})), &token).await.unwrap();
    let facts = json!({ "azure": { "tenantId": TENANT, "servicePrincipalId": PRINCIPAL } });
    assert_eq!(Value::Object(principal.identity_auth), facts);
    let slash =
        Signer::rsa().sign(&changed(&claims(), &json!({ "aud": "https://management.azure.com" })));
    assert!(login::<Azure>(&verifier, &config(&json!({})), &slash).await.is_ok());
    let whole_tenant = config(&json!({ "allowedServicePrincipalIds": "" }));
    assert!(login::<Azure>(&verifier, &whole_tenant, &token).await.is_ok());
    assert_eq!(peer.requests().len(), 1);
}

#[tokio::test]
async fn c8_no_other_tenant_version_resource_or_principal_logs_in() {
    let (_peer, verifier) = directory().await;
    let other_issuer = format!("https://sts.windows.net/{OTHER}/");
    for changes in [
        json!({ "iss": other_issuer }),
        json!({ "iss": format!("https://login.microsoftonline.com/{TENANT}/v2.0"), "ver": "2.0" }),
        json!({ "iss": format!("https://sts.windows.net/{TENANT}") }),
        json!({ "iss": format!("https://sts.windows.net.evil.test/{TENANT}/") }),
        json!({ "iss": null }),
        json!({ "tid": OTHER }),
        json!({ "tid": null }),
        json!({ "aud": "https://management.azure.com.evil.test/" }),
        json!({ "aud": "https://graph.microsoft.com/" }),
        json!({ "aud": ["https://management.azure.com/"] }),
        json!({ "aud": null }),
        json!({ "oid": null }),
        json!({ "oid": "" }),
        json!({ "oid": "33333333-0000-4000-8000-000000000005" }),
        // The application's id where the object's is asked for.
        json!({ "oid": null, "appid": PRINCIPAL }),
        json!({ "oid": "x", "sub": PRINCIPAL }),
        json!({ "oid": [PRINCIPAL] }),
        json!({ "scp": "user_impersonation" }),
        json!({ "exp": NOW - 1 }),
        json!({ "exp": NOW + 10 * 86_400 }),
        json!({ "nbf": NOW + 3_600 }),
    ] {
        let token = Signer::rsa().sign(&changed(&claims(), &changes));
        let result = login::<Azure>(&verifier, &config(&json!({})), &token).await;
        assert_eq!(refused(result).0, 401, "{changes}");
    }
    // The other tenant's key has the same name, and signs whatever it likes.
    let forged = Signer::imposter().sign(&claims());
    let result = login::<Azure>(&verifier, &config(&json!({})), &forged).await;
    assert_eq!(refused(result), unverified());
    let theirs = changed(&claims(), &json!({ "iss": other_issuer, "tid": OTHER }));
    let result =
        login::<Azure>(&verifier, &config(&json!({})), &Signer::imposter().sign(&theirs)).await;
    assert_eq!(refused(result), unverified());
}

#[test]
fn c8_a_tenant_is_one_tenant() {
    for tenant in
        ["", "common", "organizations", "consumers", "Common", "../x", "a/b", "a?b", "a.b@c"]
    {
        assert_eq!(
            fields(attach::<Azure>(&json!({ "tenantId": tenant }))),
            ["tenantId"],
            "{tenant}"
        );
    }
    let bad = json!({ "tenantId": TENANT, "allowedServicePrincipalIds": "a/b" });
    assert_eq!(fields(attach::<Azure>(&bad)), ["allowedServicePrincipalIds"]);
    assert_eq!(config(&json!({})).resource, "https://management.azure.com/");
}
