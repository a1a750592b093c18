//! `kms organizations join`.

#![expect(clippy::doc_markdown, reason = "documentation of arguments is help text")]

use std::path::PathBuf;

use kms_api::{
    OrganizationId,
    accounts::{CompleteInvitation, VerifyInvitation},
};
use kms_client::{Client, Error as ClientError, Origin};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::{Context, credential, env_vars, error::CliError, prompt};

/// How many passwords may be tried before the link has to be sent again.
const ROUNDS: usize = 5;

/// Accept an invitation, with the link that came with it
///
/// The link is good once, at the server that it names. Who has no account there completes one:
/// names and password are asked for, or come by flag where nobody can be asked.
#[derive(clap::Args, Debug)]
pub struct JoinArgs {
    /// The link; quote it, since `&` means something to a shell
    #[arg(value_name = "LINK")]
    link: String,

    /// First name of a new account
    #[arg(long, value_name = "NAME")]
    first_name: Option<String>,

    /// Last name of a new account
    #[arg(long, value_name = "NAME")]
    last_name: Option<String>,

    /// Read the password of a new account from a file [env: INFISICAL_PASSWORD]
    #[arg(long, value_name = "FILE", conflicts_with = "password_stdin")]
    password_file: Option<PathBuf>,

    /// Read the password of a new account from standard input
    #[arg(long)]
    password_stdin: bool,
}

/// Who is invited where.
struct Invitation {
    origin: Origin,
    proof: VerifyInvitation,
}

pub(super) async fn join(args: JoinArgs, context: &Context) -> Result<(), CliError> {
    context.ignore_token("organizations join");
    let Invitation { origin, proof } = read(&args.link)?;
    let password = given_password(&args, context)?;
    // The link is spent by its first use: what is missing has to be known before.
    if !context.ui.interactive && (args.first_name.is_none() || password.is_none()) {
        return Err(CliError::needs_person("an invitation is accepted on a terminal").hint(
            "without one, add `--first-name=NAME` and `--password-file=FILE` for a new account",
        ));
    }
    let client = context.settings.anonymous_client_to(&origin)?;
    let verified = client.verify_invitation(&proof).await;
    let verified = verified.map_err(|error| not_accepted(error, &origin))?;
    if let Some(token) = verified.token {
        let client = client.with_token(&token.into())?;
        let work = complete(&client, &proof.email, args, password, context);
        if context.ui.interactive { prompt::guarded(work).await? } else { work.await? }
    }
    context.ui.notice(&format!("{} is a member now", proof.email));
    let (email, organization) = (&proof.email, proof.organization_id);
    context.ui.hint(&format!(
        "next: `kms login --interactive --domain={origin} --email={email} \
         --organization-id={organization}`"
    ));
    Ok(())
}

/// A link that the server does not take needs another link, not another login.
fn not_accepted(error: ClientError, origin: &Origin) -> CliError {
    let doing = format!("could not accept the invitation at `{origin}`");
    match error {
        ClientError::Status { status: 400..=404, .. } => {
            CliError::denied(error).context(doing).hint(
                "a link is good once, for three days, and until another one is sent: ask for one",
            )
        }
        other => CliError::from(other).context(doing),
    }
}

/// Takes a link apart. It is a credential: no error quotes it.
fn read(link: &str) -> Result<Invitation, CliError> {
    let invalid = || CliError::usage("this is not the link of an invitation");
    let url = Url::parse(link.trim()).map_err(|_| invalid())?;
    let value = |name: &str| {
        url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    };
    let mut site = url.clone();
    site.set_query(None);
    site.set_fragment(None);
    let site = site.as_str().strip_suffix("/signupinvite").ok_or_else(invalid)?;
    let organization = value("organization_id").and_then(|id| id.parse::<OrganizationId>().ok());
    Ok(Invitation {
        origin: site.parse().map_err(CliError::usage)?,
        proof: VerifyInvitation {
            email: value("to").ok_or_else(invalid)?,
            organization_id: organization.ok_or_else(invalid)?,
            code: value("token").ok_or_else(invalid)?.into(),
        },
    })
}

fn given_password(args: &JoinArgs, context: &Context) -> Result<Option<SecretString>, CliError> {
    if args.password_stdin {
        return credential::from_stdin("password").map(Some);
    }
    match &args.password_file {
        Some(file) => credential::from_file("password", file).map(Some),
        None => Ok(context.settings.env.value(&env_vars::PASSWORD).map(Into::into)),
    }
}

/// Makes the account its owner's. What is asked for is asked again while the server refuses it.
async fn complete(
    client: &Client,
    email: &str,
    args: JoinArgs,
    given: Option<SecretString>,
    context: &Context,
) -> Result<(), CliError> {
    let first_name = match args.first_name {
        Some(name) => name,
        None => prompt::text("First name:", None, None, not_empty).await?,
    };
    let last_name = match args.last_name {
        None if context.ui.interactive => {
            Some(prompt::text("Last name:", Some("may be empty"), None, |_| Ok(())).await?)
        }
        name => name,
    };
    for round in 1.. {
        let password = match &given {
            Some(password) => password.clone(),
            None => new_password(email, client.origin(), context).await?,
        };
        let body = CompleteInvitation {
            email: email.to_owned(),
            first_name: first_name.clone(),
            last_name: last_name.clone().filter(|name| !name.is_empty()),
            password,
        };
        match client.complete_invitation(&body).await {
            Ok(()) => break,
            Err(error) if given.is_some() || round == ROUNDS || !is_refused(&error) => {
                let lost = "the link is spent: have another one sent by whoever invited you";
                let error = CliError::from(error).context("could not complete the account");
                return Err(error.hint(lost));
            }
            Err(error) => context.ui.complain(&error.to_string()),
        }
    }
    Ok(())
}

/// Asks for a password until it was typed twice alike.
async fn new_password(
    email: &str,
    origin: &Origin,
    context: &Context,
) -> Result<SecretString, CliError> {
    loop {
        let first = prompt::secret(&format!("New password of {email} at {origin}:")).await?;
        let second = prompt::secret("The same password again:").await?;
        if first.expose_secret() == second.expose_secret() {
            return Ok(first);
        }
        context.ui.complain("the two passwords differ");
    }
}

fn not_empty(text: &str) -> Result<(), String> {
    if text.is_empty() { Err("something has to be entered".to_owned()) } else { Ok(()) }
}

fn is_refused(error: &ClientError) -> bool {
    matches!(error, ClientError::Status { status: 400 | 422, .. })
}
