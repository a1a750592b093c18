//! Why a login was not let in: what the caller hears, and what the log says.

use std::borrow::Cow;

use crate::outbound::OutboundError;

/// Why a proof did not become a principal.
///
/// Until a proof is known to be genuine there is one answer for every reason, so that nobody
/// learns from it which identities exist or what they ask for (attack C15). A caller whose proof
/// is genuine hears which rule does not admit them.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// The proof is not believed (401).
    #[error("{UNVERIFIED}")]
    Unverified(Cow<'static, str>),
    /// The proof is genuine, but not let in by the identity's configuration (401).
    #[error("{0}")]
    Denied(Cow<'static, str>),
    /// As [`Self::Denied`], where the contract answers 403.
    #[error("{0}")]
    Forbidden(Cow<'static, str>),
    /// Whoever verifies this kind of proof gave no usable answer (401). Nothing is known about the
    /// proof then, so the caller hears nothing else than of one that is not believed.
    #[error("{UNVERIFIED}")]
    Unreachable(Cow<'static, str>),
}

/// What a proof that is not believed is answered with; an unknown identity gets the same.
pub const UNVERIFIED: &str = "Invalid credentials";

impl AuthError {
    /// The status of the answer.
    pub fn status(&self) -> u16 {
        match self {
            Self::Unverified(_) | Self::Denied(_) | Self::Unreachable(_) => 401,
            Self::Forbidden(_) => 403,
        }
    }

    /// Why, for the server's log and the audit record; holds no part of a credential.
    pub fn reason(&self) -> &str {
        match self {
            Self::Unverified(reason)
            | Self::Denied(reason)
            | Self::Forbidden(reason)
            | Self::Unreachable(reason) => reason,
        }
    }

    /// A proof that is not believed.
    pub(crate) fn unverified(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Unverified(reason.into())
    }

    /// A genuine proof of somebody who is not let in.
    pub(crate) fn denied(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Denied(reason.into())
    }

    /// An answer that cannot be used.
    pub(crate) fn unreachable(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Unreachable(reason.into())
    }
}

/// What a configuration relies on is not there; says what, and what to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ProbeFailed(pub(crate) &'static str);

impl From<OutboundError> for AuthError {
    fn from(error: OutboundError) -> Self {
        // The audit record is for whoever chose the address: it must not tell them about networks
        // that they cannot reach (attack X3).
        tracing::warn!(reason = error.reason(), "a call for the login of a machine failed");
        Self::Unreachable(error.to_string().into())
    }
}
