//! `kms login`.

#![expect(clippy::doc_markdown, reason = "documentation of arguments is help text")]

use std::path::PathBuf;

use clap::ValueEnum;
use kms_api::auth::{LoginResponse, Method as _, universal::Universal};
use kms_client::{
    Error as ClientError,
    login::{LoginContext, UniversalAuth},
};
use secrecy::SecretString;

use crate::{Context, credential, env_vars, error::CliError, settings::missing, ui::Ui};

/// Log in and print an access token
///
/// A machine identity logs in with a client id and a client secret:
///
///   kms login --method=universal-auth --client-id=ID --client-secret-file=FILE
///
/// Only the token is written to standard output, so that it can be captured:
///
///   export INFISICAL_TOKEN=$(kms login --method=universal-auth --plain --silent)
#[derive(clap::Args, Debug)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// How to log in
    #[arg(long, value_enum, value_name = "METHOD", default_value_t)]
    method: MethodName,

    /// Client id of the machine identity [env: INFISICAL_UNIVERSAL_AUTH_CLIENT_ID]
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,

    /// Client secret [env: INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET]; shows in the process list
    #[arg(long, value_name = "SECRET", group = "secret")]
    client_secret: Option<String>,

    /// Read the client secret from a file
    #[arg(long, value_name = "FILE", group = "secret")]
    client_secret_file: Option<PathBuf>,

    /// Read the client secret from standard input
    #[arg(long, group = "secret")]
    client_secret_stdin: bool,

    /// Sub-organization to scope the token to [env: INFISICAL_AUTH_ORGANIZATION_SLUG]
    /// [default: the organization in which the identity was created]
    #[arg(long, value_name = "SLUG")]
    organization_slug: Option<String>,

    /// Print nothing but the token, also on standard error
    #[arg(long, num_args = 0..=1, require_equals = true, action = clap::ArgAction::Set)]
    #[arg(default_value_t, default_missing_value = "true", value_name = "BOOL")]
    #[arg(hide_default_value = true, hide_possible_values = true)]
    plain: bool,

    #[command(flatten)]
    others: OtherInputs,
}

/// The ways to log in, under the names of the compatible CLI.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum MethodName {
    /// A person's account (not in this version yet)
    #[default]
    User,
    /// A client id and a client secret
    UniversalAuth,
    /// A Kubernetes service account (not in this version yet)
    Kubernetes,
    /// An Azure managed identity (not in this version yet)
    Azure,
    /// A GCP identity token (not in this version yet)
    GcpIdToken,
    /// A GCP service account key (not in this version yet)
    GcpIam,
    /// An AWS IAM principal (not in this version yet)
    AwsIam,
    /// A token of an OpenID Connect provider (not in this version yet)
    OidcAuth,
    /// A signed JWT (not in this version yet)
    JwtAuth,
}

/// Inputs of the methods that this version lacks. They are read so that the answer is about the
/// method, not about a flag that looks misspelt.
#[derive(clap::Args, Debug)]
struct OtherInputs {
    #[arg(long, hide = true)]
    email: Option<String>,
    #[arg(long, hide = true)]
    password: Option<SecretString>,
    #[arg(long, hide = true)]
    organization_id: Option<String>,
    #[arg(long, short, hide = true)]
    interactive: bool,
    #[arg(long, hide = true)]
    machine_identity_id: Option<String>,
    #[arg(long, hide = true)]
    service_account_token_path: Option<PathBuf>,
    #[arg(long, hide = true)]
    service_account_key_file_path: Option<PathBuf>,
    #[arg(long, hide = true, alias = "oidc-jwt")]
    jwt: Option<SecretString>,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), CliError> {
    if args.method != MethodName::UniversalAuth {
        return Err(not_yet(args.method));
    }
    if context.settings.output.is_some() {
        return Err(CliError::usage("`login` prints a token and has no `--output`"));
    }
    context.ignore_token("login");
    let login = LoginContext {
        organization_slug: context
            .settings
            .optional(args.organization_slug.as_deref(), &env_vars::AUTH_ORGANIZATION_SLUG),
    };
    let proof = universal_auth(&args, context)?;
    let client = context.settings.anonymous_client()?;
    let answer = client.login(&proof, &login).await.map_err(refused)?;
    context.ui.line(&answer.access_token)?;
    if !args.plain {
        context.ui.notice("Successfully authenticated with universal auth");
        describe(context.ui, &answer);
        context.ui.hint(
            "keep it for the following commands: \
             `export INFISICAL_TOKEN=$(kms login --method=universal-auth --plain --silent)`",
        );
    }
    Ok(())
}

/// Says how long a token lasts.
pub(super) fn describe(ui: Ui, answer: &LoginResponse) {
    let mut text = format!("The token expires in {}", duration(answer.expires_in));
    if answer.access_token_max_ttl > answer.expires_in {
        text += " and can be renewed for ";
        text += &duration(answer.access_token_max_ttl);
    }
    ui.notice(&text);
}

fn not_yet(method: MethodName) -> CliError {
    let name = method.to_possible_value();
    let name = name.as_ref().map_or("", |value| value.get_name());
    let error = CliError::failed(format!("login with `{name}` is not in this version yet"));
    let hint = match method {
        MethodName::User => "machines log in with `kms login --method=universal-auth`",
        _ => "use `kms login --method=universal-auth`",
    };
    error.hint(hint)
}

fn universal_auth(args: &Args, context: &Context) -> Result<UniversalAuth, CliError> {
    let settings = &context.settings;
    let client_id =
        settings.optional(args.client_id.as_deref(), &env_vars::UNIVERSAL_AUTH_CLIENT_ID);
    let client_secret = client_secret(args, context)?;
    let id = || missing("--client-id", &env_vars::UNIVERSAL_AUTH_CLIENT_ID);
    let secret = || missing("--client-secret", &env_vars::UNIVERSAL_AUTH_CLIENT_SECRET);
    match (client_id, client_secret) {
        (Some(client_id), Some(client_secret)) => Ok(UniversalAuth { client_id, client_secret }),
        (None, Some(_)) => Err(id()),
        (Some(_), None) => Err(secret()),
        (None, None) => {
            let mut both = CliError::usage("`--client-id` and `--client-secret` are missing");
            both.hints = [id().hints, secret().hints].concat();
            Err(both)
        }
    }
}

fn client_secret(args: &Args, context: &Context) -> Result<Option<SecretString>, CliError> {
    if args.client_secret_stdin {
        return credential::from_stdin("client secret").map(Some);
    }
    if let Some(file) = &args.client_secret_file {
        return credential::from_file("client secret", file).map(Some);
    }
    if args.client_secret.as_ref().is_some_and(|s| !s.is_empty()) {
        context.ui.warn(
            "`--client-secret` shows in the process list; prefer `--client-secret-file`, \
             `--client-secret-stdin` or `INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET`",
        );
    }
    let secret = context
        .settings
        .optional(args.client_secret.as_deref(), &env_vars::UNIVERSAL_AUTH_CLIENT_SECRET);
    Ok(secret.map(SecretString::from))
}

/// The hints of other calls speak of tokens; here the client id and secret were not accepted.
fn refused(error: ClientError) -> CliError {
    let doing = format!("unable to authenticate with `{}`", Universal::NAME);
    match &error {
        ClientError::Status { status: 401 | 403, origin, .. } => {
            let hint = format!(
                "the client id and secret were sent to `{origin}`; if they are of another \
                 server, pass `--domain`"
            );
            CliError::denied(error).context(doing).hint(hint)
        }
        _ => CliError::from(error).context(doing),
    }
}

/// A length of time as people say it: the two largest units that are not zero.
fn duration(seconds: i64) -> String {
    const UNITS: [(i64, &str); 4] =
        [(86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")];
    let mut rest = seconds;
    let mut parts = Vec::new();
    for (length, name) in UNITS {
        let count = rest / length;
        rest %= length;
        if count > 0 {
            let plural = if count == 1 { "" } else { "s" };
            parts.push(format!("{count} {name}{plural}"));
        }
    }
    parts.truncate(2);
    if parts.is_empty() { "0 seconds".into() } else { parts.join(" and ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_are_told_in_two_units() {
        assert_eq!(duration(2_592_000), "30 days");
        assert_eq!(duration(7_261), "2 hours and 1 minute");
        assert_eq!(duration(59), "59 seconds");
        assert_eq!(duration(0), "0 seconds");
    }

    #[test]
    fn methods_have_the_names_of_the_contract() {
        let names: Vec<_> = MethodName::value_variants()
            .iter()
            .map(|method| method.to_possible_value().unwrap().get_name().to_owned())
            .collect();
        assert_eq!(
            names,
            [
                "user",
                "universal-auth",
                "kubernetes",
                "azure",
                "gcp-id-token",
                "gcp-iam",
                "aws-iam",
                "oidc-auth",
                "jwt-auth"
            ]
        );
        assert_eq!(Universal::NAME, "universal-auth");
    }
}
