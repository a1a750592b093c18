//! J1, J4 and J9 for JWT auth: configured keys, and keys of a key server.

use jsonwebtoken::Algorithm;
use kms_api::auth::jwt::Jwt;
use serde_json::json;

use super::*;
use crate::testing::{Peer, Signer, changed, json as answer, unsigned};

fn claims() -> Value {
    json!({ "iss": "https://own.test", "sub": "job/7", "aud": ["kms"], "exp": NOW + 300 })
}

#[tokio::test]
async fn a_token_of_any_configured_key_logs_in() {
    let signers = [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA, Algorithm::PS256]
        .map(|algorithm| Signer::new("any", algorithm));
    let keys: Vec<String> = signers.iter().map(|signer| signer.pair().public_key_pem()).collect();
    let settings = json!({
        "configurationType": "static", "publicKeys": keys, "boundAudiences": "kms",
        "boundSubject": "job*", "boundIssuer": "https://own.test",
    });
    let config = attach::<Jwt>(&settings).unwrap();
    let verifier = verifier(Endpoints::default());
    for signer in &signers {
        let token = signer.sign(&claims());
        let principal = login::<Jwt>(&verifier, &config, &token).await.unwrap();
        assert_eq!(Value::Object(principal.identity_auth), json!({ "jwt": {} }));
    }
    let forged = Signer::imposter().sign(&claims());
    assert_eq!(refused(login::<Jwt>(&verifier, &config, &forged).await), unverified());
    let none = format!("{}.", unsigned(&json!({ "alg": "none" }), &claims()));
    assert_eq!(refused(login::<Jwt>(&verifier, &config, &none).await), unverified());
    for (changes, status, part) in [
        (json!({ "iss": "https://other.test" }), 403, "issuer mismatch"),
        (json!({ "iss": null }), 403, "issuer mismatch"),
        (json!({ "sub": "other" }), 403, "subject not allowed"),
        (json!({ "aud": "other" }), 401, "token audience not allowed"),
        (json!({ "exp": NOW + 400 * 86_400 }), 401, "too long"),
    ] {
        let token = signers[1].sign(&changed(&claims(), &changes));
        let (is, text) = refused(login::<Jwt>(&verifier, &config, &token).await);
        assert!(is == status && text.contains(part), "{changes}: {is} {text}");
    }
}

#[tokio::test]
async fn j9_a_rotated_key_is_found_and_an_invented_one_is_not_asked_for_again() {
    let keys = std::sync::Arc::new(std::sync::Mutex::new(vec![Signer::rsa().jwk()]));
    let published = std::sync::Arc::clone(&keys);
    let peer = Peer::http(move |_| answer(&json!({ "keys": *published.lock().unwrap() }))).await;
    let settings = json!({
        "configurationType": "jwks", "jwksUrl": format!("{}/keys", peer.url()),
        "boundAudiences": "kms",
    });
    let config = attach::<Jwt>(&settings).unwrap();
    let verifier = verifier(Endpoints::default());
    let at = async |now: i64, jwt: &str| {
        let proof = JwtProof { identity_id: identity(), jwt: jwt.into(), organization_slug: None };
        let login = Login { verifier: &verifier, identity: identity(), now, origins: &[] };
        Jwt::verify(&config, &proof, login).await
    };
    assert!(at(NOW, &Signer::rsa().sign(&claims())).await.is_ok());
    let next = Signer::new("k2", Algorithm::ES256);
    let token = next.sign(&claims());
    assert_eq!(refused(at(NOW + 1, &token).await), unverified());
    keys.lock().unwrap().push(next.jwk());
    assert_eq!(refused(at(NOW + 2, &token).await), unverified());
    assert_eq!(peer.requests().len(), 1);
    assert!(at(NOW + 15, &token).await.is_ok());
    assert_eq!(peer.requests().len(), 2);
}

#[test]
fn keys_come_from_one_place() {
    let pem = Signer::rsa().pair().public_key_pem();
    let fixed = json!({ "configurationType": "static", "publicKeys": [pem] });
    let config = attach::<Jwt>(&fixed).unwrap();
    let moved = json!({ "configurationType": "jwks", "jwksUrl": "https://keys.corp.test/jwks" });
    let config = change::<Jwt>(&config, &moved).unwrap();
    assert!(config.public_keys.is_empty());
    let back = change::<Jwt>(&config, &json!({ "configurationType": "static" }));
    assert_eq!(fields(back), ["publicKeys"]);
    assert_eq!(fields(attach::<Jwt>(&json!({ "publicKeys": [pem] }))), ["configurationType"]);
}

#[test]
fn j4_j10_an_unsafe_configuration_is_not_saved() {
    let pem = Signer::rsa().pair().public_key_pem();
    let private = Signer::rsa().pair().serialize_pem();
    let fixed = json!({ "configurationType": "static", "publicKeys": [pem] });
    for (changes, field) in [
        (json!({ "publicKeys": [] }), "publicKeys"),
        (json!({ "publicKeys": [private] }), "publicKeys"),
        (json!({ "publicKeys": ["nonsense"] }), "publicKeys"),
        (json!({ "publicKeys": vec![pem.as_str(); 11] }), "publicKeys"),
        (json!({ "boundSubject": "!x" }), "boundSubject"),
        (json!({ "boundIssuer": "https://gitlab.com" }), "boundAudiences"),
    ] {
        assert_eq!(fields(attach::<Jwt>(&changed(&fixed, &changes))), [field], "{changes}");
    }
    let shared = "https://token.actions.githubusercontent.com/.well-known/jwks";
    let open = json!({ "configurationType": "jwks", "jwksUrl": shared });
    assert_eq!(fields(attach::<Jwt>(&open)), ["boundAudiences"]);
    let inside = json!({ "configurationType": "jwks", "jwksUrl": "https://10.0.0.1/" });
    let inside = serde_json::from_value(inside).unwrap();
    assert_eq!(fields(Jwt::configure(None, &inside, &strict())), ["jwksUrl"]);
}
