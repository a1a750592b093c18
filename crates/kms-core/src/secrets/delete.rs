//! The end of a secret.

use kms_api::secrets::{DeleteSecret, SecretResponse};
use kms_store::secrets;

use super::{
    Kind,
    create::about,
    no_secret, require_shared,
    view::{Frame, Show},
    wanted_name,
};
use crate::{Caller, Core, Result, access::Action};

impl Core {
    /// Deletes a secret with its history; the answer holds what it was, its value masked for a
    /// caller who may not read it.
    pub async fn delete_secret(
        &self,
        caller: &Caller,
        name: &str,
        body: &DeleteSecret,
    ) -> Result<SecretResponse> {
        let (environment, path) = (body.environment.as_deref(), body.secret_path.as_deref());
        let place = self.place(caller, &body.project, environment, ("secretPath", path)).await?;
        let name = wanted_name(name)?;
        place.require_secret(Action::Delete, name)?;
        require_shared(caller, Kind::parse(body.r#type.as_deref())?)?;
        let mut tx = self.enter(&place).await?;
        let found = secrets::find(&mut tx, &place.stored(), name).await?;
        let (_, row) = found.ok_or_else(|| place.not_found())?.split();
        let row = row.ok_or_else(|| no_secret(&place, name))?;
        secrets::delete(&mut tx, place.access.project.org_id, &[row.id]).await?;
        let event = about(&place, "delete-secret", &row);
        let secret = Frame::of(&place).open(row, Show::to_readers(&place, name))?;
        self.leave(tx, caller, &place, [event]).await?;
        Ok(SecretResponse { secret })
    }
}
