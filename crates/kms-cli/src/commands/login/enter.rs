//! A login that is there, taken into another organization.

use kms_api::OrganizationId;

use super::{
    organization::{Organizations, Place},
    session,
};
use crate::{
    Context,
    error::{CliError, ResultExt as _},
    profiles::{NewSession, Profile},
};

/// The login of the same person in the organization that is wanted, or that is chosen on the
/// terminal: the same one, another that is kept, or a new one. The current login stays current.
pub(crate) async fn enter_organization(
    profile: &Profile,
    wanted: Option<OrganizationId>,
    context: &Context,
) -> Result<Profile, CliError> {
    let settings = &context.settings;
    let acting = profile.acting().id;
    if wanted == Some(acting) || (wanted.is_none() && !context.ui.interactive) {
        return Ok(profile.clone());
    }
    let client = settings.client_of(profile)?;
    let organizations =
        Organizations::list(&client).await.context("could not list your organizations")?;
    let place = match wanted {
        Some(id) => organizations.place(id, None),
        None => match organizations.only() {
            Some(place) => place,
            None => organizations.choose().await?,
        },
    };
    if place.id() == acting {
        return Ok(profile.clone());
    }
    let config = settings.profiles.config()?;
    let is_there = |known: &&Profile| known.is(&profile.domain, profile.user_id, place.id());
    if let Some(known) = config.profiles.iter().find(is_there) {
        return Ok(known.clone());
    }
    let entered = session::enter(&client, &profile.email, &place, context).await?;
    let Place { root, sub } = place;
    let kept = settings.profiles.remember(NewSession {
        origin: profile.domain.clone(),
        user_id: profile.user_id,
        email: profile.email.clone(),
        organization: root,
        sub_organization: sub,
        access_token: entered.access_token,
        refresh_token: entered.refresh_token,
    })?;
    if let Some(current) = config.current {
        settings.profiles.make_current(current)?;
    }
    context.ui.notice(&format!("Logged in to {} too, as `{}`", kept.acting().title(), kept.name));
    Ok(kept)
}
