//! GCP: the key of a service account.

#![expect(clippy::doc_markdown, reason = "documentation of arguments is help text")]

use kms_client::login::GcpIam;

use super::machine::Login;
use crate::{env_vars, error::CliError, settings::missing};

/// Where the key is.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Options of gcp-iam")]
#[group(skip)]
pub(super) struct Args {
    /// Key file of the service account, in JSON form
    /// [env: INFISICAL_GCP_IAM_SERVICE_ACCOUNT_KEY_FILE_PATH]
    #[arg(long, value_name = "FILE", alias = "service-account-key-path")]
    service_account_key_file_path: Option<String>,
}

pub(super) async fn run(args: &Args, login: &Login<'_>) -> Result<(), CliError> {
    const VARIABLE: &env_vars::Variable = &env_vars::GCP_IAM_SERVICE_ACCOUNT_KEY_FILE_PATH;
    let settings = &login.context.settings;
    let identity = login.args.identity(login.context)?;
    let file = settings
        .optional(args.service_account_key_file_path.as_deref(), VARIABLE)
        .or_else(|| settings.env.value(&env_vars::GOOGLE_APPLICATION_CREDENTIALS))
        .ok_or_else(|| missing("--service-account-key-file-path", VARIABLE))?;
    login.run(&GcpIam { identity, key_file: file.into() }).await
}
