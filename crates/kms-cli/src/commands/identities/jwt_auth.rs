//! `kms identities jwt-auth`.

use std::path::PathBuf;

use kms_api::auth::{
    TokenSettings,
    jwt::{Config, ConfigurationType, Jwt, Settings},
};

use super::{bound::BoundArgs, external::Flags, pem};
use crate::error::CliError;

/// Which keys, and which of the tokens that they sign.
#[derive(clap::Args, Debug)]
#[group(skip)]
pub struct JwtArgs {
    /// Where the keys come from: `jwks` or `static` [default: what the other flags say]
    #[arg(long, value_name = "TYPE", value_parser = configuration_type)]
    configuration_type: Option<ConfigurationType>,

    /// Address of the JWK set that the issuer publishes
    #[arg(long, value_name = "URL", conflicts_with = "public_key_file")]
    jwks_url: Option<String>,

    /// Certificate of the authority to trust for that address, in PEM form
    #[arg(long, value_name = "FILE")]
    jwks_ca_cert_file: Option<PathBuf>,

    /// Trust the public authorities for that address
    #[arg(long, conflicts_with = "jwks_ca_cert_file")]
    no_jwks_ca_cert: bool,

    /// Public key in PEM form; can be repeated, replaces all when changing
    #[arg(long, value_name = "FILE")]
    public_key_file: Vec<PathBuf>,

    #[command(flatten)]
    bound: BoundArgs,
}

fn configuration_type(text: &str) -> Result<ConfigurationType, &'static str> {
    match text {
        "jwks" => Ok(ConfigurationType::Jwks),
        "static" => Ok(ConfigurationType::Static),
        _ => Err("it must be `jwks` or `static`"),
    }
}

impl JwtArgs {
    fn kind(&self) -> Option<ConfigurationType> {
        let server = self.jwks_url.as_ref().map(|_| ConfigurationType::Jwks);
        let keys = (!self.public_key_file.is_empty()).then_some(ConfigurationType::Static);
        self.configuration_type.or(server).or(keys)
    }
}

impl Flags for JwtArgs {
    type Method = Jwt;
    const TITLE: &'static str = "JWT auth";

    fn settings(&self, token: TokenSettings) -> Result<Settings, CliError> {
        let keys = self.public_key_file.iter().map(|file| pem::read("public key", file));
        let keys: Vec<String> = keys.collect::<Result<_, _>>()?;
        let ca = pem::certificates(self.jwks_ca_cert_file.as_deref(), self.no_jwks_ca_cert)?;
        Ok(Settings {
            configuration_type: self.kind(),
            jwks_url: self.jwks_url.clone(),
            jwks_ca_cert: ca,
            public_keys: (!keys.is_empty()).then_some(keys),
            bound_issuer: self.bound.bound_issuer.clone(),
            bound_audiences: self.bound.bound_audiences.clone(),
            bound_claims: self.bound.claims(),
            bound_subject: self.bound.bound_subject.clone(),
            token,
        })
    }

    /// The contract wants to be told where the keys come from with each change.
    fn is_complete(settings: &Settings) -> bool {
        settings.configuration_type.is_some()
    }

    fn complete(settings: &mut Settings, config: &Config) {
        settings.configuration_type = Some(config.configuration_type);
    }
}
