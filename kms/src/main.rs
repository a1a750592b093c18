//! The one binary: reads the command line and hands over.

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};
use kms_cli::GlobalArgs;
use kms_server::ServerArgs;

/// Hanzo KMS: secrets for programs and people
#[derive(Parser)]
#[command(name = "kms", version, disable_version_flag = true, disable_help_subcommand = true)]
#[command(max_term_width = 80)]
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
    keep_to_itself();
    let Kms { global, command } = Kms::parse();
    match command {
        Command::Server(args) => kms_server::run(&args),
        Command::Client(command) => kms_cli::run(&global, command, Kms::command),
    }
}

/// Keeps the memory of this process out of core dumps and from other processes of the same user
/// (attack S5). A program that `run` becomes decides for itself again.
fn keep_to_itself() {
    // Not every system lets it: what is asked for works without.
    #[cfg(target_os = "linux")]
    let _ = nix::sys::prctl::set_dumpable(false);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Kms::command().debug_assert();
    }

    #[test]
    fn every_command_has_a_summary_and_a_help_of_80_columns() {
        let mut commands = vec![Kms::command()];
        commands[0].build();
        while let Some(mut command) = commands.pop() {
            let name = command.get_bin_name().unwrap_or_default().to_owned();
            let summary = command.get_about().unwrap_or_default().to_string();
            assert!(!summary.is_empty() && !summary.ends_with('.'), "{name}: {summary:?}");
            for help in [command.render_help(), command.render_long_help()] {
                let help = help.to_string();
                let mut lines = help.lines().filter(|line| !line.contains("Usage:"));
                let wide = lines.find(|line| line.chars().count() > 80);
                assert_eq!(wide, None, "{name}");
            }
            commands.extend(command.get_subcommands().cloned());
        }
    }
}
