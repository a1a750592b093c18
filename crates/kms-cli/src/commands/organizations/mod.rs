//! `kms organizations`.

mod join;
mod members;
mod single_sign_on;

use kms_api::organizations::{
    CreateOrganization, CreateSubOrganization, ListSubOrganizationsQuery, Organization,
};

use crate::{
    Context,
    error::{CliError, ResultExt as _},
    settings::Output,
};

/// Work with organizations, their members and sub-organizations
#[derive(Debug, clap::Subcommand)]
pub enum Organizations {
    /// List the organizations that you may act in
    List,
    Create(CreateArgs),
    Members(members::MembersArgs),
    Invite(members::InviteArgs),
    Join(join::JoinArgs),
    #[command(subcommand)]
    Sub(Sub),
    #[command(subcommand)]
    Sso(single_sign_on::SingleSignOn),
}

/// Create an organization that you administer
#[derive(clap::Args, Debug)]
pub struct CreateArgs {
    /// Name of the organization
    #[arg(value_name = "NAME")]
    name: String,
}

/// Work with the sub-organizations of the organization of the token
#[derive(Debug, clap::Subcommand)]
pub enum Sub {
    List(ListSubArgs),
    Create(CreateSubArgs),
}

/// List the sub-organizations
#[derive(clap::Args, Debug)]
pub struct ListSubArgs {
    /// Only those that you may act in
    #[arg(long)]
    accessible: bool,
}

/// Create a sub-organization that you administer
#[derive(clap::Args, Debug)]
pub struct CreateSubArgs {
    /// Name of the sub-organization: lower-case letters, digits and hyphens
    #[arg(value_name = "NAME")]
    name: String,

    /// Slug, unique below the organization [default: the name]
    #[arg(long)]
    slug: Option<String>,
}

pub(crate) async fn run(command: Organizations, context: &Context) -> Result<(), CliError> {
    match command {
        Organizations::List => list(context).await,
        Organizations::Create(args) => create(args, context).await,
        Organizations::Members(args) => members::list(&args, context).await,
        Organizations::Invite(args) => members::invite(args, context).await,
        Organizations::Join(args) => join::join(args, context).await,
        Organizations::Sso(command) => single_sign_on::run(command, context).await,
        Organizations::Sub(Sub::List(args)) => list_sub(&args, context).await,
        Organizations::Sub(Sub::Create(args)) => create_sub(args, context).await,
    }
}

async fn list(context: &Context) -> Result<(), CliError> {
    let output = context.settings.table_or_json()?;
    let client = context.settings.client()?;
    let answer = client.list_organizations().await;
    print(context, output, &answer.context("could not list the organizations")?.organizations)
}

async fn create(args: CreateArgs, context: &Context) -> Result<(), CliError> {
    let output = context.settings.table_or_json()?;
    let doing = format!("could not create the organization `{}`", args.name);
    let client = context.settings.client()?;
    let answer = client.create_organization(&CreateOrganization { name: args.name }).await;
    print_one(context, output, &answer.context(doing)?.organization)
}

async fn list_sub(args: &ListSubArgs, context: &Context) -> Result<(), CliError> {
    let output = context.settings.table_or_json()?;
    let client = context.settings.client()?;
    let query = ListSubOrganizationsQuery {
        is_accessible: args.accessible.then_some(kms_api::wire::WireBool(true)),
        ..ListSubOrganizationsQuery::default()
    };
    let answer = client.list_sub_organizations(&query).await;
    print(context, output, &answer.context("could not list the sub-organizations")?.organizations)
}

async fn create_sub(args: CreateSubArgs, context: &Context) -> Result<(), CliError> {
    let output = context.settings.table_or_json()?;
    let doing = format!("could not create the sub-organization `{}`", args.name);
    let client = context.settings.client()?;
    let body = CreateSubOrganization { name: args.name, slug: args.slug };
    let answer = client.create_sub_organization(&body).await;
    print_one(context, output, &answer.context(doing)?.organization)
}

fn print(
    context: &Context,
    output: Output,
    organizations: &Vec<Organization>,
) -> Result<(), CliError> {
    if output == Output::Json {
        return context.ui.json(organizations);
    }
    table(context, organizations)
}

fn print_one(
    context: &Context,
    output: Output,
    organization: &Organization,
) -> Result<(), CliError> {
    if output == Output::Json {
        return context.ui.json(organization);
    }
    table(context, std::slice::from_ref(organization))
}

fn table(context: &Context, organizations: &[Organization]) -> Result<(), CliError> {
    let row = |organization: &Organization| {
        let Organization { id, name, slug, user_role, .. } = organization;
        vec![id.to_string(), name.clone(), slug.clone(), user_role.clone().unwrap_or_default()]
    };
    let rows = organizations.iter().map(row).collect();
    context.ui.table(&["id", "name", "slug", "role"], rows)
}
