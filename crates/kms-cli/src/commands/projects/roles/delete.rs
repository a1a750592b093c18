//! `kms projects roles delete`.

use crate::{
    Context,
    cli::ConfirmArg,
    error::{CliError, ResultExt as _},
    settings::Output,
};

/// Delete a role of a project that no member has
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(flatten)]
    role: super::RoleArg,

    #[command(flatten)]
    confirm: ConfirmArg,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<(), CliError> {
    let output = context.settings.table_or_json()?;
    let project = context.settings.project_id(args.role.project.project_id.as_deref())?;
    let what = format!("the role `{}` of the project `{project}`", args.role.slug);
    let client = context.settings.client()?;
    context.ui.confirm_deletion(&what, args.confirm.yes)?;
    let doing = || format!("could not delete {what}");
    let found = client.get_project_role(&project, &args.role.slug).await.context(doing())?;
    let answer = client.delete_project_role(&project, &found.role.id.to_string()).await;
    let role = answer.context(doing())?.role;
    if output == Output::Json {
        return context.ui.json(&role);
    }
    context.ui.notice(&format!("Deleted {what}"));
    Ok(())
}
