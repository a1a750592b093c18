//! What can go wrong. No text here carries a secret, a token or any part of one.

use crate::token::TokenPurpose;

/// A cryptographic operation failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CryptoError {
    /// Sealed bytes are too short, too long or start with an unknown format byte.
    #[error("sealed data is truncated or of an unknown format")]
    Format,
    /// Sealed bytes were altered, moved from elsewhere, rolled back, or sealed under another key.
    #[error("sealed data was altered, belongs elsewhere or was sealed under another key")]
    Authentication,
    /// A row or an audit record does not match the code that was stored with it.
    #[error("a record does not match its authentication code")]
    Tampered,
    /// The cryptographic library refused an operation; with valid keys this does not happen.
    #[error("the cryptographic library refused an operation")]
    Library,
    /// There is no signing key for this kind of token.
    #[error("no key to sign `{}` tokens with", .0.as_str())]
    NoSigningKey(TokenPurpose),
    /// Claims name another token type than that of their Rust type.
    #[error("the claims name another token type than their own")]
    ClaimsType,
    /// A token would expire before it begins or live longer than
    /// [`TokenPurpose::max_lifetime`] allows.
    #[error("the token's lifetime is out of bounds")]
    ClaimsLifetime,
    /// A token would be longer than [`crate::token::MAX_TOKEN_LEN`].
    #[error("the token would be too long")]
    ClaimsSize,
}

/// A root key given by the operator cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RootKeyError {
    /// The text is neither hexadecimal nor base64.
    #[error("the root key is neither 64 hexadecimal digits nor base64 of 32 bytes")]
    Malformed,
    /// The text decodes, but not to 32 bytes.
    #[error("the root key has {bytes} bytes, it needs exactly 32")]
    WrongLength {
        /// How many bytes the text stands for.
        bytes: usize,
    },
    /// The key is published, typed by hand or follows a pattern.
    #[error("the root key is a published sample or follows a pattern; generate a random one")]
    Weak,
}

/// A bearer token is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not a token of ours in form: size, parts, encoding, header or claims.
    #[error("the token is malformed")]
    Malformed,
    /// The header asks for anything but HS256.
    #[error("the token's algorithm is not accepted")]
    InvalidAlgorithm,
    /// The signature is wrong, or by a key that we do not have.
    #[error("the token's signature is invalid")]
    InvalidSignature,
    /// The time given is at or after `exp`.
    #[error("the token has expired")]
    Expired,
    /// `nbf` or `iat` lies more than the allowed skew ahead.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// A valid token of ours, made for another purpose.
    #[error("the token is of another type")]
    WrongType,
}
