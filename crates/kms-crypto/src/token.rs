//! Signed tokens: JWT with HS256, one key for each purpose, named by `kid`.
//!
//! A token is believed in this order: size, form, header (a closed set of fields and values), key,
//! signature, time, purpose, claims. Nothing in a token chooses an algorithm, brings a key or names
//! a place to fetch one from. Must not look at revocation: that is the caller's, with the database.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::{CryptoError, TokenError};
use crate::key::Key;

/// Longest token, in bytes. Longer ones are refused before any of it is read.
pub const MAX_TOKEN_LEN: usize = 8 * 1024;

/// How far `iat` and `nbf` may lie ahead, in seconds, for clocks of replicas that disagree. `exp`
/// has no such allowance.
pub const MAX_SKEW: i64 = 60;

const MINUTE: i64 = 60;
const DAY: i64 = 24 * 60 * MINUTE;

/// A decoded header of ours has some 60 bytes.
const MAX_HEADER_LEN: usize = 256;

/// What a token is for. The serialized form is the `authTokenType` claim on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum TokenPurpose {
    /// A machine identity's bearer token.
    #[serde(rename = "identityAccessToken")]
    IdentityAccess,
    /// A user's bearer token.
    #[serde(rename = "accessToken")]
    UserAccess,
    /// A user's refresh token, in the cookie `jid`.
    #[serde(rename = "refreshToken")]
    UserRefresh,
    /// A login that still lacks its second factor.
    #[serde(rename = "mfaToken")]
    Mfa,
    /// The completion of an account, or a password reset.
    #[serde(rename = "signupToken")]
    SignUp,
    /// What single sign-on told about somebody, before a session exists.
    #[serde(rename = "providerToken")]
    Provider,
    /// A browser that somebody signed in with, in the cookie of the pages.
    #[serde(rename = "pageToken")]
    UserPage,
}

impl TokenPurpose {
    /// All purposes; each needs a key.
    pub const ALL: [Self; 7] = [
        Self::IdentityAccess,
        Self::UserAccess,
        Self::UserRefresh,
        Self::Mfa,
        Self::SignUp,
        Self::Provider,
        Self::UserPage,
    ];

    /// The name in `kid` (before the key's version) and for stored keys.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::IdentityAccess => "identity-access",
            Self::UserAccess => "user-access",
            Self::UserRefresh => "user-refresh",
            Self::Mfa => "mfa",
            Self::SignUp => "sign-up",
            Self::Provider => "provider",
            Self::UserPage => "user-page",
        }
    }

    /// The value of the claim `authTokenType`.
    pub const fn wire_type(self) -> &'static str {
        match self {
            Self::IdentityAccess => "identityAccessToken",
            Self::UserAccess => "accessToken",
            Self::UserRefresh => "refreshToken",
            Self::Mfa => "mfaToken",
            Self::SignUp => "signupToken",
            Self::Provider => "providerToken",
            Self::UserPage => "pageToken",
        }
    }

    /// The longest time from `iat` to `exp`, in seconds. Longer tokens are neither signed nor
    /// believed. Machines have the 90 days of the compatible server; the others leave room above
    /// its defaults (10 days, 90 days, 5 and 15 minutes) for an operator's settings.
    pub const fn max_lifetime(self) -> i64 {
        match self {
            Self::IdentityAccess => 90 * DAY,
            Self::UserAccess | Self::UserRefresh => 366 * DAY,
            Self::Mfa | Self::SignUp | Self::Provider | Self::UserPage => DAY,
        }
    }
}

/// The claims of one kind of token. The kind is part of the Rust type: a token of another kind
/// cannot become this value.
pub trait Claims: Serialize + DeserializeOwned {
    /// What the token is for; chooses the key.
    const PURPOSE: TokenPurpose;
    /// The value that `authTokenType` must have.
    const TYPE: &'static str = Self::PURPOSE.wire_type();

    /// `iat`, in Unix seconds.
    fn issued_at(&self) -> i64;
    /// `exp`, in Unix seconds.
    fn expires_at(&self) -> i64;
    /// `authTokenType` as these claims have it.
    fn auth_token_type(&self) -> &str;
}

/// The signing keys of all purposes and versions, ready for use.
pub struct TokenKeys(Vec<SigningKey>);

struct SigningKey {
    purpose: TokenPurpose,
    version: u32,
    kid: String,
    header: Header,
    encoding: EncodingKey,
    decoding: DecodingKey,
}

/// All that a header of ours may say. Fields that would bring a key, name one elsewhere or demand
/// an extension are unknown here, and unknown fields are refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JoseHeader<'a> {
    alg: &'a str,
    #[serde(default)]
    typ: Option<&'a str>,
    #[serde(default)]
    kid: Option<&'a str>,
}

/// The claims that every token of ours has.
#[derive(Deserialize)]
struct CommonClaims {
    iat: i64,
    exp: i64,
    #[serde(default)]
    nbf: Option<i64>,
    #[serde(rename = "authTokenType")]
    purpose: TokenPurpose,
}

impl TokenKeys {
    /// Takes over the keys. The newest version of a purpose signs, all of them verify; of two keys
    /// with one purpose and version the first counts.
    pub fn new(keys: impl IntoIterator<Item = (TokenPurpose, u32, Key)>) -> Self {
        Self(
            keys.into_iter()
                .map(|(purpose, version, key)| SigningKey::new(purpose, version, &key))
                .collect(),
        )
    }

    /// Signs claims with the newest key of their purpose.
    ///
    /// Fails when there is none, and on claims that [`verify`](Self::verify) would refuse by their
    /// type, lifetime or size.
    pub fn sign<C: Claims>(&self, claims: &C) -> Result<String, CryptoError> {
        if claims.auth_token_type() != C::TYPE {
            return Err(CryptoError::ClaimsType);
        }
        if !lifetime_is_allowed(C::PURPOSE, claims.issued_at(), claims.expires_at()) {
            return Err(CryptoError::ClaimsLifetime);
        }
        let key = self
            .0
            .iter()
            .filter(|key| key.purpose == C::PURPOSE)
            .max_by_key(|key| key.version)
            .ok_or(CryptoError::NoSigningKey(C::PURPOSE))?;
        let token = jsonwebtoken::encode(&key.header, claims, &key.encoding)
            .map_err(|_| CryptoError::Library)?;
        if token.len() > MAX_TOKEN_LEN { Err(CryptoError::ClaimsSize) } else { Ok(token) }
    }

    /// Returns the claims of a token that is genuine, in time at `now` (Unix seconds) and of the
    /// kind that `C` stands for.
    pub fn verify<C: Claims>(&self, token: &str, now: i64) -> Result<C, TokenError> {
        let (purpose, payload) = self.authenticate(token, now)?;
        if purpose != C::PURPOSE {
            return Err(TokenError::WrongType);
        }
        let claims: C = parse_object(&payload)?;
        if claims.auth_token_type() == C::TYPE { Ok(claims) } else { Err(TokenError::WrongType) }
    }

    /// Tells what a token is for, after the same checks as [`verify`](Self::verify).
    pub fn purpose(&self, token: &str, now: i64) -> Result<TokenPurpose, TokenError> {
        self.authenticate(token, now).map(|(purpose, _)| purpose)
    }

    /// Everything that does not depend on the kind of claims; returns the payload as JSON.
    fn authenticate(&self, token: &str, now: i64) -> Result<(TokenPurpose, Vec<u8>), TokenError> {
        if token.len() > MAX_TOKEN_LEN {
            return Err(TokenError::Malformed);
        }
        let (message, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, payload) = message.split_once('.').ok_or(TokenError::Malformed)?;
        let key = self.key_for(header)?;
        match jsonwebtoken::crypto::verify(
            signature,
            message.as_bytes(),
            &key.decoding,
            Algorithm::HS256,
        ) {
            Ok(true) => {}
            Ok(false) => return Err(TokenError::InvalidSignature),
            Err(_) => return Err(TokenError::Malformed),
        }
        let payload = URL_SAFE_NO_PAD.decode(payload).map_err(|_| TokenError::Malformed)?;
        let common: CommonClaims = parse_object(&payload)?;
        common.check_time(key.purpose, now)?;
        if common.purpose != key.purpose {
            return Err(TokenError::WrongType);
        }
        Ok((key.purpose, payload))
    }

    fn key_for(&self, encoded_header: &str) -> Result<&SigningKey, TokenError> {
        let mut buffer = [0; MAX_HEADER_LEN];
        let length = URL_SAFE_NO_PAD
            .decode_slice(encoded_header, &mut buffer)
            .map_err(|_| TokenError::Malformed)?;
        let header: JoseHeader<'_> = parse_object(&buffer[..length])?;
        if header.alg != "HS256" {
            return Err(TokenError::InvalidAlgorithm);
        }
        if header.typ.is_some_and(|typ| typ != "JWT") {
            return Err(TokenError::Malformed);
        }
        let kid = header.kid.ok_or(TokenError::InvalidSignature)?;
        let key = self.0.iter().find(|key| key.kid == kid);
        key.ok_or(TokenError::InvalidSignature)
    }
}

impl SigningKey {
    fn new(purpose: TokenPurpose, version: u32, key: &Key) -> Self {
        let kid = format!("{}.{version}", purpose.as_str());
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some(kid.clone());
        let encoding = EncodingKey::from_secret(key.expose());
        let decoding = DecodingKey::from_secret(key.expose());
        Self { purpose, version, kid, header, encoding, decoding }
    }
}

impl CommonClaims {
    fn check_time(&self, purpose: TokenPurpose, now: i64) -> Result<(), TokenError> {
        if !lifetime_is_allowed(purpose, self.iat, self.exp) {
            return Err(TokenError::Malformed);
        }
        if self.exp <= now {
            return Err(TokenError::Expired);
        }
        let latest = now.saturating_add(MAX_SKEW);
        if self.iat > latest || self.nbf.is_some_and(|nbf| nbf > latest) {
            return Err(TokenError::NotYetValid);
        }
        Ok(())
    }
}

fn lifetime_is_allowed(purpose: TokenPurpose, iat: i64, exp: i64) -> bool {
    exp.checked_sub(iat).is_some_and(|lifetime| (1..=purpose.max_lifetime()).contains(&lifetime))
}

/// Parses a JSON object; serde would also take an array for a struct's fields in order.
fn parse_object<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Result<T, TokenError> {
    if json.first() != Some(&b'{') {
        return Err(TokenError::Malformed);
    }
    serde_json::from_slice(json).map_err(|_| TokenError::Malformed)
}
