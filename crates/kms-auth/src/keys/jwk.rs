//! Keys as JSON (RFC 7517, RFC 8037).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::Algorithm;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{KeyError, KeySet, VerifyingKey};

/// More keys than any issuer has in use.
const MAX_KEYS: usize = 100;
/// The longest name of a key that is remembered, in bytes.
const MAX_KID: usize = 512;

#[derive(Deserialize)]
struct Set<'a> {
    #[serde(borrow)]
    keys: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    kid: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
    /// Present in private keys only.
    d: Option<serde::de::IgnoredAny>,
}

/// Reads a JWK set. Keys that are for something else, or that are refused, are left out; a set
/// that is none, or that is too big, is refused whole.
pub(crate) fn read_set(body: &[u8]) -> Result<KeySet, KeyError> {
    let set: Set<'_> = serde_json::from_slice(body).map_err(|_| KeyError::Malformed)?;
    if set.keys.len() > MAX_KEYS {
        return Err(KeyError::Size);
    }
    let keys = set.keys.into_iter().filter_map(|raw| match read(raw.get()) {
        Ok(key) => key,
        Err(error) => {
            tracing::info!("key of a JWK set not used: it {error}");
            None
        }
    });
    Ok(KeySet::new(keys))
}

/// Reads a key; none if it is not for verifying.
fn read(text: &str) -> Result<Option<VerifyingKey>, KeyError> {
    let jwk: Jwk = serde_json::from_str(text).map_err(|_| KeyError::Malformed)?;
    let verifies = jwk.usage.as_deref().is_none_or(|usage| usage == "sig")
        && jwk.key_ops.as_ref().is_none_or(|ops| ops.iter().any(|op| op == "verify"));
    if !verifies {
        return Ok(None);
    }
    if jwk.d.is_some() {
        return Err(KeyError::Private);
    }
    if jwk.kid.as_ref().is_some_and(|kid| kid.len() > MAX_KID) {
        return Err(KeyError::Malformed);
    }
    let mut key = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
        ("RSA", _) => VerifyingKey::rsa(&bytes(jwk.n.as_ref())?, &bytes(jwk.e.as_ref())?)?,
        ("EC", Some("P-256")) => point(&jwk, 32)?,
        ("EC", Some("P-384")) => point(&jwk, 48)?,
        ("OKP", Some("Ed25519")) => VerifyingKey::ed25519(&bytes(jwk.x.as_ref())?)?,
        _ => return Err(KeyError::Type),
    };
    if let Some(alg) = jwk.alg {
        let named: Algorithm = alg.parse().map_err(|_| KeyError::Type)?;
        key.algorithms.retain(|algorithm| *algorithm == named);
        if key.algorithms.is_empty() {
            return Err(KeyError::Type);
        }
    }
    key.kid = jwk.kid;
    Ok(Some(key))
}

fn point(jwk: &Jwk, size: usize) -> Result<VerifyingKey, KeyError> {
    let (x, y) = (bytes(jwk.x.as_ref())?, bytes(jwk.y.as_ref())?);
    if x.len() != size || y.len() != size {
        return Err(KeyError::Malformed);
    }
    VerifyingKey::ec(&[&[4], x.as_slice(), y.as_slice()].concat())
}

fn bytes(text: Option<&String>) -> Result<Vec<u8>, KeyError> {
    let text = text.ok_or(KeyError::Malformed)?;
    URL_SAFE_NO_PAD.decode(text).map_err(|_| KeyError::Malformed)
}
