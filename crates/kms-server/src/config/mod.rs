//! From the command line to a running server's settings, one concern per file.

mod args;
mod data;
mod error;
mod mail;
mod root_key;
mod tls;
mod vendors;

pub(crate) use args::{BackupArgs, ServerCommand};
pub use args::{LogFormat, ServerArgs};
pub(crate) use data::Data;
pub use error::StartError;
pub(crate) use mail::outbox;
pub(crate) use tls::acceptor;
