//! J1 to J8 at the routes: tokens that are not what they should be.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use kms_standins::{Peer, changed, status, unsigned};
use rcgen::PublicKeyData as _;

use super::*;

/// The methods whose proof is a token that is verified here.
const SIGNED: [&str; 4] = ["azure-auth", "gcp-auth", "oidc-auth", "jwt-auth"];

fn header(changes: &Value) -> Value {
    changed(&json!({ "alg": "RS256", "kid": "k1", "typ": "JWT" }), changes)
}

#[tokio::test]
async fn j1_a_public_key_is_no_shared_secret() {
    let outside = Outside::start().await;
    let pair = Signer::rsa().pair();
    let modulus = Signer::rsa().jwk()["n"].as_str().unwrap().to_owned();
    let certificate = Signer::rsa().certificate();
    let secrets = [
        pair.public_key_pem().into_bytes(),
        pair.public_key_pem().trim().as_bytes().to_vec(),
        pair.subject_public_key_info(),
        modulus.as_bytes().to_vec(),
        URL_SAFE_NO_PAD.decode(&modulus).unwrap(),
        certificate.into_bytes(),
        Vec::new(),
    ];
    for method in SIGNED {
        let id = outside.machine(method).await;
        outside.login(method, &id).await.ok();
        let claims = outside.vouchers.claims(method, &id, outside.now());
        for secret in &secrets {
            for (name, algorithm) in [
                ("HS256", Algorithm::HS256),
                ("HS384", Algorithm::HS384),
                ("HS512", Algorithm::HS512),
            ] {
                for alg in [name, "RS256"] {
                    let message = unsigned(&header(&json!({ "alg": alg })), &claims);
                    let key = EncodingKey::from_secret(secret);
                    let signature = crypto::sign(message.as_bytes(), &key, algorithm).unwrap();
                    let answer =
                        outside.with_jwt(method, &id, &format!("{message}.{signature}")).await;
                    assert_unverified(&answer, &format!("{method} {alg} by {name}"));
                }
            }
        }
    }
    outside.instance.server.stop().await;
}

#[tokio::test]
async fn j2_an_algorithm_is_one_of_a_closed_list() {
    let outside = Outside::start().await;
    for method in SIGNED {
        let id = outside.machine(method).await;
        let genuine = text(&outside.proof(method, &id)["jwt"]);
        outside.with_jwt(method, &id, &genuine).await.ok();
        let signature = genuine.rsplit_once('.').unwrap().1;
        let claims = outside.vouchers.claims(method, &id, outside.now());
        for alg in [
            json!("none"),
            json!("None"),
            json!("NONE"),
            json!("nOnE"),
            json!(" none"),
            json!("none\u{0}"),
            json!(""),
            json!(null),
            json!(0),
            json!(true),
            json!(["RS256"]),
            json!({ "RS256": 1 }),
            json!("rs256"),
            json!("RS256 "),
            json!("RS1"),
            json!("ES256K"),
            json!("ES512"),
            json!("dir"),
        ] {
            for signature in ["", signature, "AA"] {
                let token = unsigned(&header(&json!({ "alg": alg })), &claims);
                let answer = outside.with_jwt(method, &id, &format!("{token}.{signature}")).await;
                assert_unverified(&answer, &format!("{method} {alg}"));
            }
        }
        for token in ["", ".", "..", "...", "a.b.c", &genuine[..genuine.len() - 2], "eyJ.eyJ."] {
            let answer = outside.with_jwt(method, &id, token).await;
            assert_unverified(&answer, &format!("{method} {token}"));
        }
        let twice = format!("{genuine}.{signature}");
        assert_unverified(&outside.with_jwt(method, &id, &twice).await, method);
    }
    outside.instance.server.stop().await;
}

#[tokio::test]
async fn j3_a_token_brings_no_key_and_names_no_place() {
    let outside = Outside::start().await;
    let canary = Peer::http(|_| status(200)).await;
    let thief = Signer::imposter();
    let url = format!("{}/keys", canary.url());
    for method in SIGNED {
        let id = outside.machine(method).await;
        let claims = outside.vouchers.claims(method, &id, outside.now());
        for smuggled in [
            json!({ "jwk": thief.jwk() }),
            json!({ "jku": url }),
            json!({ "x5u": url }),
            json!({ "x5c": [thief.certificate()] }),
            json!({ "kid": url }),
            json!({ "kid": "../../../keys" }),
            json!({ "kid": "k1' OR '1'='1" }),
            json!({ "kid": null }),
            json!({ "kid": "" }),
            json!({ "crit": ["b64"], "b64": false }),
        ] {
            let token = thief.sign_as(&header(&smuggled), &claims);
            let answer = outside.with_jwt(method, &id, &token).await;
            assert_unverified(&answer, &format!("{method} {smuggled}"));
        }
    }
    assert_eq!(canary.connections(), 0);
    outside.instance.server.stop().await;
}

#[tokio::test]
async fn j4_an_audience_is_there_and_is_the_one() {
    let outside = Outside::start().await;
    for method in SIGNED {
        let id = outside.machine(method).await;
        let right = outside.vouchers.claims(method, &id, outside.now())["aud"].clone();
        let right = right.as_str().unwrap();
        for audience in [
            json!(null),
            json!(""),
            json!(format!("{right}x")),
            json!(format!("x{right}")),
            json!(right.to_uppercase()),
            json!(format!(" {right}")),
            json!(7),
            json!([]),
            json!(["x"]),
            json!([[right]]),
            json!({ right: right }),
        ] {
            let same = audience == right;
            let answer = outside.saying(method, &id, &json!({ "aud": audience })).await;
            if !same {
                assert_refused(&answer, &format!("{method} {audience}"));
            }
        }
        outside.saying(method, &id, &json!({ "aud": right })).await.ok();
    }
    // A list counts by its elements where the contract has lists.
    for method in ["oidc-auth", "jwt-auth"] {
        let id = outside.machine(method).await;
        outside.saying(method, &id, &json!({ "aud": ["x", "kms"] })).await.ok();
    }
    outside.instance.server.stop().await;
}

#[tokio::test]
async fn j5_another_issuer_is_another_issuer() {
    let outside = Outside::start().await;
    for method in SIGNED {
        let id = outside.machine(method).await;
        let right = text(&outside.vouchers.claims(method, &id, outside.now())["iss"]);
        for issuer in [
            json!(null),
            json!(""),
            json!([right]),
            json!(format!("{right}/x")),
            json!(right.to_uppercase()),
            json!("https://accounts.google.com.example.com"),
            json!("https://login.microsoftonline.com/common/v2.0"),
        ] {
            let answer = outside.saying(method, &id, &json!({ "iss": issuer })).await;
            assert_refused(&answer, &format!("{method} {issuer}"));
        }
    }
    outside.instance.server.stop().await;
}

#[tokio::test]
async fn j6_a_token_counts_only_where_it_belongs() {
    let outside = Outside::start().await;
    let mut machines = Vec::new();
    for method in METHODS {
        machines.push((method, outside.machine(method).await));
    }
    let mut tokens = Vec::new();
    for (method, id) in &machines {
        tokens.push((*method, outside.token(method, id).await));
    }
    for (method, id) in machines.iter().filter(|(method, _)| *method != "aws-auth") {
        // What this server issued proves nothing to it here.
        for (from, token) in &tokens {
            let answer = outside.with_jwt(method, id, token).await;
            assert_unverified(&answer, &format!("{method} with a token of ours by {from}"));
        }
        // The proof of one method is none of another; but one issuer signs for two of them.
        let one_issuer = ["oidc-auth", "jwt-auth"];
        let others = machines.iter().filter(|(from, _)| {
            from != method && !(one_issuer.contains(from) && one_issuer.contains(method))
        });
        for (from, other) in others {
            let mut proof = outside.proof(from, other);
            proof["identityId"] = id.as_str().into();
            if proof["jwt"].is_string() {
                let answer = outside.login_with(method, proof, HOME).await;
                assert_refused(&answer, &format!("{from} at {method}"));
            }
        }
        // An identity answers only to its own.
        for (from, other) in machines.iter().filter(|(from, _)| from != method) {
            let proof = outside.proof(method, other);
            let answer = outside.login_with(method, proof, HOME).await;
            assert_unverified(&answer, &format!("{method} as the identity of {from}"));
        }
    }
    // Their tokens are tokens of machines, and the proofs are no tokens of ours.
    for (method, token) in &tokens {
        who(&outside.instance, token).await.ok();
        let person = outside.instance.server.get(paths::USERS_ME).bearer(token).send().await;
        assert_eq!(person.status, StatusCode::FORBIDDEN, "{method}");
    }
    for (method, id) in &machines {
        if let Some(jwt) = outside.proof(method, id)["jwt"].as_str() {
            assert_eq!(who(&outside.instance, jwt).await.status, StatusCode::FORBIDDEN);
            let renewed = with_token(&outside.instance, paths::TOKEN_RENEW, jwt).await;
            assert_eq!(renewed.status, StatusCode::FORBIDDEN, "{method}");
        }
    }
    outside.instance.server.stop().await;
}

#[tokio::test]
async fn j7_a_token_is_good_for_its_time_and_for_no_longer_than_is_sensible() {
    let outside = Outside::start().await;
    let now = outside.now();
    for method in SIGNED {
        let id = outside.machine(method).await;
        for (changes, accepted) in [
            (json!({ "exp": null }), false),
            (json!({ "exp": "soon" }), false),
            (json!({ "exp": now }), false),
            (json!({ "exp": now - 1 }), false),
            (json!({ "exp": now + 1 }), true),
            (json!({ "exp": now + 400 * 86_400 }), false),
            (json!({ "exp": i64::MAX }), false),
            (json!({ "exp": 1e300 }), false),
            (json!({ "exp": -1 }), false),
            (json!({ "nbf": now + 60 }), true),
            (json!({ "nbf": now + 61 }), false),
            (json!({ "nbf": "x" }), false),
            (json!({ "iat": now + 61 }), false),
        ] {
            let answer = outside.saying(method, &id, &changes).await;
            if accepted {
                answer.ok();
            } else {
                assert_refused(&answer, &format!("{method} {changes}"));
            }
        }
    }
    outside.instance.server.stop().await;
}

#[tokio::test]
async fn j8_a_bound_claim_is_what_was_meant() {
    let outside = Outside::start().await;
    for method in ["oidc-auth", "jwt-auth"] {
        let id = outside.machine(method).await;
        for (value, accepted) in [
            (json!("prod"), true),
            (json!(["dev", "prod"]), true),
            (json!(null), false),
            (json!(""), false),
            (json!("Prod"), false),
            (json!("prod "), false),
            (json!("prod, dev"), false),
            (json!("*"), false),
            (json!("pro?"), false),
            (json!("{prod,dev}"), false),
            (json!("рrod"), false),
            (json!(["prod\u{0}"]), false),
            (json!({ "prod": true }), false),
            (json!([["prod"]]), false),
            (json!(true), false),
            (json!(1), false),
        ] {
            let answer = outside.saying(method, &id, &json!({ "env": value })).await;
            if accepted {
                answer.ok();
            } else {
                assert_refused(&answer, &format!("{method} {value}"));
            }
        }
    }
    outside.instance.server.stop().await;
}
