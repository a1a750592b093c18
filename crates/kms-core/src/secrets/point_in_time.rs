//! A folder as it was.

use kms_api::{
    Timestamp,
    history::SecretsAtQuery,
    secrets::{Secret, SecretsResponse},
    wire::WireBool,
};
use kms_store::{
    folders,
    secret_versions::{self, PastRow},
};

use super::{
    Opened,
    versions::Past,
    view::{Frame, Show},
};
use crate::{
    Caller, Core, Error, Result,
    access::{Action, Subject},
    place::Place,
    tags::Labels,
    text::SecretPath,
};

/// What was, and the secret that it was of, where that is now.
struct Found {
    path: String,
    past: Past,
    now: Opened,
    place: Place,
}

impl Core {
    /// Lists the secrets that were in a folder at a point in time, or in it and all that are below
    /// it today, each as it was; what has been deleted since is gone. By folder and name.
    ///
    /// Shown is what the rules allow both of the secret as it is and of what it was.
    pub async fn list_secrets_at(
        &self,
        caller: &Caller,
        query: &SecretsAtQuery,
    ) -> Result<SecretsResponse> {
        let (environment, path) = (query.environment.as_deref(), query.secret_path.as_deref());
        let place =
            self.place_to_read(caller, &query.project, environment, ("secretPath", path)).await?;
        place.access.require(Action::Read, Subject::SecretRollback, &place.attributes())?;
        place.access.rules.require_some(Action::DescribeSecret, Subject::Secrets)?;
        let Timestamp(time) = query.at.ok_or_else(|| Error::field("at", "Required"))?;
        // To the end of its millisecond: that is how exactly the wire tells when a version was made.
        let time = time.saturating_sub(time.rem_euclid(1_000)).saturating_add(999);
        let flag = |flag: Option<WireBool>, default| flag.map_or(default, |flag| flag.0);
        let recursive = flag(query.recursive, false);
        let values = flag(query.view_secret_value, true);
        let rows = secret_versions::at(&self.store, &place.stored(), recursive, time).await?;
        if rows.is_empty() && folders::find_at(&self.store, &place.stored()).await?.is_none() {
            return Err(place.not_found());
        }
        let mut found = Vec::with_capacity(rows.len());
        for row in rows {
            found.extend(open_past(&place, row)?);
        }
        found.sort_unstable_by(|one, other| {
            (&one.path, &one.past.row.name).cmp(&(&other.path, &other.past.row.name))
        });
        let named = found.iter().flat_map(|each| [each.now.tags(), &each.past.payload.tags]);
        let labels = self.labels(&self.store, &place.access, named).await?;
        let secrets: Vec<_> =
            found.into_iter().filter_map(|each| take(&place, each, &labels, values)).collect();
        let event = place
            .event("get-secrets-at")
            .details([("numberOfSecrets", secrets.len().into()), ("at", time.into())]);
        self.log_read(caller, &event).await?;
        Ok(SecretsResponse { secrets, imports: Vec::new() })
    }
}

fn open_past(asked: &Place, row: PastRow) -> Result<Option<Found>> {
    let PastRow { environment, now, then } = row;
    let (now_path, now) = now.split();
    let (Some(now), Some(path)) = (now, then.path.clone()) else { return Ok(None) };
    let access = asked.access.clone();
    let place = Place { access, environment, path: SecretPath::parse("path", Some(&now_path))? };
    let now = Opened::open(&place.access, now)?;
    let past = Past::open(&place, &now, then)?;
    Ok(Some(Found { path, past, now, place }))
}

fn take(asked: &Place, found: Found, labels: &Labels, values: bool) -> Option<Secret> {
    let Found { path, past, now, place } = found;
    let shown = past.shown(&place, &now, labels)?;
    let show = if values { shown } else { Show::Mask };
    let Opened { row, payload } = past.instead_of(now.row);
    let frame = Frame { path: &path, ..Frame::of(asked, labels) };
    Some(frame.secret(row, payload, show))
}
