//! `kms server` as a process: its keys, its files, its start and its end.
#![expect(clippy::unwrap_used, reason = "tests")]

mod backup;
mod crowd;
mod development;
mod devices;
mod mail;
mod neighbours;
mod process;
mod root_key;
mod serving;
