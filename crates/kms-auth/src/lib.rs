//! Who is asking, by somebody else's word: login methods that are verified against keys which are
//! not ours, and the outbound calls that it takes.
//!
//! Proof in, principal out. Nothing here knows projects, secrets or the database.
//!
//! Where to start: [`outbound`], the one way out of the server; [`sso`] for people; [`Verify`] for
//! machines: what every method can do, implemented for the method types of `kms-api`.

mod bound;
mod check;
mod error;
pub mod glob;
mod jwt;
mod keys;
mod methods;
pub mod outbound;
mod principal;
pub mod sso;
mod verifier;

pub use error::{AuthError, ProbeFailed, UNVERIFIED};
pub use methods::Verify;
pub use principal::{Principal, Replay};
pub use verifier::{Endpoints, Login, Verifier};

#[cfg(test)]
mod testing;
