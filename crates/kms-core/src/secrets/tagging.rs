//! Tags put on a secret and taken off it, by their slugs.

use std::collections::BTreeSet;

use kms_api::{TagId, secrets::SecretResponse, tags::SecretTagsBody};
use kms_store::secrets::{self, SHARED};

use super::{
    Kind, Opened,
    create::about,
    fields::Fields,
    no_secret, owner_of,
    renames::Renames,
    update::{Change, write_versions},
    wanted_name,
};
use crate::{Caller, Core, Error, Result, access::Action};

/// Slugs in one request at most.
const MAX_SLUGS: usize = 100;

impl Core {
    /// Puts tags on a secret.
    pub async fn attach_tags(
        &self,
        caller: &Caller,
        name: &str,
        body: &SecretTagsBody,
    ) -> Result<SecretResponse> {
        self.retag(caller, name, body, BTreeSet::extend).await
    }

    /// Takes tags off a secret.
    pub async fn detach_tags(
        &self,
        caller: &Caller,
        name: &str,
        body: &SecretTagsBody,
    ) -> Result<SecretResponse> {
        self.retag(caller, name, body, |tags, sent| tags.retain(|tag| !sent.contains(tag))).await
    }

    async fn retag(
        &self,
        caller: &Caller,
        name: &str,
        body: &SecretTagsBody,
        change: impl FnOnce(&mut BTreeSet<TagId>, Vec<TagId>),
    ) -> Result<SecretResponse> {
        let (environment, path) = (body.environment.as_deref(), body.secret_path.as_deref());
        let place = self.place(caller, &body.project, environment, ("secretPath", path)).await?;
        let name = wanted_name(name)?;
        place.require_possible(Action::Edit, name)?;
        let kind = Kind::parse(body.r#type.as_deref())?;
        if owner_of(caller, kind)? != SHARED {
            return Err(Error::bad_request("Personal secrets have the tags of what they override"));
        }
        if !(1..=MAX_SLUGS).contains(&body.tag_slugs.len()) {
            return Err(Error::field("tagSlugs", format!("must have 1 to {MAX_SLUGS} elements")));
        }
        let mut tx = self.enter(&place).await?;
        let found = secrets::find(&mut tx, &place.stored(), name).await?;
        let (_, row) = found.ok_or_else(|| place.not_found())?.split();
        let absent = || place.missing(Action::Edit, name, || no_secret(&place, name));
        let opened = Opened::open(&place.access, row.ok_or_else(absent)?)?;
        let labels = self.all_labels(&mut tx, &place.access).await?;
        let mut tags: BTreeSet<_> = labels.existing(opened.tags());
        change(&mut tags, labels.of_slugs(&body.tag_slugs)?);
        let fields = Fields::of_tags(tags.into_iter().collect());
        let (labels, renames) = (&labels, &Renames::default());
        let change = Change { place: &place, labels, renames, new_name: None, fields };
        let (row, secret) = self.next_version(caller, opened, change)?;
        let event = about(&place, "update-secret", &row);
        write_versions(&mut tx, &place.access, &[row]).await?;
        self.leave(tx, caller, &place, [event]).await?;
        Ok(SecretResponse { secret })
    }
}
