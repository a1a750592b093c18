//! The next version of a secret.

use std::collections::{BTreeSet, HashSet};

use kms_api::secrets::{Secret, SecretResponse, UpdateSecret};
use kms_store::{
    StoreError, Tx,
    secrets::{self, SHARED, SecretRow},
};

use super::{
    Kind, MAX_WRITTEN, Opened, Payload,
    create::about,
    fields::Fields,
    new_name, no_secret, owner_of,
    renames::{Naming, Renames},
    sign,
    view::{Frame, Show},
    wanted_name,
};
use crate::{
    Caller, Core, Error, Result,
    access::{Action, ProjectAccess},
    place::Place,
    tags::Labels,
};

impl Core {
    /// Changes a secret; what is left out stays. Every change is a version of its own.
    ///
    /// The answer masks the value for a caller who may not read it under both names.
    pub async fn update_secret(
        &self,
        caller: &Caller,
        name: &str,
        body: &UpdateSecret,
    ) -> Result<SecretResponse> {
        let sent = &body.secret;
        let (environment, path) = (sent.environment.as_deref(), sent.secret_path.as_deref());
        let place = self.place(caller, &sent.project, environment, ("secretPath", path)).await?;
        let name = wanted_name(name)?;
        let owner = owner_of(caller, Kind::parse(sent.r#type.as_deref())?)?;
        let new_name = if owner == SHARED {
            place.require_possible(Action::Edit, name)?;
            checked_new_name(&place, name, body.new_secret_name.as_deref())?
        } else {
            require_no_new_name(name, body.new_secret_name.as_deref())?;
            None
        };
        let fields = Fields::check(&[], &sent.fields)?;
        self.check_references(&self.store, &place, &fields.values()).await?;
        let key = (place.environment.clone(), place.path.as_str().to_owned(), name.to_owned());
        let naming = Naming {
            names: new_name.iter().map(|new| (key.clone(), new.clone())).collect(),
            changed: HashSet::from([key]),
            spots: BTreeSet::from([(place.environment.clone(), place.path.clone())]),
        };
        let (mut tx, renames) = self.enter_naming(&place, &naming).await?;
        let found = secrets::find_of(&mut tx, &place.stored(), name, owner).await?;
        let (_, row) = found.ok_or_else(|| place.not_found())?.split();
        let absent = || match owner {
            SHARED => place.missing(Action::Edit, name, || no_secret(&place, name)),
            _ => no_secret(&place, name),
        };
        let opened = Opened::open(&place.access, row.ok_or_else(absent)?)?;
        let tagged = [opened.tags(), fields.tags()].into_iter();
        let labels = self.labels(&mut tx, &place.access, tagged).await?;
        let change = Change { place: &place, labels: &labels, renames: &renames, new_name, fields };
        let (row, secret) = self.next_version(caller, opened, change)?;
        if owner == SHARED && row.name != name {
            self.rename_overrides(&mut tx, &place.access, name, &row).await?;
        }
        let mut events = vec![about(&place, "update-secret", &row)];
        write_versions(&mut tx, &place.access, &[row]).await?;
        events.extend(self.write_followers(caller, &mut tx, &place, renames).await?);
        self.leave(tx, caller, &place, events).await?;
        Ok(SecretResponse { secret })
    }

    /// Makes the next version of a secret: the row to write and what is answered. The caller must
    /// be allowed to edit what it is, what it becomes, and that under its new name. Rules know it by
    /// name and tags, so whoever changes those of a value must be allowed to read it.
    pub(super) fn next_version(
        &self,
        caller: &Caller,
        opened: Opened,
        change: Change<'_>,
    ) -> Result<(SecretRow, Secret)> {
        let Change { place, labels, renames, new_name, fields } = change;
        let Opened { mut row, mut payload } = opened;
        labels.require(fields.tags())?;
        if row.owner_id != SHARED {
            // Whose it is may change it, and sees it.
            fields.apply(&mut row, &mut payload);
            self.advance(caller, &place.access, &mut row, &payload)?;
            let secret = Frame::of(place, labels).secret(row.clone(), payload, Show::Value);
            return Ok((row, secret));
        }
        let tags = labels.slugs(&payload.tags);
        place.require_found(Action::Edit, &row.name, &tags, || no_secret(place, &row.name))?;
        let (show, before) = (Show::to_readers(place, &row.name, &tags), tags);
        let keeps_value = fields.values().is_empty();
        payload.value = renames.follow(&place.environment, place.path.as_str(), &payload.value)?;
        fields.apply(&mut row, &mut payload);
        let tags = labels.slugs(&payload.tags);
        place.require_secret(Action::Edit, &row.name, &tags)?;
        if new_name.is_some() || tags != before {
            // Others read it as what it becomes, and so might the caller.
            place.require_secret(Action::DescribeSecret, &row.name, &before)?;
            if keeps_value {
                place.require_secret(Action::ReadValue, &row.name, &before)?;
            }
        }
        if let Some(name) = new_name {
            place.require_secret(Action::Edit, &name, &tags)?;
            row.name = name;
        }
        let show = show.and(Show::to_readers(place, &row.name, &tags));
        self.advance(caller, &place.access, &mut row, &payload)?;
        let secret = Frame::of(place, labels).secret(row.clone(), payload, show);
        Ok((row, secret))
    }

    /// Everybody's overrides of a secret follow to the name that it has got. They stay at their
    /// versions: whoever wrote them changed nothing.
    pub(super) async fn rename_overrides(
        &self,
        tx: &mut Tx,
        access: &ProjectAccess,
        name: &str,
        renamed: &SecretRow,
    ) -> Result<()> {
        let org = access.project.org_id;
        for row in secrets::overrides_of(tx, org, renamed.folder_id, name).await? {
            let Opened { mut row, payload } = Opened::open(access, row)?;
            row.name.clone_from(&renamed.name);
            self.seal(access, &mut row, &payload)?;
            secrets::place_override(tx, org, &row).await.map_err(name_taken)?;
        }
        Ok(())
    }

    /// Seals what a row is to hold as the version after the one it has.
    pub(super) fn advance(
        &self,
        caller: &Caller,
        access: &ProjectAccess,
        row: &mut SecretRow,
        payload: &Payload,
    ) -> Result<()> {
        row.version += 1;
        row.updated_at = self.now().micros();
        sign(row, caller);
        self.seal(access, row, payload)
    }
}

/// What a write changes of a secret.
pub(super) struct Change<'a> {
    pub(super) place: &'a Place,
    /// The tags of the project, as far as the secret has or gets some.
    pub(super) labels: &'a Labels,
    pub(super) renames: &'a Renames,
    pub(super) new_name: Option<String>,
    pub(super) fields: Fields,
}

/// An override is called like what it overrides.
fn require_no_new_name(name: &str, new: Option<&str>) -> Result<()> {
    match new {
        Some(new) if new.trim() != name => {
            Err(Error::bad_request("Personal secrets cannot be renamed"))
        }
        _ => Ok(()),
    }
}

/// The name that a secret gets, which the caller must be allowed to edit as well.
pub(super) fn checked_new_name(
    place: &Place,
    name: &str,
    new: Option<&str>,
) -> Result<Option<String>> {
    let Some(new) = new else { return Ok(None) };
    if new.trim().is_empty() {
        return Err(Error::bad_request("New secret name cannot be empty"));
    }
    if new.trim() == name {
        return Ok(None);
    }
    let new = new_name(&place.access, "newSecretName", new)?;
    place.require_possible(Action::Edit, &new)?;
    Ok(Some(new))
}

/// Writes what [`Core::next_version`] made, inside [`Core::enter`].
pub(super) async fn write_versions(
    tx: &mut Tx,
    access: &ProjectAccess,
    rows: &[SecretRow],
) -> Result<()> {
    if rows.iter().map(|row| row.sealed.len()).sum::<usize>() > MAX_WRITTEN {
        return Err(super::too_large_a_write());
    }
    let (org, project) = (access.project.org_id, access.id());
    match secrets::update(tx, org, project, rows).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(Error::Unavailable("The secret changed meanwhile; try again")),
        Err(error) => Err(name_taken(error)),
    }
}

fn name_taken(error: StoreError) -> Error {
    match error {
        StoreError::Duplicate => Error::bad_request("Secret with the new name already exists"),
        other => other.into(),
    }
}
