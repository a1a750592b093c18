//! `kms token`.

use secrecy::SecretString;

use crate::{
    Context, env_vars,
    error::{CliError, ResultExt as _},
    settings::missing,
};

/// Work with access tokens
#[derive(Debug, clap::Subcommand)]
pub enum Token {
    Renew(RenewArgs),
}

/// Renew an access token and print the new one
#[derive(clap::Args, Debug)]
pub struct RenewArgs {
    /// The token to renew; that of `--token` or the environment when left out
    #[arg(value_name = "TOKEN")]
    token_to_renew: Option<String>,

    /// Print nothing but the token
    #[arg(long)]
    plain: bool,
}

pub(crate) async fn run(command: Token, context: &Context) -> Result<(), CliError> {
    match command {
        Token::Renew(args) => renew(args, context).await,
    }
}

async fn renew(args: RenewArgs, context: &Context) -> Result<(), CliError> {
    let token = token(args.token_to_renew, context)?;
    let client = context.settings.anonymous_client()?;
    let renewed = client.renew_token(&token).await.context("could not renew the token")?;
    context.ui.line(&renewed.access_token)?;
    if !args.plain {
        context.ui.notice("Successfully renewed the token");
        super::login::describe(context.ui, &renewed);
    }
    Ok(())
}

fn token(argument: Option<String>, context: &Context) -> Result<SecretString, CliError> {
    if let Some(token) = argument {
        context.ui.warn("an argument shows in the process list; prefer `KMS_TOKEN`");
        let token = token.trim();
        if token.starts_with("st.") {
            return Err(CliError::usage("a service token can't be renewed"));
        }
        return Ok(token.into());
    }
    let token = context.settings.token.as_ref();
    token.map(|token| token.value.clone()).ok_or_else(|| missing("--token", &env_vars::TOKEN))
}
