//! The root key: the one key that is not stored wrapped, behind a trait so that it may live in
//! another system. [`LocalRootKey`] is the provider that holds it in memory.

mod local;

use std::fmt;

pub use local::LocalRootKey;

use crate::entropy::Entropy;
use crate::envelope::KeyContext;
use crate::error::{CryptoError, RootKeyError};
use crate::key::{Key, WrappedKey};

/// Something that can wrap and unwrap the keys at the top of the hierarchy.
///
/// What `wrap` made, `unwrap` must return under an equal context and refuse under any other.
pub trait RootKeyProvider: Send + Sync {
    /// Names the root key without telling anything about it.
    fn fingerprint(&self) -> Fingerprint;

    /// Wraps `key`, bound to `context`.
    fn wrap(
        &self,
        context: &KeyContext<'_>,
        key: &Key,
        entropy: &dyn Entropy,
    ) -> Result<WrappedKey, CryptoError>;

    /// Unwraps what [`wrap`](Self::wrap) made.
    fn unwrap(&self, context: &KeyContext<'_>, wrapped: &[u8]) -> Result<Key, CryptoError>;
}

/// A root key's public name: sixteen hexadecimal characters derived one-way from it, stored beside
/// the data so that a wrong key is noticed before anything is written.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 8]);

impl Fingerprint {
    pub(crate) fn new(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }

    /// Reads what `Display` wrote; fails with [`RootKeyError::Malformed`] on anything else.
    pub fn parse(text: &str) -> Result<Self, RootKeyError> {
        let canonical = text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        let mut bytes = [0; 8];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| RootKeyError::Malformed)?;
        if canonical { Ok(Self(bytes)) } else { Err(RootKeyError::Malformed) }
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}
