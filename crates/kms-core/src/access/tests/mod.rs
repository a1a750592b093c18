//! The rules against a second opinion.

mod generate;
mod lattice;
mod oracle;
mod renamed;
