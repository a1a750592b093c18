//! The pages, as a browser without JavaScript has them.
#![expect(clippy::unwrap_used, reason = "tests")]

mod account;
mod device;
mod frame;
mod hand_over;
mod login;
mod mailed;
mod oauth;
mod single_sign_on;
mod visit;
