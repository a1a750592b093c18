//! The one guard for every call that leaves the server (attacks X1 to X4).
//!
//! Administrators of tenants name the addresses that logins are verified against, so an address is
//! judged before anything is sent: `https` alone, a name resolved once, every address that it has
//! checked, the connection made to exactly those addresses. Redirects are not followed and the
//! environment's proxies are not used: a proxy would resolve the name again and reach what was
//! never checked. What failed is for the log; callers learn only that the call did not succeed.
//!
//! What an operator may open up is [`OutboundPolicy`], what is never reachable is in `address.rs`.

mod address;
mod call;
mod error;
mod policy;
mod resolve;
mod target;
mod tls;
mod turns;

pub use call::{Limits, Outbound};
pub use error::OutboundError;
pub use policy::{Allow, InvalidAllow, OutboundPolicy};
pub use resolve::{Resolve, Resolving, SystemResolver};
pub use target::{Target, UnsafeUrl};
pub use tls::{InvalidCertificates, Trust};

#[cfg(test)]
mod tests;
