//! A root key held by this process, given by the operator or generated on first start.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use secrecy::SecretString;
use zeroize::Zeroizing;

use super::{Fingerprint, RootKeyProvider};
use crate::aead::Domain;
use crate::entropy::Entropy;
use crate::envelope::{KeyContext, unwrap_in, wrap_in};
use crate::error::{CryptoError, RootKeyError};
use crate::key::{KEY_LEN, Key, WrappedKey};

/// Keys printed in the documentation, examples and tests of the compatible server, in the spelling
/// that people copy. Those of another length are listed so that the answer names the real reason.
const PUBLISHED: [&str; 4] = [
    "6c1fe4e407b8911c104518103505b218",
    "f13dbc92aaaf86fa7cb0ed8ac3265f47",
    "5lrMXKKWCVocS/uerPsl7V+TX/aaUaI7iDkgl3tSmLE=",
    "VVHnGZ0w98WLgISK4XSJcagezuG6EWRFTk48KE4Y5Mw=",
];

/// Fewer different bytes than this do not happen by chance in 32 random ones (below 2⁻⁶⁰).
const MIN_DISTINCT_BYTES: usize = 16;

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// A 256-bit root key in this process's memory.
pub struct LocalRootKey {
    key: Key,
    fingerprint: Fingerprint,
}

impl LocalRootKey {
    /// Draws a new root key.
    ///
    /// # Panics
    ///
    /// When the cryptographic library fails to derive the fingerprint, which it never does.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        Self::new(Key::generate(entropy))
    }

    /// Reads a key as an operator gives it: 64 hexadecimal digits or base64 (standard or URL
    /// alphabet, padded or not) of exactly 32 bytes; surrounding white space does not count.
    ///
    /// Published samples, typed text and patterns are [`RootKeyError::Weak`]: starting with one
    /// would look safe and be readable by anyone.
    ///
    /// # Panics
    ///
    /// As [`generate`](Self::generate).
    pub fn parse(text: &str) -> Result<Self, RootKeyError> {
        let text = text.trim();
        if PUBLISHED.iter().any(|sample| text.eq_ignore_ascii_case(sample)) {
            return Err(RootKeyError::Weak);
        }
        let bytes = decode(text)?;
        let bytes: &[u8; KEY_LEN] = bytes
            .as_slice()
            .try_into()
            .map_err(|_| RootKeyError::WrongLength { bytes: bytes.len() })?;
        if is_weak(bytes) {
            return Err(RootKeyError::Weak);
        }
        Ok(Self::new(Key::from_bytes(*bytes)))
    }

    /// Writes the key down for safe keeping, as 64 hexadecimal digits that
    /// [`parse`](Self::parse) reads.
    ///
    /// # Panics
    ///
    /// Never: the buffer fits and hexadecimal digits are text.
    pub fn to_text(&self) -> SecretString {
        let mut digits = vec![0; 2 * KEY_LEN];
        hex::encode_to_slice(self.key.expose(), &mut digits).expect("two digits for each byte");
        String::from_utf8(digits).expect("hexadecimal digits are ASCII").into()
    }

    fn new(key: Key) -> Self {
        let derived = key.derive(b"hanzo-kms root key fingerprint 1").expect("HKDF of 32 bytes");
        let name = derived.expose().first_chunk().expect("a key is longer than a fingerprint");
        let fingerprint = Fingerprint::new(*name);
        Self { key, fingerprint }
    }
}

impl RootKeyProvider for LocalRootKey {
    fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    fn wrap(
        &self,
        context: &KeyContext<'_>,
        key: &Key,
        entropy: &dyn Entropy,
    ) -> Result<WrappedKey, CryptoError> {
        wrap_in(Domain::Root, &self.key, context, key, entropy)
    }

    fn unwrap(&self, context: &KeyContext<'_>, wrapped: &[u8]) -> Result<Key, CryptoError> {
        unwrap_in(Domain::Root, &self.key, context, wrapped)
    }
}

fn decode(text: &str) -> Result<Zeroizing<Vec<u8>>, RootKeyError> {
    // 64 hexadecimal digits are also base64 of 48 bytes; nobody means that.
    if text.len() == 2 * KEY_LEN
        && let Ok(bytes) = hex::decode(text)
    {
        return Ok(Zeroizing::new(bytes));
    }
    if text.is_empty() {
        return Err(RootKeyError::Malformed);
    }
    let bytes = STANDARD.decode(text).or_else(|_| URL_SAFE.decode(text));
    bytes.map(Zeroizing::new).map_err(|_| RootKeyError::Malformed)
}

/// Tells keys that were not drawn at random. Each rule refuses a random key with a probability
/// below 2⁻⁴⁵.
fn is_weak(key: &[u8; KEY_LEN]) -> bool {
    let published = PUBLISHED.iter().any(|sample| {
        key.eq_ignore_ascii_case(sample.as_bytes())
            || decode(sample).is_ok_and(|bytes| bytes.as_slice() == key)
    });
    let mut seen = [false; 256];
    for &byte in key {
        seen[usize::from(byte)] = true;
    }
    let distinct = seen.iter().filter(|&&seen| seen).count();
    let step = key[1].wrapping_sub(key[0]);
    let counts = key.windows(2).all(|pair| pair[1].wrapping_sub(pair[0]) == step);
    let (first, second) = key.split_at(KEY_LEN / 2);
    let typed = key.iter().all(|byte| (b' '..=b'~').contains(byte));
    published || distinct < MIN_DISTINCT_BYTES || counts || first == second || typed
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose;
    use secrecy::ExposeSecret;

    use super::*;
    use crate::entropy::SeededEntropy;

    #[test]
    fn every_accepted_spelling_means_the_same_key() {
        let key = LocalRootKey::generate(&SeededEntropy::new(5));
        let bytes = key.key.expose();
        let hexadecimal = hex::encode(bytes);
        for text in [
            hexadecimal.clone(),
            hexadecimal.to_uppercase(),
            format!(" \n{hexadecimal}\r\n"),
            general_purpose::STANDARD.encode(bytes),
            general_purpose::STANDARD_NO_PAD.encode(bytes),
            general_purpose::URL_SAFE.encode(bytes),
            general_purpose::URL_SAFE_NO_PAD.encode(bytes),
            key.to_text().expose_secret().to_owned(),
        ] {
            let parsed = LocalRootKey::parse(&text).unwrap();
            assert_eq!(parsed.key.expose(), bytes);
            assert_eq!(parsed.fingerprint(), key.fingerprint());
        }
    }
}
