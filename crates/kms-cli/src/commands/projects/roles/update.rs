//! `kms projects roles update`.

use kms_api::roles::UpdateRole;

use crate::{
    Context,
    error::{CliError, ResultExt as _},
};

/// Change what is given of a role of a project
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(flatten)]
    role: super::RoleArg,

    #[command(flatten)]
    described: super::Described,

    /// New slug
    #[arg(long, value_name = "SLUG")]
    new_slug: Option<String>,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<(), CliError> {
    let output = context.settings.table_or_json()?;
    let project = context.settings.project_id(args.role.project.project_id.as_deref())?;
    let said = args.described.read()?;
    let body = UpdateRole {
        slug: args.new_slug,
        name: said.name,
        description: said.description,
        permissions: said.permissions,
    };
    let doing =
        || format!("could not change the role `{}` of the project `{project}`", args.role.slug);
    let client = context.settings.client()?;
    let found = client.get_project_role(&project, &args.role.slug).await.context(doing())?;
    let id = found.role.id.to_string();
    let answer = client.update_project_role(&project, &id, &body).await.context(doing())?;
    super::print_one(context, output, &answer.role)
}
