//! Why somebody is not signed in by their provider.

use crate::outbound::OutboundError;

/// Why a provider cannot be used, or what it said is not believed. Nothing here holds a secret or
/// anything that the provider sent.
#[derive(Debug, thiserror::Error)]
pub enum SsoError {
    /// It did not answer, or not with what was asked for. The reason is for the log.
    #[error("the identity provider could not be reached")]
    Unreachable(#[source] Option<OutboundError>),
    /// It cannot be used as it is configured; for whoever configures it.
    #[error("`{field}`: {reason}")]
    Settings {
        /// The field of the configuration.
        field: &'static str,
        /// What is wrong with it, and what would be right.
        reason: String,
    },
    /// What it said is not believed.
    #[error("what the identity provider said is not accepted: {}", .0.as_str())]
    Refused(Refusal),
}

/// What was wrong with what a provider said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It does not take the code: used before, somebody else's, too old.
    Code,
    /// No ID token, or one that cannot be read.
    Form,
    /// Signed by an algorithm that the provider is not configured for.
    Algorithm,
    /// Signed by no key of the provider.
    Key,
    /// The signature is wrong.
    Signature,
    /// It names another issuer.
    Issuer,
    /// It is for somebody else.
    Audience,
    /// Expired, of the future, or too old.
    Time,
    /// It answers another sign-in.
    Nonce,
    /// It names nobody.
    Subject,
    /// It holds no e-mail address.
    NoAddress,
    /// The address is not known to be its owner's.
    Unverified,
}

impl Refusal {
    /// A word for the audit log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Form => "form",
            Self::Algorithm => "algorithm",
            Self::Key => "key",
            Self::Signature => "signature",
            Self::Issuer => "issuer",
            Self::Audience => "audience",
            Self::Time => "time",
            Self::Nonce => "nonce",
            Self::Subject => "subject",
            Self::NoAddress => "no-address",
            Self::Unverified => "unverified-address",
        }
    }
}

impl From<Refusal> for SsoError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<OutboundError> for SsoError {
    fn from(error: OutboundError) -> Self {
        Self::Unreachable(Some(error))
    }
}
