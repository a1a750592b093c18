//! Azure: a managed identity, or a federated workload.

#![expect(clippy::doc_markdown, reason = "documentation of arguments is help text")]

use kms_client::login::{Azure, ManagedIdentity};

use super::machine::Login;
use crate::{env_vars, error::CliError};

/// What the token shall be for.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Options of azure")]
#[group(skip)]
pub(super) struct Args {
    /// Resource that the identity is set up for [env: KMS_AZURE_AUTH_RESOURCE]
    /// [default: https://management.azure.com/]
    #[arg(long, value_name = "URI")]
    azure_resource: Option<String>,
}

pub(super) const ELSEWHERE: &str = "a virtual machine needs a managed identity, a pod of AKS a \
     service account with `azure.workload.identity/use`; `AZURE_POD_IDENTITY_AUTHORITY_HOST` \
     names another metadata service";

pub(super) async fn run(args: &Args, login: &Login<'_>) -> Result<(), CliError> {
    let settings = &login.context.settings;
    let resource =
        settings.optional(args.azure_resource.as_deref(), &env_vars::AZURE_AUTH_RESOURCE);
    let env = &settings.env;
    let client = env.value(&env_vars::AZURE_AUTH_CLIENT_ID).map(ManagedIdentity::Client);
    let object = || env.value(&env_vars::AZURE_AUTH_OBJECT_ID).map(ManagedIdentity::Object);
    let workload = env.value(&env_vars::AZURE_AUTH_USE_WORKLOAD_IDENTITY);
    let prover = Azure {
        identity: login.args.identity(login.context)?,
        resource: resource.unwrap_or_else(|| Azure::RESOURCE.to_owned()),
        managed: client.or_else(object),
        workload_identity: workload.map(|_| env.is_on(&env_vars::AZURE_AUTH_USE_WORKLOAD_IDENTITY)),
    };
    login.run(&prover).await
}
