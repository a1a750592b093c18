//! `kms projects roles list`.

use crate::{
    Context,
    cli::ProjectArg,
    error::{CliError, ResultExt as _},
};

/// List the roles of a project, the built-in ones first
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(flatten)]
    project: ProjectArg,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<(), CliError> {
    let output = context.settings.table_or_json()?;
    let project = context.settings.project_id(args.project.project_id.as_deref())?;
    let client = context.settings.client()?;
    let answer = client.list_project_roles(&project).await;
    let roles = answer.context(format!("could not list the roles of the project `{project}`"))?;
    super::print(context, output, &roles.roles, &roles.roles)
}
