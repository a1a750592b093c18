//! Copies of a server's answers that a client keeps for when the server cannot be reached.
//!
//! A copy is bound to all that it answers and to its generation, so that it opens nowhere else and
//! a former one does not open in its place. Must not be used for values of the server, which are
//! bound to where they live; see [`seal`](mod@crate::seal).

use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use crate::aead::{self, Domain};
use crate::entropy::Entropy;
use crate::error::CryptoError;
use crate::key::Key;

/// What a client keeps. One of a kind never opens as another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// An answer of the server.
    Answer,
    /// Which generation of each answer counts.
    Index,
}

impl Kept {
    const fn domain(self) -> Domain {
        match self {
            Self::Answer => Domain::Answer,
            Self::Index => Domain::AnswerIndex,
        }
    }

    /// Seals it for a place, whose parts are told apart whatever they hold, and a generation.
    pub fn seal(
        self,
        key: &Key,
        place: &[&str],
        generation: u64,
        plaintext: &[u8],
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, CryptoError> {
        aead::seal(key, self.domain(), &encode(place, generation), plaintext, entropy)
    }

    /// Opens what was sealed for this place and generation; nothing else opens.
    pub fn open(
        self,
        key: &Key,
        place: &[&str],
        generation: u64,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        aead::open(key, self.domain(), &encode(place, generation), sealed)
    }
}

/// A name for a place, as 64 hexadecimal digits, that tells nothing about it to whoever lacks the
/// key.
pub fn name_of(key: &Key, place: &[&str]) -> Result<String, CryptoError> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.derive(b"hanzo-kms kept-n")?.expose());
    let tag = hmac::sign(&key, &encode(place, 0));
    let digit = |value: u8| char::from(b"0123456789abcdef"[usize::from(value)]);
    Ok(tag.as_ref().iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect())
}

fn encode(place: &[&str], generation: u64) -> Vec<u8> {
    let mut out = generation.to_be_bytes().to_vec();
    for part in place {
        out.extend_from_slice(&(part.len() as u64).to_be_bytes());
        out.extend_from_slice(part.as_bytes());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    #[test]
    fn s4_a_copy_opens_at_its_place_and_in_its_generation_alone() {
        let entropy = SeededEntropy::new(1);
        let (key, other) = (Key::generate(&entropy), Key::generate(&entropy));
        let place = ["origin", "user", "query"];
        let sealed = Kept::Answer.seal(&key, &place, 7, b"text", &entropy).unwrap();
        assert_eq!(Kept::Answer.open(&key, &place, 7, &sealed).unwrap().as_slice(), b"text");
        for generation in [0, 6, 8] {
            assert!(Kept::Answer.open(&key, &place, generation, &sealed).is_err());
        }
        for moved in [
            ["origin", "user", "other"],
            ["origin", "use", "rquery"],
            ["", "originuser", "query"],
            ["user", "origin", "query"],
        ] {
            assert!(Kept::Answer.open(&key, &moved, 7, &sealed).is_err(), "{moved:?}");
        }
        assert!(Kept::Answer.open(&key, &place[..2], 7, &sealed).is_err());
        assert!(Kept::Index.open(&key, &place, 7, &sealed).is_err());
        assert!(Kept::Answer.open(&other, &place, 7, &sealed).is_err());
    }

    #[test]
    fn a_name_depends_on_key_and_place() {
        let entropy = SeededEntropy::new(1);
        let (key, other) = (Key::generate(&entropy), Key::generate(&entropy));
        let name = |key, place: &[&str]| name_of(key, place).unwrap();
        assert_eq!(name(&key, &["a", "b"]), name(&key, &["a", "b"]));
        assert_eq!(name(&key, &["a", "b"]).len(), 64);
        assert_ne!(name(&key, &["a", "b"]), name(&key, &["ab"]));
        assert_ne!(name(&key, &["a", "b"]), name(&other, &["a", "b"]));
    }
}
