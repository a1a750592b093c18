//! Keys in memory, and keys as they are stored.

use std::fmt;

use aws_lc_rs::hkdf;
use zeroize::{ZeroizeOnDrop, Zeroizing};

use crate::entropy::{Entropy, random_bytes};
use crate::error::CryptoError;

/// Length of every symmetric key, in bytes.
pub const KEY_LEN: usize = 32;

/// A 256-bit key, wiped when dropped. It cannot be cloned, printed or serialized; it leaves this
/// crate only wrapped by another key.
#[derive(ZeroizeOnDrop)]
pub struct Key([u8; KEY_LEN]);

impl Key {
    /// Draws a new key.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        Self(random_bytes(entropy))
    }

    /// Takes over key bytes, for instance those a remote root-key provider unwrapped.
    pub fn from_bytes(bytes: [u8; KEY_LEN]) -> Self {
        Self(bytes)
    }

    pub(crate) fn expose(&self) -> &[u8; KEY_LEN] {
        &self.0
    }

    /// Derives an independent key for an inner use named by `label`, which must be unique in this
    /// crate.
    pub(crate) fn derive(&self, label: &'static [u8]) -> Result<Self, CryptoError> {
        let mut out = Zeroizing::new([0; KEY_LEN]);
        hkdf::Salt::none(hkdf::HKDF_SHA256)
            .extract(&self.0)
            .expand(&[label], hkdf::HKDF_SHA256)
            .and_then(|okm| okm.fill(out.as_mut_slice()))
            .map_err(|_| CryptoError::Library)?;
        Ok(Self(*out))
    }
}

/// A key sealed by the key above it, as stored: format byte, nonce (the 32-byte salt that cipher
/// key and nonce are derived from), ciphertext with tag.
#[derive(Clone)]
pub struct WrappedKey(pub Vec<u8>);

impl WrappedKey {
    /// The bytes to store.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for WrappedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WrappedKey({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    #[test]
    fn derived_keys_differ_by_label_and_by_key() {
        let entropy = SeededEntropy::new(1);
        let (a, b) = (Key::generate(&entropy), Key::generate(&entropy));
        let a_one = *a.derive(b"one").unwrap().expose();
        assert_eq!(a_one, *a.derive(b"one").unwrap().expose());
        assert_ne!(a_one, *a.derive(b"two").unwrap().expose());
        assert_ne!(a_one, *b.derive(b"one").unwrap().expose());
        assert_ne!(a_one, *a.expose());
    }
}
