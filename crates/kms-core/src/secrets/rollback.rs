//! A secret taken back to one of its versions.

use kms_api::{SecretId, history::RollbackSecret, secrets::SecretResponse};
use kms_store::{secret_versions, secrets};

use super::{
    Opened,
    by_id::{ATTEMPTS, keeps_changing},
    no_secret,
    update::write_versions,
    versions::Past,
    view::{Frame, Show},
};
use crate::{
    Caller, Core, Error, Result,
    access::{Action, Subject},
    place::Place,
};

impl Core {
    /// Writes a new version of a secret with the value, comment, metadata, tags and multiline flag
    /// of a former one; its name, its place and its reminder stay.
    ///
    /// Only to a version that the caller may read, and could write today: what comes back is read
    /// by others.
    pub async fn roll_secret_back(
        &self,
        caller: &Caller,
        id: &str,
        body: &RollbackSecret,
    ) -> Result<SecretResponse> {
        let id: SecretId = id.parse().map_err(|_| Error::field("secretId", "must be a UUID"))?;
        let mut at = self.locate_secret(caller, id).await?;
        for _ in 0..ATTEMPTS {
            let answer = self.roll_back_at(caller, id, &at, body).await;
            match self.went_elsewhere(caller, id, &at, &answer).await? {
                Some(now) => at = now,
                None => return answer,
            }
        }
        Err(keeps_changing())
    }

    async fn roll_back_at(
        &self,
        caller: &Caller,
        id: SecretId,
        (place, name): &(Place, String),
        body: &RollbackSecret,
    ) -> Result<SecretResponse> {
        place.access.require(Action::Create, Subject::SecretRollback, &place.attributes())?;
        place.require_possible(Action::Edit, name)?;
        let mut tx = self.enter(place).await?;
        let found = secrets::find(&mut tx, &place.stored(), name).await?;
        let found = found.and_then(|row| row.split().1).filter(|row| row.id == id);
        let absent = || no_secret(place, name);
        let opened = Opened::open(&place.access, found.ok_or_else(absent)?)?;
        let org = place.access.project.org_id;
        let then = secret_versions::find(&mut tx, org, id, body.version).await?;
        let then = then.map(|row| Past::open(place, &opened, row)).transpose()?;
        let named = [opened.tags(), then.as_ref().map_or(&[], |then| &then.payload.tags)];
        let labels = self.labels(&mut tx, &place.access, named.into_iter()).await?;
        let tags = labels.slugs(opened.tags());
        place.require_found(Action::Edit, name, &tags, absent)?;
        let none = || Error::not_found(format!("The secret has no version {}", body.version));
        let then = then.ok_or_else(none)?;
        if then.shown(place, &opened, &labels) != Some(Show::Value) {
            return Err(place.access.rules.denied(Action::ReadValue, Subject::Secrets));
        }
        let Past { row: then, payload } = then;
        place.require_secret(Action::Edit, name, &labels.slugs(&payload.tags))?;
        self.check_references(&mut tx, place, &[&payload.value]).await?;
        let mut row = opened.row;
        row.skip_multiline_encoding = then.skip_multiline_encoding;
        self.advance(caller, &place.access, &mut row, &payload)?;
        write_versions(&mut tx, &place.access, std::slice::from_ref(&row)).await?;
        let event = place.event("rollback-secret").key(name).details([
            ("secretId", id.to_string().into()),
            ("secretVersion", row.version.into()),
            ("toVersion", then.version.into()),
        ]);
        let show = Show::to_readers(place, name, &labels.slugs(&payload.tags));
        let secret = Frame::of(place, &labels).secret(row, payload, show);
        self.leave(tx, caller, place, [event]).await?;
        Ok(SecretResponse { secret })
    }
}
