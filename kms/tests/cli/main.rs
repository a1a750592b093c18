//! Black-box tests of the command line: the real program against a server that only answers what
//! the test wrote down, and records what it was asked.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

mod administration;
mod export;
mod leaks;
mod login;
mod output;
mod people;
mod run;
mod secrets;
mod tls;
mod transport;
