//! `kms identities`.

mod aws_auth;
mod azure_auth;
mod bound;
mod client_secrets;
mod external;
mod gcp_auth;
mod jwt_auth;
mod kubernetes_auth;
mod memberships;
mod oidc_auth;
mod pem;
mod token_settings;
mod universal_auth;

use kms_api::identities::{
    CreateIdentity, Identity, IdentityMetadata, ListIdentitiesQuery, OrganizationIdentity,
    UpdateIdentity,
};

use self::external::External;
use crate::{
    Context,
    cli::ConfirmArg,
    error::{CliError, ResultExt as _},
    settings::Output,
};

/// The most that the server answers at once.
const PAGE: usize = 1_000;

/// Work with machine identities
#[derive(Debug, clap::Subcommand)]
pub enum Identities {
    List(ListArgs),
    Create(CreateArgs),
    Get(GetArgs),
    Update(UpdateArgs),
    Delete(DeleteArgs),
    #[command(subcommand)]
    UniversalAuth(universal_auth::UniversalAuth),
    /// Let an identity log in as a service account of Kubernetes
    #[command(subcommand)]
    KubernetesAuth(External<kubernetes_auth::KubernetesArgs>),
    /// Let an identity log in as a managed identity or service principal of Azure
    #[command(subcommand)]
    AzureAuth(External<azure_auth::AzureArgs>),
    /// Let an identity log in as an instance or service account of Google Cloud
    #[command(subcommand)]
    GcpAuth(External<gcp_auth::GcpArgs>),
    /// Let an identity log in as a user or role of AWS
    #[command(subcommand)]
    AwsAuth(External<aws_auth::AwsArgs>),
    /// Let an identity log in with a token of an OpenID provider, such as a CI system
    #[command(subcommand)]
    OidcAuth(External<oidc_auth::OidcArgs>),
    /// Let an identity log in with a JWT that systems of your own sign
    #[command(subcommand)]
    JwtAuth(External<jwt_auth::JwtArgs>),
    #[command(subcommand)]
    ClientSecrets(client_secrets::ClientSecrets),
    #[command(subcommand)]
    Memberships(memberships::Memberships),
}

/// List the identities of the organization
#[derive(clap::Args, Debug)]
pub struct ListArgs {
    /// Only those whose name contains this
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,

    /// Id of the organization [default: that of the token]
    #[arg(long, value_name = "ID")]
    organization_id: Option<String>,

    /// Show at most this many
    #[arg(long, value_name = "N", default_value_t = PAGE)]
    limit: usize,
}

/// Create an identity
#[derive(clap::Args, Debug)]
pub struct CreateArgs {
    /// Name of the identity
    #[arg(value_name = "NAME")]
    name: String,

    /// Its role in the organization [default: no-access]
    #[arg(long)]
    role: Option<String>,

    /// Id of the organization [default: that of the token]
    #[arg(long, value_name = "ID")]
    organization_id: Option<String>,

    #[command(flatten)]
    properties: Properties,
}

/// Show an identity
#[derive(clap::Args, Debug)]
pub struct GetArgs {
    /// Id of the identity
    #[arg(value_name = "ID")]
    identity: String,
}

/// Change an identity
#[derive(clap::Args, Debug)]
pub struct UpdateArgs {
    /// Id of the identity
    #[arg(value_name = "ID")]
    identity: String,

    /// New name
    #[arg(long)]
    name: Option<String>,

    /// New role in the organization
    #[arg(long)]
    role: Option<String>,

    #[command(flatten)]
    properties: Properties,
}

/// Delete an identity; its tokens end with it
#[derive(clap::Args, Debug)]
pub struct DeleteArgs {
    /// Id of the identity
    #[arg(value_name = "ID")]
    identity: String,

    #[command(flatten)]
    confirm: ConfirmArg,
}

#[derive(clap::Args, Debug)]
struct Properties {
    /// Whether deleting it is refused
    #[arg(long, value_name = "BOOL")]
    delete_protection: Option<bool>,

    /// What describes it; can be repeated, replaces all when changing
    #[arg(long, value_name = "KEY=VALUE", value_parser = metadata)]
    metadata: Vec<IdentityMetadata>,
}

impl Properties {
    fn metadata(&self) -> Option<Vec<IdentityMetadata>> {
        (!self.metadata.is_empty()).then(|| self.metadata.clone())
    }
}

fn metadata(text: &str) -> Result<IdentityMetadata, String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => {
            Ok(IdentityMetadata { key: key.to_owned(), value: value.to_owned() })
        }
        _ => Err("it must be KEY=VALUE".to_owned()),
    }
}

pub(crate) async fn run(command: Identities, context: &Context) -> Result<(), CliError> {
    match command {
        Identities::List(args) => list(args, context).await,
        Identities::Create(args) => create(args, context).await,
        Identities::Get(args) => get(args, context).await,
        Identities::Update(args) => update(args, context).await,
        Identities::Delete(args) => delete(args, context).await,
        Identities::UniversalAuth(command) => universal_auth::run(command, context).await,
        Identities::KubernetesAuth(command) => external::run(command, context).await,
        Identities::AzureAuth(command) => external::run(command, context).await,
        Identities::GcpAuth(command) => external::run(command, context).await,
        Identities::AwsAuth(command) => external::run(command, context).await,
        Identities::OidcAuth(command) => external::run(command, context).await,
        Identities::JwtAuth(command) => external::run(command, context).await,
        Identities::ClientSecrets(command) => client_secrets::run(command, context).await,
        Identities::Memberships(command) => memberships::run(command, context).await,
    }
}

async fn list(args: ListArgs, context: &Context) -> Result<(), CliError> {
    let output = context.settings.table_or_json()?;
    let client = context.settings.client()?;
    let mut query = ListIdentitiesQuery {
        org_id: args.organization_id,
        search: args.search,
        ..ListIdentitiesQuery::default()
    };
    let mut found = Vec::new();
    while found.len() < args.limit {
        let wanted = (args.limit - found.len()).min(PAGE);
        query.offset = Some(found.len().to_string());
        query.limit = Some(wanted.to_string());
        let answer = client.list_identities(&query).await;
        let page = answer.context("could not list the identities")?.identities;
        let last = page.len() < wanted;
        found.extend(page);
        if last {
            break;
        }
    }
    if output == Output::Json {
        return context.ui.json(&found);
    }
    let rows = found.iter().map(member_row).collect();
    context.ui.table(&["id", "name", "role", "auth methods"], rows)
}

async fn create(args: CreateArgs, context: &Context) -> Result<(), CliError> {
    let output = context.settings.table_or_json()?;
    let doing = format!("could not create the identity `{}`", args.name);
    let body = CreateIdentity {
        metadata: args.properties.metadata(),
        has_delete_protection: args.properties.delete_protection,
        name: args.name,
        organization_id: args.organization_id,
        role: args.role,
    };
    let client = context.settings.client()?;
    let answer = client.create_identity(&body).await.context(doing)?;
    print(context, output, &answer.identity)
}

async fn get(args: GetArgs, context: &Context) -> Result<(), CliError> {
    let output = context.settings.table_or_json()?;
    let client = context.settings.client()?;
    let answer = client.get_identity(&args.identity).await;
    let answer = answer.context(format!("could not read the identity `{}`", args.identity))?;
    if output == Output::Json {
        return context.ui.json(&answer.identity);
    }
    let rows = vec![member_row(&answer.identity)];
    context.ui.table(&["id", "name", "role", "auth methods"], rows)
}

async fn update(args: UpdateArgs, context: &Context) -> Result<(), CliError> {
    let output = context.settings.table_or_json()?;
    let body = UpdateIdentity {
        metadata: args.properties.metadata(),
        has_delete_protection: args.properties.delete_protection,
        name: args.name,
        role: args.role,
    };
    let client = context.settings.client()?;
    let answer = client.update_identity(&args.identity, &body).await;
    let answer = answer.context(format!("could not change the identity `{}`", args.identity))?;
    print(context, output, &answer.identity)
}

async fn delete(args: DeleteArgs, context: &Context) -> Result<(), CliError> {
    let output = context.settings.table_or_json()?;
    let client = context.settings.client()?;
    let what = format!("the identity `{}`", args.identity);
    context.ui.confirm_deletion(&what, args.confirm.yes)?;
    let answer = client.delete_identity(&args.identity).await;
    let answer = answer.context(format!("could not delete {what}"))?;
    if output == Output::Json {
        return context.ui.json(&answer.identity);
    }
    let name = &answer.identity.name;
    context.ui.notice(&format!("Deleted the identity `{name}`"));
    Ok(())
}

fn print(context: &Context, output: Output, identity: &Identity) -> Result<(), CliError> {
    if output == Output::Json {
        return context.ui.json(identity);
    }
    let row =
        vec![identity.id.to_string(), identity.name.clone(), identity.auth_methods.join(", ")];
    context.ui.table(&["id", "name", "auth methods"], vec![row])
}

fn member_row(member: &OrganizationIdentity) -> Vec<String> {
    vec![
        member.identity.id.to_string(),
        member.identity.name.clone(),
        member.role.clone(),
        member.identity.auth_methods.join(", "),
    ]
}
