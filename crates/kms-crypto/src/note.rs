//! Short texts that belong to an organization and are no values: each is sealed for one purpose and
//! one owner, under the organization's key.
//!
//! Must not be used for secrets of projects, which are bound to where they live; see
//! [`seal`](mod@crate::seal).

use uuid::Uuid;
use zeroize::Zeroizing;

use crate::aead::{self, Domain};
use crate::entropy::Entropy;
use crate::error::CryptoError;
use crate::key::Key;

/// What a text is. One of a kind never opens as another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Note {
    /// The client secret that an identity provider knows the server by.
    ProviderSecret,
    /// A sign-in that is under way at an identity provider, as its browser keeps it.
    SignIn,
    /// What an auth method of a machine identity is configured with and must stay secret.
    MethodSecret,
}

impl Note {
    const fn domain(self) -> Domain {
        match self {
            Self::ProviderSecret => Domain::ProviderSecret,
            Self::SignIn => Domain::SignIn,
            Self::MethodSecret => Domain::MethodSecret,
        }
    }

    /// Seals a text for its owner.
    pub fn seal(
        self,
        key: &Key,
        owner: Uuid,
        text: &[u8],
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, CryptoError> {
        aead::seal(key, self.domain(), owner.as_bytes(), text, entropy)
    }

    /// Opens a text of an owner; nobody else's opens.
    pub fn open(
        self,
        key: &Key,
        owner: Uuid,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        aead::open(key, self.domain(), owner.as_bytes(), sealed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    #[test]
    fn a_note_opens_for_its_owner_and_purpose_alone() {
        let entropy = SeededEntropy::new(1);
        let (key, other) = (Key::generate(&entropy), Key::generate(&entropy));
        let owner = Uuid::from_u128(1);
        let sealed = Note::ProviderSecret.seal(&key, owner, b"text", &entropy).unwrap();
        let open = |note: Note, key, owner| note.open(key, owner, &sealed);
        assert_eq!(open(Note::ProviderSecret, &key, owner).unwrap().as_slice(), b"text");
        assert!(open(Note::SignIn, &key, owner).is_err());
        assert!(open(Note::ProviderSecret, &other, owner).is_err());
        assert!(open(Note::ProviderSecret, &key, Uuid::from_u128(2)).is_err());
    }
}
