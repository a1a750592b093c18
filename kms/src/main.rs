//! The one binary: reads the command line and hands over.

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};
use kms_cli::GlobalArgs;
use kms_server::ServerArgs;

/// Hanzo KMS: secrets for programs and people
#[derive(Parser)]
#[command(name = "kms", version, disable_version_flag = true, disable_help_subcommand = true)]
struct Kms {
    #[command(flatten)]
    global: GlobalArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    // Boxed: its flags are many, and the commands of the client start once per use.
    Server(Box<ServerArgs>),
    #[command(flatten)]
    Client(kms_cli::Command),
}

fn main() -> ExitCode {
    let Kms { global, command } = Kms::parse();
    match command {
        Command::Server(args) => kms_server::run(&args),
        Command::Client(command) => kms_cli::run(&global, command, Kms::command),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Kms::command().debug_assert();
    }
}
