//! Who is asking, by somebody else's word: login methods that are verified against keys which are
//! not ours, and the outbound calls that it takes.
//!
//! Proof in, principal out. Nothing here knows projects, secrets or the database.
//!
//! Where to start: [`outbound`], the one way out of the server; [`sso`] for people.

pub mod outbound;
pub mod sso;

#[cfg(test)]
mod testing;
