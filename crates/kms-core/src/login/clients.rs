//! The embedded server's memory of who logs in with which client secret.
//!
//! A fleet logs in with the same client secret again and again. What was looked up holds until a
//! right changes anywhere or a wrong client secret is counted ([`crate::epochs`]); only a source
//! without failures is remembered, so nothing here can hide a lockout. Everything that depends on
//! the time or counts down is asked on every login as before.

use std::sync::Arc;

use kms_crypto::LookupHash;
use kms_store::logins::{self, ClientRow};
use moka::sync::Cache;
use uuid::Uuid;

use crate::{Core, Result};

/// Client secrets remembered at most, about 2 KiB each.
const CLIENTS: u64 = 4_096;

/// The client id as it was sent, the source, the hash of the client secret.
type Key = (Uuid, Box<str>, [u8; 32]);

/// The memory.
pub(crate) struct Clients(Cache<Key, Known>);

#[derive(Clone)]
struct Known {
    rights: u64,
    failures: u64,
    row: Arc<ClientRow>,
}

impl Default for Clients {
    fn default() -> Self {
        Self(Cache::new(CLIENTS))
    }
}

impl Core {
    /// Who has this client id, with the client secret of this hash if it is one of theirs.
    pub(super) async fn client(
        &self,
        client_id: Uuid,
        source: &str,
        hash: &LookupHash,
    ) -> Result<Option<Arc<ClientRow>>> {
        if !self.store.is_embedded() {
            let row = logins::by_client(&self.store, client_id, hash.as_bytes(), source).await?;
            return Ok(row.map(Arc::new));
        }
        let (rights, failures) = (self.epochs.rights(), self.epochs.failed_logins());
        let key = (client_id, Box::from(source), hash.0);
        if let Some(known) = self.clients.0.get(&key)
            && (known.rights, known.failures) == (rights, failures)
        {
            return Ok(Some(known.row));
        }
        let row = logins::by_client(&self.store, client_id, hash.as_bytes(), source).await?;
        let row = row.map(Arc::new);
        if let Some(row) = row.as_ref().filter(|row| is_plain(row)) {
            self.clients.0.insert(key, Known { rights, failures, row: Arc::clone(row) });
        }
        Ok(row)
    }
}

/// A client secret that is there, from a source without failures.
fn is_plain(row: &ClientRow) -> bool {
    row.locked_until.is_none() && row.secret.0.as_ref().is_some_and(|secret| !secret.revoked)
}
