//! The machine login methods that somebody outside of this server vouches for; one file each.

pub(crate) mod aws_iam;
pub(crate) mod azure;
pub(crate) mod gcp;
pub(crate) mod jwt;
pub(crate) mod kubernetes;
pub(crate) mod oidc;

#[cfg(test)]
mod tests;

use std::future::Future;

use kms_api::{auth::Configured, error::Issue};

use crate::{AuthError, Login, Principal, ProbeFailed, Verifier, outbound::OutboundPolicy};

/// How a method is configured, and how its proof is verified.
pub trait Verify: Configured {
    /// The configuration that settings make of an existing one, or of none when the method is
    /// being attached. Refuses what is not safe to log in with, each broken rule with its field.
    fn configure(
        current: Option<&Self::Config>,
        settings: &Self::Settings,
        policy: &OutboundPolicy,
    ) -> Result<Self::Config, Vec<Issue>>;

    /// Asks whether what a configuration relies on is there, before it is stored; nothing is asked
    /// when the change from `current` is none to it.
    fn probe(
        _current: Option<&Self::Config>,
        _config: &Self::Config,
        _verifier: &Verifier,
    ) -> impl Future<Output = Result<(), ProbeFailed>> + Send {
        std::future::ready(Ok(()))
    }

    /// Who gave the proof.
    fn verify(
        config: &Self::Config,
        proof: &Self::Proof,
        login: Login<'_>,
    ) -> impl Future<Output = Result<Principal, AuthError>> + Send;
}

/// The longest that a token of a vendor is good for, in seconds: two days.
const VENDOR_LIFETIME: i64 = 172_800;
/// The longest that any token is good for, in seconds: a year. What is good for longer is a
/// password.
const LONGEST_LIFETIME: i64 = 366 * 86_400;
