//! The one binary: reads the command line and hands over.

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser};
use kms_cli::{Command, GlobalArgs};

/// Hanzo KMS: secrets for programs and people
#[derive(Parser)]
#[command(name = "kms", version, disable_version_flag = true, disable_help_subcommand = true)]
struct Kms {
    #[command(flatten)]
    global: GlobalArgs,
    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    let Kms { global, command } = Kms::parse();
    kms_cli::run(&global, command, Kms::command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Kms::command().debug_assert();
    }
}
