//! The next version of a secret.

use kms_api::secrets::{Secret, SecretResponse, UpdateSecret};
use kms_store::{
    StoreError, Tx,
    secrets::{self, SHARED, SecretRow},
};

use super::{
    Kind, Spot,
    create::about,
    fields::Fields,
    new_name, no_secret, open, owner_of, sign,
    view::{Frame, Show},
    wanted_name,
};
use crate::{Caller, Core, Error, Result, access::Action, place::Place};

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
            place.require_secret(Action::Edit, name)?;
            checked_new_name(&place, name, body.new_secret_name.as_deref())?
        } else {
            require_no_new_name(name, body.new_secret_name.as_deref())?;
            None
        };
        let fields = Fields::check(&[], &sent.fields)?;
        self.check_references(&place, &fields.values()).await?;
        let mut tx = self.enter(&place).await?;
        let found = secrets::find_of(&mut tx, &place.stored(), name, owner).await?;
        let (_, row) = found.ok_or_else(|| place.not_found())?.split();
        let row = row.ok_or_else(|| no_secret(&place, name))?;
        if let Some(new) = &new_name {
            let org = place.access.project.org_id;
            secrets::rename_overrides(&mut tx, org, row.folder_id, (name, new)).await?;
        }
        let change = Change { place: &place, new_name, fields };
        let (row, secret) = self.next_version(caller, row, change)?;
        let event = about(&place, "update-secret", &row);
        write_versions(&mut tx, &place, &[row]).await?;
        self.leave(tx, caller, &place, [event]).await?;
        Ok(SecretResponse { secret })
    }

    /// Makes the next version of a secret: the row to write and what is answered.
    pub(super) fn next_version(
        &self,
        caller: &Caller,
        mut row: SecretRow,
        change: Change<'_>,
    ) -> Result<(SecretRow, Secret)> {
        let Change { place, new_name, fields } = change;
        let mut payload = open(&place.access, Spot::of(&row), &row.sealed)?;
        let is_own = row.owner_id != SHARED;
        let mut show = if is_own { Show::Value } else { Show::to_readers(place, &row.name) };
        if let Some(name) = new_name {
            row.name = name;
            if show == Show::Value {
                show = Show::to_readers(place, &row.name);
            }
        }
        row.version += 1;
        row.updated_at = self.now().micros();
        fields.apply(&mut row, &mut payload);
        sign(&mut row, caller);
        self.seal(&place.access, &mut row, &payload)?;
        let secret = Frame::of(place).secret(row.clone(), payload, show);
        Ok((row, secret))
    }
}

/// What a write changes of a secret.
pub(super) struct Change<'a> {
    pub(super) place: &'a Place,
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
    place.require_secret(Action::Edit, &new)?;
    Ok(Some(new))
}

/// Writes what [`Core::next_version`] made, inside [`Core::enter`].
pub(super) async fn write_versions(tx: &mut Tx, place: &Place, rows: &[SecretRow]) -> Result<()> {
    let (org, project) = (place.access.project.org_id, place.access.id());
    match secrets::update(tx, org, project, rows).await {
        Err(StoreError::Duplicate) => {
            Err(Error::bad_request("Secret with the new name already exists"))
        }
        Ok(false) => Err(Error::Unavailable("The secret changed meanwhile; try again")),
        done => Ok(done.map(|_| ())?),
    }
}
