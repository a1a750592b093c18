//! J1, J2, J3 and J7: tokens that were not signed by whom they say, or not for now.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use proptest::prelude::*;
use rcgen::PublicKeyData as _;
use serde_json::{Value, json};

use super::*;
use crate::{
    keys::{read_pem, read_set},
    testing::{NOW, Peer, Signer, status, unsigned},
};

fn keys() -> KeySet {
    let set = json!({ "keys": [Signer::rsa().jwk()] });
    read_set(set.to_string().as_bytes()).unwrap()
}

/// The refusal of a token, as its caller sees it.
fn refusal(token: &str) -> (u16, String) {
    let read = Unverified::read(token).and_then(|token| token.verified_by(&keys()));
    let error = read.expect_err(token);
    (error.status(), error.to_string())
}

fn wrong_signature() -> (u16, String) {
    refusal(&Signer::imposter().sign(&json!({ "sub": "s" })))
}

#[test]
fn a_good_token_is_believed_with_every_algorithm() {
    use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
    for algorithm in [RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA] {
        let signer = Signer::new("k", algorithm);
        let token = format!(" {}\n", signer.sign(&json!({ "sub": "s" })));
        let key = read_pem(&signer.pair().public_key_pem()).unwrap();
        let claims = Unverified::read(&token).unwrap().verified_by_any([&key]).unwrap();
        assert_eq!(claims.text("sub"), Some("s"), "{algorithm:?}");
    }
}

#[test]
fn j1_a_public_key_is_no_secret() {
    let signer = Signer::rsa();
    let jwk = signer.jwk();
    let n = jwk["n"].as_str().unwrap();
    let pem = signer.pair().public_key_pem();
    let secrets = [
        pem.clone().into_bytes(),
        pem.trim().as_bytes().to_vec(),
        signer.pair().subject_public_key_info(),
        signer.pair().der_bytes().to_vec(),
        n.as_bytes().to_vec(),
        URL_SAFE_NO_PAD.decode(n).unwrap(),
        jwk.to_string().into_bytes(),
        signer.certificate().into_bytes(),
        Vec::new(),
    ];
    for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
        for secret in &secrets {
            for kid in [json!("k1"), Value::Null] {
                let header = json!({ "alg": algorithm, "kid": kid });
                let message = unsigned(&header, &json!({ "sub": "s" }));
                let key = EncodingKey::from_secret(secret);
                let signature = crypto::sign(message.as_bytes(), &key, algorithm).unwrap();
                assert_eq!(refusal(&format!("{message}.{signature}")), wrong_signature());
            }
        }
    }
}

#[test]
fn j2_an_algorithm_is_one_of_a_closed_set() {
    let good = Signer::rsa().sign(&json!({ "sub": "s" }));
    let signature = good.rsplit('.').next().unwrap();
    let variants = [
        json!("none"),
        json!("None"),
        json!("NONE"),
        json!("nOnE"),
        json!(" none"),
        json!("none "),
        json!("none\u{0}"),
        json!(""),
        json!(" "),
        json!(null),
        json!([]),
        json!(["RS256"]),
        json!({}),
        json!({ "alg": "RS256" }),
        json!(0),
        json!(256),
        json!(true),
        json!(false),
        json!("rs256"),
        json!("Rs256"),
        json!("RS256 "),
        json!(" RS256"),
        json!("RS256\n"),
        json!("RS-256"),
        json!("RS1"),
        json!("HS256"),
        json!("ES512"),
        json!("ES256K"),
        json!("RSA-OAEP"),
        json!("dir"),
        json!("EdDSA\u{200b}"),
        json!("ＲＳ２５６"),
        json!("RS256,none"),
        json!("Ed448"),
    ];
    for alg in variants {
        let message = unsigned(&json!({ "alg": alg, "kid": "k1" }), &json!({ "sub": "s" }));
        for signature in ["", signature, "AA"] {
            assert_eq!(refusal(&format!("{message}.{signature}")), wrong_signature(), "{alg}");
        }
    }
    let message = unsigned(&json!({ "kid": "k1" }), &json!({ "sub": "s" }));
    assert_eq!(refusal(&format!("{message}.{signature}")), wrong_signature());
}

#[test]
fn an_algorithm_belongs_to_the_key() {
    for algorithm in [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA] {
        let signer = Signer::new("k1", algorithm);
        for other in ["RS256", "PS256", "ES256", "ES384", "EdDSA"] {
            let header = json!({ "alg": other, "kid": "k1" });
            let token = signer.sign_as(&header, &json!({ "sub": "s" }));
            let key = read_pem(&signer.pair().public_key_pem()).unwrap();
            let read = Unverified::read(&token).unwrap().verified_by_any([&key]);
            assert_eq!(read.is_ok(), json!(algorithm) == json!(other), "{algorithm:?} {other}");
        }
    }
}

#[tokio::test]
async fn j3_keys_and_addresses_in_a_header_do_not_count() {
    let canary = Peer::http(|_| status(200)).await;
    let imposter = Signer::imposter();
    let url = canary.url();
    let smuggled = [
        json!({ "jwk": imposter.jwk() }),
        json!({ "jku": url }),
        json!({ "x5u": url }),
        json!({ "x5c": [imposter.certificate()] }),
        json!({ "x5t": "AAAA", "x5t#S256": "AAAA" }),
        json!({ "jku": url, "jwk": imposter.jwk(), "x5c": [imposter.certificate()] }),
        json!({ "iss": url, "url": url }),
    ];
    for extra in smuggled {
        for kid in [json!("k1"), json!(url), json!(null)] {
            let mut header = json!({ "alg": "RS256", "kid": kid });
            header.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
            let token = imposter.sign_as(&header, &json!({ "sub": "s" }));
            assert_eq!(refusal(&token), wrong_signature(), "{header}");
        }
    }
    assert_eq!(canary.connections(), 0);
    // With the right key the same headers change nothing.
    let header = json!({ "alg": "RS256", "kid": "k1", "jku": url, "jwk": imposter.jwk() });
    let token = Signer::rsa().sign_as(&header, &json!({ "sub": "s" }));
    assert!(Unverified::read(&token).unwrap().verified_by(&keys()).is_ok());
    assert_eq!(canary.connections(), 0);
}

#[test]
fn j3_a_critical_extension_is_not_ignored() {
    for crit in [json!(["b64"]), json!([]), json!("exp"), json!({})] {
        let header = json!({ "alg": "RS256", "kid": "k1", "crit": crit, "b64": false });
        let token = Signer::rsa().sign_as(&header, &json!({ "sub": "s" }));
        assert_eq!(refusal(&token), wrong_signature(), "{crit}");
    }
}

#[test]
fn a_token_that_names_no_key_is_tried_with_a_few() {
    let header = json!({ "alg": "RS256" });
    let token = Signer::rsa().sign_as(&header, &json!({ "sub": "s" }));
    assert!(Unverified::read(&token).unwrap().verified_by(&keys()).is_ok());
    let mut many = vec![Signer::rsa().jwk()];
    for index in 0..10 {
        many.push(Signer::new(&format!("e{index}"), Algorithm::ES256).jwk());
    }
    let set = read_set(json!({ "keys": many }).to_string().as_bytes()).unwrap();
    assert!(Unverified::read(&token).unwrap().verified_by(&set).is_err());
}

#[test]
fn what_is_not_a_token_is_refused_alike() {
    let good = Signer::rsa().sign(&json!({ "sub": "s" }));
    let parts: Vec<&str> = good.split('.').collect();
    let (header, payload, signature) = (parts[0], parts[1], parts[2]);
    for token in [
        String::new(),
        ".".into(),
        "..".into(),
        "...".into(),
        format!("{header}.{payload}"),
        format!("{header}.{payload}."),
        format!("{header}.{payload}.{signature}."),
        format!("{header}.{payload}.{signature}.x"),
        format!("{header}.{payload}.{signature}=="),
        format!("{header}.{payload}.{signature}\u{0}"),
        format!("{header}..{signature}"),
        format!(".{payload}.{signature}"),
        format!("{header}.{payload}.{}", &signature[1..]),
        format!("{header}.{}.{signature}", URL_SAFE_NO_PAD.encode("[]")),
        format!("{header}.{}.{signature}", URL_SAFE_NO_PAD.encode(r#"{"sub":"other"}"#)),
        "a".repeat(16_385),
    ] {
        assert_eq!(refusal(&token), wrong_signature(), "{token}");
    }
}

proptest! {
    #[test]
    fn j3_kid_is_only_an_index(kid in "(\\.\\./|'|--|;|file:|http://127.0.0.1|[a-z0-9\\\\%\"<>])*") {
        let header = json!({ "alg": "RS256", "kid": kid });
        let token = Signer::rsa().sign_as(&header, &json!({ "sub": "s" }));
        prop_assert_eq!(refusal(&token), wrong_signature());
    }

    #[test]
    fn j7_a_token_is_good_within_its_time_alone(
        exp in prop::option::of(-1_000_i64..200_000),
        nbf in prop::option::of(-1_000_i64..1_000),
        iat in prop::option::of(-1_000_i64..1_000),
        longest in prop::sample::select(vec![3_600_i64, 172_800]),
    ) {
        let mut claims = Map::new();
        for (name, value) in [("exp", exp), ("nbf", nbf), ("iat", iat)] {
            if let Some(value) = value {
                claims.insert(name.into(), (NOW + value).into());
            }
        }
        let good = exp.is_some_and(|exp| exp > 0 && exp <= longest)
            && nbf.is_none_or(|nbf| nbf <= 60)
            && iat.is_none_or(|iat| iat <= 60);
        prop_assert_eq!(Claims::new(claims).require_current(NOW, longest).is_ok(), good);
    }
}

#[test]
fn j7_times_that_are_none_are_refused() {
    let is_good = |claims: Value| {
        let Value::Object(claims) = claims else { return false };
        Claims::new(claims).require_current(NOW, 3_600).is_ok()
    };
    assert!(is_good(json!({ "exp": NOW + 1 })));
    assert!(is_good(json!({ "exp": 1_800_000_000.5 + 100.0 })));
    for exp in [
        json!(null),
        json!("1900000000"),
        json!([NOW + 1]),
        json!({}),
        json!(true),
        json!(1e300),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(NOW),
        json!(NOW + 3_601),
    ] {
        assert!(!is_good(json!({ "exp": exp })), "{exp}");
    }
    assert!(!is_good(json!({ "exp": NOW + 10, "nbf": "now" })));
    assert!(!is_good(json!({ "exp": NOW + 10, "iat": 1e300 })));
}

#[test]
fn a_dotted_path_takes_the_longest_name() {
    let Value::Object(claims) = json!({
        "a": { "b": { "c": 1 }, "b.c": 2 },
        "kubernetes.io": { "pod": { "name": "p" } },
        "https://example.test/role": "admin",
    }) else {
        unreachable!()
    };
    let claims = Claims::new(claims);
    assert_eq!(claims.at("a.b.c"), Some(&json!(2)));
    assert_eq!(claims.at("kubernetes.io.pod.name"), Some(&json!("p")));
    assert_eq!(claims.at("https://example.test/role"), Some(&json!("admin")));
    for path in ["", ".", "a.", ".a", "a..b", "a.b.c.d", "x", "a.b.x"] {
        assert_eq!(claims.at(path), None, "{path}");
    }
}
