//! `kms user`.

use kms_api::{Timestamp, UserId};
use serde::Serialize;

use crate::{
    Context,
    error::CliError,
    profiles::{Organization, Profile},
    settings::Output,
};

/// A login, for programs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    name: &'a str,
    current: bool,
    domain: String,
    email: &'a str,
    user_id: UserId,
    organization: &'a Organization,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_organization: Option<&'a Organization>,
    logged_in_at: Timestamp,
}

pub(super) fn run(context: &Context) -> Result<(), CliError> {
    let output = context.settings.table_or_json()?;
    let config = context.settings.profiles.config()?;
    // What this command line would use, else the one that is current.
    let used = context.settings.chosen().ok().flatten().map(|chosen| chosen.profile.id);
    let used = used.or(config.current);
    let mut profiles: Vec<&Profile> = config.profiles.iter().collect();
    profiles.sort_by_key(|profile| &profile.name);
    if output == Output::Json {
        let shown: Vec<_> = profiles.iter().map(|p| show(p, used == Some(p.id))).collect();
        return context.ui.json(&shown);
    }
    if profiles.is_empty() {
        context.ui.notice("Nobody is logged in here");
        context.ui.hint("`kms login` logs in, `kms user import` takes over logins of another CLI");
        return Ok(());
    }
    let rows = profiles.iter().map(|p| row(p, used == Some(p.id))).collect();
    context.ui.table(&["", "profile", "e-mail", "organization", "server"], rows)
}

fn show(profile: &Profile, current: bool) -> Shown<'_> {
    Shown {
        name: &profile.name,
        current,
        domain: profile.domain.to_string(),
        email: &profile.email,
        user_id: profile.user_id,
        organization: &profile.organization,
        sub_organization: profile.sub_organization.as_ref(),
        logged_in_at: profile.logged_in_at,
    }
}

fn row(profile: &Profile, current: bool) -> Vec<String> {
    vec![
        if current { "*" } else { "" }.to_owned(),
        profile.name.clone(),
        profile.email.clone(),
        profile.organization_title(),
        profile.domain.to_string(),
    ]
}
