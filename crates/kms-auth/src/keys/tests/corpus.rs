//! J10: keys that anybody could forge with, and keys that are none.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::Algorithm;
use rcgen::PublicKeyData as _;
use serde_json::{Value, json};

use super::super::{KeyError, KeySet, VerifyingKey, der, read_certificates, read_pem, read_set};
use crate::testing::Signer;

fn rsa(bits: usize, exponent: &[u8]) -> Value {
    let mut modulus = vec![0xff; bits / 8];
    if !bits.is_multiple_of(8) {
        modulus.insert(0, (1 << (bits % 8)) - 1);
    }
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    json!({ "kty": "RSA", "n": encode(&modulus), "e": encode(exponent), "kid": "k" })
}

fn read(keys: &[Value]) -> Result<KeySet, KeyError> {
    read_set(json!({ "keys": keys }).to_string().as_bytes())
}

#[test]
fn j10_weak_and_foreign_keys_are_not_read() {
    let usual = [1, 0, 1];
    let point = |size: usize| URL_SAFE_NO_PAD.encode(vec![1; size]);
    let refused = [
        rsa(512, &usual),
        rsa(1_024, &usual),
        rsa(2_047, &usual),
        rsa(8_200, &usual),
        rsa(2_048, &[1]),
        rsa(2_048, &[3]),
        rsa(2_048, &[0]),
        rsa(2_048, &[]),
        rsa(2_048, &[1, 0, 0]),
        rsa(2_048, &[1, 0, 0, 0, 1]),
        json!({ "kty": "RSA", "n": URL_SAFE_NO_PAD.encode(vec![0xfe; 256]), "e": "AQAB" }),
        json!({ "kty": "RSA", "e": "AQAB" }),
        json!({ "kty": "RSA", "n": "not base64!", "e": "AQAB" }),
        json!({ "kty": "RSA", "n": 5, "e": "AQAB" }),
        json!({ "kty": "EC", "crv": "P-224", "x": point(28), "y": point(28) }),
        json!({ "kty": "EC", "crv": "P-521", "x": point(66), "y": point(66) }),
        json!({ "kty": "EC", "crv": "secp256k1", "x": point(32), "y": point(32) }),
        json!({ "kty": "EC", "crv": "P-256", "x": point(31), "y": point(32) }),
        json!({ "kty": "EC", "crv": "P-256", "x": point(32) }),
        json!({ "kty": "EC", "crv": "P-384", "x": point(32), "y": point(32) }),
        json!({ "kty": "OKP", "crv": "X25519", "x": point(32) }),
        json!({ "kty": "OKP", "crv": "Ed448", "x": point(57) }),
        json!({ "kty": "OKP", "crv": "Ed25519", "x": point(31) }),
        json!({ "kty": "oct", "k": point(32), "alg": "HS256" }),
        json!({ "kty": "none" }),
        json!({}),
        json!("text"),
        json!(null),
    ];
    for key in refused {
        assert_eq!(read(std::slice::from_ref(&key)).unwrap().len(), 0, "{key}");
    }
    assert_eq!(read(&[rsa(2_048, &usual)]).unwrap().len(), 1);
    assert_eq!(read(&[rsa(8_192, &usual)]).unwrap().len(), 1);
}

#[test]
fn j10_a_key_says_itself_what_it_is_for() {
    let good = Signer::rsa().jwk();
    let with = |name: &str, value: Value| {
        let mut key = good.clone();
        key[name] = value;
        read(&[key]).unwrap().len()
    };
    assert_eq!(with("use", "enc".into()), 0);
    assert_eq!(with("key_ops", json!(["sign"])), 0);
    assert_eq!(with("key_ops", json!(["verify"])), 1);
    assert_eq!(with("d", "AQAB".into()), 0);
    assert_eq!(with("alg", "HS256".into()), 0);
    assert_eq!(with("alg", "ES256".into()), 0);
    assert_eq!(with("alg", "none".into()), 0);
    assert_eq!(with("alg", "PS256".into()), 1);
    assert_eq!(with("kid", "k".repeat(512).into()), 1);
    assert_eq!(with("kid", "k".repeat(513).into()), 0);
    let set = read(&[good]).unwrap();
    assert_eq!(set.get("k1").unwrap().algorithms, [Algorithm::RS256]);
}

#[test]
fn j10_a_name_of_two_keys_names_neither() {
    let (one, other) = (Signer::rsa().jwk(), Signer::imposter().jwk());
    assert!(read(&[one.clone(), other.clone()]).unwrap().get("k1").is_none());
    assert!(read(&[one.clone(), other, one.clone()]).unwrap().get("k1").is_none());
    assert!(read(&[one.clone(), one]).unwrap().get("k1").is_some());
}

#[test]
fn j10_a_set_that_is_none_or_too_big_is_refused() {
    let key = rsa(2_048, &[1, 0, 1]);
    assert!(read(&vec![key.clone(); 100]).is_ok());
    assert_eq!(read(&vec![key; 101]).err(), Some(KeyError::Size));
    for text in ["", "{}", "[]", r#"{"keys":{}}"#, r#"{"keys":null}"#, "<html>"] {
        assert_eq!(read_set(text.as_bytes()).err(), Some(KeyError::Malformed), "{text}");
    }
}

#[test]
fn public_keys_are_read_in_every_usual_wrapping() {
    for algorithm in [Algorithm::RS256, Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA] {
        let signer = Signer::new("k", algorithm);
        let key = read_pem(&signer.pair().public_key_pem()).unwrap();
        assert!(key.algorithms.contains(&algorithm));
        let certified = read_pem(&signer.certificate()).unwrap();
        assert_eq!(certified.material, key.material);
        let published = read(&[signer.jwk()]).unwrap();
        assert_eq!(published.get("k").unwrap().material, key.material);
        let windows = signer.pair().public_key_pem().replace('\n', "\r\n");
        assert_eq!(read_pem(&windows).unwrap().material, key.material);
    }
}

#[test]
fn j10_what_is_not_one_public_key_is_refused() {
    let signer = Signer::rsa();
    let public = signer.pair().public_key_pem();
    let of = |text: &str| read_pem(text).err();
    assert_eq!(of(&signer.pair().serialize_pem()), Some(KeyError::Private));
    for text in [
        String::new(),
        "nonsense".into(),
        public.repeat(2),
        public.replace("PUBLIC KEY", "PUBLIC KEY X"),
        public.replacen("PUBLIC KEY", "CERTIFICATE", 1),
        public.replace("PUBLIC KEY", "CERTIFICATE"),
        public.replace("PUBLIC KEY", "OPENSSH KEY"),
        public.replace("MII", "!!!"),
    ] {
        assert_eq!(of(&text), Some(KeyError::Malformed), "{text}");
    }
}

#[test]
fn der_that_is_cut_or_changed_is_never_another_key() {
    let spki = Signer::rsa().pair().subject_public_key_info();
    let whole = der::public_key_info(&spki).unwrap();
    for length in 0..spki.len() {
        assert!(der::public_key_info(&spki[..length]).is_err(), "{length}");
    }
    // Every single byte of what surrounds the key changed to every other value: no panic, and
    // what is still read is the same kind of key.
    for at in 0..40 {
        for byte in 0..=255 {
            let mut changed = spki.clone();
            changed[at] = byte;
            if let Ok(key) = der::public_key_info(&changed) {
                assert_eq!(key.algorithms, whole.algorithms);
            }
        }
    }
}

#[test]
fn published_certificates_are_keys_by_their_names() {
    let signer = Signer::rsa();
    let body = json!({ "a": signer.certificate(), "b": "nonsense" }).to_string();
    let set = read_certificates(body.as_bytes()).unwrap();
    assert!(set.get("a").is_some() && set.get("b").is_none());
    let many: serde_json::Map<String, Value> =
        (0..101).map(|at| (at.to_string(), "x".into())).collect();
    let body = Value::Object(many).to_string();
    assert_eq!(read_certificates(body.as_bytes()).err(), Some(KeyError::Size));
}

#[test]
fn a_signature_of_another_algorithm_does_not_hold() {
    let signer = Signer::rsa();
    let key: VerifyingKey = read_pem(&signer.pair().public_key_pem()).unwrap();
    let token = signer.sign(&json!({}));
    let (message, signature) = token.rsplit_once('.').unwrap();
    let verifies = |algorithm| key.verifies(algorithm, message.as_bytes(), signature);
    assert!(verifies(Algorithm::RS256));
    for algorithm in [
        Algorithm::RS384,
        Algorithm::RS512,
        Algorithm::PS256,
        Algorithm::ES256,
        Algorithm::EdDSA,
        Algorithm::HS256,
    ] {
        assert!(!verifies(algorithm), "{algorithm:?}");
    }
}
