//! `kms projects roles show`.

use crate::{
    Context,
    error::{CliError, ResultExt as _},
    settings::Output,
};

/// Show a role with its rules, as `create` and `update` read them
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(flatten)]
    role: super::RoleArg,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<(), CliError> {
    let output = context.settings.table_or_json()?;
    let project = context.settings.project_id(args.role.project.project_id.as_deref())?;
    let client = context.settings.client()?;
    let answer = client.get_project_role(&project, &args.role.slug).await;
    let doing = format!("could not read the role `{}` of the project `{project}`", args.role.slug);
    let role = answer.context(doing)?.role;
    if output == Output::Json {
        return context.ui.json(&role);
    }
    // What a role allows is more than fits into a cell.
    super::print_one(context, output, &role)?;
    context.ui.json(&role.permissions.unwrap_or_default())
}
