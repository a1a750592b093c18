//! `kms run`.

use std::{ffi::OsString, path::PathBuf};

use crate::{
    Context,
    error::CliError,
    process::{self, Environment, EnvironmentError, Program},
    selection::{self, Place, PlaceArgs, ReadArgs, shell_word},
};

/// What `run` reports for failures of its own, as `env` and `timeout` do.
const OWN_FAILURE: u8 = 125;

/// Start a program with secrets in its environment
///
/// The program takes the place of `kms`: its exit status and its reaction to signals are its own.
/// Own failures end with 125, a program that cannot be started with 126, a missing one with 127.
#[derive(clap::Args, Debug)]
#[command(override_usage = "kms run [OPTIONS] -- PROGRAM [ARGUMENT]...\n       \
                            kms run [OPTIONS] --command LINE")]
pub struct Args {
    #[command(flatten)]
    place: PlaceArgs,

    #[command(flatten)]
    read: ReadArgs,

    /// Start this line with `$SHELL -c`, or `sh -c`
    #[arg(long, short, value_name = "LINE", conflicts_with = "program")]
    command: Option<OsString>,

    /// Take the project file of this directory in place of the nearest
    #[arg(long, value_name = "DIRECTORY")]
    project_config_dir: Option<PathBuf>,

    /// Hand over a secret of this name although it decides what code programs load, or although
    /// it describes terminal and session; may be repeated
    #[arg(long, value_name = "NAME")]
    allow_dangerous_name: Vec<String>,

    /// The program and its arguments, which no shell reads
    #[arg(value_name = "PROGRAM", trailing_var_arg = true, required_unless_present = "command")]
    program: Vec<OsString>,
}

/// Comes back only if the program could not be started.
pub(crate) async fn run(args: Args, context: &Context) -> Result<(), CliError> {
    let environment =
        environment(&args, context).await.map_err(|error| error.with_exit_code(OWN_FAILURE))?;
    for name in &environment.dropped {
        context.ui.warn(&format!(
            "the secret `{name}` is left out, as it describes terminal and session; to hand it \
             over, add `--allow-dangerous-name {}`",
            shell_word(name)
        ));
    }
    context.ui.notice(&format!(
        "Injecting {} KMS secrets into your application process",
        environment.injected
    ));
    let error = process::exec(&program(args), environment, std::env::var_os("SHELL"));
    let code = error.exit_code();
    Err(CliError::failed(error).with_exit_code(code))
}

async fn environment(args: &Args, context: &Context) -> Result<Environment, CliError> {
    if context.settings.output.is_some() {
        return Err(CliError::usage("`--output` has no meaning for `run`")
            .hint("options of the program stand behind `--`"));
    }
    let folder = args.project_config_dir.as_deref();
    let (client, place) = Place::to_read(&args.place, folder, context).await?;
    let secrets = selection::fetch(&client, &place, &args.read).await?;
    let secrets = selection::unique(secrets);
    selection::require_values(&secrets)?;
    let allowed = &args.allow_dangerous_name;
    Ok(process::environment(std::env::vars_os(), &secrets, allowed)?)
}

impl From<EnvironmentError> for CliError {
    fn from(error: EnvironmentError) -> Self {
        let hints = match &error {
            EnvironmentError::Unfit(_) => {
                vec!["`kms export --format json` carries them".to_owned()]
            }
            EnvironmentError::Dangerous(names) => {
                let flags: Vec<String> = names
                    .iter()
                    .map(|name| format!("--allow-dangerous-name {}", shell_word(name)))
                    .collect();
                vec![format!(
                    "if whoever may write these secrets may also run code here, add `{}`",
                    flags.join(" ")
                )]
            }
        };
        let mut this = Self::failed(error);
        this.hints = hints;
        this
    }
}

fn program(args: Args) -> Program {
    if let Some(line) = args.command {
        return Program::Shell(line);
    }
    let mut words = args.program.into_iter();
    Program::Direct { program: words.next().unwrap_or_default(), arguments: words.collect() }
}
