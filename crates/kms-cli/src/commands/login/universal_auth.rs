//! Universal auth: a client id and a client secret.

#![expect(clippy::doc_markdown, reason = "documentation of arguments is help text")]

use std::path::PathBuf;

use kms_client::login::UniversalAuth;
use secrecy::SecretString;

use super::machine::Login;
use crate::{Context, credential, env_vars, error::CliError, settings::missing};

/// What proves who is asking.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Options of universal-auth")]
#[group(skip)]
#[expect(clippy::struct_field_names, reason = "the fields have the names of their flags")]
pub(super) struct Args {
    /// Client id of the machine identity [env: INFISICAL_UNIVERSAL_AUTH_CLIENT_ID]
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,

    /// Client secret [env: INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET]; shows in the process list
    #[arg(long, value_name = "SECRET", group = "secret")]
    client_secret: Option<String>,

    /// Read the client secret from a file
    #[arg(long, value_name = "FILE", group = "secret")]
    client_secret_file: Option<PathBuf>,

    /// Read the client secret from standard input
    #[arg(long, group = "secret")]
    client_secret_stdin: bool,
}

pub(super) async fn run(args: &Args, login: &Login<'_>) -> Result<(), CliError> {
    login.run(&proof(args, login.context)?).await
}

fn proof(args: &Args, context: &Context) -> Result<UniversalAuth, CliError> {
    let settings = &context.settings;
    let client_id =
        settings.optional(args.client_id.as_deref(), &env_vars::UNIVERSAL_AUTH_CLIENT_ID);
    let client_secret = client_secret(args, context)?;
    let id = || missing("--client-id", &env_vars::UNIVERSAL_AUTH_CLIENT_ID);
    let secret = || missing("--client-secret", &env_vars::UNIVERSAL_AUTH_CLIENT_SECRET);
    match (client_id, client_secret) {
        (Some(client_id), Some(client_secret)) => Ok(UniversalAuth { client_id, client_secret }),
        (None, Some(_)) => Err(id()),
        (Some(_), None) => Err(secret()),
        (None, None) => {
            let mut both = CliError::usage("`--client-id` and `--client-secret` are missing");
            both.hints = [id().hints, secret().hints].concat();
            Err(both)
        }
    }
}

fn client_secret(args: &Args, context: &Context) -> Result<Option<SecretString>, CliError> {
    if args.client_secret_stdin {
        return credential::from_stdin("client secret").map(Some);
    }
    if let Some(file) = &args.client_secret_file {
        return credential::from_file("client secret", file).map(Some);
    }
    if args.client_secret.as_ref().is_some_and(|s| !s.is_empty()) {
        context.ui.warn(
            "`--client-secret` shows in the process list; prefer `--client-secret-file`, \
             `--client-secret-stdin` or `INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET`",
        );
    }
    let secret = context
        .settings
        .optional(args.client_secret.as_deref(), &env_vars::UNIVERSAL_AUTH_CLIENT_SECRET);
    Ok(secret.map(SecretString::from))
}
