//! Reading tokens that somebody else signed.
//!
//! In this order: size, form, header, key, signature, time. Until the signature held, nothing a
//! token says is available but what a key is looked up by. Nothing in it brings a key or an
//! address (attacks J1 to J3).

mod claims;

#[cfg(test)]
mod tests;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::Algorithm;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

pub(crate) use claims::Claims;

use crate::{
    AuthError,
    keys::{KeySet, VerifyingKey},
};

/// The longest token, in bytes.
const MAX_TOKEN: usize = 16 * 1_024;
/// Keys that are tried for a token that names none (wire contract, OIDC).
pub(crate) const MAX_TRIED: usize = 10;

/// A token whose form is right, and nothing else is known to be.
pub(crate) struct Unverified<'a> {
    algorithm: Algorithm,
    kid: Option<String>,
    message: &'a [u8],
    signature: &'a str,
    claims: Map<String, Value>,
}

/// What of a header counts. Keys and addresses in it do not.
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    /// Extensions that must be understood; none is.
    crit: Option<IgnoredAny>,
}

impl<'a> Unverified<'a> {
    /// Reads a token; white space around it does not count.
    pub(crate) fn read(token: &'a str) -> Result<Self, AuthError> {
        let token = token.trim();
        let malformed = || AuthError::unverified("not a signed JWT");
        if token.len() > MAX_TOKEN {
            return Err(AuthError::unverified("longer than 16384 bytes"));
        }
        let (message, signature) = token.rsplit_once('.').ok_or_else(malformed)?;
        let (header, payload) = message.split_once('.').ok_or_else(malformed)?;
        let header: Header = decode(header).ok_or_else(malformed)?;
        let claims = decode(payload).ok_or_else(malformed)?;
        if header.crit.is_some() {
            return Err(AuthError::unverified("the header has critical extensions"));
        }
        let algorithm = algorithm(&header.alg).ok_or_else(|| {
            AuthError::unverified("signed with an algorithm that is not accepted")
        })?;
        let message = message.as_bytes();
        Ok(Self { algorithm, kid: header.kid, message, signature, claims })
    }

    /// The name of the key that the token says it is signed with: an index, nothing else.
    pub(crate) fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The subject that the token names, before anything is known about it.
    pub(crate) fn claimed_subject(&self) -> Option<&str> {
        self.claims.get("sub").and_then(Value::as_str)
    }

    /// What the token says, if the key that it names signed it; if it names none, one of a few.
    pub(crate) fn verified_by(self, keys: &KeySet) -> Result<Claims, AuthError> {
        match &self.kid {
            Some(kid) => {
                let key = keys.get(kid);
                let key = key.ok_or_else(|| AuthError::unverified("signed with an unknown key"))?;
                self.verified_by_any([key])
            }
            None if keys.len() > MAX_TRIED => {
                Err(AuthError::unverified("names no key, and there are more than 10"))
            }
            None => self.verified_by_any(keys.iter()),
        }
    }

    /// What the token says, if one of the keys signed it.
    pub(crate) fn verified_by_any<'k>(
        self,
        keys: impl IntoIterator<Item = &'k VerifyingKey>,
    ) -> Result<Claims, AuthError> {
        let holds = |key: &VerifyingKey| key.verifies(self.algorithm, self.message, self.signature);
        if keys.into_iter().any(holds) {
            return Ok(Claims::new(self.claims));
        }
        Err(AuthError::unverified("the signature does not hold"))
    }
}

fn decode<T: serde::de::DeserializeOwned>(part: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

/// Asymmetric algorithms alone, by their exact names (attacks J1, J2).
fn algorithm(name: &str) -> Option<Algorithm> {
    use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
    match name {
        "RS256" => Some(RS256),
        "RS384" => Some(RS384),
        "RS512" => Some(RS512),
        "PS256" => Some(PS256),
        "PS384" => Some(PS384),
        "PS512" => Some(PS512),
        "ES256" => Some(ES256),
        "ES384" => Some(ES384),
        "EdDSA" => Some(EdDSA),
        _ => None,
    }
}
