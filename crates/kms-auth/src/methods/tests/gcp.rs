//! C5, C6 and C7, against stand-ins for Google's key servers.

use kms_api::auth::gcp::{Config, GcpIdToken as Gcp};
use serde_json::json;

use super::*;
use crate::testing::{Peer, Signer, changed, json as answer, status};

const ACCOUNT: &str = "app@proj.iam.gserviceaccount.com";

/// Google signs ID tokens with one key, the service account its own with another.
async fn google() -> (Peer, Verifier) {
    let keys = json!({ "keys": [Signer::rsa().jwk()] });
    let certificates = json!({ "k1": Signer::imposter().certificate() });
    let peer = Peer::http(move |request| match request.uri().path() {
        "/certs" => answer(&keys),
        "/x509/app%40proj.iam.gserviceaccount.com" => answer(&certificates),
        _ => status(404),
    })
    .await;
    let endpoints = Endpoints {
        google_keys: format!("{}/certs", peer.url()),
        google_certificates: format!("{}/x509", peer.url()),
        ..Endpoints::default()
    };
    (peer, verifier(endpoints))
}

fn config(changes: &Value) -> Config {
    let settings = json!({ "type": "gce", "allowedServiceAccounts": ACCOUNT });
    attach::<Gcp>(&changed(&settings, changes)).unwrap()
}

/// An ID token's claims as the metadata server has them made, with `format=full`.
fn instance() -> Value {
    json!({
        "iss": "https://accounts.google.com", "aud": identity(), "sub": "1122", "azp": "1122",
        "email": ACCOUNT, "email_verified": true, "exp": NOW + 3_600, "iat": NOW,
        "google": { "compute_engine": {
            "project_id": "proj", "project_number": 5, "zone": "europe-west1-b",
            "instance_id": "9", "instance_name": "vm",
        } },
    })
}

fn account() -> Value {
    json!({ "sub": ACCOUNT, "aud": identity(), "exp": NOW + 3_600, "iat": NOW })
}

#[tokio::test]
async fn an_instance_and_a_service_account_log_in_each_by_its_own_configuration() {
    let (peer, verifier) = google().await;
    let limits = json!({ "allowedProjects": "proj", "allowedZones": "europe-west1-b" });
    let token = Signer::rsa().sign(&instance());
    let principal = login::<Gcp>(&verifier, &config(&limits), &token).await.unwrap();
    let facts = json!({ "serviceAccount": ACCOUNT, "projectId": "proj", "zone": "europe-west1-b" });
    assert_eq!(Value::Object(principal.identity_auth), json!({ "gcp": facts }));
    let iam = config(&json!({ "type": "iam" }));
    let own = Signer::imposter().sign(&account());
    let principal = login::<Gcp>(&verifier, &iam, &own).await.unwrap();
    let facts = json!({ "gcp": { "serviceAccount": ACCOUNT } });
    assert_eq!(Value::Object(principal.identity_auth), facts);
    assert_eq!(peer.requests().len(), 2);
    // Neither is the other.
    assert!(login::<Gcp>(&verifier, &iam, &token).await.is_err());
    assert!(login::<Gcp>(&verifier, &config(&json!({})), &own).await.is_err());
}

#[tokio::test]
async fn c5_a_service_account_does_not_vouch_for_instances() {
    let (_peer, verifier) = google().await;
    let mut claims = instance();
    claims["sub"] = ACCOUNT.into();
    let forged = Signer::imposter().sign(&claims);
    let limits = json!({ "allowedProjects": "proj", "allowedZones": "europe-west1-b" });
    assert_eq!(refused(login::<Gcp>(&verifier, &config(&limits), &forged).await), unverified());
    // By its own configuration it is only itself, whatever else it says.
    let iam = config(&json!({ "type": "iam", "allowedProjects": "proj" }));
    claims["email"] = "boss@proj.iam.gserviceaccount.com".into();
    let token = Signer::imposter().sign(&claims);
    let principal = login::<Gcp>(&verifier, &iam, &token).await.unwrap();
    assert_eq!(
        Value::Object(principal.identity_auth),
        json!({ "gcp": { "serviceAccount": ACCOUNT } })
    );
}

#[tokio::test]
async fn c6_what_is_limited_must_be_said() {
    let (_peer, verifier) = google().await;
    let limits = config(&json!({ "allowedProjects": "proj", "allowedZones": "europe-west1-b" }));
    let engine = |change: Value| {
        let engine = changed(&instance()["google"]["compute_engine"], &change);
        json!({ "google": { "compute_engine": engine } })
    };
    for changes in [
        json!({ "google": null }),
        json!({ "google": {} }),
        json!({ "google": { "compute_engine": {} } }),
        engine(json!({ "project_id": null })),
        engine(json!({ "project_id": "" })),
        engine(json!({ "project_id": "proj2" })),
        engine(json!({ "project_id": ["proj"] })),
        engine(json!({ "zone": null })),
        engine(json!({ "zone": "europe-west1-c" })),
        json!({ "email": null }),
        json!({ "email": "other@proj.iam.gserviceaccount.com" }),
        json!({ "email_verified": false }),
        json!({ "email_verified": null }),
        json!({ "email_verified": "true" }),
        json!({ "aud": null }),
        json!({ "aud": "other" }),
        json!({ "aud": [identity()] }),
        json!({ "aud": format!("{}x", identity()) }),
        json!({ "iss": "accounts.google.com" }),
        json!({ "iss": "https://accounts.google.com.evil.test" }),
        json!({ "iss": null }),
        json!({ "exp": null }),
    ] {
        let token = Signer::rsa().sign(&changed(&instance(), &changes));
        assert_eq!(refused(login::<Gcp>(&verifier, &limits, &token).await).0, 401, "{changes}");
    }
    // Without limits on instances a token from elsewhere will do.
    let token = Signer::rsa().sign(&changed(&instance(), &json!({ "google": null })));
    assert!(login::<Gcp>(&verifier, &config(&json!({})), &token).await.is_ok());
}

#[tokio::test]
async fn c7_no_name_leads_anywhere_else() {
    let (peer, verifier) = google().await;
    let iam = config(&json!({ "type": "iam" }));
    for subject in [
        json!("../../certs"),
        json!("app@proj.iam.gserviceaccount.com/../x"),
        json!("app@proj.iam.gserviceaccount.com?x=1"),
        json!("app@proj.iam.gserviceaccount.com#"),
        json!("app@evil.test/.iam.gserviceaccount.com"),
        json!("app@evil.test"),
        json!("a@b@proj.iam.gserviceaccount.com"),
        json!("@proj.iam.gserviceaccount.com"),
        json!("app@.iam.gserviceaccount.com"),
        json!("app@proj.iam.gserviceaccount.com\n"),
        json!("APP@proj.iam.gserviceaccount.com"),
        json!("app%40proj.iam.gserviceaccount.com"),
        json!("other@proj.iam.gserviceaccount.com"),
        json!(""),
        json!(null),
        json!([ACCOUNT]),
    ] {
        let token = Signer::imposter().sign(&changed(&account(), &json!({ "sub": subject })));
        assert_eq!(refused(login::<Gcp>(&verifier, &iam, &token).await), unverified(), "{subject}");
    }
    assert_eq!(peer.requests().len(), 0);
    for kid in ["../x", "https://evil.test", "k1/../k2", ""] {
        let header = json!({ "alg": "RS256", "kid": kid });
        let token = Signer::imposter().sign_as(&header, &account());
        assert_eq!(refused(login::<Gcp>(&verifier, &iam, &token).await), unverified(), "{kid}");
    }
    assert_eq!(peer.requests().len(), 1);
}

#[test]
fn c6_everybody_in_the_cloud_is_no_limit() {
    for settings in [
        json!({ "type": "gce" }),
        json!({ "type": "gce", "allowedZones": "europe-west1-b" }),
        json!({ "type": "gce", "allowedServiceAccounts": " , " }),
        json!({ "type": "iam", "allowedProjects": "proj" }),
    ] {
        assert_eq!(fields(attach::<Gcp>(&settings)), ["allowedServiceAccounts"], "{settings}");
    }
    assert!(attach::<Gcp>(&json!({ "type": "gce", "allowedProjects": "proj" })).is_ok());
    assert_eq!(fields(attach::<Gcp>(&json!({ "allowedServiceAccounts": "a" }))), ["type"]);
    let gce = attach::<Gcp>(&json!({ "type": "gce", "allowedProjects": "proj" })).unwrap();
    assert_eq!(fields(change::<Gcp>(&gce, &json!({ "type": "iam" }))), ["allowedServiceAccounts"]);
}
