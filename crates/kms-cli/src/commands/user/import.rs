//! `kms user import`.

use crate::{Context, error::CliError, profiles::import};

use super::title;

/// Take over the logins of the compatible CLI, once
///
/// Reads its configuration, and its entries in the system's keyring or its file vault; changes
/// neither. Its access tokens can't be renewed, so a login that is taken over lasts until its
/// token ends.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Home directory of the compatible CLI's files [default: your own]
    #[arg(long, value_name = "DIRECTORY")]
    from: Option<std::path::PathBuf>,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    if context.settings.output.is_some() {
        return Err(CliError::usage("`user import` prints nothing and has no `--output`"));
    }
    let found = import::read(args.from.as_deref(), context)?;
    let mut taken = 0;
    for login in found {
        match login {
            Ok(session) => {
                let profile = context.settings.profiles.remember(session)?;
                context.ui.notice(&format!("Taken over: {}", title(&profile)));
                taken += 1;
            }
            Err(reason) => context.ui.warn(&reason),
        }
    }
    if taken == 0 {
        return Err(CliError::failed("there was no login to take over"));
    }
    Ok(())
}
