//! People: logging in, sessions that last, and where they act.
//!
//! A login makes one session ([`session`]), which answers with an access token that lives for
//! minutes and a refresh token that is good for the next pair ([`refresh`]). The organization is
//! chosen afterwards ([`select`]); whoever decides about a second factor is asked there and at
//! every refresh, and nowhere else.

pub(crate) mod account;
mod approval;
mod factors;
mod login;
mod page;
mod passkeys;
mod refresh;
mod select;
mod session;
mod throttle;
mod way_in;

pub(crate) use account::to_wire as user_to_wire;
pub(crate) use approval::Approval;
pub use factors::{Missing, PendingLogin};
pub(crate) use page::PAGE_SECONDS;
pub use page::Page;
pub use passkeys::{Passkey, PasskeyAnswer, PasskeyRequest};
pub use select::{PagePlace, Selection};
pub use session::Opened;
pub(crate) use session::{Chosen, Grant, Start, nowhere};
pub(crate) use throttle::Attempt;

/// How a person with a password logs in.
pub(crate) const EMAIL: &str = "email";
/// How a person with a passkey does, and what it is called as second factor.
pub(crate) const PASSKEY: &str = "webauthn";
/// How a person logs in at their organization's identity provider.
pub(crate) const OIDC: &str = "oidc";

#[cfg(test)]
pub(crate) mod tests;
