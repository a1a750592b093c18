//! OIDC: a token of an OpenID provider, such as a CI system.

#![expect(clippy::doc_markdown, reason = "documentation of arguments is help text")]

use kms_client::login::{IdToken, Oidc};

use super::machine::{self, Login};
use crate::{env_vars, error::CliError};

/// What to ask a CI system for, and the old spelling of `--jwt`.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Options of oidc-auth")]
#[group(skip)]
pub(super) struct Args {
    /// Audience of the token that GitHub Actions is asked for [env: KMS_OIDC_AUDIENCE]
    #[arg(long, value_name = "AUDIENCE")]
    oidc_audience: Option<String>,

    #[arg(long, hide = true, value_name = "JWT")]
    oidc_jwt: Option<String>,
}

pub(super) async fn run(args: &Args, login: &Login<'_>) -> Result<(), CliError> {
    let context = login.context;
    let identity = login.args.identity(context)?;
    if args.oidc_jwt.is_some() {
        context.ui.warn("`--oidc-jwt` is deprecated; use `--jwt`");
    }
    let variables = [&env_vars::JWT, &env_vars::OIDC_AUTH_JWT];
    let given = login.args.jwt(context, args.oidc_jwt.as_deref(), &variables)?;
    let audience =
        context.settings.optional(args.oidc_audience.as_deref(), &env_vars::OIDC_AUDIENCE);
    let token = given
        .map(IdToken::Given)
        .or_else(|| IdToken::of_ci(audience))
        .ok_or_else(|| nothing(context.settings.env.is_set("GITHUB_ACTIONS")))?;
    login.run(&Oidc { identity, token }).await
}

fn nothing(is_github: bool) -> CliError {
    let error = machine::Args::no_jwt();
    if is_github {
        return error
            .hint("a job of GitHub Actions gets a token with `permissions: id-token: write`");
    }
    error.hint("in CI: `INFISICAL_JWT` below `id_tokens:` of GitLab; GitHub, CircleCI and Bitbucket by themselves")
}
