//! The pages in a real browser: Debian's Chromium, driven through its own driver, against the real
//! binary. Needs what `scripts/needs` installs.
//!
//! A test opens a [`server::Server`] and one or more [`browser::Browser`]s. Two tests at a time have
//! browsers open, so that a small machine bears it; a test that fails leaves no process behind.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod accessible;
mod authenticator;
mod browser;
mod driver;
mod http;
mod look;
mod people;
mod server;
mod wire;

#[path = "../cli/opener.rs"]
#[expect(dead_code, reason = "what only other tests ask of it")]
mod opener;
#[path = "../cli/terminal.rs"]
#[expect(dead_code, reason = "what only other tests type and expect")]
mod terminal;

mod account;
mod browser_rules;
mod command_line;
mod hand_over;
mod harness;
mod passkeys;
mod single_sign_on;
mod walk;
