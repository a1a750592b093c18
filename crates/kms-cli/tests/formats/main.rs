//! Every export format, read back by its own readers: what they read is what was stored, or the
//! format refused it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod csv;
mod documented;
mod dotenv;
mod dotenv_export;
mod fish;
mod json;
mod kubernetes;
mod support;
mod yaml;
