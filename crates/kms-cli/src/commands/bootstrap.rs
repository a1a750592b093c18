//! `kms bootstrap`.

#![expect(clippy::doc_markdown, reason = "documentation of arguments is help text")]

use kms_api::admin::{Bootstrap, BootstrapResponse};
use kms_client::Error as ClientError;
use secrecy::SecretString;

use crate::{
    Context, credential, env_vars,
    error::{CliError, ResultExt as _},
    settings::missing,
};

/// Set up a new server: first administrator, organization and instance-admin identity
///
/// Prints the result as JSON, with the access token of the identity. Works once for each server.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// E-mail address of the administrator [env: INFISICAL_ADMIN_EMAIL]
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,

    /// Password of the administrator [env: INFISICAL_ADMIN_PASSWORD]; shows in the process list
    #[arg(long, value_name = "PASSWORD", conflicts_with = "password_stdin")]
    password: Option<SecretString>,

    /// Read the password from standard input
    #[arg(long)]
    password_stdin: bool,

    /// Name of the organization [env: INFISICAL_ADMIN_ORGANIZATION]
    #[arg(long, value_name = "NAME")]
    organization: Option<String>,

    /// Token that the server printed at its first start [env: KMS_SETUP_TOKEN]; not needed on
    /// the server's own machine
    #[arg(long, value_name = "TOKEN")]
    setup_token: Option<SecretString>,

    /// Succeed when the server is set up already
    #[arg(long)]
    ignore_if_bootstrapped: bool,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), CliError> {
    let settings = &context.settings;
    if !matches!(settings.output.as_deref(), None | Some("json")) {
        return Err(CliError::usage("`bootstrap` answers in JSON only").hint("use `--output json`"));
    }
    if settings.origin.by.is_none() {
        return Err(missing("--domain", &env_vars::DOMAIN));
    }
    context.ignore_token("bootstrap");
    let ignore = args.ignore_if_bootstrapped;
    let body = body(args, context)?;
    let client = settings.anonymous_client()?;
    match client.bootstrap(&body).await {
        Ok(answer) => print(context, &answer),
        Err(error) if ignore && is_set_up(&error) => {
            context.ui.notice("The server is set up already");
            Ok(())
        }
        Err(error) => Err(error).context("could not set up the server"),
    }
}

fn body(args: Args, context: &Context) -> Result<Bootstrap, CliError> {
    let settings = &context.settings;
    if args.password.is_some() {
        context.ui.warn(
            "`--password` shows in the process list; prefer `--password-stdin` or \
             `INFISICAL_ADMIN_PASSWORD`",
        );
    }
    if args.setup_token.is_some() {
        context.ui.warn("`--setup-token` shows in the process list; prefer `KMS_SETUP_TOKEN`");
    }
    let password = if args.password_stdin {
        Some(credential::from_stdin("password")?)
    } else {
        args.password.or_else(|| settings.env.value(&env_vars::ADMIN_PASSWORD).map(Into::into))
    };
    Ok(Bootstrap {
        email: settings.required(args.email.as_deref(), "--email", &env_vars::ADMIN_EMAIL)?,
        password: password.ok_or_else(|| missing("--password", &env_vars::ADMIN_PASSWORD))?,
        organization: settings.required(
            args.organization.as_deref(),
            "--organization",
            &env_vars::ADMIN_ORGANIZATION,
        )?,
        setup_token: args
            .setup_token
            .or_else(|| settings.env.value(&env_vars::SETUP_TOKEN).map(Into::into)),
    })
}

fn print(context: &Context, answer: &BootstrapResponse) -> Result<(), CliError> {
    context.ui.json(answer)?;
    context.ui.notice("The identity's token is shown only now; keep it in a safe place");
    Ok(())
}

/// The contract has no code of its own for this, only a 400 with this sentence.
fn is_set_up(error: &ClientError) -> bool {
    matches!(error, ClientError::Status { status: 400, body, .. }
        if body.text().contains("already been set up"))
}
