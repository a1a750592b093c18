//! `kms user update domain`.

use kms_client::Origin;

use super::{chosen, title};
use crate::{
    Context,
    error::{CliError, ResultExt as _},
};

/// Tell a login that its server has another address now
///
/// Its tokens are sent to the new address from then on, so it must be the same server.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// The new address
    #[arg(value_name = "URL")]
    url: String,

    /// Change it without asking; required where nobody can be asked
    #[arg(long, short = 'y')]
    yes: bool,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<(), CliError> {
    let profile = chosen(context)?;
    let origin: Origin =
        args.url.parse().map_err(CliError::from).context("the new address is not valid")?;
    if origin == profile.domain {
        context.ui.notice(&format!("{} is there already", title(&profile)));
        return Ok(());
    }
    confirm(&args, context, &title(&profile), &origin)?;
    // Whoever answers there must be a KMS before it is sent a token.
    context
        .settings
        .anonymous_client_to(&origin)?
        .status()
        .await
        .context(format!("`{origin}` was not taken as the new address of `{}`", profile.name))?;
    let moved = context.settings.profiles.move_to(&profile, origin)?;
    context.ui.notice(&format!("Changed: {}", title(&moved)));
    Ok(())
}

fn confirm(args: &Args, context: &Context, who: &str, origin: &Origin) -> Result<(), CliError> {
    if args.yes {
        return Ok(());
    }
    if !context.ui.interactive {
        return Err(CliError::usage(format!(
            "sending the tokens of {who} to `{origin}` has to be confirmed"
        ))
        .hint("add `--yes` to confirm it"));
    }
    let question = format!("Send the tokens of {who} to {origin} from now on?");
    if context.ui.confirm(&question)? {
        Ok(())
    } else {
        Err(CliError::needs_person("nothing was changed"))
    }
}
