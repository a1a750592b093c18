//! The pages in a real browser: Debian's Chromium, driven through its own driver, against the real
//! binary. Needs what `scripts/needs` installs.
//!
//! A test opens a [`server::Server`] and one or more [`browser::Browser`]s. Two tests at a time have
//! browsers open, so that a small machine bears it; a test that fails leaves no process behind.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod authenticator;
mod browser;
mod driver;
mod look;
mod people;
mod server;
mod wire;

mod harness;
mod passkeys;
mod single_sign_on;
