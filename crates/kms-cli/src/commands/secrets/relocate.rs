//! `kms secrets move` and `kms secrets duplicate`.

use kms_api::{
    SecretId,
    secrets::ProjectRef,
    transfers::{DuplicateSecrets, MoveSecrets, Ways},
};
use kms_client::Client;

use super::{
    Common,
    rows::{Form, Row, Structured},
    versions::secret_id,
};
use crate::{Context, error::CliError, selection::Place};

/// Move secrets to another folder, all of the named or none
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Names of the secrets
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,

    #[command(flatten)]
    target: Target,
}

/// Copy secrets to another folder, all of the named or none; copies have no history
#[derive(clap::Args, Debug)]
pub(super) struct DuplicateArgs {
    /// Names of the secrets
    #[arg(value_name = "NAME", required_unless_present = "all", conflicts_with = "all")]
    names: Vec<String>,

    /// Copy everything in the folder and below it, with its folders
    #[arg(long)]
    all: bool,

    #[command(flatten)]
    target: Target,
}

/// Where secrets go.
#[derive(clap::Args, Debug)]
struct Target {
    /// Slug of the environment they go to [default: the one they are in]
    #[arg(long, value_name = "SLUG", required_unless_present = "to_path")]
    to_env: Option<String>,

    /// Folder they go to [default: the one they are in]
    #[arg(long, value_name = "PATH")]
    to_path: Option<String>,

    /// Give another version to secrets of the same names that are there already
    #[arg(long)]
    overwrite: bool,
}

impl Target {
    fn ways(self, place: &Place) -> Result<Ways, CliError> {
        let path = place.path()?.to_owned();
        Ok(Ways {
            project: ProjectRef::id(&place.project),
            source_environment: place.environment.clone(),
            destination_environment: self.to_env.unwrap_or_else(|| place.environment.clone()),
            destination_secret_path: Some(self.to_path.unwrap_or_else(|| path.clone())),
            source_secret_path: Some(path),
            should_overwrite: self.overwrite,
        })
    }
}

pub(super) async fn run(args: Args, common: &Common, context: &Context) -> Result<(), CliError> {
    common.read.refuse("secrets move")?;
    common.refuse_plain("secrets move")?;
    let structured = Form::decide(common, context)?.structured()?;
    let place = Place::resolve(&common.place, context)?;
    let ways = args.target.ways(&place)?;
    let client = context.settings.client()?;
    let (names, secret_ids) = ids(args.names, &client, &place).await?;
    let body = MoveSecrets { ways, secret_ids };
    let answer = client.move_secrets(&body).await;
    answer.map_err(|error| explain("move secrets from", &place, error))?;
    report("Moved", names, &body.ways, structured, context)
}

pub(super) async fn duplicate(
    args: DuplicateArgs,
    common: &Common,
    context: &Context,
) -> Result<(), CliError> {
    common.read.refuse("secrets duplicate")?;
    common.refuse_plain("secrets duplicate")?;
    let structured = Form::decide(common, context)?.structured()?;
    let place = Place::resolve(&common.place, context)?;
    let ways = args.target.ways(&place)?;
    let client = context.settings.client()?;
    let secret_ids = if args.all { None } else { Some(ids(args.names, &client, &place).await?.1) };
    let body = DuplicateSecrets { ways, secret_ids };
    let answer = client.duplicate_secrets(&body).await;
    let made = answer.map_err(|error| explain("copy secrets from", &place, error))?.secrets;
    let names = made.into_iter().map(|secret| secret.secret_key).collect();
    report("Copied", names, &body.ways, structured, context)
}

/// The names, each once and in order, and the ids they stand for.
async fn ids(
    mut names: Vec<String>,
    client: &Client,
    place: &Place,
) -> Result<(Vec<String>, Vec<SecretId>), CliError> {
    names.sort();
    names.dedup();
    let mut ids = Vec::with_capacity(names.len());
    for name in &names {
        ids.push(secret_id(client, place, name).await?);
    }
    Ok((names, ids))
}

fn explain(doing: &str, place: &Place, error: kms_client::Error) -> CliError {
    let is_taken = error.to_string().contains("already");
    let path = place.paths.first().map_or("/", String::as_str);
    let error = place.explain(doing, path, error);
    if is_taken { error.hint("give those another version: `--overwrite`") } else { error }
}

fn report(
    done: &str,
    names: Vec<String>,
    ways: &Ways,
    structured: Option<Structured>,
    context: &Context,
) -> Result<(), CliError> {
    let folder = |path: &Option<String>| path.clone().unwrap_or_else(|| "/".to_owned());
    let (from, to) = (folder(&ways.source_secret_path), folder(&ways.destination_secret_path));
    if let Some(structured) = structured {
        let row = |name| Row { secret_path: Some(to.clone()), ..Row::named(name) };
        return structured.print(&names.into_iter().map(row).collect::<Vec<_>>(), context);
    }
    for name in names {
        context.ui.notice(&format!(
            "{done} the secret `{name}` from `{from}` of `{}` to `{to}` of `{}`",
            ways.source_environment, ways.destination_environment
        ));
    }
    Ok(())
}
