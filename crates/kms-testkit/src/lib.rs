//! Development only: the real server in the test's own process.
//!
//! [`TestServer`] has a database of its own, a clock that stands still and randomness from a
//! seed, so that every run sees the same ids and times. Requests go straight into the pipeline
//! ([`TestServer::call`]), or over a socket where the connection itself matters ([`raw`]).
#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "for tests alone")]

mod answer;
mod database;
mod mailbox;
pub mod raw;
mod request;
mod server;
mod tenant;

pub use answer::Answer;
pub use mailbox::Mailbox;
pub use request::Request;
pub use server::{Setup, TestServer};
pub use tenant::Tenant;
