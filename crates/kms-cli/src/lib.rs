//! The command line: one file per command, settings decided once, all output in one place.
//!
//! Start at [`commands::Command`], which lists the commands, and [`run`], which carries one out.
//! Calls to the server are `kms-client`'s; no URL or JSON body is made here.

pub mod cli;
pub mod commands;
mod credential;
pub mod env_vars;
pub mod error;
pub mod formats;
pub mod input;
mod log;
pub mod mask;
mod mount;
mod offline;
mod private_file;
pub mod process;
pub mod profiles;
pub mod project_file;
mod prompt;
pub mod references;
mod selection;
pub mod settings;
mod supervise;
mod template;
pub mod ui;
mod update;
mod vault;

use std::process::ExitCode;

pub use cli::GlobalArgs;
pub use commands::Command;
use env_vars::Env;
use error::CliError;
use settings::Settings;
use ui::Ui;

/// What every command is given.
#[derive(Debug)]
pub struct Context {
    /// Output and questions.
    pub ui: Ui,
    /// The decided settings.
    pub settings: Settings,
}

impl Context {
    /// Says that a command has no use for `--token`.
    pub(crate) fn ignore_token(&self, command: &str) {
        let by = self.settings.token.as_ref().and_then(|token| token.by.as_deref());
        if by == Some("--token") {
            self.ui.warn(&format!("`--token` has no effect on `{command}`"));
        }
    }
}

/// Carries out a command and says how it ended. `root` is the whole command line, for `help`.
pub fn run(global: &GlobalArgs, command: Command, root: fn() -> clap::Command) -> ExitCode {
    let env = Env::Process;
    let alone =
        global.non_interactive || env.is_on(&env_vars::NON_INTERACTIVE) || env.is_on(&env_vars::CI);
    let ui = Ui::new(global.silent, alone);
    log::install(global.log_level.as_deref(), &env);
    ui::hide_panics();
    let result = std::panic::catch_unwind(|| execute(ui, global, env, command, root));
    let result = result.unwrap_or_else(|_| Err(CliError::internal("the command panicked")));
    result.unwrap_or_else(|error| {
        ui.error(&error);
        ExitCode::from(error.kind.exit_code())
    })
}

fn execute(
    ui: Ui,
    global: &GlobalArgs,
    env: Env,
    command: Command,
    root: fn() -> clap::Command,
) -> Result<ExitCode, CliError> {
    if global.telemetry.is_some() {
        ui.warn("`--telemetry` is deprecated and has no effect: nothing is ever reported");
    }
    if global.token.is_some() {
        ui.warn("`--token` shows in the process list; prefer `KMS_TOKEN`");
    }
    // What is started between `run` and a program reads no settings: its environment is not ours.
    let command = match command {
        Command::Help(args) => {
            commands::help::run(ui, &args, root())?;
            return Ok(ExitCode::SUCCESS);
        }
        Command::StartProgram(args) => return Err(supervise::become_program(args)),
        Command::RemoveMount(args) => {
            mount::wait_and_remove(&args)?;
            return Ok(ExitCode::SUCCESS);
        }
        command => command,
    };
    let context = Context { ui, settings: Settings::resolve(global, env, ui)? };
    if let (Some(_), Some(token)) = (&global.profile, &context.settings.token) {
        let by = token.by.as_deref().unwrap_or_default();
        ui.warn(&format!("`--profile` chooses no more than the server: `{by}` gives the token"));
    }
    // One request at a time needs no second thread.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(CliError::internal)?;
    let is_looking = matches!(command, Command::LookForUpdate(_));
    let result = runtime.block_on(command.run(&context));
    if let Err(error) = &result {
        offline::forget_ended(&context, error);
    }
    if !is_looking {
        update::notice(update::Feed::MayBeAsked, &context);
    }
    result
}
