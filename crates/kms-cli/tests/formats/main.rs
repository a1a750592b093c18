//! Every export format, read back by its own readers: what they read is what was stored, or the
//! format refused it.

mod csv;
mod dotenv;
mod dotenv_export;
mod json;
mod support;
mod yaml;
