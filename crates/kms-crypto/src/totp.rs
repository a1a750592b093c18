//! Codes of authenticator apps (RFC 6238): SHA-1, six digits, steps of 30 seconds, the only form
//! that every app reads.
//!
//! A seed never leaves this crate but sealed for its owner, or in the link that the owner's app is
//! given once. Must not remember which step was used: that is the caller's, with the database.

use secrecy::{ExposeSecret, SecretString};
use totp_rs::{Builder, Secret, Totp};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::aead::{self, Domain};
use crate::entropy::{Entropy, random_bytes};
use crate::error::CryptoError;
use crate::key::Key;

/// 160 bits, as RFC 4226 recommends.
const SEED_LEN: usize = 20;
const DIGITS: usize = 6;
/// How many steps a clock may be ahead or behind.
const SKEW: u16 = 1;

/// What an authenticator app and the server share.
pub struct TotpSeed(Zeroizing<[u8; SEED_LEN]>);

impl TotpSeed {
    /// Draws a new seed.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        Self(Zeroizing::new(random_bytes(entropy)))
    }

    /// Seals the seed for its owner; nobody else's row opens it.
    pub fn seal(
        &self,
        key: &Key,
        owner: Uuid,
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, CryptoError> {
        aead::seal(key, Domain::Seed, owner.as_bytes(), self.0.as_slice(), entropy)
    }

    /// Opens the seed of an owner.
    pub fn open(key: &Key, owner: Uuid, sealed: &[u8]) -> Result<Self, CryptoError> {
        let opened = aead::open(key, Domain::Seed, owner.as_bytes(), sealed)?;
        let seed = <[u8; SEED_LEN]>::try_from(opened.as_slice());
        seed.map(|seed| Self(Zeroizing::new(seed))).map_err(|_| CryptoError::Format)
    }

    /// The step whose code this is, of those that a clock may show at `now` (Unix seconds).
    ///
    /// Exactly six ASCII digits are a code: no spaces, no digits of other scripts (attack H3).
    pub fn step_of(&self, code: &SecretString, now: i64) -> Option<i64> {
        let code = code.expose_secret();
        if code.len() != DIGITS || !code.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let step = self.totp("").ok()?.check(code, u64::try_from(now).ok()?)?;
        i64::try_from(step).ok()
    }

    /// The link that an authenticator app takes the seed from.
    pub fn link(&self, account: &str) -> Result<SecretString, CryptoError> {
        // The link's own separator; the name is there for people to read.
        let account = account.replace(':', "_");
        let link = self.totp(&account)?.to_url();
        link.map(SecretString::from).map_err(|_| CryptoError::Library)
    }

    fn totp(&self, account: &str) -> Result<Totp, CryptoError> {
        let account = if account.is_empty() { "account" } else { account };
        let built = Builder::new()
            .with_secret(Secret::new_stack(*self.0))
            .with_skew(SKEW)
            .with_issuer(Some("Hanzo KMS"))
            .with_account_name(account)
            .build();
        built.map_err(|_| CryptoError::Library)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    /// The seed of the vectors of RFC 6238, appendix B.
    fn published() -> TotpSeed {
        TotpSeed(Zeroizing::new(*b"12345678901234567890"))
    }

    fn step(code: &str, now: i64) -> Option<i64> {
        published().step_of(&code.to_owned().into(), now)
    }

    #[test]
    fn codes_are_those_of_the_rfc() {
        for (now, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(step(code, now), Some(now / 30), "{now}");
        }
    }

    #[test]
    fn h3_a_clock_may_be_one_step_off_and_no_more() {
        let now = 1_111_111_109;
        let origin = now / 30;
        for off in [-30, 0, 30] {
            assert_eq!(step("081804", now + off), Some(origin), "{off}");
        }
        for off in [-60, 60] {
            assert_eq!(step("081804", now + off), None, "{off}");
        }
    }

    #[test]
    fn h3_only_six_ascii_digits_are_a_code() {
        let now = 1_111_111_109;
        for code in [
            "",
            "81804",
            " 081804",
            "081804 ",
            "081 804",
            "0818040",
            "+81804",
            "-081804",
            "０８１８０４",
            "٠٨١٨٠٤",
            "081804\n",
            "0x1404",
        ] {
            assert_eq!(step(code, now), None, "{code:?}");
        }
        assert_eq!(step("081804", -1), None);
    }

    #[test]
    fn k8_a_sealed_seed_opens_for_its_owner_alone() {
        let entropy = SeededEntropy::new(1);
        let (key, other) = (Key::generate(&entropy), Key::generate(&entropy));
        let (ada, bob) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let seed = TotpSeed::generate(&entropy);
        let sealed = seed.seal(&key, ada, &entropy).unwrap();
        assert!(!sealed.windows(SEED_LEN).any(|part| part == seed.0.as_slice()));
        assert_eq!(*TotpSeed::open(&key, ada, &sealed).unwrap().0, *seed.0);
        assert!(TotpSeed::open(&key, bob, &sealed).is_err());
        assert!(TotpSeed::open(&other, ada, &sealed).is_err());
        assert!(TotpSeed::open(&key, ada, &sealed[1..]).is_err());
    }

    #[test]
    fn the_link_names_issuer_and_account() {
        let link = published().link("ada:x@example.test").unwrap();
        let link = link.expose_secret();
        assert!(link.starts_with("otpauth://totp/Hanzo%20KMS:ada_x"), "{link}");
        assert!(link.contains("secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"), "{link}");
        assert!(link.contains("issuer=Hanzo%20KMS"), "{link}");
    }
}
