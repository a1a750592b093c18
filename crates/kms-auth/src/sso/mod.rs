//! Signing people in at their organization's identity provider (OpenID Connect Core 1.0, the
//! authorization code flow with PKCE).
//!
//! Whoever administers an organization names the provider, so everything about it is somebody
//! else's word: it is called through [`Outbound`](crate::outbound::Outbound) alone, its documents
//! must be at the issuer's own site unless the administrator named the address, and an ID token is
//! believed in this order: form, algorithm, key, signature, issuer, audience, time, nonce, address
//! (attacks J1 to J5).
//!
//! Must not know accounts or organizations: what comes out is what the provider says about
//! somebody, and whose account that is, is decided elsewhere.

mod client;
mod documents;
mod endpoints;
mod error;
mod id_token;
mod keys;
#[cfg(test)]
mod tests;

pub use client::{Identity, SingleSignOn, Started};
pub use endpoints::{Algorithm, Provider, Reach};
pub use error::{Refusal, SsoError};
