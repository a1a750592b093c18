//! `kms secrets move`.

use kms_api::{
    secrets::ProjectRef,
    transfers::{MoveSecrets, Ways},
};

use super::{
    Common,
    rows::{Form, Row},
    versions::secret_id,
};
use crate::{Context, error::CliError, selection::Place};

/// Move secrets to another folder, all of the named or none
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Names of the secrets
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,

    /// Slug of the environment to move to [default: the one they are in]
    #[arg(long, value_name = "SLUG", required_unless_present = "to_path")]
    to_env: Option<String>,

    /// Folder to move to [default: the one they are in]
    #[arg(long, value_name = "PATH")]
    to_path: Option<String>,

    /// Give another version to secrets of the same names that are there already
    #[arg(long)]
    overwrite: bool,
}

pub(super) async fn run(
    mut args: Args,
    common: &Common,
    context: &Context,
) -> Result<(), CliError> {
    common.read.refuse("secrets move")?;
    let structured = Form::decide(common, context)?.structured()?;
    let place = Place::resolve(&common.place, context)?;
    let path = place.path()?;
    args.names.sort();
    args.names.dedup();
    let client = context.settings.client()?;
    let mut ids = Vec::with_capacity(args.names.len());
    for name in &args.names {
        ids.push(secret_id(&client, &place, name).await?);
    }
    let environment = args.to_env.unwrap_or_else(|| place.environment.clone());
    let folder = args.to_path.unwrap_or_else(|| path.to_owned());
    let body = MoveSecrets {
        ways: Ways {
            project: ProjectRef::id(&place.project),
            source_environment: place.environment.clone(),
            source_secret_path: Some(path.to_owned()),
            destination_environment: environment.clone(),
            destination_secret_path: Some(folder.clone()),
            should_overwrite: args.overwrite,
        },
        secret_ids: ids,
    };
    let answer = client.move_secrets(&body).await;
    answer.map_err(|error| {
        let is_taken = error.to_string().contains("already");
        let error = place.explain("move secrets from", path, error);
        if is_taken { error.hint("give those another version: `--overwrite`") } else { error }
    })?;
    if let Some(structured) = structured {
        let row = |name: &String| Row {
            secret_key: name.clone(),
            secret_value: None,
            secret_value_hidden: false,
            secret_path: Some(folder.clone()),
            operation: None,
        };
        return structured.print(&args.names.iter().map(row).collect::<Vec<_>>(), context);
    }
    for name in &args.names {
        context.ui.notice(&format!(
            "Moved the secret `{name}` from `{path}` of `{}` to `{folder}` of `{environment}`",
            place.environment
        ));
    }
    Ok(())
}
