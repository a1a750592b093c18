//! The keyed hash chain of the audit log: each record's link covers the record and the link before
//! it, so a record edited, removed or inserted offline breaks every later link.

use aws_lc_rs::hmac;
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::error::CryptoError;
use crate::key::Key;
use crate::lookup::bytes_of;

/// The instance's key for audit chains.
pub struct ChainKey(hmac::Key);

impl ChainKey {
    /// Takes over the key.
    #[expect(clippy::needless_pass_by_value, reason = "the key must not stay in use elsewhere")]
    pub fn new(key: Key) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key.expose()))
    }

    /// The link before an organization's first record; it differs between organizations, so a whole
    /// chain cannot be passed off as another's.
    pub fn first(&self, organization: Uuid) -> [u8; 32] {
        bytes_of(&hmac::sign(&self.0, organization.as_bytes()))
    }

    /// The link of `record`, which follows the record whose link is `previous`.
    pub fn next(&self, previous: &[u8; 32], record: &[u8]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        // Longer than what `first` hashes and of fixed length: the two never meet.
        context.update(previous);
        context.update(record);
        bytes_of(&context.sign())
    }

    /// Checks a stored link in constant time; fails with [`CryptoError::Tampered`].
    pub fn verify(
        &self,
        previous: &[u8; 32],
        record: &[u8],
        stored: &[u8],
    ) -> Result<(), CryptoError> {
        let genuine: bool = self.next(previous, record).ct_eq(stored).into();
        if genuine { Ok(()) } else { Err(CryptoError::Tampered) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    #[test]
    fn d7_an_edited_removed_or_swapped_record_breaks_the_chain() {
        let key = ChainKey::new(Key::generate(&SeededEntropy::new(1)));
        let start = key.first(Uuid::from_u128(1));
        let one = key.next(&start, b"one");
        let two = key.next(&one, b"two");
        assert_eq!(key.verify(&one, b"two", &two), Ok(()));
        assert_eq!(key.verify(&one, b"twO", &two), Err(CryptoError::Tampered));
        assert_eq!(key.verify(&start, b"two", &two), Err(CryptoError::Tampered));
        assert_eq!(key.verify(&one, b"two", &one), Err(CryptoError::Tampered));
        assert_eq!(key.verify(&one, b"two", &two[..31]), Err(CryptoError::Tampered));
    }

    #[test]
    fn chains_of_two_organizations_and_of_two_keys_differ() {
        let entropy = SeededEntropy::new(1);
        let key = ChainKey::new(Key::generate(&entropy));
        let other = ChainKey::new(Key::generate(&entropy));
        let start = key.first(Uuid::from_u128(1));
        assert_ne!(start, key.first(Uuid::from_u128(2)));
        assert_ne!(key.next(&start, b"r"), other.next(&start, b"r"));
    }
}
