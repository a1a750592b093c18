//! The pages, as a browser without JavaScript has them.
#![expect(clippy::unwrap_used, reason = "tests")]

mod device;
mod frame;
mod hand_over;
mod login;
mod oauth;
mod visit;
