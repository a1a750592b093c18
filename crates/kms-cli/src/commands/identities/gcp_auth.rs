//! `kms identities gcp-auth`.

use kms_api::auth::{
    Method as _, TokenSettings,
    gcp::{Config, GcpIam, GcpIdToken, Kind, Settings},
};

use super::external::Flags;
use crate::error::CliError;

/// Which kind of token, and whose.
#[derive(clap::Args, Debug)]
#[group(skip)]
pub struct GcpArgs {
    /// `gce` for tokens of the metadata server (`--method=gcp-id-token`), `iam` for those that a
    /// service account's key signs (`--method=gcp-iam`)
    #[arg(long, value_name = "TYPE", value_parser = kind)]
    r#type: Option<Kind>,

    /// E-mail addresses of the service accounts that can log in
    #[arg(long, value_name = "ADDRESS,…")]
    allowed_service_accounts: Option<String>,

    /// Ids of the projects whose instances can log in; `gce` only
    #[arg(long, value_name = "ID,…")]
    allowed_projects: Option<String>,

    /// Zones whose instances can log in; `gce` only
    #[arg(long, value_name = "ZONE,…")]
    allowed_zones: Option<String>,
}

fn kind(text: &str) -> Result<Kind, &'static str> {
    match text {
        "gce" => Ok(Kind::Gce),
        "iam" => Ok(Kind::Iam),
        _ => Err("it must be `gce` or `iam`"),
    }
}

impl Flags for GcpArgs {
    type Method = GcpIdToken;
    const TITLE: &'static str = "GCP auth";

    fn settings(&self, token: TokenSettings) -> Result<Settings, CliError> {
        Ok(Settings {
            r#type: self.r#type,
            allowed_service_accounts: self.allowed_service_accounts.clone(),
            allowed_projects: self.allowed_projects.clone(),
            allowed_zones: self.allowed_zones.clone(),
            token,
        })
    }

    fn login(config: &Config) -> &'static str {
        match config.r#type {
            Kind::Gce => GcpIdToken::NAME,
            Kind::Iam => GcpIam::NAME,
        }
    }
}
