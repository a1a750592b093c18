//! Machine identities with the methods that others vouch for: the real program, a real server, and
//! the guides as they stand in the book.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod commands;
mod guides;

mod house;
mod issuer;

mod refusals;
