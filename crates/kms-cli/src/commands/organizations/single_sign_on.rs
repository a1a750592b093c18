//! `kms organizations sso`.

#![expect(clippy::doc_markdown, reason = "documentation of arguments is help text")]

use std::path::PathBuf;

use kms_api::{
    OrganizationId,
    single_sign_on::{BY_DISCOVERY, BY_HAND, OidcConfig, OidcConfigQuery, WriteOidcConfig},
};
use kms_client::Error as ClientError;
use secrecy::SecretString;

use crate::{
    Context, credential,
    error::{CliError, ResultExt as _},
    settings::Output,
};

/// Set up how the people of an organization sign in with its identity provider
#[derive(Debug, clap::Subcommand)]
pub enum SingleSignOn {
    Show(ShowArgs),
    Set(Box<SetArgs>),
    Enforce(EnforceArgs),
    Disable(ShowArgs),
}

/// Show the identity provider
#[derive(clap::Args, Debug)]
pub struct ShowArgs {
    /// Id of the organization [default: that of the login or token in use]
    #[arg(long, value_name = "ID")]
    organization_id: Option<OrganizationId>,
}

/// Set the identity provider up, or change what is named of it
///
/// Register the redirect URI that `show` prints at the provider first. The provider is asked at
/// once whether it is what it says.
#[derive(clap::Args, Debug)]
pub struct SetArgs {
    #[command(flatten)]
    organization: ShowArgs,

    /// Address of its discovery document
    #[arg(long, value_name = "URL")]
    discovery_url: Option<String>,

    /// Who it says that it is [default: as the discovery document's address tells]
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,

    /// Where browsers are sent, if that is at another site than the issuer's
    #[arg(long, value_name = "URL")]
    authorization_endpoint: Option<String>,

    /// Where codes are traded for tokens, if that is at another site than the issuer's
    #[arg(long, value_name = "URL")]
    token_endpoint: Option<String>,

    /// Where its keys are, if that is at another site than the issuer's
    #[arg(long, value_name = "URL")]
    jwks_uri: Option<String>,

    /// Where addresses are asked for, if that is at another site than the issuer's
    #[arg(long, value_name = "URL")]
    userinfo_endpoint: Option<String>,

    /// Client id that the provider gave this server
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,

    /// Read the client secret from a file
    #[arg(long, value_name = "FILE", conflicts_with = "client_secret_stdin")]
    client_secret_file: Option<PathBuf>,

    /// Read the client secret from standard input
    #[arg(long)]
    client_secret_stdin: bool,

    /// Domains of the addresses that it may vouch for
    #[arg(long, value_name = "DOMAIN", value_delimiter = ',')]
    domains: Option<Vec<String>>,

    /// How it signs: RS256, PS256, ES256 or EdDSA [default: RS256]
    #[arg(long, value_name = "NAME")]
    algorithm: Option<String>,
}

/// Let people act in the organization only by its identity provider
///
/// Their other logins in it end at once. An administrator must have signed in with single sign-on
/// before.
#[derive(clap::Args, Debug)]
pub struct EnforceArgs {
    #[command(flatten)]
    organization: ShowArgs,

    /// Let administrators log in by password all the same, with a second factor
    #[arg(long, conflicts_with = "off")]
    allow_administrators: bool,

    /// Let people log in in other ways again
    #[arg(long)]
    off: bool,
}

pub(super) async fn run(command: SingleSignOn, context: &Context) -> Result<(), CliError> {
    match command {
        SingleSignOn::Show(args) => show(&args, context).await,
        SingleSignOn::Set(args) => set(*args, context).await,
        SingleSignOn::Enforce(args) => enforce(&args, context).await,
        SingleSignOn::Disable(args) => disable(&args, context).await,
    }
}

async fn show(args: &ShowArgs, context: &Context) -> Result<(), CliError> {
    let output = context.settings.table_or_json()?;
    let client = context.settings.client()?;
    let query = OidcConfigQuery { organization_id: args.organization_id };
    let answer = client.oidc_config(&query).await;
    print(context, output, &answer.context("could not show the identity provider")?)
}

async fn set(args: SetArgs, context: &Context) -> Result<(), CliError> {
    let output = context.settings.table_or_json()?;
    let client_secret = client_secret(&args)?;
    let client = context.settings.client()?;
    let mut body = WriteOidcConfig {
        organization_id: args.organization.organization_id,
        issuer: args.issuer,
        discovery_url: args.discovery_url,
        authorization_endpoint: args.authorization_endpoint,
        jwks_uri: args.jwks_uri,
        token_endpoint: args.token_endpoint,
        userinfo_endpoint: args.userinfo_endpoint,
        client_id: args.client_id,
        client_secret,
        is_active: Some(true),
        allowed_email_domains: args.domains.map(|domains| domains.join(",")),
        jwt_signature_algorithm: args.algorithm,
        ..WriteOidcConfig::default()
    };
    let answer = match client.update_oidc_config(&body).await {
        Err(ClientError::Status { status: 404, .. }) => {
            let is_found = body.discovery_url.is_some();
            let kind = if is_found { BY_DISCOVERY } else { BY_HAND };
            body.configuration_type = Some(kind.into());
            client.create_oidc_config(&body).await
        }
        other => other,
    };
    print(context, output, &answer.context("could not set the identity provider up")?)?;
    context.ui.hint("try it: log out in a browser, then sign in with your organization there");
    Ok(())
}

async fn enforce(args: &EnforceArgs, context: &Context) -> Result<(), CliError> {
    let output = context.settings.table_or_json()?;
    let client = context.settings.client()?;
    let body = WriteOidcConfig {
        organization_id: args.organization.organization_id,
        auth_enforced: Some(!args.off),
        bypass_org_auth_enabled: Some(args.allow_administrators),
        ..WriteOidcConfig::default()
    };
    let answer = client.update_oidc_config(&body).await;
    print(context, output, &answer.context("could not change who may log in")?)
}

async fn disable(args: &ShowArgs, context: &Context) -> Result<(), CliError> {
    let output = context.settings.table_or_json()?;
    let client = context.settings.client()?;
    let body = WriteOidcConfig {
        organization_id: args.organization_id,
        is_active: Some(false),
        auth_enforced: Some(false),
        ..WriteOidcConfig::default()
    };
    let answer = client.update_oidc_config(&body).await;
    print(context, output, &answer.context("could not disable single sign-on")?)
}

fn client_secret(args: &SetArgs) -> Result<Option<SecretString>, CliError> {
    if args.client_secret_stdin {
        return credential::from_stdin("client secret").map(Some);
    }
    let file = args.client_secret_file.as_deref();
    file.map(|file| credential::from_file("client secret", file)).transpose()
}

fn print(context: &Context, output: Output, config: &OidcConfig) -> Result<(), CliError> {
    if output == Output::Json {
        return context.ui.json(config);
    }
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let yes = |is_so: bool| if is_so { "yes" } else { "no" }.to_owned();
    let rows = [
        ("issuer", text(&config.issuer)),
        ("discovery document", text(&config.discovery_url)),
        ("client id", config.client_id.clone()),
        ("redirect URI", config.redirect_uri.clone()),
        ("domains", text(&config.allowed_email_domains)),
        ("algorithm", config.jwt_signature_algorithm.clone()),
        ("active", yes(config.is_active)),
        ("enforced", yes(config.auth_enforced)),
        ("administrators by password", yes(config.bypass_org_auth_enabled)),
    ];
    let rows = rows.map(|(name, value)| vec![name.to_owned(), value]);
    context.ui.table(&["setting", "value"], rows.into())
}
