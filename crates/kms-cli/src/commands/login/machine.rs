//! What the logins of all machines have in common: whose they are, where to, and what is said.

#![expect(clippy::doc_markdown, reason = "documentation of arguments is help text")]

use std::path::PathBuf;

use kms_api::{IdentityId, auth::Method as _};
use kms_client::{
    Error as ClientError,
    login::{LoginContext, Prove},
};
use secrecy::SecretString;

use super::describe;
use crate::{
    Context, credential,
    env_vars::{self, Variable},
    error::CliError,
    settings::missing,
};

/// What every method of machines can be told.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Options of machine identities")]
#[group(skip)]
pub(super) struct Args {
    /// Id of the machine identity; all methods but universal-auth
    /// [env: INFISICAL_MACHINE_IDENTITY_ID]
    #[arg(long, value_name = "ID")]
    machine_identity_id: Option<String>,

    /// Sub-organization to scope the token to [env: INFISICAL_AUTH_ORGANIZATION_SLUG]
    /// [default: the organization in which the identity was created]
    #[arg(long, value_name = "SLUG")]
    organization_slug: Option<String>,

    /// JWT of oidc-auth and jwt-auth [env: INFISICAL_JWT]; shows in the process list
    #[arg(long, value_name = "JWT", group = "token_source")]
    jwt: Option<String>,

    /// Read the JWT from a file
    #[arg(long, value_name = "FILE", group = "token_source")]
    jwt_file: Option<PathBuf>,

    /// Read the JWT from standard input
    #[arg(long, group = "token_source")]
    jwt_stdin: bool,
}

/// How a login is carried out.
pub(super) struct Login<'a> {
    pub(super) args: &'a Args,
    pub(super) plain: bool,
    pub(super) context: &'a Context,
    /// What to do when this is not the place for the method.
    pub(super) elsewhere: &'a str,
}

impl Args {
    /// The id of the identity, which is a required input.
    pub(super) fn identity(&self, context: &Context) -> Result<IdentityId, CliError> {
        let id = context.settings.required(
            self.machine_identity_id.as_deref(),
            "--machine-identity-id",
            &env_vars::MACHINE_IDENTITY_ID,
        )?;
        id.parse().map_err(|_| {
            CliError::usage("`--machine-identity-id` is not an id")
                .hint("`kms identities list` shows the ids: 8-4-4-4-12 hexadecimal digits")
        })
    }

    /// The JWT: from where the flags say, else from the first variable that is set.
    pub(super) fn jwt(
        &self,
        context: &Context,
        deprecated: Option<&str>,
        variables: &[&Variable],
    ) -> Result<Option<SecretString>, CliError> {
        if self.jwt_stdin {
            return credential::from_stdin("JWT").map(Some);
        }
        if let Some(file) = &self.jwt_file {
            return credential::from_file("JWT", file).map(Some);
        }
        let filled = |text: &&str| !text.is_empty();
        let flag = self.jwt.as_deref().filter(filled).map(|jwt| ("--jwt", jwt));
        let flag = flag.or(deprecated.filter(filled).map(|jwt| ("--oidc-jwt", jwt)));
        if let Some((name, jwt)) = flag {
            context.ui.warn(&format!(
                "`{name}` shows in the process list; prefer `--jwt-file`, `--jwt-stdin` or \
                 `INFISICAL_JWT`"
            ));
            return Ok(Some(jwt.into()));
        }
        let env = &context.settings.env;
        Ok(variables.iter().find_map(|variable| env.value(variable)).map(SecretString::from))
    }

    pub(super) fn no_jwt() -> CliError {
        let mut error = missing("--jwt", &env_vars::JWT);
        error.hints.push("`--jwt-file FILE` and `--jwt-stdin` keep it off the process list".into());
        error
    }
}

impl Login<'_> {
    /// Logs in and prints the token, alone on standard output.
    pub(super) async fn run<P: Prove>(&self, prover: &P) -> Result<(), CliError> {
        let method = P::Method::NAME;
        let Self { args, plain, context, .. } = self;
        let login = LoginContext {
            organization_slug: context
                .settings
                .optional(args.organization_slug.as_deref(), &env_vars::AUTH_ORGANIZATION_SLUG),
        };
        let client = context.settings.anonymous_client()?;
        let answer =
            client.login(prover, &login).await.map_err(|error| self.failed(method, error))?;
        context.ui.line(&answer.access_token)?;
        if !plain {
            let name = method.replace('-', " ");
            context.ui.notice(&format!("Successfully authenticated with {name}"));
            describe(context.ui, &answer);
            context.ui.hint(&format!(
                "keep it for the following commands: \
                 `export INFISICAL_TOKEN=$(kms login --method={method} --plain --silent)`"
            ));
        }
        Ok(())
    }

    /// The hints of other calls speak of tokens; here it was the proof that was not accepted.
    fn failed(&self, method: &str, error: ClientError) -> CliError {
        let doing = format!("unable to authenticate with `{method}`");
        let hint = match &error {
            ClientError::Status { status: 401 | 403, origin, .. } => format!(
                "what proves this machine was sent to `{origin}`; if the identity is of another \
                 server, pass `--domain`"
            ),
            ClientError::NotHere { .. } => self.elsewhere.to_owned(),
            _ => return CliError::from(error).context(doing),
        };
        CliError { hints: vec![hint], ..CliError::from(error) }.context(doing)
    }
}
