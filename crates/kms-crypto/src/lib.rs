//! The cryptography of Hanzo KMS: sealing of values, the key hierarchy, tokens, passwords and keyed
//! hashes.
//!
//! It must not do I/O, read a clock or draw randomness by itself: time comes in as Unix seconds and
//! randomness as an [`Entropy`]. It must not know the database or the network; a root key that
//! lives elsewhere is a [`RootKeyProvider`] whose transport is handed to it.
//!
//! Where to start: [`seal()`] and [`open`] for values, [`wrap_key`] for the keys above them,
//! [`LocalRootKey`] for the top, [`TokenKeys`] for tokens. All encryption is one construction,
//! described in `aead.rs`.
//!
//! | module | holds |
//! | --- | --- |
//! | [`entropy`] | injected randomness and the ids made from it |
//! | [`key`], [`root`], [`envelope`] | keys, the root key, keys wrapped by keys |
//! | [`seal`](mod@seal) | values, bound to where they live |
//! | [`lookup`] | keyed hashes of high-entropy secrets |
//! | [`rowmac`], [`chain`] | proof that rows and the audit log were not edited |
//! | [`token`], [`claims`] | signed tokens and what they say |
//! | [`password`] | Argon2id |
//! | [`pkce`] | whether a code comes from the program that asked for it |
//! | [`totp`] | codes of authenticator apps |
//! | [`note`] | short texts, each sealed for one purpose and one owner |
//! | [`kept`] | answers that a client keeps, bound to what they answer |

mod aead;
pub mod chain;
pub mod claims;
pub mod entropy;
pub mod envelope;
pub mod error;
pub mod kept;
pub mod key;
pub mod lookup;
pub mod note;
pub mod password;
pub mod pkce;
pub mod root;
pub mod rowmac;
pub mod seal;
pub mod token;
pub mod totp;

pub use chain::ChainKey;
pub use claims::{
    IdentityAccessClaims, MfaClaims, ProviderClaims, SignUpClaims, SignUpUse, UserAccessClaims,
    UserPageClaims, UserRefreshClaims,
};
pub use entropy::{Entropy, OsEntropy, SeededEntropy, random_bytes, uuid_v4, uuid_v7};
pub use envelope::{KeyContext, unwrap_key, wrap_key};
pub use error::{CryptoError, RootKeyError, TokenError};
pub use kept::{Kept, name_of};
pub use key::{Key, WrappedKey};
pub use lookup::{LookupHash, LookupKey};
pub use note::Note;
pub use password::{hash_password, stretch, verify_dummy, verify_password};
pub use root::{Fingerprint, LocalRootKey, RootKeyProvider};
pub use rowmac::{RowKey, RowMac};
pub use seal::{Coordinates, ValueKind, open, seal};
pub use token::{Claims, TokenKeys, TokenPurpose};
pub use totp::TotpSeed;
