//! Why a use case did not do what it was asked, by meaning; the HTTP skin maps it to a status.

use std::borrow::Cow;

use kms_api::{error::Issue, permissions::Rule};
use kms_crypto::{CryptoError, TokenError};
use kms_store::StoreError;

/// The result of a use case.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a use case did not do what it was asked. No variant ever holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A field breaks a rule (422).
    #[error("the request is not valid")]
    Validation(Vec<Issue>),
    /// A rule of the business is broken: duplicates, wrong state (400).
    #[error("{message}")]
    BadRequest {
        /// The error's name on the wire.
        name: &'static str,
        /// For people.
        message: Cow<'static, str>,
    },
    /// Nobody we know, or no longer (401).
    #[error("{0}")]
    Unauthorized(Cow<'static, str>),
    /// A person's session that cannot go on (401).
    #[error("{message}")]
    SessionOver {
        /// The error's name on the wire.
        name: &'static str,
        /// For people.
        message: &'static str,
    },
    /// An organization that asks for another way in (400).
    #[error("{message}")]
    SingleSignOn {
        /// The slug of the organization.
        organization: String,
        /// For people.
        message: &'static str,
    },
    /// A second factor that was not accepted (400, 401).
    #[error("{0}")]
    SecondFactor(SecondFactor),
    /// A protected route without a token (401).
    #[error("Token missing")]
    TokenMissing,
    /// A token that is malformed, forged or expired (403).
    #[error("the token is not valid")]
    Token(TokenError),
    /// Known, but not for this (403).
    #[error("{message}")]
    Forbidden {
        /// The error's name on the wire.
        name: Cow<'static, str>,
        /// For people.
        message: Cow<'static, str>,
    },
    /// Values refer to what the caller may not read (403); says for each which and to what.
    #[error("Failed to expand one or more secret references")]
    References(Vec<String>),
    /// The rules say no (403).
    #[error("You are not allowed to {action} on {subject}")]
    PermissionDenied {
        /// What was asked for.
        action: &'static str,
        /// On what.
        subject: &'static str,
        /// The caller's rules about it.
        rules: Vec<Rule>,
    },
    /// Granting more than the caller holds (403).
    #[error("Failed to grant more privileges than you hold")]
    PermissionBoundary {
        /// What is missing, as `subject:action`.
        missing: Vec<String>,
    },
    /// There is no such thing, or not for the caller: both answer alike (404).
    #[error("{0}")]
    NotFound(Cow<'static, str>),
    /// Too often (429).
    #[error("Rate limit exceeded, retry in {retry_after} seconds")]
    RateLimited {
        /// Seconds to wait.
        retry_after: u64,
    },
    /// Not now: a queue is full or the audit log cannot be written (503).
    #[error("{0}")]
    Unavailable(&'static str),
    /// Our own failure (500); the cause goes to the log, never to the caller.
    #[error("Something went wrong")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Why a second factor was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecondFactor {
    /// It is not the code, or one that was used (400).
    #[error("Invalid code, or one that was used before")]
    Wrong,
    /// The login waited too long for it (401).
    #[error("The login took too long; log in again")]
    Expired,
}

impl SecondFactor {
    /// What programs may act on (wire contract, MFA).
    pub fn code(self) -> &'static str {
        match self {
            Self::Wrong => "mfa_invalid",
            Self::Expired => "mfa_expired",
        }
    }
}

impl Error {
    /// A broken rule of the business, under the common name.
    pub fn bad_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::BadRequest { name: "BadRequest", message: message.into() }
    }

    /// Nobody we know, or no longer.
    pub fn unauthorized(message: impl Into<Cow<'static, str>>) -> Self {
        Self::Unauthorized(message.into())
    }

    /// Known, but not for this.
    pub fn forbidden(message: impl Into<Cow<'static, str>>) -> Self {
        Self::Forbidden { name: "ForbiddenError".into(), message: message.into() }
    }

    /// There is no such thing.
    pub fn not_found(message: impl Into<Cow<'static, str>>) -> Self {
        Self::NotFound(message.into())
    }

    /// One field breaks a rule.
    pub fn field(name: &str, message: impl Into<String>) -> Self {
        Self::Validation(vec![Issue::field(name, message)])
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Internal(Box::new(error))
    }
}

impl From<CryptoError> for Error {
    fn from(error: CryptoError) -> Self {
        Self::Internal(Box::new(error))
    }
}

impl From<TokenError> for Error {
    fn from(error: TokenError) -> Self {
        Self::Token(error)
    }
}
