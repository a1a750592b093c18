//! Kubernetes: the service account of a pod.

#![expect(clippy::doc_markdown, reason = "documentation of arguments is help text")]

use kms_client::login::Kubernetes;

use super::machine::Login;
use crate::{env_vars, error::CliError};

/// Where the proof is.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Options of kubernetes")]
#[group(skip)]
pub(super) struct Args {
    /// File with the service account's token
    /// [env: INFISICAL_KUBERNETES_SERVICE_ACCOUNT_TOKEN_PATH]
    /// [default: /var/run/secrets/kubernetes.io/serviceaccount/token]
    #[arg(long, value_name = "FILE")]
    service_account_token_path: Option<String>,
}

pub(super) const ELSEWHERE: &str = "inside of a pod the file is there unless its service account \
     has `automountServiceAccountToken: false`; name another with `--service-account-token-path`";

pub(super) async fn run(args: &Args, login: &Login<'_>) -> Result<(), CliError> {
    let file = login.context.settings.optional(
        args.service_account_token_path.as_deref(),
        &env_vars::KUBERNETES_SERVICE_ACCOUNT_TOKEN_PATH,
    );
    let prover = Kubernetes {
        identity: login.args.identity(login.context)?,
        token_file: file.unwrap_or_else(|| Kubernetes::TOKEN_FILE.to_owned()).into(),
    };
    login.run(&prover).await
}
