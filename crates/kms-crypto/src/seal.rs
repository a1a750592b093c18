//! Values, sealed under their project's key and bound to the place where they live.
//!
//! Must not be used for keys: those are wrapped, see [`crate::envelope`].

use uuid::Uuid;
use zeroize::Zeroizing;

use crate::aead::{self, Domain};
use crate::entropy::Entropy;
use crate::error::CryptoError;
use crate::key::Key;

/// How many bytes a sealed value is longer than its plaintext.
pub const SEAL_OVERHEAD: usize = aead::OVERHEAD;

const ENCODED_LEN: usize = 5 * 16 + 1 + 8;
/// The bit beside the code of a kind, see [`Coordinates::authenticated`].
const AUTHENTICATED: u8 = 0x10;
/// A personal value's owner follows at the end.
const LONGEST: usize = ENCODED_LEN + 16;

/// Where a value lives. Every part is immutable for the value's life, so a rename re-seals nothing,
/// and a ciphertext that is moved, swapped or rolled back does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coordinates {
    /// The organization that owns the project.
    pub organization: Uuid,
    /// The project whose key seals.
    pub project: Uuid,
    /// The environment, by id rather than slug.
    pub environment: Uuid,
    /// The folder, by id rather than path.
    pub folder: Uuid,
    /// The secret.
    pub secret: Uuid,
    /// What is sealed of it.
    pub kind: ValueKind,
    /// The secret's version, so that an older value does not pass for the current one.
    pub version: i64,
    /// Whether the row that holds it carries a [`RowMac`](crate::RowMac). What was sealed beside one
    /// does not open where it is missing.
    pub authenticated: bool,
}

/// What a sealed value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValueKind {
    /// A secret that all who may read the folder share.
    SharedSecret,
    /// One user's own override of a shared secret; it opens for no other user.
    PersonalSecret {
        /// The user.
        owner: Uuid,
    },
    /// What is noted about a secret, such as its comment.
    Metadata,
}

impl ValueKind {
    const fn code(self) -> u8 {
        match self {
            Self::SharedSecret => 1,
            Self::PersonalSecret { .. } => 2,
            Self::Metadata => 3,
        }
    }
}

impl Coordinates {
    /// All fields at fixed offsets, and the kind says whether an owner follows: different
    /// coordinates never share an encoding.
    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(LONGEST);
        out.resize(ENCODED_LEN, 0);
        let ids = [self.organization, self.project, self.environment, self.folder, self.secret];
        for (slot, id) in out.chunks_exact_mut(16).zip(ids) {
            slot.copy_from_slice(id.as_bytes());
        }
        out[80] = self.kind.code() | if self.authenticated { AUTHENTICATED } else { 0 };
        out[81..].copy_from_slice(&self.version.to_be_bytes());
        if let ValueKind::PersonalSecret { owner } = self.kind {
            out.extend_from_slice(owner.as_bytes());
        }
        out
    }
}

/// Seals a value: format byte, 32-byte salt, ciphertext, 16-byte tag.
pub fn seal(
    project_key: &Key,
    at: &Coordinates,
    plaintext: &[u8],
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, CryptoError> {
    aead::seal(project_key, Domain::Value, &at.encode(), plaintext, entropy)
}

/// Opens a value at the place where it was sealed.
///
/// Fails with [`CryptoError::Authentication`] anywhere else, under another key or after any change,
/// and with [`CryptoError::Format`] on bytes that cannot be a sealed value.
pub fn open(
    project_key: &Key,
    at: &Coordinates,
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    aead::open(project_key, Domain::Value, &at.encode(), sealed)
}
