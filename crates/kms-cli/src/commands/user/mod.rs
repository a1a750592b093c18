//! `kms user`.

mod get;
mod import;
mod list;
mod switch;
mod update;

use clap::Subcommand;

use crate::{Context, error::CliError, profiles::Config, profiles::Profile};

/// Show the logins of this machine, or work with them
///
/// A login is a person in an organization on a server. Several are kept at once; `--profile`,
/// `KMS_PROFILE` and the project file choose one for a command, `kms user switch` for all.
#[derive(clap::Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    command: Option<User>,
}

#[derive(Debug, Subcommand)]
enum User {
    Switch(switch::Args),
    #[command(subcommand)]
    Update(Update),
    #[command(subcommand)]
    Get(Get),
    Import(import::Args),
}

/// Change a login
#[derive(Debug, Subcommand)]
enum Update {
    Domain(update::Args),
}

/// Print what a login holds
#[derive(Debug, Subcommand)]
enum Get {
    Token(get::Args),
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), CliError> {
    match args.command {
        None => list::run(context),
        Some(User::Switch(args)) => switch::run(args, context).await,
        Some(User::Update(Update::Domain(args))) => update::run(args, context).await,
        Some(User::Get(Get::Token(args))) => get::run(&args, context).await,
        Some(User::Import(args)) => import::run(&args, context),
    }
}

/// The login that a command is about: the chosen one, whatever token was given besides.
pub(super) fn chosen(context: &Context) -> Result<Profile, CliError> {
    match context.settings.chosen()? {
        Some(chosen) => Ok(chosen.profile.clone()),
        None => Err(context.settings.nobody()),
    }
}

/// One line that tells a login from the others.
pub(super) fn title(profile: &Profile) -> String {
    format!(
        "{} in {} on {} ({})",
        profile.email,
        profile.organization_title(),
        profile.domain,
        profile.name
    )
}

/// The names of all logins, for a message.
pub(super) fn names(config: &Config) -> String {
    let names = config.profiles.iter().map(|profile| format!("`{}`", profile.name));
    names.collect::<Vec<_>>().join(", ")
}
