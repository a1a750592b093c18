//! Lockouts of universal auth.

use kms_api::{IdentityId, auth::universal::ClearLockoutsResponse};
use kms_store::lockouts;

use super::UNIVERSAL;
use crate::{Caller, Core, Result, access::Action, audit::Event};

impl Core {
    /// Lets every source that was locked out of an identity try again.
    pub async fn clear_lockouts(
        &self,
        caller: &Caller,
        id: IdentityId,
    ) -> Result<ClearLockoutsResponse> {
        let identity = self.identity_for(caller, id, Action::Edit).await?;
        let mut tx = self.store.begin().await?;
        let method = self.method_of(&mut tx, &identity, UNIVERSAL).await?;
        let deleted = match method.client_id {
            Some(client_id) => lockouts::clear(&mut tx, client_id).await?,
            None => 0,
        };
        let event = Event::new("clear-identity-universal-auth-lockouts")
            .details([("identityId", id.to_string().into()), ("deleted", deleted.into())]);
        tx.audit(self.record(caller, &event));
        tx.commit().await?;
        Ok(ClearLockoutsResponse { deleted: i64::try_from(deleted).unwrap_or(i64::MAX) })
    }
}
