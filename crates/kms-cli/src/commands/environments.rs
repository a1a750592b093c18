//! `kms environments`.

use kms_api::{
    EnvironmentId,
    environments::{CreateEnvironment, UpdateEnvironment},
};
use kms_client::Client;

use crate::{
    Context,
    cli::{ConfirmArg, ProjectArg},
    error::{CliError, ResultExt as _},
    settings::Output,
};

/// Work with the environments of a project
#[derive(Debug, clap::Subcommand)]
pub enum Environments {
    List(ListArgs),
    Create(CreateArgs),
    Update(UpdateArgs),
    Delete(DeleteArgs),
}

/// List the environments of a project
#[derive(clap::Args, Debug)]
pub struct ListArgs {
    #[command(flatten)]
    project: ProjectArg,
}

/// Create an environment
#[derive(clap::Args, Debug)]
pub struct CreateArgs {
    #[command(flatten)]
    project: ProjectArg,

    /// Slug by which commands name it: lower-case letters, digits and hyphens
    #[arg(value_name = "SLUG")]
    slug: String,

    /// Name; the slug when left out
    #[arg(long)]
    name: Option<String>,

    /// Place among the environments, from 1; the last when left out
    #[arg(long, value_name = "N")]
    position: Option<i64>,
}

/// Change an environment
#[derive(clap::Args, Debug)]
pub struct UpdateArgs {
    #[command(flatten)]
    project: ProjectArg,

    /// Slug or id of the environment
    #[arg(value_name = "ENVIRONMENT")]
    environment: String,

    /// New name
    #[arg(long)]
    name: Option<String>,

    /// New slug
    #[arg(long)]
    slug: Option<String>,

    /// New place among the environments, from 1
    #[arg(long, value_name = "N")]
    position: Option<i64>,
}

/// Delete an environment with everything in it
#[derive(clap::Args, Debug)]
pub struct DeleteArgs {
    #[command(flatten)]
    project: ProjectArg,

    /// Slug or id of the environment
    #[arg(value_name = "ENVIRONMENT")]
    environment: String,

    #[command(flatten)]
    confirm: ConfirmArg,
}

pub(crate) async fn run(command: Environments, context: &Context) -> Result<(), CliError> {
    match command {
        Environments::List(args) => list(args, context).await,
        Environments::Create(args) => create(args, context).await,
        Environments::Update(args) => update(args, context).await,
        Environments::Delete(args) => delete(args, context).await,
    }
}

async fn list(args: ListArgs, context: &Context) -> Result<(), CliError> {
    let output = context.settings.table_or_json()?;
    let project = project(&args.project, context)?;
    let answer = context.settings.client()?.get_project(&project).await;
    let answer = answer.context(format!("could not read the project `{project}`"))?;
    let environments = answer.project.environments;
    if output == Output::Json {
        return context.ui.json(&environments);
    }
    let rows = environments.iter().map(|it| row(it.id, &it.name, &it.slug)).collect();
    context.ui.table(&HEADERS, rows)
}

async fn create(args: CreateArgs, context: &Context) -> Result<(), CliError> {
    let output = context.settings.table_or_json()?;
    let project = project(&args.project, context)?;
    let doing = format!("could not create the environment `{}`", args.slug);
    let body = CreateEnvironment {
        name: args.name.unwrap_or_else(|| args.slug.clone()),
        slug: args.slug,
        position: args.position,
    };
    let client = context.settings.client()?;
    let answer = client.create_environment(&project, &body).await;
    print(context, output, &answer.context(doing)?.environment)
}

async fn update(args: UpdateArgs, context: &Context) -> Result<(), CliError> {
    let output = context.settings.table_or_json()?;
    let project = project(&args.project, context)?;
    let client = context.settings.client()?;
    let doing = format!("could not change the environment `{}`", args.environment);
    let id = id(&client, &project, &args.environment).await?;
    let body = UpdateEnvironment { name: args.name, slug: args.slug, position: args.position };
    let answer = client.update_environment(&project, &id, &body).await;
    print(context, output, &answer.context(doing)?.environment)
}

async fn delete(args: DeleteArgs, context: &Context) -> Result<(), CliError> {
    let output = context.settings.table_or_json()?;
    let project = project(&args.project, context)?;
    let client = context.settings.client()?;
    let name = &args.environment;
    let what = format!("the environment `{name}` of the project `{project}` with everything in it");
    context.ui.confirm_deletion(&what, args.confirm.yes)?;
    let id = id(&client, &project, name).await?;
    let answer = client.delete_environment(&project, &id).await;
    let answer = answer.context(format!("could not delete the environment `{name}`"))?;
    if output == Output::Json {
        return context.ui.json(&answer.environment);
    }
    context.ui.notice(&format!("Deleted the environment `{name}`"));
    Ok(())
}

const HEADERS: [&str; 3] = ["id", "name", "slug"];

fn row(id: EnvironmentId, name: &str, slug: &str) -> Vec<String> {
    vec![id.to_string(), name.to_owned(), slug.to_owned()]
}

fn print(
    context: &Context,
    output: Output,
    environment: &kms_api::environments::Environment,
) -> Result<(), CliError> {
    if output == Output::Json {
        return context.ui.json(environment);
    }
    let row = row(environment.id, &environment.name, &environment.slug);
    context.ui.table(&HEADERS, vec![row])
}

fn project(arg: &ProjectArg, context: &Context) -> Result<String, CliError> {
    context.settings.project_id(arg.project_id.as_deref())
}

/// Writes take the id; people know the slug.
async fn id(client: &Client, project: &str, slug_or_id: &str) -> Result<String, CliError> {
    if slug_or_id.parse::<EnvironmentId>().is_ok() {
        return Ok(slug_or_id.to_owned());
    }
    let answer = client.get_environment_by_slug(project, slug_or_id).await;
    let environment = answer.context(format!("could not read the environment `{slug_or_id}`"))?;
    Ok(environment.id.to_string())
}
