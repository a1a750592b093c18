//! Who a service token is, asked on every request.
//!
//! The row is found by the id in the token and remembered like other callers; the secret is hashed
//! and compared, and the end of the token asked for, every time.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use kms_api::{
    ServiceTokenId, Timestamp,
    service_tokens::{OwnServiceToken, ServiceTokenUser},
};
use kms_store::service_tokens::{self, MadeRow, ServiceTokenRow};
use serde_json::json;

use super::{HASHED_AS, granted, to_wire};
use crate::{
    Actor, Caller, Core, Error, Origin, Result, ServiceActor,
    access::{Facts, RuleSet, rules_of_scopes, service_token_mac},
    epochs::Seen,
};

/// Microseconds between two notes of when a token was used: ten minutes.
const NOTED: i64 = 10 * 60 * 1_000_000;

/// A service token that was looked up.
pub(crate) struct KnownService {
    /// From nowhere in particular, with the epochs of before the look-up.
    caller: Caller,
    secret_hash: Vec<u8>,
    expires_at: Option<i64>,
    /// When its use was last noted, in microseconds; 0 for never.
    noted_at: AtomicI64,
}

/// One text for a token that does not exist and a secret that is wrong.
pub(crate) fn invalid() -> Error {
    Error::unauthorized("Invalid service token")
}

impl Core {
    /// The service token of a request.
    pub(crate) async fn service_caller(&self, bearer: &str, origin: Origin) -> Result<Caller> {
        let (id, secret) = parts(bearer).ok_or_else(invalid)?;
        let hash = self.keys.lookup.hash(HASHED_AS, secret);
        let remembered = self.service_memory.get(&id);
        let seen = self.see(remembered.as_deref().map(|known| &known.caller.seen)).await?;
        let remembered = remembered.filter(|known| known.caller.seen.rights() == seen.rights());
        let known = if let Some(known) = remembered {
            known
        } else {
            let row = service_tokens::shown(&self.store, id).await?.ok_or_else(invalid)?;
            let known = Arc::new(self.known_service(&row, &seen)?);
            self.service_memory.insert(id, Arc::clone(&known));
            known
        };
        if !hash.ct_eq(&known.secret_hash) {
            return Err(invalid());
        }
        let now = self.now().micros();
        if known.expires_at.is_some_and(|at| at <= now) {
            return Err(Error::unauthorized("Service token has expired"));
        }
        self.note_use(&known, now).await?;
        Ok(Caller { origin, seen, ..known.caller.clone() })
    }

    /// What a service token is told about itself.
    pub async fn own_service_token(&self, caller: &Caller) -> Result<OwnServiceToken> {
        let Actor::Service(service) = &caller.actor else {
            return Err(Error::forbidden("Only service tokens are told about themselves"));
        };
        let found = service_tokens::made(&self.store, caller.organization, service.id).await?;
        let MadeRow { token, maker } = found.ok_or_else(invalid)?;
        let user = maker.0.map(|maker| ServiceTokenUser {
            id: maker.id,
            underscore_id: maker.id,
            email: Some(maker.email),
            first_name: maker.first_name,
            last_name: maker.last_name,
            created_at: Some(Timestamp(maker.created_at)),
            updated_at: Some(Timestamp(maker.updated_at)),
            revision: 0,
        });
        let data = to_wire(&token)?;
        Ok(OwnServiceToken {
            id: data.id,
            underscore_id: data.underscore_id,
            name: data.name,
            project_id: data.project_id,
            workspace: data.workspace,
            scopes: data.scopes,
            permissions: data.permissions,
            created_by: data.created_by,
            user,
            last_used: data.last_used,
            expires_at: data.expires_at,
            created_at: data.created_at,
            updated_at: data.updated_at,
            revision: 0,
        })
    }

    fn known_service(&self, row: &ServiceTokenRow, seen: &Seen) -> Result<KnownService> {
        service_token_mac(&self.keys.rows, row).verify(&row.mac)?;
        let (scopes, permissions) = granted(row)?;
        let metadata = json!({ "serviceId": row.id, "name": row.name });
        let actor = ServiceActor {
            id: row.id,
            name: row.name.as_str().into(),
            project: row.project_id,
            rules: Arc::new(rules_of_scopes(&scopes, &permissions)),
            scopes: scopes.into(),
            permissions: permissions.into(),
        };
        let caller = Caller {
            actor: Actor::Service(actor),
            organization: row.org_id,
            rules: Arc::new(RuleSet::default()),
            instance_admin: false,
            actor_metadata: metadata.to_string().into(),
            origin: Origin::default(),
            facts: Arc::new(Facts::default()),
            seen: seen.clone(),
        };
        Ok(KnownService {
            caller,
            secret_hash: row.secret_hash.clone(),
            expires_at: row.expires_at,
            noted_at: AtomicI64::new(row.last_used_at.unwrap_or_default()),
        })
    }

    /// Notes that a token is used, now and then: a request must not cost a write.
    async fn note_use(&self, known: &KnownService, now: i64) -> Result<()> {
        let noted = known.noted_at.load(Ordering::Relaxed);
        let due = now.saturating_sub(noted) >= NOTED;
        let swap = || {
            let (success, failure) = (Ordering::Relaxed, Ordering::Relaxed);
            known.noted_at.compare_exchange(noted, now, success, failure)
        };
        // Of many who find it due one notes it.
        if !due || swap().is_err() {
            return Ok(());
        }
        let mut tx = self.store.begin().await?;
        let id = known.caller.actor.id().into();
        service_tokens::note_use(&mut tx, known.caller.organization, id, now).await?;
        Ok(tx.commit().await?)
    }
}

/// The id and the secret of a token; a part of the client's own may follow.
fn parts(bearer: &str) -> Option<(ServiceTokenId, &str)> {
    let parts: Vec<_> = bearer.split('.').collect();
    match parts.as_slice() {
        ["st", id, secret] | ["st", id, secret, _] => Some((id.parse().ok()?, secret)),
        _ => None,
    }
}
