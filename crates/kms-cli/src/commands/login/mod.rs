//! `kms login`.

#![expect(clippy::doc_markdown, reason = "documentation of arguments is help text")]

mod aws_iam;
mod azure;
mod browser;
mod domain;
mod enter;
mod gcp_iam;
mod gcp_id_token;
mod jwt_auth;
mod kubernetes;
mod machine;
mod mfa;
mod oidc_auth;
mod organization;
mod session;
mod shape;
mod universal_auth;
mod user;

use clap::ValueEnum;
use kms_api::auth::LoginResponse;

pub(crate) use self::enter::enter_organization;
use self::machine::Login;
use crate::{Context, error::CliError, ui::Ui};

/// Log in
///
/// A person, with the browser of this machine or, by a code, of another device:
///
///   kms login
///   kms login --device
///
/// A person, with questions on the terminal or without:
///
///   kms login --interactive
///   kms login --email=ADDRESS --password-file=FILE --organization-id=ID
///
/// A person's login is kept, and refreshed in silence by later commands. With
/// `--plain` its token is printed, too.
///
/// A machine identity, with a client id and a client secret:
///
///   kms login --method=universal-auth --client-id=ID --client-secret-file=FILE
///
/// A machine's login is not kept: its token is printed. Only a token is ever
/// written to standard output, so that it can be captured:
///
///   export INFISICAL_TOKEN=$(kms login --method=universal-auth --plain --silent)
#[derive(clap::Args, Debug)]
#[command(verbatim_doc_comment, args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    command: Option<LoginCommand>,

    /// How to log in
    #[arg(long, value_enum, value_name = "METHOD", default_value_t)]
    method: MethodName,

    /// Print nothing but the token, also on standard error
    #[arg(long, num_args = 0..=1, require_equals = true, action = clap::ArgAction::Set)]
    #[arg(default_value_t, default_missing_value = "true", value_name = "BOOL")]
    #[arg(hide_default_value = true, hide_possible_values = true)]
    plain: bool,

    #[command(flatten)]
    user: user::Args,
    #[command(flatten)]
    machine: machine::Args,
    #[command(flatten)]
    universal_auth: universal_auth::Args,
    #[command(flatten)]
    kubernetes: kubernetes::Args,
    #[command(flatten)]
    azure: azure::Args,
    #[command(flatten)]
    gcp_iam: gcp_iam::Args,
    #[command(flatten)]
    oidc_auth: oidc_auth::Args,
}

/// What there is to ask about a login.
#[derive(Debug, clap::Subcommand)]
enum LoginCommand {
    Status(super::login_status::Args),
}

/// The ways to log in, under the names of the compatible CLI.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum MethodName {
    /// A person's account
    #[default]
    User,
    /// A client id and a client secret
    UniversalAuth,
    /// A Kubernetes service account
    Kubernetes,
    /// An Azure managed identity
    Azure,
    /// A GCP identity token
    GcpIdToken,
    /// A GCP service account key
    GcpIam,
    /// An AWS IAM principal
    AwsIam,
    /// A token of an OpenID Connect provider
    OidcAuth,
    /// A signed JWT
    JwtAuth,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), CliError> {
    if let Some(LoginCommand::Status(args)) = args.command {
        return super::login_status::run(&args, context).await;
    }
    if context.settings.output.is_some() {
        return Err(CliError::usage("`login` has no `--output`: with `--plain` it prints a token"));
    }
    context.ignore_token("login");
    match args.method {
        MethodName::User => user::run(&args.user, args.plain, context).await,
        method => run_machine(method, &args, context).await,
    }
}

async fn run_machine(method: MethodName, args: &Args, context: &Context) -> Result<(), CliError> {
    let login = |elsewhere| Login { args: &args.machine, plain: args.plain, context, elsewhere };
    // The libraries of a vendor are large futures, of which one is needed.
    match method {
        MethodName::User => unreachable!("people log in elsewhere"),
        MethodName::UniversalAuth => universal_auth::run(&args.universal_auth, &login("")).await,
        MethodName::Kubernetes => {
            kubernetes::run(&args.kubernetes, &login(kubernetes::ELSEWHERE)).await
        }
        MethodName::Azure => azure::run(&args.azure, &login(azure::ELSEWHERE)).await,
        MethodName::GcpIdToken => gcp_id_token::run(&login(gcp_id_token::ELSEWHERE)).await,
        MethodName::GcpIam => gcp_iam::run(&args.gcp_iam, &login("")).await,
        MethodName::AwsIam => Box::pin(aws_iam::run(&login(aws_iam::ELSEWHERE))).await,
        MethodName::OidcAuth => oidc_auth::run(&args.oidc_auth, &login("")).await,
        MethodName::JwtAuth => jwt_auth::run(&login("")).await,
    }
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
    use kms_api::auth::Method as _;

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
        assert_eq!(kms_api::auth::universal::Universal::NAME, "universal-auth");
    }
}
