//! `kms identities memberships`.

use kms_api::memberships::{
    IdentityMembership, IdentityMembershipBody, ListMembershipsQuery, MembershipRole, RoleInput,
};

use super::PAGE;
use crate::{
    Context,
    cli::{ConfirmArg, ProjectArg},
    error::{CliError, ResultExt as _},
    settings::Output,
};

/// Work with the memberships of identities in a project
#[derive(Debug, clap::Subcommand)]
pub enum Memberships {
    /// Make an identity a member of a project
    Add(RolesArgs),
    /// Replace the roles of an identity in a project
    Update(RolesArgs),
    /// End the membership of an identity in a project
    Remove(RemoveArgs),
    /// List the identities that are members of a project
    List(ListArgs),
}

#[derive(clap::Args, Debug)]
pub struct RolesArgs {
    /// Id of the identity
    #[arg(value_name = "IDENTITY")]
    identity: String,

    #[command(flatten)]
    project: ProjectArg,

    /// `admin`, `member`, `viewer`, `no-access` or a custom role's slug; can be repeated
    #[arg(long, required = true, value_delimiter = ',')]
    role: Vec<String>,
}

#[derive(clap::Args, Debug)]
pub struct RemoveArgs {
    /// Id of the identity
    #[arg(value_name = "IDENTITY")]
    identity: String,

    #[command(flatten)]
    project: ProjectArg,

    #[command(flatten)]
    confirm: ConfirmArg,
}

#[derive(clap::Args, Debug)]
pub struct ListArgs {
    #[command(flatten)]
    project: ProjectArg,

    /// Only those whose name contains this
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,

    /// Show at most this many
    #[arg(long, value_name = "N", default_value_t = PAGE)]
    limit: usize,
}

impl RolesArgs {
    fn body(&self) -> IdentityMembershipBody {
        let role = |slug: &String| RoleInput { role: slug.clone(), ..RoleInput::default() };
        IdentityMembershipBody { role: None, roles: Some(self.role.iter().map(role).collect()) }
    }
}

pub(super) async fn run(command: Memberships, context: &Context) -> Result<(), CliError> {
    match command {
        Memberships::Add(args) => add(args, context).await,
        Memberships::Update(args) => update(args, context).await,
        Memberships::Remove(args) => remove(args, context).await,
        Memberships::List(args) => list(args, context).await,
    }
}

async fn add(args: RolesArgs, context: &Context) -> Result<(), CliError> {
    let output = context.settings.table_or_json()?;
    let project = project(&args.project, context)?;
    let client = context.settings.client()?;
    let answer =
        client.add_identity_membership(&project, &args.identity, &args.body()).await.context(
            format!("could not add the identity `{}` to the project `{project}`", args.identity),
        )?;
    done(context, output, &answer.identity_membership, "Added")
}

async fn update(args: RolesArgs, context: &Context) -> Result<(), CliError> {
    let output = context.settings.table_or_json()?;
    let project = project(&args.project, context)?;
    let client = context.settings.client()?;
    let answer = client
        .update_identity_membership(&project, &args.identity, &args.body())
        .await
        .context(format!(
            "could not change the roles of the identity `{}` in the project `{project}`",
            args.identity
        ))?;
    done(context, output, &answer.identity_membership, "Changed")
}

async fn remove(args: RemoveArgs, context: &Context) -> Result<(), CliError> {
    let output = context.settings.table_or_json()?;
    let project = project(&args.project, context)?;
    let client = context.settings.client()?;
    let what =
        format!("the membership of the identity `{}` in the project `{project}`", args.identity);
    context.ui.confirm_deletion(&what, args.confirm.yes)?;
    let answer = client.remove_identity_membership(&project, &args.identity);
    let answer = answer.await.context(format!("could not remove {what}"))?;
    done(context, output, &answer.identity_membership, "Removed")
}

fn done(
    context: &Context,
    output: Output,
    membership: &IdentityMembership,
    verb: &str,
) -> Result<(), CliError> {
    if output == Output::Json {
        return context.ui.json(membership);
    }
    let identity = membership.identity_id;
    let text = format!("{verb} the membership of the identity `{identity}`");
    context.ui.notice(&text);
    Ok(())
}

async fn list(args: ListArgs, context: &Context) -> Result<(), CliError> {
    let output = context.settings.table_or_json()?;
    let project = project(&args.project, context)?;
    let client = context.settings.client()?;
    let mut query =
        ListMembershipsQuery { identity_name: args.search, ..ListMembershipsQuery::default() };
    let mut found = Vec::new();
    while found.len() < args.limit {
        let wanted = (args.limit - found.len()).min(PAGE);
        query.offset = Some(found.len().to_string());
        query.limit = Some(wanted.to_string());
        let answer = client.list_identity_memberships(&project, &query).await;
        let answer =
            answer.context(format!("could not list the members of the project `{project}`"))?;
        let last = answer.identity_memberships.len() < wanted;
        found.extend(answer.identity_memberships);
        if last {
            break;
        }
    }
    if output == Output::Json {
        return context.ui.json(&found);
    }
    let rows = found.iter().map(row).collect();
    context.ui.table(&["identity", "name", "roles"], rows)
}

fn row(membership: &IdentityMembership) -> Vec<String> {
    let name = membership.identity.as_ref().map(|it| it.name.clone());
    let roles: Vec<_> = membership.roles.iter().map(role).collect();
    vec![membership.identity_id.to_string(), name.unwrap_or_default(), roles.join(", ")]
}

fn role(role: &MembershipRole) -> String {
    let slug = role.custom_role_slug.as_ref().unwrap_or(&role.role);
    match role.temporary_access_end_time {
        Some(end) => format!("{slug} (until {end})"),
        None => slug.clone(),
    }
}

fn project(arg: &ProjectArg, context: &Context) -> Result<String, CliError> {
    context.settings.project_id(arg.project_id.as_deref())
}
