//! Nothing that was acknowledged is lost: the real server, killed over and over under load.
#![expect(clippy::unwrap_used, reason = "tests")]

mod crash;
mod database;
mod http;
mod replicas;
mod server;
mod sync;
