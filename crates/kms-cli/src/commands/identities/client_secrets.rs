//! `kms identities client-secrets`.

use kms_api::auth::universal::{ClientSecretData, CreateClientSecret};
use secrecy::ExposeSecret as _;

use crate::{
    Context,
    cli::ConfirmArg,
    error::{CliError, ResultExt as _},
    settings::Output,
};

/// Work with the client secrets of an identity
#[derive(Debug, clap::Subcommand)]
pub enum ClientSecrets {
    Create(CreateArgs),
    List(ListArgs),
    Revoke(RevokeArgs),
}

/// Create a client secret and print it, once
#[derive(clap::Args, Debug)]
pub struct CreateArgs {
    /// Id of the identity
    #[arg(value_name = "IDENTITY")]
    identity: String,

    /// What it is for
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    description: String,

    /// Until when it can be used; 0 for ever
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    ttl: i64,

    /// How often it can be used; 0 without a limit
    #[arg(long, value_name = "N", default_value_t = 0)]
    num_uses_limit: i64,

    /// Print nothing but the client secret, also on standard error
    #[arg(long)]
    plain: bool,
}

/// List client secrets; the secrets themselves are never shown again
#[derive(clap::Args, Debug)]
pub struct ListArgs {
    /// Id of the identity
    #[arg(value_name = "IDENTITY")]
    identity: String,
}

/// Revoke a client secret; the tokens made with it end
#[derive(clap::Args, Debug)]
pub struct RevokeArgs {
    /// Id of the identity
    #[arg(value_name = "IDENTITY")]
    identity: String,

    /// Id of the client secret, as `list` shows it
    #[arg(value_name = "CLIENT_SECRET_ID")]
    client_secret: String,

    #[command(flatten)]
    confirm: ConfirmArg,
}

pub(super) async fn run(command: ClientSecrets, context: &Context) -> Result<(), CliError> {
    match command {
        ClientSecrets::Create(args) => create(args, context).await,
        ClientSecrets::List(args) => list(args, context).await,
        ClientSecrets::Revoke(args) => revoke(args, context).await,
    }
}

async fn create(args: CreateArgs, context: &Context) -> Result<(), CliError> {
    let output = context.settings.table_or_json()?;
    let client = context.settings.client()?;
    let body = CreateClientSecret {
        description: args.description,
        num_uses_limit: args.num_uses_limit,
        ttl: args.ttl,
    };
    let answer = client.create_client_secret(&args.identity, &body).await;
    let answer = answer.context(format!(
        "could not create a client secret for the identity `{}`",
        args.identity
    ))?;
    if output == Output::Json && !args.plain {
        return context.ui.json(&answer);
    }
    context.ui.line(answer.client_secret.expose_secret())?;
    if !args.plain {
        let id = answer.client_secret_data.id;
        context.ui.notice(&format!("Created the client secret `{id}`; it is shown only now"));
    }
    Ok(())
}

async fn list(args: ListArgs, context: &Context) -> Result<(), CliError> {
    let output = context.settings.table_or_json()?;
    let client = context.settings.client()?;
    let answer = client.list_client_secrets(&args.identity).await;
    let secrets = answer
        .context(format!("could not list the client secrets of the identity `{}`", args.identity))?
        .client_secret_data;
    if output == Output::Json {
        return context.ui.json(&secrets);
    }
    let rows = secrets.iter().map(row).collect();
    let headers = ["id", "prefix", "description", "uses", "expires", "state"];
    context.ui.table(&headers, rows)
}

fn row(secret: &ClientSecretData) -> Vec<String> {
    let uses = match secret.client_secret_num_uses_limit {
        0 => secret.client_secret_num_uses.to_string(),
        limit => format!("{} of {limit}", secret.client_secret_num_uses),
    };
    let expires = match secret.client_secret_ttl {
        0 => "never".to_owned(),
        ttl => secret.created_at.plus_seconds(ttl).to_string(),
    };
    let state = if secret.is_client_secret_revoked { "revoked" } else { "valid" };
    vec![
        secret.id.to_string(),
        secret.client_secret_prefix.clone(),
        secret.description.clone(),
        uses,
        expires,
        state.to_owned(),
    ]
}

async fn revoke(args: RevokeArgs, context: &Context) -> Result<(), CliError> {
    let output = context.settings.table_or_json()?;
    let client = context.settings.client()?;
    let what = format!("the client secret `{}`", args.client_secret);
    context.ui.confirm_deletion(&what, args.confirm.yes)?;
    let answer = client.revoke_client_secret(&args.identity, &args.client_secret);
    let answer = answer.await.context(format!("could not revoke {what}"))?;
    if output == Output::Json {
        return context.ui.json(&answer.client_secret_data);
    }
    context.ui.notice(&format!("Revoked {what}"));
    Ok(())
}
