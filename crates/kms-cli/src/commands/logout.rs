//! `kms logout`.

use crate::{
    Context,
    error::{CliError, ResultExt as _},
    profiles::Profile,
};

use super::user::{chosen, title};

/// End a login: its session on the server, and what is kept of it here
///
/// Without `--all` it is the login that commands would use; `--profile` names another.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Every login of this machine
    #[arg(long)]
    all: bool,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), CliError> {
    if context.settings.output.is_some() {
        return Err(CliError::usage("`logout` prints nothing and has no `--output`"));
    }
    context.ignore_token("logout");
    let profiles = if args.all {
        context.settings.profiles.config()?.profiles
    } else {
        vec![chosen(context)?]
    };
    // One that fails leaves none of the others logged in.
    let mut failure = None;
    for profile in &profiles {
        match end(profile, context).await {
            Ok(()) => context.ui.notice(&format!("Logged out: {}", title(profile))),
            Err(error) => {
                if let Some(former) = failure.replace(error) {
                    context.ui.error(&former);
                }
            }
        }
    }
    failure.map_or(Ok(()), Err)
}

/// What is here goes even when the server does not answer: then the error says so.
async fn end(profile: &Profile, context: &Context) -> Result<(), CliError> {
    let ended = end_on_server(profile, context).await;
    context
        .settings
        .profiles
        .forget(profile)
        .context(format!("could not forget the login `{}`", profile.name))?;
    ended.context(format!(
        "the login `{}` is forgotten here, but its session on `{}` was not ended",
        profile.name, profile.domain
    ))
}

async fn end_on_server(profile: &Profile, context: &Context) -> Result<(), CliError> {
    let tokens = context.settings.profiles.store(profile)?.open()?;
    let Some(refresh) = &tokens.refresh else {
        context.ui.warn(&format!(
            "the access token of `{}` cannot be ended from here; it ends by itself",
            profile.name
        ));
        return Ok(());
    };
    let client = context.settings.anonymous_client_to(&profile.domain)?;
    match client.with_token(&tokens.access)?.logout(refresh).await {
        // It had ended before.
        Err(kms_client::Error::Status { status: 401 | 404, .. }) => Ok(()),
        other => other.map(drop).map_err(CliError::from),
    }
}
