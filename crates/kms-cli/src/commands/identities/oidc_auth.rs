//! `kms identities oidc-auth`.

use std::path::PathBuf;

use kms_api::auth::{
    TokenSettings,
    oidc::{Oidc, Settings},
};

use super::{
    bound::{self, BoundArgs},
    external::Flags,
    pem,
};
use crate::error::CliError;

/// Which provider, and which of those that it signs for.
#[derive(clap::Args, Debug)]
#[group(skip)]
pub struct OidcArgs {
    /// Address of the provider, before `/.well-known/openid-configuration`
    #[arg(long, value_name = "URL")]
    oidc_discovery_url: Option<String>,

    /// Certificate of the authority to trust for the provider, in PEM form
    #[arg(long, value_name = "FILE")]
    ca_cert_file: Option<PathBuf>,

    /// Trust the public authorities for the provider
    #[arg(long, conflicts_with = "ca_cert_file")]
    no_ca_cert: bool,

    #[command(flatten)]
    bound: BoundArgs,

    /// Name for permission rules, and the dotted path of the claim that it stands for; can be
    /// repeated, replaces all when changing
    #[arg(long, value_name = "NAME=CLAIM", value_parser = bound::pair)]
    claim_metadata_mapping: Vec<(String, String)>,

    /// Give permission rules no claims
    #[arg(long, conflicts_with = "claim_metadata_mapping")]
    no_claim_metadata_mapping: bool,
}

impl Flags for OidcArgs {
    type Method = Oidc;
    const TITLE: &'static str = "OIDC auth";

    fn settings(&self, token: TokenSettings) -> Result<Settings, CliError> {
        let mapping = bound::map(&self.claim_metadata_mapping, self.no_claim_metadata_mapping);
        Ok(Settings {
            oidc_discovery_url: self.oidc_discovery_url.clone(),
            ca_cert: pem::certificates(self.ca_cert_file.as_deref(), self.no_ca_cert)?,
            bound_issuer: self.bound.bound_issuer.clone(),
            bound_audiences: self.bound.bound_audiences.clone(),
            bound_claims: self.bound.claims(),
            bound_subject: self.bound.bound_subject.clone(),
            claim_metadata_mapping: mapping,
            token,
        })
    }
}
