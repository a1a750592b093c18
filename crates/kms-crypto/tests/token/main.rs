//! Tokens: what passes and what does not.

#![expect(clippy::unwrap_used, reason = "a test that cannot set itself up must fail")]

mod fixtures;
mod headers;
mod times;
mod types;
