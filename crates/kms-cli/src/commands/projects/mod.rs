//! `kms projects`.

mod roles;

use kms_api::{
    ProjectId,
    projects::{CreateProject, ListProjectsQuery, Project, UpdateProject},
};

use crate::{
    Context,
    cli::ConfirmArg,
    error::{CliError, ResultExt as _},
    settings::Output,
};

/// Work with projects
#[derive(Debug, clap::Subcommand)]
pub enum Projects {
    /// List the projects that you may act in
    List,
    Create(CreateArgs),
    Get(GetArgs),
    Update(UpdateArgs),
    Delete(DeleteArgs),
    #[command(subcommand, visible_alias = "role")]
    Roles(roles::Roles),
}

/// Create a project
#[derive(clap::Args, Debug)]
pub struct CreateArgs {
    /// Name of the project
    #[arg(value_name = "NAME")]
    name: String,

    /// Slug, unique in the organization; made from the name when left out
    #[arg(long)]
    slug: Option<String>,

    /// What it is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,

    /// Do not create the environments `dev`, `staging` and `prod`
    #[arg(long)]
    no_environments: bool,
}

/// Show a project
#[derive(clap::Args, Debug)]
pub struct GetArgs {
    /// Id or slug of the project
    #[arg(value_name = "PROJECT")]
    project: String,
}

/// Change a project
#[derive(clap::Args, Debug)]
#[group(skip)]
#[command(arg_required_else_help = true)]
pub struct UpdateArgs {
    /// Id of the project
    #[arg(value_name = "ID")]
    project: String,

    /// New name
    #[arg(long)]
    name: Option<String>,

    /// New slug
    #[arg(long)]
    slug: Option<String>,

    /// What it is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,

    /// Whether the names of secrets must be upper-case
    #[arg(long, value_name = "BOOL")]
    auto_capitalization: Option<bool>,

    /// Whether deleting it is refused
    #[arg(long, value_name = "BOOL")]
    delete_protection: Option<bool>,
}

/// Delete a project with everything in it
#[derive(clap::Args, Debug)]
pub struct DeleteArgs {
    /// Id of the project
    #[arg(value_name = "ID")]
    project: String,

    #[command(flatten)]
    confirm: ConfirmArg,
}

pub(crate) async fn run(command: Projects, context: &Context) -> Result<(), CliError> {
    match command {
        Projects::List => list(context).await,
        Projects::Create(args) => create(args, context).await,
        Projects::Get(args) => get(args, context).await,
        Projects::Update(args) => update(args, context).await,
        Projects::Delete(args) => delete(args, context).await,
        Projects::Roles(command) => roles::run(command, context).await,
    }
}

async fn list(context: &Context) -> Result<(), CliError> {
    let output = context.settings.table_or_json()?;
    let client = context.settings.client()?;
    let answer = client.list_projects(&ListProjectsQuery::default()).await;
    let projects = answer.context("could not list the projects")?.projects;
    print(context, output, &projects, &projects)
}

async fn create(args: CreateArgs, context: &Context) -> Result<(), CliError> {
    let output = context.settings.table_or_json()?;
    let doing = format!("could not create the project `{}`", args.name);
    let body = CreateProject {
        project_name: args.name,
        project_description: args.description,
        slug: args.slug,
        should_create_default_envs: args.no_environments.then_some(false),
        ..CreateProject::default()
    };
    let client = context.settings.client()?;
    let project = client.create_project(&body).await.context(doing)?.project;
    print_one(context, output, &project)
}

async fn get(args: GetArgs, context: &Context) -> Result<(), CliError> {
    let output = context.settings.table_or_json()?;
    let client = context.settings.client()?;
    let answer = if args.project.parse::<ProjectId>().is_ok() {
        let answer = client.get_project(&args.project).await;
        answer.map(|answer| answer.project)
    } else {
        client.get_project_by_slug(&args.project).await
    };
    let project = answer.context(format!("could not read the project `{}`", args.project))?;
    print_one(context, output, &project)
}

async fn update(args: UpdateArgs, context: &Context) -> Result<(), CliError> {
    let output = context.settings.table_or_json()?;
    let body = UpdateProject {
        name: args.name,
        description: args.description,
        slug: args.slug,
        auto_capitalization: args.auto_capitalization,
        has_delete_protection: args.delete_protection,
        ..UpdateProject::default()
    };
    let client = context.settings.client()?;
    let answer = client.update_project(&args.project, &body).await;
    let answer = answer.context(format!("could not change the project `{}`", args.project))?;
    print_one(context, output, &answer.project)
}

async fn delete(args: DeleteArgs, context: &Context) -> Result<(), CliError> {
    let output = context.settings.table_or_json()?;
    let what = format!("the project `{}` with everything in it", args.project);
    let client = context.settings.client()?;
    context.ui.confirm_deletion(&what, args.confirm.yes)?;
    let answer = client.delete_project(&args.project).await;
    let answer = answer.context(format!("could not delete the project `{}`", args.project))?;
    if output == Output::Json {
        return context.ui.json(&answer.project);
    }
    let name = &answer.project.name;
    context.ui.notice(&format!("Deleted the project `{name}`"));
    Ok(())
}

fn print_one(context: &Context, output: Output, project: &Project) -> Result<(), CliError> {
    print(context, output, project, std::slice::from_ref(project))
}

fn print(
    context: &Context,
    output: Output,
    json: &(impl serde::Serialize + ?Sized),
    projects: &[Project],
) -> Result<(), CliError> {
    if output == Output::Json {
        return context.ui.json(json);
    }
    let row = |project: &Project| {
        let environments = project.environments.iter().map(|it| it.slug.clone());
        vec![
            project.id.to_string(),
            project.name.clone(),
            project.slug.clone(),
            environments.collect::<Vec<_>>().join(", "),
        ]
    };
    let rows = projects.iter().map(row).collect();
    context.ui.table(&["id", "name", "slug", "environments"], rows)
}
