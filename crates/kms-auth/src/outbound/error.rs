//! Why a call did not succeed: a sentence for everybody, the reason for the log alone.

use std::{error::Error, net::IpAddr};

/// A call that did not succeed. What it shows is the same whatever happened, so that nobody can
/// find out about networks that they cannot reach (attack X3).
#[derive(thiserror::Error)]
#[error("the address could not be called")]
pub struct OutboundError(pub(super) Reason);

impl OutboundError {
    /// Why, for the server's log; never for an answer.
    pub fn reason(&self) -> String {
        let mut text = self.0.to_string();
        let mut cause = self.0.source();
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        text
    }
}

impl std::fmt::Debug for OutboundError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OutboundError")
    }
}

impl From<Reason> for OutboundError {
    fn from(reason: Reason) -> Self {
        Self(reason)
    }
}

/// What happened.
#[derive(Debug, thiserror::Error)]
pub(super) enum Reason {
    #[error("not an address that may be called: {0}")]
    Url(#[from] super::UnsafeUrl),
    #[error("the name has no address")]
    NoAddress(#[source] Option<std::io::Error>),
    #[error("`{0}` is private; `--outbound-allow` does not name it")]
    Private(IpAddr),
    #[error("`{0}` is never called")]
    Forbidden(IpAddr),
    #[error("one of this server's own listeners is there")]
    OwnListener,
    #[error("plain `http` is for what `--outbound-allow` names")]
    Unencrypted,
    #[error("the client could not be made")]
    Setup(#[source] Box<dyn Error + Send + Sync>),
    #[error("the call failed")]
    Transport(#[source] reqwest::Error),
    #[error("the answer is longer than {0} bytes")]
    TooLong(usize),
    #[error("too many calls are under way")]
    Busy,
    #[error("no answer in time")]
    TimedOut,
}
