//! Every export format, read back by its own readers: what they read is what was stored, or the
//! format refused it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod csv;
mod dotenv;
mod dotenv_export;
mod json;
mod support;
mod yaml;
