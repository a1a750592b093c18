//! Public keys of others, each bound to the algorithms that its type has.
//!
//! A token never brings, names a place for, or chooses the type of a key: its `kid` is an index
//! into keys that were configured or fetched from a configured address, and its algorithm must be
//! one of the key's own (attacks J1 to J3). Keys that anybody could forge with are refused when
//! they are read (attack J10).

mod der;
mod jwk;
mod pem;
pub(crate) mod remote;

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use jsonwebtoken::{Algorithm, DecodingKey, crypto};

pub(crate) use jwk::read_set;
pub(crate) use pem::{read_certificates, read_pem};

/// The shortest RSA key, in bits (NIST SP 800-131A).
const MIN_RSA_BITS: usize = 2_048;
/// The longest RSA key that is computed with, in bits.
const MAX_RSA_BITS: usize = 8_192;
/// The smallest RSA exponent (FIPS 186-5).
const MIN_RSA_EXPONENT: u64 = 65_537;

const RSA: &[Algorithm] = &[
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
];

/// Why a key is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeyError {
    #[error("is not a public key in a form that is known")]
    Malformed,
    #[error("is of a type that is not supported: RSA, P-256, P-384 and Ed25519 are")]
    Type,
    #[error("has fewer than 2048 or more than 8192 bits")]
    Size,
    #[error("has an exponent below 65537 or an even one")]
    Exponent,
    #[error("is a private key, which belongs to whoever signs and to nobody else")]
    Private,
    #[error("has the same `kid` as another key")]
    Ambiguous,
}

/// A public key.
#[derive(Clone)]
pub(crate) struct VerifyingKey {
    /// Its name among others.
    kid: Option<String>,
    algorithms: Vec<Algorithm>,
    key: DecodingKey,
    /// What makes it the key that it is, to tell copies from others.
    material: Vec<u8>,
}

impl VerifyingKey {
    /// An RSA key by modulus and exponent, big-endian.
    fn rsa(modulus: &[u8], exponent: &[u8]) -> Result<Self, KeyError> {
        let strip = |bytes: &[u8]| {
            let start = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
            bytes[start..].to_vec()
        };
        let (modulus, exponent) = (strip(modulus), strip(exponent));
        let lead = modulus.first().ok_or(KeyError::Malformed)?.leading_zeros() as usize;
        let bits = modulus.len() * 8 - lead;
        if !(MIN_RSA_BITS..=MAX_RSA_BITS).contains(&bits) {
            return Err(KeyError::Size);
        }
        if exponent.len() > 4 {
            return Err(KeyError::Exponent);
        }
        let value = exponent.iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
        if value < MIN_RSA_EXPONENT || value % 2 == 0 {
            return Err(KeyError::Exponent);
        }
        if modulus.last().is_some_and(|byte| byte % 2 == 0) {
            return Err(KeyError::Malformed);
        }
        let key = DecodingKey::from_rsa_raw_components(&modulus, &exponent);
        let material = [modulus, exponent].concat();
        Ok(Self { kid: None, algorithms: RSA.to_vec(), key, material })
    }

    /// A key on a NIST curve by its uncompressed point.
    fn ec(point: &[u8]) -> Result<Self, KeyError> {
        let algorithm = match (point.first(), point.len()) {
            (Some(4), 65) => Algorithm::ES256,
            (Some(4), 97) => Algorithm::ES384,
            _ => return Err(KeyError::Malformed),
        };
        let key = DecodingKey::from_ec_der(point);
        Ok(Self { kid: None, algorithms: vec![algorithm], key, material: point.to_vec() })
    }

    /// An Ed25519 key.
    fn ed25519(point: &[u8]) -> Result<Self, KeyError> {
        if point.len() != 32 {
            return Err(KeyError::Malformed);
        }
        let key = DecodingKey::from_ed_der(point);
        let material = point.to_vec();
        Ok(Self { kid: None, algorithms: vec![Algorithm::EdDSA], key, material })
    }

    /// What it takes in memory, in bytes. The key itself is the material once more, and its name
    /// finds it.
    fn weight(&self) -> usize {
        let name = self.kid.as_ref().map_or(0, String::len);
        size_of::<Self>() + 2 * (self.material.len() + name)
    }

    /// Whether the signature is this key's, by an algorithm of this key.
    pub(crate) fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &str) -> bool {
        self.algorithms.contains(&algorithm)
            && crypto::verify(signature, message, &self.key, algorithm).unwrap_or(false)
    }
}

impl std::fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "VerifyingKey({:?}, {:?})", self.kid, self.algorithms)
    }
}

/// Keys by their names.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeySet {
    named: HashMap<String, VerifyingKey>,
    nameless: Vec<VerifyingKey>,
}

impl KeySet {
    /// A set of keys. A name that two different keys have names neither.
    pub(crate) fn new(keys: impl IntoIterator<Item = VerifyingKey>) -> Self {
        let mut set = Self::default();
        let mut ambiguous = Vec::new();
        for key in keys {
            match key.kid.clone() {
                None => set.nameless.push(key),
                Some(kid) => match set.named.get(&kid) {
                    Some(other) if other.material != key.material => ambiguous.push(kid),
                    _ => drop(set.named.insert(kid, key)),
                },
            }
        }
        for kid in ambiguous {
            tracing::warn!(kid, "key not used: {}", KeyError::Ambiguous);
            set.named.remove(&kid);
        }
        set
    }

    /// The key of a name.
    pub(crate) fn get(&self, kid: &str) -> Option<&VerifyingKey> {
        self.named.get(kid)
    }

    /// Every key.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &VerifyingKey> {
        self.named.values().chain(&self.nameless)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.named.len() + self.nameless.len()
    }
}

impl remote::Weigh for KeySet {
    fn weight(&self) -> usize {
        self.iter().map(VerifyingKey::weight).sum()
    }
}
