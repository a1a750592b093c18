//! Secrets that are known by their ids, wherever they are.
//!
//! What is about a secret is asked of its place and its name, which another request may change
//! between the look at where it is and the look at what it is. Whoever knows the id must neither
//! be told that it is gone nor be shown what has its name now.

use kms_api::SecretId;
use kms_store::secrets;

use crate::{Caller, Core, Error, Result, place::Place, text::SecretPath};

/// Times that a secret is looked for which goes elsewhere each time.
pub(super) const ATTEMPTS: usize = 5;

impl Core {
    /// Where a secret is that the caller knows by its id, and its name. One in a project that the
    /// caller is not in answers like one that does not exist.
    pub(super) async fn locate_secret(
        &self,
        caller: &Caller,
        id: SecretId,
    ) -> Result<(Place, String)> {
        let not_found = format!("Secret with ID '{id}' not found");
        let found = secrets::locate(&self.store, caller.organization, id).await?;
        let found = found.ok_or_else(|| Error::not_found(not_found.clone()))?;
        let access = self.project_behind(caller, found.project_id, not_found).await?;
        let path = SecretPath::parse("secretPath", Some(&found.path))?;
        Ok((Place { access, environment: found.environment, path }, found.name))
    }

    /// Where a secret went that was not found where it was.
    pub(super) async fn went_elsewhere<T>(
        &self,
        caller: &Caller,
        id: SecretId,
        (place, name): &(Place, String),
        done: &Result<T>,
    ) -> Result<Option<(Place, String)>> {
        if !matches!(done, Err(Error::NotFound(_))) {
            return Ok(None);
        }
        let (now, new_name) = self.locate_secret(caller, id).await?;
        let stays =
            now.environment == place.environment && now.path == place.path && new_name == *name;
        Ok((!stays).then_some((now, new_name)))
    }
}

/// What is answered about a secret that is never where it was.
pub(super) fn keeps_changing() -> Error {
    Error::Unavailable("The secret keeps changing; try again")
}
