//! `kms identities azure-auth`.

#![expect(clippy::doc_markdown, reason = "documentation of arguments is help text")]

use kms_api::auth::{
    TokenSettings,
    azure::{Azure, Settings},
};

use super::external::Flags;
use crate::error::CliError;

/// Which tenant, and which of its principals.
#[derive(clap::Args, Debug)]
#[group(skip)]
pub struct AzureArgs {
    /// Id of the tenant
    #[arg(long, value_name = "ID")]
    tenant_id: Option<String>,

    /// What the token must be for [server's default: https://management.azure.com/]
    #[arg(long, value_name = "URI")]
    resource: Option<String>,

    /// Object ids of the managed identities and service principals that can log in; an empty text
    /// for all of the tenant
    #[arg(long, value_name = "ID,…")]
    allowed_service_principal_ids: Option<String>,
}

impl Flags for AzureArgs {
    type Method = Azure;
    const TITLE: &'static str = "Azure auth";

    fn settings(&self, token: TokenSettings) -> Result<Settings, CliError> {
        Ok(Settings {
            tenant_id: self.tenant_id.clone(),
            resource: self.resource.clone(),
            allowed_service_principal_ids: self.allowed_service_principal_ids.clone(),
            token,
        })
    }
}
