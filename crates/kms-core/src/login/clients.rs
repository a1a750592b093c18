//! The embedded server's memory of who logs in: with which client secret, or as which identity by
//! which method.
//!
//! A fleet logs in with the same client secret, or as the same identity, again and again. What was
//! looked up holds until a right changes anywhere or a wrong client secret is counted
//! ([`crate::epochs`]); only a source without failures is remembered, so nothing here can hide a
//! lockout. Everything that depends on the time or counts down is asked on every login as before.

use std::sync::Arc;

use kms_api::IdentityId;
use kms_crypto::LookupHash;
use kms_store::logins::{self, ClientRow, SubjectRow};
use moka::sync::Cache;
use uuid::Uuid;

use crate::{Core, Result};

/// Client secrets remembered at most, about 2 KiB each.
const CLIENTS: u64 = 4_096;

/// Bytes of what is remembered of identities by other methods.
const SUBJECT_BYTES: u64 = 8 << 20;

/// The client id as it was sent, the source, the hash of the client secret.
type Key = (Uuid, Box<str>, [u8; 32]);

/// The memory.
pub(crate) struct Clients {
    clients: Cache<Key, Known>,
    /// By the identity and the method, with the epoch of rights.
    subjects: Cache<(IdentityId, &'static str), (u64, Arc<SubjectRow>)>,
}

#[derive(Clone)]
struct Known {
    rights: u64,
    failures: u64,
    row: Arc<ClientRow>,
}

impl Default for Clients {
    fn default() -> Self {
        let subjects = Cache::builder().max_capacity(SUBJECT_BYTES).weigher(weight).build();
        Self { clients: Cache::new(CLIENTS), subjects }
    }
}

/// What is remembered of a subject, in bytes, near enough: what may be long, and the rest.
fn weight(_: &(IdentityId, &'static str), (_, row): &(u64, Arc<SubjectRow>)) -> u32 {
    let long = row.method.config.len() + row.method.sealed.as_ref().map_or(0, Vec::len);
    u32::try_from(long + 2_048).unwrap_or(u32::MAX)
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
        if let Some(known) = self.clients.clients.get(&key)
            && (known.rights, known.failures) == (rights, failures)
        {
            return Ok(Some(known.row));
        }
        let row = logins::by_client(&self.store, client_id, hash.as_bytes(), source).await?;
        let row = row.map(Arc::new);
        if let Some(row) = row.as_ref().filter(|row| is_plain(row)) {
            self.clients.clients.insert(key, Known { rights, failures, row: Arc::clone(row) });
        }
        Ok(row)
    }

    /// Who logs in as an identity by a method.
    pub(super) async fn subject(
        &self,
        identity: IdentityId,
        method: &'static str,
    ) -> Result<Option<Arc<SubjectRow>>> {
        if !self.store.is_embedded() {
            let row = logins::by_identity(&self.store, identity, method).await?;
            return Ok(row.map(Arc::new));
        }
        let rights = self.epochs.rights();
        let known = self.clients.subjects.get(&(identity, method));
        if let Some((_, row)) = known.filter(|(epoch, _)| *epoch == rights) {
            return Ok(Some(row));
        }
        let row = logins::by_identity(&self.store, identity, method).await?;
        let row = row.map(Arc::new);
        if let Some(row) = &row {
            self.clients.subjects.insert((identity, method), (rights, Arc::clone(row)));
        }
        Ok(row)
    }
}

/// A client secret that is there, from a source without failures.
fn is_plain(row: &ClientRow) -> bool {
    row.locked_until.is_none() && row.secret.0.as_ref().is_some_and(|secret| !secret.revoked)
}
