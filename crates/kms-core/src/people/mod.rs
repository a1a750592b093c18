//! People: logging in, sessions that last, and where they act.
//!
//! A login makes one session ([`session`]), which answers with an access token that lives for
//! minutes and a refresh token that is good for the next pair ([`refresh`]). The organization is
//! chosen afterwards ([`select`]); whoever decides about a second factor is asked there and at
//! every refresh, and nowhere else.

mod account;
mod login;
mod refresh;
mod select;
mod session;

pub use session::Opened;
pub(crate) use session::{Chosen, Grant};

/// How a person with a password logs in.
pub(crate) const EMAIL: &str = "email";
