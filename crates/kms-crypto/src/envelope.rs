//! Wrapping of keys by keys, below the root. The root's own wrapping is in [`crate::root`].

use uuid::Uuid;
use zeroize::Zeroizing;

use crate::aead::{self, Domain};
use crate::entropy::Entropy;
use crate::error::CryptoError;
use crate::key::{KEY_LEN, Key, WrappedKey};

/// What a wrapped key is for and whose it is; a wrapped key opens under the same context only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyContext<'a> {
    /// What the key does, such as `project` or `token-signing`.
    pub purpose: &'a str,
    /// The organization or project that owns it; nil for the instance.
    pub owner: Uuid,
    /// Which key of this purpose and owner it is.
    pub version: u32,
}

impl KeyContext<'_> {
    /// The associated data: owner and version have fixed lengths, what remains is the purpose, so
    /// no two contexts share an encoding.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(20 + self.purpose.len());
        out.extend_from_slice(self.owner.as_bytes());
        out.extend_from_slice(&self.version.to_be_bytes());
        out.extend_from_slice(self.purpose.as_bytes());
        out
    }
}

/// Wraps `key` by `kek`, bound to `context`.
pub fn wrap_key(
    kek: &Key,
    context: &KeyContext<'_>,
    key: &Key,
    entropy: &dyn Entropy,
) -> Result<WrappedKey, CryptoError> {
    wrap_in(Domain::Key, kek, context, key, entropy)
}

/// Unwraps what [`wrap_key`] made.
///
/// Fails with [`CryptoError::Authentication`] under another key or context and with
/// [`CryptoError::Format`] on anything that is not a wrapped key.
pub fn unwrap_key(kek: &Key, context: &KeyContext<'_>, wrapped: &[u8]) -> Result<Key, CryptoError> {
    unwrap_in(Domain::Key, kek, context, wrapped)
}

pub(crate) fn wrap_in(
    domain: Domain,
    kek: &Key,
    context: &KeyContext<'_>,
    key: &Key,
    entropy: &dyn Entropy,
) -> Result<WrappedKey, CryptoError> {
    aead::seal(kek, domain, &context.encode(), key.expose(), entropy).map(WrappedKey)
}

pub(crate) fn unwrap_in(
    domain: Domain,
    kek: &Key,
    context: &KeyContext<'_>,
    wrapped: &[u8],
) -> Result<Key, CryptoError> {
    let mut bytes = Zeroizing::new([0; KEY_LEN]);
    aead::open_into(kek, domain, &context.encode(), wrapped, bytes.as_mut_slice())?;
    Ok(Key::from_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    #[test]
    fn a_wrapped_key_returns_under_its_own_context_only() {
        let entropy = SeededEntropy::new(1);
        let (kek, key) = (Key::generate(&entropy), Key::generate(&entropy));
        let context = KeyContext { purpose: "project", owner: Uuid::from_u128(1), version: 1 };
        let wrapped = wrap_key(&kek, &context, &key, &entropy).unwrap();
        let back = unwrap_key(&kek, &context, wrapped.as_bytes()).unwrap();
        assert_eq!(back.expose(), key.expose());

        for other in [
            KeyContext { purpose: "organization", ..context },
            KeyContext { purpose: "", ..context },
            KeyContext { owner: Uuid::from_u128(2), ..context },
            KeyContext { version: 2, ..context },
        ] {
            let result = unwrap_key(&kek, &other, wrapped.as_bytes());
            assert_eq!(result.err(), Some(CryptoError::Authentication), "{other:?}");
        }
        let stranger = Key::generate(&entropy);
        assert!(unwrap_key(&stranger, &context, wrapped.as_bytes()).is_err());
    }

    #[test]
    fn only_a_whole_key_unwraps() {
        let entropy = SeededEntropy::new(1);
        let kek = Key::generate(&entropy);
        let context = KeyContext { purpose: "project", owner: Uuid::nil(), version: 1 };
        let short = aead::seal(&kek, Domain::Key, &context.encode(), b"short", &entropy).unwrap();
        assert_eq!(unwrap_key(&kek, &context, &short).err(), Some(CryptoError::Format));
        assert_eq!(unwrap_key(&kek, &context, &[]).err(), Some(CryptoError::Format));
    }
}
