//! `kms identities kubernetes-auth`.

use std::path::PathBuf;

use kms_api::auth::{
    TokenSettings,
    kubernetes::{Kubernetes, Settings},
};
use secrecy::SecretString;

use super::{external::Flags, pem};
use crate::{credential, error::CliError};

/// Which cluster, and which of its service accounts.
#[derive(clap::Args, Debug)]
#[group(skip)]
pub struct KubernetesArgs {
    /// Address of the cluster's API server, as the KMS reaches it
    #[arg(long, value_name = "URL")]
    kubernetes_host: Option<String>,

    /// Certificate of the cluster's authority, in PEM form
    #[arg(long, value_name = "FILE")]
    ca_cert_file: Option<PathBuf>,

    /// Trust the public authorities for the cluster
    #[arg(long, conflicts_with = "ca_cert_file")]
    no_ca_cert: bool,

    /// Token to ask the cluster with [default: the token that logs in asks about itself]
    #[arg(long, value_name = "FILE", group = "reviewer")]
    token_reviewer_jwt_file: Option<PathBuf>,

    /// Read that token from standard input
    #[arg(long, group = "reviewer")]
    token_reviewer_jwt_stdin: bool,

    /// Forget that token
    #[arg(long, group = "reviewer")]
    no_token_reviewer_jwt: bool,

    /// Namespaces whose service accounts can log in; an empty text for all
    #[arg(long, value_name = "NAME,…")]
    allowed_namespaces: Option<String>,

    /// Names of the service accounts that can log in; an empty text for all
    #[arg(long, value_name = "NAME,…")]
    allowed_names: Option<String>,

    /// Audience that the token must have [default: the cluster's own]
    #[arg(long, value_name = "AUDIENCE")]
    allowed_audience: Option<String>,
}

impl KubernetesArgs {
    #[expect(clippy::option_option, reason = "left out and null are different instructions")]
    fn reviewer(&self) -> Result<Option<Option<SecretString>>, CliError> {
        const WHAT: &str = "token of the reviewer";
        if self.no_token_reviewer_jwt {
            return Ok(Some(None));
        }
        if self.token_reviewer_jwt_stdin {
            return credential::from_stdin(WHAT).map(|token| Some(Some(token)));
        }
        let file = self.token_reviewer_jwt_file.as_ref();
        file.map(|file| credential::from_file(WHAT, file).map(Some)).transpose()
    }
}

impl Flags for KubernetesArgs {
    type Method = Kubernetes;
    const TITLE: &'static str = "Kubernetes auth";

    fn settings(&self, token: TokenSettings) -> Result<Settings, CliError> {
        Ok(Settings {
            kubernetes_host: self.kubernetes_host.clone(),
            ca_cert: pem::certificates(self.ca_cert_file.as_deref(), self.no_ca_cert)?,
            token_reviewer_jwt: self.reviewer()?,
            token_review_mode: None,
            allowed_namespaces: self.allowed_namespaces.clone(),
            allowed_names: self.allowed_names.clone(),
            allowed_audience: self.allowed_audience.clone(),
            gateway_id: None,
            token,
        })
    }
}
