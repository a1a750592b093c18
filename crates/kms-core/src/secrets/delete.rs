//! The end of a secret.

use kms_api::secrets::{DeleteSecret, SecretResponse};
use kms_store::secrets::{self, SHARED};

use super::{
    Kind, Opened,
    create::about,
    no_secret, owner_of,
    view::{Frame, Show},
    wanted_name,
};
use crate::{Caller, Core, Result, access::Action};

impl Core {
    /// Deletes a secret with its history and everybody's overrides, or one's own override; the
    /// answer holds what it was, its value masked for a caller who may not read it.
    pub async fn delete_secret(
        &self,
        caller: &Caller,
        name: &str,
        body: &DeleteSecret,
    ) -> Result<SecretResponse> {
        let (environment, path) = (body.environment.as_deref(), body.secret_path.as_deref());
        let place = self.place(caller, &body.project, environment, ("secretPath", path)).await?;
        let name = wanted_name(name)?;
        let owner = owner_of(caller, Kind::parse(body.r#type.as_deref())?)?;
        if owner == SHARED {
            place.require_possible(Action::Delete, name)?;
        }
        let mut tx = self.enter(&place).await?;
        let found = secrets::find_of(&mut tx, &place.stored(), name, owner).await?;
        let (_, row) = found.ok_or_else(|| place.not_found())?.split();
        let absent = || no_secret(&place, name);
        // What becomes of one's own override is nobody else's business.
        let missing = || match owner {
            SHARED => place.missing(Action::Delete, name, absent),
            _ => absent(),
        };
        let row = row.ok_or_else(missing)?;
        let Opened { row, payload } = Opened::open(&place.access, row)?;
        let named = std::iter::once(payload.tags.as_slice());
        let labels = self.labels(&mut tx, &place.access, named).await?;
        let tags = labels.slugs(&payload.tags);
        if owner == SHARED {
            place.require_found(Action::Delete, name, &tags, absent)?;
        }
        secrets::delete(&mut tx, place.access.project.org_id, &[row.id]).await?;
        let event = about(&place, "delete-secret", &row);
        let show =
            if owner == SHARED { Show::to_readers(&place, name, &tags) } else { Show::Value };
        let secret = Frame::of(&place, &labels).secret(row, payload, show);
        self.leave(tx, caller, &place, [event]).await?;
        Ok(SecretResponse { secret })
    }
}
