//! `kms projects roles create`.

use kms_api::roles::CreateRole;

use crate::{
    Context,
    error::{CliError, ResultExt as _},
};

/// Create a role of a project
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(flatten)]
    role: super::RoleArg,

    #[command(flatten)]
    described: super::Described,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<(), CliError> {
    let output = context.settings.table_or_json()?;
    let project = context.settings.project_id(args.role.project.project_id.as_deref())?;
    let slug = args.role.slug;
    let said = args.described.read()?;
    if said.slug.as_ref().is_some_and(|other| *other != slug) {
        return Err(CliError::usage("the file is about a role with another slug"));
    }
    let permissions = said.permissions.ok_or_else(|| {
        CliError::usage("`--file` is missing")
            .hint("add `--file FILE` with the rules; `kms projects roles show viewer` shows some")
    })?;
    let body = CreateRole {
        name: said.name.unwrap_or_else(|| slug.clone()),
        description: said.description,
        permissions,
        slug,
    };
    let client = context.settings.client()?;
    let answer = client.create_project_role(&project, &body).await;
    let doing = format!("could not create the role `{}` in the project `{project}`", body.slug);
    super::print_one(context, output, &answer.context(doing)?.role)
}
