//! `kms reset`.

use crate::{Context, error::CliError};

/// Forget every login of this machine, and where they are kept
///
/// Works without the vault's passphrase and without any server, so sessions that were not ended by
/// `kms logout --all` before end by themselves.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Forget without asking; required where nobody can be asked
    #[arg(long, short = 'y')]
    yes: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    if context.settings.output.is_some() {
        return Err(CliError::usage("`reset` prints nothing and has no `--output`"));
    }
    context.ui.confirm_deletion("every login of this machine", args.yes)?;
    let left = context.settings.profiles.reset()?;
    for reason in left {
        context.ui.warn(&reason);
    }
    context.ui.notice("Reset successful");
    Ok(())
}
