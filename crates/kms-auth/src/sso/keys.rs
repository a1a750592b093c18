//! The one key of a provider that a token may be signed by.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use openidconnect::core::CoreJsonWebKey;
use serde_json::Value;

use super::{Algorithm, Refusal};

/// Bits of an RSA modulus: no less is safe, and more than that is work for us alone.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2_048..=8_192;

/// Picks the key of an algorithm and a name; both are only an index into what the provider
/// publishes (attack J3). Weak keys and names that stand for two keys are no keys (attack J10).
pub(super) fn find(
    document: &Value,
    algorithm: Algorithm,
    kid: Option<&str>,
) -> Result<CoreJsonWebKey, Refusal> {
    let all = document["keys"].as_array().map(Vec::as_slice).unwrap_or_default();
    let fits = |key: &&Value| {
        kid.is_none_or(|kid| key["kid"] == kid) && is_for(key, algorithm) && is_strong(key)
    };
    let mut fitting = all.iter().filter(fits);
    let (Some(key), None) = (fitting.next(), fitting.next()) else { return Err(Refusal::Key) };
    // Whatever else the provider says about it was looked at above.
    let mut key = key.clone();
    if let Some(key) = key.as_object_mut() {
        key.retain(|name, _| matches!(name.as_str(), "kty" | "n" | "e" | "crv" | "x" | "y"));
        if let Some(kid) = kid {
            key.insert("kid".into(), kid.into());
        }
    }
    serde_json::from_value(key).map_err(|_| Refusal::Key)
}

/// Whether a key is for signing by this algorithm, by all that is said about it.
fn is_for(key: &Value, algorithm: Algorithm) -> bool {
    let (kind, curve) = match algorithm {
        Algorithm::Rs256 | Algorithm::Ps256 => ("RSA", None),
        Algorithm::Es256 => ("EC", Some("P-256")),
        Algorithm::EdDsa => ("OKP", Some("Ed25519")),
    };
    let says = |name: &str, value: &str| key[name].is_null() || key[name] == value;
    let operations = key["key_ops"].as_array();
    key["kty"] == kind
        && curve.is_none_or(|curve| key["crv"] == curve)
        && says("alg", algorithm.as_str())
        && says("use", "sig")
        && operations.is_none_or(|all| all.iter().any(|operation| operation == "verify"))
}

fn is_strong(key: &Value) -> bool {
    if key["kty"] != "RSA" {
        return true;
    }
    let bytes = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap_or_default()).ok();
    let (Some(modulus), Some(exponent)) = (bytes("n"), bytes("e")) else { return false };
    let bits = modulus
        .iter()
        .position(|byte| *byte != 0)
        .map_or(0, |first| (modulus.len() - first) * 8 - modulus[first].leading_zeros() as usize);
    let exponent = exponent.iter().skip_while(|byte| **byte == 0).collect::<Vec<_>>();
    let is_odd = exponent.last().is_some_and(|byte| **byte % 2 == 1);
    RSA_BITS.contains(&bits) && is_odd && exponent.len() <= 8 && exponent != [&1]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rsa(bytes: usize, exponent: &[u8]) -> Value {
        let modulus = URL_SAFE_NO_PAD.encode(vec![0xc1; bytes]);
        json!({ "kty": "RSA", "kid": "a", "n": modulus, "e": URL_SAFE_NO_PAD.encode(exponent) })
    }

    #[test]
    fn j10_weak_keys_are_none() {
        let is_key =
            |key: Value| find(&json!({ "keys": [key] }), Algorithm::Rs256, Some("a")).is_ok();
        assert!(is_key(rsa(256, &[1, 0, 1])));
        assert!(is_key(rsa(256, &[3])));
        for weak in [rsa(128, &[1, 0, 1]), rsa(255, &[3]), rsa(1025, &[3])] {
            assert!(!is_key(weak));
        }
        for exponent in [&[1][..], &[0, 1], &[2], &[], &[1; 9]] {
            assert!(!is_key(rsa(256, exponent)), "{exponent:?}");
        }
        let same = json!({ "keys": [rsa(256, &[3]), rsa(256, &[1, 0, 1])] });
        assert!(find(&same, Algorithm::Rs256, Some("a")).is_err(), "one name, two keys");
        assert!(find(&same, Algorithm::Rs256, None).is_err(), "no name, two keys");
    }

    #[test]
    fn j1_a_key_is_for_its_own_algorithm() {
        let with = |name: &str, value: Value| {
            let mut key = rsa(256, &[1, 0, 1]);
            key[name] = value;
            json!({ "keys": [key] })
        };
        for (name, value, good) in [
            ("alg", json!("RS256"), true),
            ("alg", json!("PS256"), false),
            ("alg", json!("HS256"), false),
            ("use", json!("sig"), true),
            ("use", json!("enc"), false),
            ("key_ops", json!(["verify"]), true),
            ("key_ops", json!(["encrypt"]), false),
            ("kty", json!("oct"), false),
            ("kty", json!("EC"), false),
        ] {
            let found = find(&with(name, value.clone()), Algorithm::Rs256, Some("a"));
            assert_eq!(found.is_ok(), good, "{name} {value}");
        }
    }
}
