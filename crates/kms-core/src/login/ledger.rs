//! What logins add up to but must not pay for: uses of client secrets without a limit, and when
//! an identity last logged in. Kept in memory and written together once in a while.
//!
//! A crash loses at most what was not written yet. Nothing here decides anything.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use kms_api::{ClientSecretId, MembershipId};
use kms_store::{StoreError, client_secrets, organization_memberships};

use crate::Core;

/// Rows in one write, so that nobody waits long behind it.
const CHUNK: usize = 256;

#[derive(Clone, Copy, Debug, Default)]
struct Uses {
    count: i64,
    last_at: i64,
}

#[derive(Default)]
struct Pending {
    uses: HashMap<ClientSecretId, Uses>,
    logins: HashMap<MembershipId, (&'static str, i64)>,
}

/// What is not written yet.
#[derive(Default)]
pub(crate) struct Ledger(Mutex<Pending>);

impl Ledger {
    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a use of a client secret without a limit.
    pub(crate) fn note_use(&self, secret: ClientSecretId, at: i64) {
        let mut pending = self.pending();
        let uses = pending.uses.entry(secret).or_default();
        uses.count += 1;
        uses.last_at = uses.last_at.max(at);
    }

    /// Notes a login.
    pub(crate) fn note_login(&self, membership: MembershipId, method: &'static str, at: i64) {
        self.pending().logins.insert(membership, (method, at));
    }

    /// Uses of a client secret that are not written yet.
    pub(crate) fn uses_of(&self, secret: ClientSecretId) -> i64 {
        self.pending().uses.get(&secret).map_or(0, |uses| uses.count)
    }

    fn take(&self) -> Pending {
        std::mem::take(&mut *self.pending())
    }
}

impl Core {
    /// Writes what logins add up to.
    pub(crate) async fn write_ledger(&self) -> Result<(), StoreError> {
        let Pending { uses, logins } = self.ledger.take();
        for chunk in uses.into_iter().collect::<Vec<_>>().chunks(CHUNK) {
            let mut tx = self.store.begin().await?;
            for (secret, Uses { count, last_at }) in chunk {
                client_secrets::add_uses(&mut tx, *secret, *count, *last_at).await?;
            }
            tx.commit().await?;
        }
        for chunk in logins.into_iter().collect::<Vec<_>>().chunks(CHUNK) {
            let mut tx = self.store.begin().await?;
            for (membership, (method, at)) in chunk {
                organization_memberships::set_last_login(&mut tx, *membership, method, *at).await?;
            }
            tx.commit().await?;
        }
        Ok(())
    }
}
