//! Passwords of people: Argon2id with the parameters OWASP recommends (19 MiB, two passes, one
//! lane), kept as PHC strings.
//!
//! Each call takes 19 MiB and tens of milliseconds: run it in a bounded pool. Input must already be
//! in NFKC. Must not be used for machine secrets, see [`crate::lookup`].

use argon2::password_hash::phc::PasswordHash;
use argon2::{
    ARGON2ID_IDENT, Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version,
};
use secrecy::{ExposeSecret, SecretString};

use crate::entropy::{Entropy, random_bytes};
use crate::error::CryptoError;

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const SALT_LEN: usize = 16;
const HASH_LEN: usize = 32;

/// Stored parameters beyond these are not ours; they would turn an edited row into a memory flood.
const MAX_MEMORY_KIB: u32 = 256 * 1024;
const MAX_PASSES: u32 = 16;
const MAX_LANES: u32 = 8;

/// What an unknown user's password is checked against: the parameters of [`hash_password`] and a
/// hash that no password is known to have.
const DUMMY: &str = concat!(
    "$argon2id$v=19$m=19456,t=2,p=1",
    "$AAAAAAAAAAAAAAAAAAAAAA",
    "$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
);

/// Hashes a password under a fresh salt and returns the PHC string to store.
pub fn hash_password(
    password: &SecretString,
    entropy: &dyn Entropy,
) -> Result<String, CryptoError> {
    let salt: [u8; SALT_LEN] = random_bytes(entropy);
    let hash: PasswordHash = hasher()?
        .hash_password_with_salt(password.expose_secret().as_bytes(), &salt)
        .map_err(|_| CryptoError::Library)?;
    Ok(hash.to_string())
}

/// Whether `password` is the one that `phc` was made from. The comparison takes constant time.
///
/// A string that is not an Argon2id hash of bounded cost costs the same and matches nothing.
pub fn verify_password(password: &SecretString, phc: &str) -> bool {
    if let Some(stored) = acceptable(phc) {
        matches(password, &stored)
    } else {
        verify_dummy(password);
        false
    }
}

/// Does the work of [`verify_password`] when there is no such user, so that the time taken does not
/// tell who has an account.
pub fn verify_dummy(password: &SecretString) {
    if let Some(stored) = acceptable(DUMMY) {
        std::hint::black_box(matches(password, &stored));
    }
}

/// Makes what is guessed as costly as a password: for codes that people keep on paper, which are
/// compared with many stored ones at the price of one hash. `salt` is the owner's id. What comes
/// out is stored as a keyed hash of it ([`crate::lookup`]), never as it is.
pub fn stretch(code: &SecretString, salt: &[u8; 16]) -> Result<[u8; HASH_LEN], CryptoError> {
    let mut out = [0; HASH_LEN];
    hasher()?
        .hash_password_into(code.expose_secret().as_bytes(), salt, &mut out)
        .map_err(|_| CryptoError::Library)?;
    Ok(out)
}

fn matches(password: &SecretString, stored: &PasswordHash) -> bool {
    hasher().is_ok_and(|hasher| {
        hasher.verify_password(password.expose_secret().as_bytes(), stored).is_ok()
    })
}

fn acceptable(phc: &str) -> Option<PasswordHash> {
    let hash = PasswordHash::new(phc).ok()?;
    let params = Params::try_from(&hash).ok()?;
    let bounded = params.m_cost() <= MAX_MEMORY_KIB
        && params.t_cost() <= MAX_PASSES
        && params.p_cost() <= MAX_LANES;
    let complete = hash.salt.is_some() && hash.hash.is_some();
    (hash.algorithm == ARGON2ID_IDENT && bounded && complete).then_some(hash)
}

fn hasher() -> Result<Argon2<'static>, CryptoError> {
    let params =
        Params::new(MEMORY_KIB, PASSES, LANES, Some(HASH_LEN)).map_err(|_| CryptoError::Library)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    fn secret(text: &str) -> SecretString {
        text.to_owned().into()
    }

    #[test]
    fn a_password_verifies_and_others_do_not() {
        let phc = hash_password(&secret("correct horse"), &SeededEntropy::new(1)).unwrap();
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
        assert!(verify_password(&secret("correct horse"), &phc));
        assert!(!verify_password(&secret("correct horsf"), &phc));
        assert!(!verify_password(&secret(""), &phc));
    }

    #[test]
    fn one_password_hashes_differently_each_time() {
        let entropy = SeededEntropy::new(1);
        let password = secret("correct horse");
        assert_ne!(
            hash_password(&password, &entropy).unwrap(),
            hash_password(&password, &entropy).unwrap()
        );
    }

    #[test]
    fn h1_an_unknown_user_costs_exactly_what_a_known_one_does() {
        let phc = hash_password(&secret("p"), &SeededEntropy::new(1)).unwrap();
        let work = |phc: &str| {
            let hash = acceptable(phc).expect("hash of ours");
            let params = Params::try_from(&hash).unwrap();
            (
                (params.m_cost(), params.t_cost(), params.p_cost(), params.output_len()),
                (hash.algorithm, hash.version),
                hash.salt.map(|salt| salt.len()),
                hash.hash.map(|hash| hash.len()),
            )
        };
        assert_eq!(work(&phc), work(DUMMY));
        assert!(!verify_password(&secret("p"), DUMMY));
    }

    #[test]
    fn a_stretched_code_depends_on_code_and_owner() {
        let stretched = |code: &str, salt| stretch(&secret(code), &[salt; 16]).unwrap();
        assert_eq!(stretched("abcd", 1), stretched("abcd", 1));
        assert_ne!(stretched("abcd", 1), stretched("abce", 1));
        assert_ne!(stretched("abcd", 1), stretched("abcd", 2));
    }

    #[test]
    fn h10_hashes_of_foreign_kind_or_unbounded_cost_match_nothing() {
        let ours = hash_password(&secret("p"), &SeededEntropy::new(1)).unwrap();
        for phc in [
            String::new(),
            "p".into(),
            ours.replace("argon2id", "argon2d"),
            ours.replace("argon2id", "scrypt"),
            ours.replace("m=19456", "m=4194304"),
            ours.replace("t=2", "t=4000000"),
            ours.replace("p=1", "p=255"),
            ours.rsplit_once('$').unwrap().0.to_owned(),
        ] {
            assert!(acceptable(&phc).is_none(), "{phc}");
            assert!(!verify_password(&secret("p"), &phc), "{phc}");
        }
    }
}
