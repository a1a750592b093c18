//! `kms whoami`.

use kms_api::{Timestamp, projects::ListProjectsQuery};
use kms_client::{Claims, Client};
use serde::Serialize;

use super::principal::{Credential, PrincipalType};
use crate::{
    Context, env_vars,
    error::{CliError, ResultExt as _},
    profiles::Config,
    settings::Output,
};

/// Show who commands act as
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Show too where a credential was looked for, and why it is this one
    #[arg(long)]
    explain: bool,
}

/// Who commands act as, for programs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Me {
    principal_type: PrincipalType,
    name: String,
    domain: String,
    credential: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    organization: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    organization_role: Option<String>,
    projects: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    project_roles: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_ends_at: Option<Timestamp>,
    renewed_silently: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sources: Vec<Source>,
}

/// A place where a credential was looked for.
#[derive(Serialize)]
struct Source {
    source: String,
    verdict: String,
}

pub(crate) async fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let output = context.settings.table_or_json()?;
    let credential = match Credential::find(context) {
        Ok(Some(credential)) => credential,
        Ok(None) => return Err(nobody(args, context, context.settings.nobody())),
        Err(error) => return Err(nobody(args, context, error)),
    };
    let mut me = ask(&credential, context).await.context("could not find out who you are")?;
    if args.explain {
        me.sources = sources(context)?;
    }
    if output == Output::Json { context.ui.json(&me) } else { show(&me, context) }
}

/// What was looked at is worth most where nothing was found.
fn nobody(args: &Args, context: &Context, mut error: CliError) -> CliError {
    if args.explain {
        match sources(context) {
            Ok(sources) => error.hints.extend(
                sources.iter().map(|source| format!("{}: {}", source.source, source.verdict)),
            ),
            Err(other) => return other,
        }
    }
    error
}

async fn ask(credential: &Credential<'_>, context: &Context) -> Result<Me, CliError> {
    let client = context.settings.client()?;
    let token = match client.session_token().await? {
        Some(token) => token,
        None => credential.token()?,
    };
    let claims = Claims::of(&token).unwrap_or_default();
    let kind = PrincipalType::of(&token, &claims)?;
    let (name, organization, organization_role) = identify(&client, kind, &claims).await?;
    let (organization, used, renewed) = match credential {
        Credential::Given { by, .. } => (organization, format!("the token of `{by}`"), false),
        Credential::Kept { chosen, store } => (
            Some(chosen.profile.organization_title()),
            format!("the login `{}`: {}", chosen.profile.name, chosen.by),
            store.open()?.refresh.is_some(),
        ),
    };
    let (projects, project_roles) = if kind == PrincipalType::ServiceToken {
        let project = client.own_service_token().await?.project_id.to_string();
        (vec![client.get_project(&project).await?.project.slug], Vec::new())
    } else {
        let projects = client.list_projects(&ListProjectsQuery::default()).await?.projects;
        let slugs = projects.into_iter().map(|project| project.slug);
        (slugs.collect(), project_roles(&client, context).await?)
    };
    Ok(Me {
        principal_type: kind,
        name,
        domain: client.origin().to_string(),
        credential: used,
        organization,
        organization_role,
        projects,
        project_roles,
        token_ends_at: claims.exp.map(Timestamp::from_seconds),
        renewed_silently: renewed,
        sources: Vec::new(),
    })
}

/// Name, organization and role in it.
pub(super) async fn identify(
    client: &Client,
    kind: PrincipalType,
    claims: &Claims,
) -> Result<(String, Option<String>, Option<String>), CliError> {
    match kind {
        PrincipalType::User => {
            let name = client.me().await?.user.email;
            let organizations = client.list_organizations().await?.organizations;
            let mut organizations = organizations.into_iter();
            let acting = claims.sub_organization_id.or(claims.organization_id);
            let found = organizations.find(|organization| Some(organization.id) == acting);
            let role = found.as_ref().and_then(|organization| organization.user_role.clone());
            Ok((name, found.map(|organization| organization.name), role))
        }
        PrincipalType::MachineIdentity => {
            let details = client.identity_details().await?.identity_details;
            Ok((details.identity_name, Some(details.organization.name), None))
        }
        PrincipalType::ServiceToken => Ok((client.own_service_token().await?.name, None, None)),
    }
}

/// The roles in the project that commands here would use, where there is one.
async fn project_roles(client: &Client, context: &Context) -> Result<Vec<String>, CliError> {
    let Ok(project) = context.settings.project_id(None) else { return Ok(Vec::new()) };
    let memberships = match client.project_permissions(&project).await {
        Ok(answer) => answer.data.memberships,
        Err(error) if matches!(error.status(), Some(403 | 404)) => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let roles = memberships.into_iter().flat_map(|membership| membership.roles);
    Ok(roles.map(|role| role.role).collect())
}

fn show(me: &Me, context: &Context) -> Result<(), CliError> {
    let mut lines = vec![
        ("Name", me.name.clone()),
        ("Type", me.principal_type.title().to_owned()),
        ("Server", me.domain.clone()),
    ];
    let role = me.organization_role.as_ref().map_or(String::new(), |role| format!(", role {role}"));
    lines.extend(me.organization.as_ref().map(|name| ("Organization", format!("{name}{role}"))));
    lines.push(("Projects", list(&me.projects)));
    if !me.project_roles.is_empty() {
        lines.push(("Roles in this project", list(&me.project_roles)));
    }
    lines.push(("Credential", me.credential.clone()));
    let renewed = if me.renewed_silently { ", and is renewed in silence" } else { "" };
    lines.extend(me.token_ends_at.map(|end| ("Token ends", format!("{end}{renewed}"))));
    for (key, value) in lines {
        context.ui.line(&format!("{key}: {}", crate::ui::escape_line(&value)))?;
    }
    for source in &me.sources {
        let line = format!("  - {}: {}", source.source, source.verdict);
        context.ui.line(&crate::ui::escape_line(&line))?;
    }
    Ok(())
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// Every place in the order in which it counts, and what was found there.
fn sources(context: &Context) -> Result<Vec<Source>, CliError> {
    let settings = &context.settings;
    let used = settings.token.as_ref().and_then(|token| token.by.as_deref());
    let mut taken = false;
    let mut sources = Vec::new();
    let mut add = |name: &str, is_set: bool| {
        let is_used = used == Some(name);
        let verdict = match (is_used, is_set) {
            (true, _) => "used".to_owned(),
            (false, true) if taken => "set, but what stands before it counts".to_owned(),
            (false, true) => "set, but empty".to_owned(),
            (false, false) => "not set".to_owned(),
        };
        taken |= is_used;
        sources.push(Source { source: format!("`{name}`"), verdict });
    };
    add("--token", false);
    for variable in [&env_vars::TOKEN, &env_vars::UNIVERSAL_AUTH_ACCESS_TOKEN] {
        for name in variable.names {
            add(name, settings.env.is_set(name));
        }
    }
    sources.extend(logins(&settings.profiles.config()?, context));
    Ok(sources)
}

fn logins(config: &Config, context: &Context) -> Vec<Source> {
    let settings = &context.settings;
    let chosen = settings.chosen().ok().flatten();
    let verdict = |id| match (chosen, &settings.token) {
        (Some(chosen), None) if chosen.profile.id == id => format!("used: {}", chosen.by),
        (_, Some(_)) => "not used: a token was given".to_owned(),
        (Some(_), None) => "not used: another login is chosen".to_owned(),
        (None, None) => "not used: it is not of the server that was named".to_owned(),
    };
    let found = config.profiles.iter().map(|profile| Source {
        source: format!("login `{}` ({} on {})", profile.name, profile.email, profile.domain),
        verdict: verdict(profile.id),
    });
    let mut found: Vec<_> = found.collect();
    if found.is_empty() {
        found.push(Source { source: "logins".into(), verdict: "none is kept here".into() });
    }
    found
}
