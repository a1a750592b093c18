//! The pages, as a browser without JavaScript has them.
#![expect(clippy::unwrap_used, reason = "tests")]

mod account;
mod frame;
mod login;
mod mailed;
mod visit;
