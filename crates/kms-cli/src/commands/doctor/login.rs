//! Where logins are kept, and what the one that commands would use is good for.

use std::fmt::Write as _;

use kms_api::{Timestamp, projects::Project};
use kms_client::{Claims, Client};
use secrecy::SecretString;
use tokio::time::timeout;

use super::{PATIENCE, away, report::Check, too_long};
use crate::{
    Context,
    commands::{
        principal::{Credential, PrincipalType, State as Taken, verify},
        whoami::identify,
    },
    error::CliError,
    profiles::now,
    selection::{Place, PlaceArgs, ReadArgs, Selection, shell_word},
    vault::State,
};

const VAULT: &str = "vault";
const CREDENTIAL: &str = "credential";
const ORGANIZATION: &str = "organization";
const PROJECT: &str = "project";

/// What was found out about the vault.
pub(super) struct Kept {
    pub(super) check: Check,
    /// Whether its keys can be had without asking anybody.
    pub(super) is_open: bool,
}

pub(super) async fn vault(context: &Context) -> Kept {
    let profiles = &context.settings.profiles;
    let found = profiles.config().and_then(|config| Ok((config.vault, profiles.vault()?)));
    let Ok((kind, vault)) = found else {
        // The line about the configuration says why.
        let check = Check::skipped(VAULT, "not looked at: the configuration can't be read");
        return Kept { check, is_open: false };
    };
    let what = format!("`{}`: {}", kind.name(), kind.title());
    let state = away(move || vault.check()).await;
    let is_open = matches!(state, Some(Ok(State::Open)));
    let check = match state {
        Some(Ok(State::Open)) => Check::ok(VAULT, format!("{what}, unlocked")),
        Some(Ok(State::Locked)) => Check::warning(VAULT, format!("{what}, locked"))
            .next("unlock it with a command that needs it: `kms login status`"),
        Some(Err(error)) => needed(Check::error(VAULT, error), context),
        None => needed(Check::failed(VAULT, format!("{what}: {}", too_long())), context)
            .or_next("keep logins elsewhere: `kms vault set file`"),
    };
    Kept { check, is_open }
}

/// A vault is in the way only of those who need it.
fn needed(check: Check, context: &Context) -> Check {
    match Credential::find(context) {
        Ok(Some(Credential::Kept { .. })) => check,
        _ => check.into_warning(),
    }
}

pub(super) async fn checks(
    place: &PlaceArgs,
    is_open: bool,
    is_there: bool,
    context: &Context,
) -> Vec<Check> {
    let (credential, known) = credential(is_open, is_there, context).await;
    let mut checks = vec![credential];
    match known {
        Some(known) => {
            let (organization, project) =
                tokio::join!(organization(&known), project(&known, place, context));
            checks.extend([organization, project]);
        }
        None => checks.extend([ORGANIZATION, PROJECT].map(|name| {
            Check::skipped(name, "not looked at: there is nobody to ask the server as")
        })),
    }
    checks
}

/// Somebody whom the server knows.
struct Known {
    client: Client,
    kind: PrincipalType,
    claims: Claims,
}

async fn credential(is_open: bool, is_there: bool, context: &Context) -> (Check, Option<Known>) {
    let failed = |error: CliError| {
        let check = Check::error(CREDENTIAL, error);
        (check.or_next("see where it comes from: `kms whoami --explain`"), None)
    };
    let credential = match Credential::find(context) {
        Ok(Some(credential)) => credential,
        Ok(None) => {
            return (Check::error(CREDENTIAL, context.settings.nobody()).into_warning(), None);
        }
        Err(error) => return failed(error),
    };
    let held = match hold(&credential, is_open, context).await {
        Ok(held) => held,
        Err(check) => return (*check, None),
    };
    let claims = Claims::of(&held.token).unwrap_or_default();
    let made = PrincipalType::of(&held.token, &claims)
        .and_then(|kind| Ok((kind, context.settings.client()?)));
    let (kind, client) = match made {
        Ok(made) => made,
        Err(error) => return failed(error),
    };
    let text = describe(&held, kind, &claims);
    let has_ended = claims.exp.is_some_and(|end| end <= now().seconds());
    if has_ended && !held.is_kept {
        let check = Check::failed(CREDENTIAL, format!("{text}: it has ended"));
        return (check.next(again(kind, &client)), None);
    }
    if !is_there {
        return (Check::skipped(CREDENTIAL, format!("{text}; the server was not asked")), None);
    }
    let verification = verify(&client, kind).await;
    let reason = verification.reason.unwrap_or_default();
    match verification.state {
        Taken::Verified => {
            let check = Check::ok(CREDENTIAL, format!("{text}; the server takes it"));
            (check, Some(Known { client, kind, claims }))
        }
        Taken::Rejected => {
            let check = Check::failed(CREDENTIAL, format!("{text}; not taken: {reason}"));
            (check.next(again(kind, &client)), None)
        }
        Taken::Unknown | Taken::Skipped => {
            let check = Check::failed(CREDENTIAL, format!("{text}; not checked: {reason}"));
            (check.next("try again: `kms login status`"), None)
        }
    }
}

/// A token, and where it is from.
struct Held {
    token: SecretString,
    from: String,
    is_kept: bool,
    is_renewed: bool,
}

async fn hold(
    credential: &Credential<'_>,
    is_open: bool,
    context: &Context,
) -> Result<Held, Box<Check>> {
    let chosen = match credential {
        Credential::Given { token, by } => {
            let token = (*token).clone();
            return Ok(Held { token, from: format!("`{by}`"), is_kept: false, is_renewed: false });
        }
        Credential::Kept { chosen, .. } => chosen,
    };
    let profile = &chosen.profile;
    let from = format!("the login `{}` ({}; {})", profile.name, profile.email, chosen.by);
    if !is_open {
        return Err(Box::new(Check::skipped(
            CREDENTIAL,
            format!("{from} is not looked at: its key is in the vault, which is not open"),
        )));
    }
    let failed = |error: CliError| Box::new(Check::error(CREDENTIAL, error));
    let store = context.settings.profiles.store(profile).map_err(failed)?;
    let Some(tokens) = away(move || store.open()).await else {
        let check = Check::failed(CREDENTIAL, format!("{from}: {}", too_long()));
        return Err(Box::new(check.next("keep logins elsewhere: `kms vault set file`")));
    };
    let tokens = tokens.map_err(failed)?;
    let is_renewed = tokens.refresh.is_some();
    Ok(Held { token: tokens.access, from, is_kept: true, is_renewed })
}

fn describe(held: &Held, kind: PrincipalType, claims: &Claims) -> String {
    let mut text = format!("{} of {}", kind.title(), held.from);
    if let Some(name) = claims.identity_name.as_ref().filter(|name| !name.is_empty()) {
        text = format!("{} `{name}` of {}", kind.title(), held.from);
    }
    if let Some(end) = claims.exp.map(Timestamp::from_seconds) {
        let _ = write!(text, ", until {end}");
    }
    if held.is_renewed {
        text.push_str(", renewed in silence");
    }
    text
}

/// How to get another.
fn again(kind: PrincipalType, client: &Client) -> String {
    let domain = client.origin();
    match kind {
        PrincipalType::User => format!("log in again: `kms login --domain {domain}`"),
        PrincipalType::MachineIdentity => format!(
            "get another: `export INFISICAL_TOKEN=$(kms login --method=universal-auth --plain \
             --silent --domain {domain})`"
        ),
        PrincipalType::ServiceToken => "make another: `kms service-token create`".to_owned(),
    }
}

async fn organization(known: &Known) -> Check {
    if known.kind == PrincipalType::ServiceToken {
        return Check::skipped(ORGANIZATION, "a service token reads its project alone");
    }
    let asked = timeout(PATIENCE, identify(&known.client, known.kind, &known.claims)).await;
    match asked {
        Err(_) => Check::failed(ORGANIZATION, too_long()).next("try again: `kms whoami`"),
        Ok(Err(error)) => Check::error(ORGANIZATION, error).or_next("try again: `kms whoami`"),
        Ok(Ok((_, Some(name), role))) => {
            let role = role.map_or_else(String::new, |role| format!(", role `{role}`"));
            Check::ok(ORGANIZATION, format!("`{name}`{role}"))
        }
        Ok(Ok((_, None, _))) => Check::failed(
            ORGANIZATION,
            "the organization of the login is not one of yours (any more)",
        )
        .next("log in to another: `kms login`"),
    }
}

async fn project(known: &Known, args: &PlaceArgs, context: &Context) -> Check {
    let chosen = Selection::to_read(args, &ReadArgs::default(), context).await;
    let selection = match chosen {
        Ok((_, selection)) => selection,
        Err(error) => {
            let check = Check::error(PROJECT, error).into_warning();
            return check.next("to choose one for this folder: `kms init`");
        }
    };
    let mut read: Vec<(String, Project)> = Vec::new();
    let mut found: Vec<String> = Vec::new();
    for place in selection.places() {
        let project = match read.iter().find(|(id, _)| *id == place.project) {
            Some((_, project)) => project,
            None => match read_project(known, place).await {
                Ok(project) => {
                    read.push((place.project.clone(), project));
                    &read[read.len() - 1].1
                }
                Err(check) => return *check,
            },
        };
        if let Some(check) = lacks_environment(project, &place.environment) {
            return check;
        }
        let text = format!("`{}`, environment `{}`", project.name, place.environment);
        if !found.contains(&text) {
            found.push(text);
        }
    }
    Check::ok(PROJECT, found.join("; "))
}

async fn read_project(known: &Known, place: &Place) -> Result<Project, Box<Check>> {
    let list = "the projects that you may see: `kms projects list`";
    let asked = timeout(PATIENCE, known.client.get_project(&place.project)).await;
    let check = match asked {
        Ok(Ok(answer)) => return Ok(answer.project),
        Err(_) => Check::failed(PROJECT, format!("`{}`: {}", place.project, too_long())),
        Ok(Err(error)) => {
            let doing = format!("`{}` can't be read", place.project);
            Check::error(PROJECT, CliError::from(error).context(doing))
        }
    };
    Err(Box::new(check.next(list)))
}

fn lacks_environment(project: &Project, environment: &str) -> Option<Check> {
    let slugs: Vec<_> = project.environments.iter().map(|it| it.slug.as_str()).collect();
    if slugs.contains(&environment) {
        return None;
    }
    let slugs: Vec<_> = slugs.into_iter().map(shell_word).collect();
    let has = if slugs.is_empty() { "SLUG".to_owned() } else { slugs.join("`, `--env ") };
    let text = format!("`{}` has no environment `{environment}`", project.name);
    Some(Check::failed(PROJECT, text).next(format!("name one that it has: `--env {has}`")))
}
