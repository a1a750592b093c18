//! The one sealing construction under values and wrapped keys; callers choose domain and
//! associated data, nothing else.
//!
//! ```text
//! sealed  = format byte | salt (32) | ciphertext | tag (16)
//! key, iv = HKDF-SHA256(salt, master key, info = domain | associated data)   32 + 12 bytes
//! body    = AES-256-GCM(key, iv, associated data, plaintext)
//! ```
//!
//! Each message has a cipher key of its own, so there is no count of uses to keep or to share
//! between machines, and no nonce to run out of.
//!
//! **Cloned entropy.** Two machines resumed from one snapshot may draw the same random bytes. The
//! salt is therefore a keyed hash over the random bytes *and* domain, associated data and plaintext:
//! with equal randomness, two messages that differ in anything still get different salts, keys and
//! nonces. Only sealing the very same plaintext at the very same place gives the same bytes twice,
//! which tells an onlooker no more than that.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::{hkdf, hmac};
use zeroize::Zeroizing;

use crate::entropy::{Entropy, random_bytes};
use crate::error::CryptoError;
use crate::key::{KEY_LEN, Key};

const FORMAT: u8 = 1;
const SALT_LEN: usize = 32;
const TAG_LEN: usize = 16;
const HEADER_LEN: usize = 1 + SALT_LEN;

/// How much longer a sealed message is than its plaintext, in bytes.
pub(crate) const OVERHEAD: usize = HEADER_LEN + TAG_LEN;

/// What a message is, so that no key ever opens a message of another kind.
#[derive(Clone, Copy)]
pub(crate) enum Domain {
    /// A stored value, under a project key.
    Value,
    /// A key, under another key of the hierarchy.
    Key,
    /// A key, under the local root key.
    Root,
    /// The seed of an authenticator app, under a key of the instance.
    Seed,
    /// What the server and an organization's identity provider share, under the organization's key.
    ProviderSecret,
    /// A sign-in that is under way at an identity provider, under the organization's key.
    SignIn,
    /// What an auth method of a machine identity is configured with, under the organization's key.
    MethodSecret,
    /// An answer that a client keeps, under a key of its login.
    Answer,
    /// Which of these answers count, under the same key.
    AnswerIndex,
}

impl Domain {
    /// All of one length, so that no label and associated data can be read as another pair.
    const fn label(self) -> &'static [u8; 16] {
        match self {
            Self::Value => b"hanzo-kms value1",
            Self::Key => b"hanzo-kms key--1",
            Self::Root => b"hanzo-kms root-1",
            Self::Seed => b"hanzo-kms seed-1",
            Self::ProviderSecret => b"hanzo-kms idp--1",
            Self::SignIn => b"hanzo-kms sign-1",
            Self::MethodSecret => b"hanzo-kms auth-1",
            Self::Answer => b"hanzo-kms kept-1",
            Self::AnswerIndex => b"hanzo-kms indx-1",
        }
    }
}

/// Seals `plaintext` under a key derived from `master`, bound to `domain` and `associated`.
pub(crate) fn seal(
    master: &Key,
    domain: Domain,
    associated: &[u8],
    plaintext: &[u8],
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, CryptoError> {
    let salt = hedged_salt(master, domain, associated, plaintext, entropy)?;
    let (key, nonce) = derive(master, domain, associated, salt.as_ref())?;
    let mut sealed = vec![0; OVERHEAD + plaintext.len()];
    sealed[0] = FORMAT;
    sealed[1..HEADER_LEN].copy_from_slice(salt.as_ref());
    let (ciphertext, tag) = sealed[HEADER_LEN..].split_at_mut(plaintext.len());
    key.seal_out_of_place_scatter(nonce, Aad::from(associated), plaintext, ciphertext, &[], tag)
        .map_err(|_| CryptoError::Library)?;
    Ok(sealed)
}

/// Opens what [`seal`] made, into one allocation of exactly the plaintext's length.
pub(crate) fn open(
    master: &Key,
    domain: Domain,
    associated: &[u8],
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    let length = sealed.len().checked_sub(OVERHEAD).ok_or(CryptoError::Format)?;
    let mut plaintext = Zeroizing::new(vec![0; length]);
    open_into(master, domain, associated, sealed, &mut plaintext)?;
    Ok(plaintext)
}

/// Opens into `plaintext`, whose length must be that of the sealed message minus [`OVERHEAD`].
///
/// On error `plaintext` holds unauthenticated bytes and must not be used.
pub(crate) fn open_into(
    master: &Key,
    domain: Domain,
    associated: &[u8],
    sealed: &[u8],
    plaintext: &mut [u8],
) -> Result<(), CryptoError> {
    if sealed.len() != OVERHEAD + plaintext.len() || sealed[0] != FORMAT {
        return Err(CryptoError::Format);
    }
    let (header, body) = sealed.split_at(HEADER_LEN);
    let (ciphertext, tag) = body.split_at(plaintext.len());
    let (key, nonce) = derive(master, domain, associated, &header[1..])?;
    key.open_separate_gather(nonce, Aad::from(associated), ciphertext, tag, plaintext)
        .map_err(|_| CryptoError::Authentication)
}

fn derive(
    master: &Key,
    domain: Domain,
    associated: &[u8],
    salt: &[u8],
) -> Result<(LessSafeKey, Nonce), CryptoError> {
    struct Length;
    impl hkdf::KeyType for Length {
        fn len(&self) -> usize {
            KEY_LEN + NONCE_LEN
        }
    }
    let mut okm = Zeroizing::new([0; KEY_LEN + NONCE_LEN]);
    hkdf::Salt::new(hkdf::HKDF_SHA256, salt)
        .extract(master.expose())
        .expand(&[domain.label(), associated], Length)
        .and_then(|out| out.fill(okm.as_mut_slice()))
        .map_err(|_| CryptoError::Library)?;
    let (key, nonce) = okm.split_at(KEY_LEN);
    let key = UnboundKey::new(&AES_256_GCM, key).map_err(|_| CryptoError::Library)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| CryptoError::Library)?;
    Ok((LessSafeKey::new(key), nonce))
}

fn hedged_salt(
    master: &Key,
    domain: Domain,
    associated: &[u8],
    plaintext: &[u8],
    entropy: &dyn Entropy,
) -> Result<hmac::Tag, CryptoError> {
    let random = Zeroizing::new(random_bytes::<SALT_LEN>(entropy));
    let prf = hmac::Key::new(hmac::HMAC_SHA256, master.derive(b"hanzo-kms salt-1")?.expose());
    let mut context = hmac::Context::with_key(&prf);
    context.update(random.as_slice());
    context.update(domain.label());
    // The length keeps associated data and plaintext apart.
    context.update(&(associated.len() as u64).to_be_bytes());
    context.update(associated);
    context.update(plaintext);
    Ok(context.sign())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    struct Stuck;
    impl Entropy for Stuck {
        fn fill(&self, out: &mut [u8]) {
            out.fill(0);
        }
    }

    fn nonce_of(master: &Key, associated: &[u8], sealed: &[u8]) -> [u8; NONCE_LEN] {
        let (_, nonce) = derive(master, Domain::Value, associated, &sealed[1..HEADER_LEN]).unwrap();
        *nonce.as_ref()
    }

    #[test]
    fn k2_stuck_entropy_never_repeats_a_nonce_for_different_messages() {
        let master = Key::generate(&SeededEntropy::new(1));
        let mut nonces = std::collections::HashSet::new();
        for place in [&b"a"[..], b"b", b""] {
            for plaintext in [&b"a"[..], b"b", b"", b"aa"] {
                let sealed = seal(&master, Domain::Value, place, plaintext, &Stuck).unwrap();
                assert!(nonces.insert(nonce_of(&master, place, &sealed)));
            }
        }
        assert_eq!(nonces.len(), 12);
    }

    #[test]
    fn k2_the_nonce_depends_on_the_place_even_under_one_salt() {
        let master = Key::generate(&SeededEntropy::new(1));
        let sealed = seal(&master, Domain::Value, b"a", b"text", &Stuck).unwrap();
        assert_ne!(nonce_of(&master, b"a", &sealed), nonce_of(&master, b"b", &sealed));
    }

    #[test]
    fn a_message_opens_in_its_own_domain_only() {
        let master = Key::generate(&SeededEntropy::new(1));
        let domains = [
            Domain::Value,
            Domain::Key,
            Domain::Root,
            Domain::Seed,
            Domain::ProviderSecret,
            Domain::SignIn,
            Domain::MethodSecret,
            Domain::Answer,
            Domain::AnswerIndex,
        ];
        for (i, sealing) in domains.into_iter().enumerate() {
            let sealed = seal(&master, sealing, b"at", b"text", &SeededEntropy::new(2)).unwrap();
            for (j, opening) in domains.into_iter().enumerate() {
                assert_eq!(open(&master, opening, b"at", &sealed).is_ok(), i == j);
            }
        }
    }

    #[test]
    fn every_flipped_bit_and_every_truncation_is_refused() {
        let master = Key::generate(&SeededEntropy::new(1));
        let sealed = seal(&master, Domain::Value, b"at", b"text", &SeededEntropy::new(2)).unwrap();
        for bit in 0..sealed.len() * 8 {
            let mut altered = sealed.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            assert!(open(&master, Domain::Value, b"at", &altered).is_err(), "bit {bit}");
        }
        for length in 0..sealed.len() {
            assert!(open(&master, Domain::Value, b"at", &sealed[..length]).is_err());
        }
        assert!(open(&master, Domain::Value, b"at", &[&sealed[..], &[0]].concat()).is_err());
    }
}
