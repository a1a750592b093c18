//! Black-box tests of the command line: the real program against a server that only answers what
//! the test wrote down, and records what it was asked.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod authority;
mod kept;
mod opener;
mod provider;
mod signed;
mod support;
mod terminal;

mod administration;
mod browser;
mod browser_device;
mod browser_handover;
mod browser_listener;
mod doctor;
mod export;
mod history;
mod init;
mod kept_files;
mod keyring;
mod leaks;
mod login;
mod machine;
mod machine_aws;
mod machine_aws_sources;
mod machine_azure;
mod machine_ci;
mod machine_examples;
mod machine_gcp;
mod machine_leaks;
mod offline;
mod offline_attacks;
mod output;
mod people;
mod person;
mod person_domain;
mod person_questions;
mod profiles;
mod renewal;
mod roles;
mod run;
mod run_given;
mod run_mask;
mod run_mount;
mod run_supervised;
mod run_watch;
mod second_factor;
mod secrets;
mod secrets_compare;
mod secrets_set;
mod sources;
mod srp;
mod tls;
mod transport;
mod update;
