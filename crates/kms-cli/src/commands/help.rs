//! `kms help`.

use crate::{env_vars, error::CliError, ui::Ui};

/// Explain a command, or `environment`: the variables that are read
#[derive(clap::Args, Debug)]
pub struct Args {
    /// A command, with its subcommand if it has one, or `environment`
    #[arg(value_name = "TOPIC")]
    topic: Vec<String>,
}

pub(crate) fn run(ui: Ui, args: &Args, mut root: clap::Command) -> Result<(), CliError> {
    if args.topic.iter().map(String::as_str).eq(["environment"]) {
        return environment(ui);
    }
    root.build();
    let mut command = &mut root;
    for name in &args.topic {
        command = command.find_subcommand_mut(name).ok_or_else(|| {
            CliError::usage(format!("there is no command `{name}`")).hint("kms help")
        })?;
    }
    let help = command.render_long_help();
    ui.styled(&help.ansi().to_string())
}

fn environment(ui: Ui) -> Result<(), CliError> {
    let rows = env_vars::ALL
        .iter()
        .map(|variable| {
            vec![variable.names.join("\n"), variable.help.trim_end_matches('.').to_owned()]
        })
        .collect();
    ui.table(&["variable", "meaning"], rows)
}
