//! Keyed hashes by which high-entropy secrets are stored and found: client secrets, service tokens,
//! refresh tokens, the set-up token.
//!
//! Must not be used for passwords or anything with less than 112 bits of randomness (OWASP ASVS
//! 5.0, 6.5.2); those need [`crate::password`]. The exceptions are codes that are mailed, or typed for a
//! device: they are worth nothing after minutes and a few tries.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::hmac;
use subtle::ConstantTimeEq;

use crate::key::Key;

/// The instance's key for lookup hashes.
pub struct LookupKey {
    key: hmac::Key,
    hashes: AtomicU64,
}

impl LookupKey {
    /// Takes over the key.
    #[expect(clippy::needless_pass_by_value, reason = "the key must not stay in use elsewhere")]
    pub fn new(key: Key) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key.expose());
        Self { key, hashes: AtomicU64::new(0) }
    }

    /// How many secrets were hashed so far, for tests that count work.
    pub fn hashes(&self) -> u64 {
        self.hashes.load(Ordering::Relaxed)
    }

    /// Hashes `secret`; a secret of one purpose is not found among those of another.
    pub fn hash(&self, purpose: &str, secret: impl AsRef<[u8]>) -> LookupHash {
        self.hashes.fetch_add(1, Ordering::Relaxed);
        let mut context = hmac::Context::with_key(&self.key);
        context.update(&(purpose.len() as u64).to_be_bytes());
        context.update(purpose.as_bytes());
        context.update(secret.as_ref());
        LookupHash(bytes_of(&context.sign()))
    }
}

/// The hash under which a secret is stored. Deliberately without `PartialEq`.
#[derive(Clone, Copy)]
pub struct LookupHash(pub [u8; 32]);

impl LookupHash {
    /// Whether `stored` is this hash, in time that depends on neither.
    pub fn ct_eq(&self, stored: &[u8]) -> bool {
        self.0.ct_eq(stored).into()
    }

    /// The bytes to store and to search for.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for LookupHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LookupHash(..)")
    }
}

/// The 32 bytes of an HMAC-SHA256.
pub(crate) fn bytes_of(code: &hmac::Tag) -> [u8; 32] {
    code.as_ref().try_into().expect("HMAC-SHA256 has 32 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    #[test]
    fn a_hash_matches_itself_and_nothing_else() {
        let key = LookupKey::new(Key::generate(&SeededEntropy::new(1)));
        let hash = key.hash("client-secret", "abc");
        assert!(hash.ct_eq(key.hash("client-secret", "abc").as_bytes()));
        assert!(!hash.ct_eq(key.hash("client-secret", "abd").as_bytes()));
        assert!(!hash.ct_eq(key.hash("service-token", "abc").as_bytes()));
        assert!(!hash.ct_eq(&hash.as_bytes()[..31]));
        assert!(!hash.ct_eq(&[]));
    }

    #[test]
    fn purpose_and_secret_do_not_run_together() {
        let key = LookupKey::new(Key::generate(&SeededEntropy::new(1)));
        assert!(!key.hash("ab", "c").ct_eq(key.hash("a", "bc").as_bytes()));
    }

    #[test]
    fn another_key_gives_another_hash() {
        let entropy = SeededEntropy::new(1);
        let (a, b) =
            (LookupKey::new(Key::generate(&entropy)), LookupKey::new(Key::generate(&entropy)));
        assert!(!a.hash("p", "s").ct_eq(b.hash("p", "s").as_bytes()));
    }
}
