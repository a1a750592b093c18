//! `kms login status`.

use kms_api::{IdentityId, OrganizationId, UserId};
use kms_client::{Claims, Client};
use serde::Serialize;

use super::principal::{Credential, PrincipalType, State, Verification, verify};
use crate::{
    Context,
    error::{CliError, Kind},
    profiles::now,
    settings::Output,
};

/// What a script finds where nobody is logged in.
const NOT_LOGGED_IN: u8 = 3;

/// Say whether somebody is logged in, by text and exit code
///
/// Exits with 0 if the server takes the credential that commands would use, also if the server
/// can't be reached; with 3 if there is none or it is not taken.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Sessions {
    sessions: Vec<Session>,
}

/// A credential, in the form of the compatible CLI.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Session {
    principal_type: PrincipalType,
    status: Status,
    domain: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_method: Option<String>,
    token_source: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    identity: Option<Identity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<Ends>,
    #[serde(skip_serializing_if = "Option::is_none")]
    organization: Option<OrganizationId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_organization: Option<OrganizationId>,
    verification: Verification,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Authenticated,
    Expired,
    Rejected,
}

#[derive(Serialize)]
struct Identity {
    id: IdentityId,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

#[derive(Serialize)]
struct Ends {
    exp: i64,
}

pub(crate) async fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let json = args.json || context.settings.table_or_json()? == Output::Json;
    let Some(credential) = Credential::find(context)? else {
        if json {
            context.ui.json(&Sessions { sessions: Vec::new() })?;
        }
        return Err(context.settings.nobody().with_exit_code(NOT_LOGGED_IN));
    };
    let session = examine(&credential, context).await?;
    let (status, domain) = (session.status, session.domain.clone());
    if json {
        context.ui.json(&Sessions { sessions: vec![session] })?;
    } else {
        show(&session, context)?;
    }
    match status {
        Status::Authenticated => Ok(()),
        Status::Expired => Err(not_taken(&format!("the credential for `{domain}` has ended"))),
        Status::Rejected => Err(not_taken(&format!("`{domain}` does not take the credential"))),
    }
}

fn not_taken(what: &str) -> CliError {
    CliError::new(Kind::Exit(NOT_LOGGED_IN), what.to_owned()).hint("log in again: `kms login`")
}

async fn examine(credential: &Credential<'_>, context: &Context) -> Result<Session, CliError> {
    let token = credential.token()?;
    let claims = Claims::of(&token).unwrap_or_default();
    let kind = PrincipalType::of(&token, &claims)?;
    let client = context.settings.client()?;
    let (verification, status) = check(credential, &client, kind, &claims).await;
    let profile = match credential {
        Credential::Given { .. } => None,
        Credential::Kept { chosen, .. } => Some(&chosen.profile),
    };
    let user = kind == PrincipalType::User;
    Ok(Session {
        principal_type: kind,
        status,
        domain: client.origin().to_string(),
        email: profile.map(|profile| profile.email.clone()),
        user_id: claims.user_id,
        auth_method: claims.auth_method.clone(),
        token_source: source(credential),
        profile: profile.map(|profile| profile.name.clone()),
        identity: claims.identity_id.map(|id| Identity { id, name: claims.identity_name.clone() }),
        token: claims.exp.map(|exp| Ends { exp }),
        organization: if user { claims.organization_id } else { claims.org_id },
        sub_organization: claims.sub_organization_id,
        verification,
    })
}

/// A token that was given and has ended is not even sent; a login may still be renewed.
async fn check(
    credential: &Credential<'_>,
    client: &Client,
    kind: PrincipalType,
    claims: &Claims,
) -> (Verification, Status) {
    let given = matches!(credential, Credential::Given { .. });
    if given && claims.exp.is_some_and(|end| end <= now().seconds()) {
        let verification =
            Verification { state: State::Skipped, reason: Some("it has ended".into()) };
        return (verification, Status::Expired);
    }
    let verification = verify(client, kind).await;
    let status = match verification.state {
        State::Rejected => Status::Rejected,
        _ => Status::Authenticated,
    };
    (verification, status)
}

fn source(credential: &Credential<'_>) -> String {
    match credential {
        Credential::Given { by, .. } => (*by).to_owned(),
        Credential::Kept { .. } => "vault".to_owned(),
    }
}

fn show(session: &Session, context: &Context) -> Result<(), CliError> {
    let who = session
        .email
        .clone()
        .or_else(|| session.identity.as_ref().and_then(|identity| identity.name.clone()))
        .or_else(|| session.identity.as_ref().map(|identity| identity.id.to_string()))
        .or_else(|| session.user_id.map(|id| id.to_string()))
        .unwrap_or_else(|| session.principal_type.title().to_owned());
    let ui = context.ui;
    let who = crate::ui::escape_line(&who);
    ui.line(&match session.status {
        Status::Authenticated => format!("✓ Authenticated as {who}"),
        Status::Expired => format!("x The credential of {who} has ended"),
        Status::Rejected => format!("x The credential of {who} is not taken"),
    })?;
    let mut lines = vec![
        ("Type", session.principal_type.title().to_owned()),
        ("Domain", session.domain.clone()),
        ("Source", session.token_source.clone()),
    ];
    lines.extend(session.profile.clone().map(|name| ("Profile", name)));
    lines.extend(session.organization.map(|id| ("Organization", id.to_string())));
    lines.extend(session.sub_organization.map(|id| ("Sub-organization", id.to_string())));
    lines.extend(session.verification.reason.clone().map(|reason| ("Verification", reason)));
    for (key, value) in lines {
        ui.line(&format!("  - {key}: {}", crate::ui::escape_line(&value)))?;
    }
    Ok(())
}
