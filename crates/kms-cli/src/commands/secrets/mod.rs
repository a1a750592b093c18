//! `kms secrets`: without a further command it lists.

mod delete;
mod diff;
mod example;
mod folders;
mod get;
mod imports;
mod list;
mod past;
mod relocate;
mod rename;
mod rollback;
mod rows;
mod set;
mod tags;
mod tree;
mod versions;

use std::process::ExitCode;

use clap::Subcommand;
use kms_api::Timestamp;

use crate::{
    Context,
    error::CliError,
    selection::{PlaceArgs, ReadArgs},
};

/// List, read and change secrets
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(flatten)]
    common: Common,

    /// List what was in the folder then, values as they were stored: an RFC 3339 date and time
    #[arg(long, value_name = "TIME", value_parser = past::parse_time)]
    at: Option<Timestamp>,

    #[command(subcommand)]
    command: Option<Secrets>,
}

/// What all of these commands take, before or after their name.
#[derive(clap::Args, Debug)]
struct Common {
    #[command(flatten)]
    place: PlaceArgs,

    #[command(flatten)]
    read: ReadArgs,

    /// Print `NAME=VALUE` lines; for `get`, only values
    #[arg(long, visible_alias = "raw-value", global = true)]
    plain: bool,

    /// The same as `--output`: json, yaml or dotenv
    #[arg(short = 'o', value_name = "FORMAT", global = true)]
    format: Option<String>,
}

impl Common {
    /// Says that `--plain` stands before a command that has no such form.
    fn refuse_plain(&self, command: &str) -> Result<(), CliError> {
        if self.plain {
            return Err(CliError::usage(format!("`--plain` has no meaning for `{command}`")));
        }
        Ok(())
    }
}

#[derive(Debug, Subcommand)]
enum Secrets {
    Get(get::Args),
    Set(set::Args),
    Delete(delete::Args),
    #[command(subcommand)]
    Folders(folders::Folders),
    Diff(diff::Args),
    GenerateExampleEnv(example::Args),
    History(versions::Args),
    Rollback(rollback::Args),
    Move(relocate::Args),
    Duplicate(relocate::DuplicateArgs),
    Rename(rename::Args),
    #[command(subcommand)]
    Imports(imports::Imports),
    #[command(subcommand)]
    Tags(tags::Tags),
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<ExitCode, CliError> {
    let common = &args.common;
    if let Some(at) = args.at {
        if args.command.is_some() {
            return Err(CliError::usage("`--at` lists what was, and has no meaning for a command")
                .hint("the versions of one secret: `kms secrets history NAME`"));
        }
        past::run(at, common, context).await?;
        return Ok(ExitCode::SUCCESS);
    }
    match args.command {
        None => list::run(common, context).await?,
        Some(Secrets::Diff(args)) => return diff::run(&args, common, context).await,
        Some(Secrets::GenerateExampleEnv(args)) => example::run(args, common, context).await?,
        Some(Secrets::Get(args)) => get::run(&args, common, context).await?,
        Some(Secrets::Set(args)) => set::run(args, common, context).await?,
        Some(Secrets::Delete(args)) => delete::run(args, common, context).await?,
        Some(Secrets::Folders(command)) => folders::run(command, common, context).await?,
        Some(Secrets::History(args)) => versions::run(&args, common, context).await?,
        Some(Secrets::Rollback(args)) => rollback::run(&args, common, context).await?,
        Some(Secrets::Move(args)) => relocate::run(args, common, context).await?,
        Some(Secrets::Duplicate(args)) => relocate::duplicate(args, common, context).await?,
        Some(Secrets::Rename(args)) => rename::run(args, common, context).await?,
        Some(Secrets::Imports(command)) => imports::run(command, common, context).await?,
        Some(Secrets::Tags(command)) => tags::run(command, common, context).await?,
    }
    Ok(ExitCode::SUCCESS)
}
