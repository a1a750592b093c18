//! `kms identities aws-auth`.

#![expect(clippy::doc_markdown, reason = "documentation of arguments is help text")]

use kms_api::auth::{
    TokenSettings,
    aws_iam::{Aws, Settings},
};

use super::external::Flags;
use crate::error::CliError;

/// Which accounts and principals.
#[derive(clap::Args, Debug)]
#[group(skip)]
pub struct AwsArgs {
    /// ARNs of the users and roles that can log in; `*` is possible in their names
    #[arg(long, value_name = "ARN,…")]
    allowed_principal_arns: Option<String>,

    /// Ids of the accounts whose principals can log in
    #[arg(long, value_name = "ID,…")]
    allowed_account_ids: Option<String>,

    /// STS endpoint of the partition that the accounts are of
    /// [server's default: https://sts.amazonaws.com/]
    #[arg(long, value_name = "URL")]
    sts_endpoint: Option<String>,

    /// Whether requests must be signed for this server alone, as those of `kms login` are
    #[arg(long, value_name = "BOOL")]
    require_server_header: Option<bool>,
}

impl Flags for AwsArgs {
    type Method = Aws;
    const TITLE: &'static str = "AWS auth";

    fn settings(&self, token: TokenSettings) -> Result<Settings, CliError> {
        Ok(Settings {
            sts_endpoint: self.sts_endpoint.clone(),
            allowed_principal_arns: self.allowed_principal_arns.clone(),
            allowed_account_ids: self.allowed_account_ids.clone(),
            require_server_header: self.require_server_header,
            token,
        })
    }
}
