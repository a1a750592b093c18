//! The key hierarchy at work: root key, instance keys, organization keys, project keys.

use std::sync::Arc;

use kms_api::{OrganizationId, ProjectId};
use kms_crypto::{
    ChainKey, Entropy, Fingerprint, Key, KeyContext, LookupKey, RootKeyProvider, RowKey, TokenKeys,
    TokenPurpose, WrappedKey,
};
use kms_store::{Store, StoreError, instance, organizations::OrganizationRow};
use moka::sync::Cache;
use uuid::Uuid;

use crate::{Clock, Error, Result};

const LOOKUP: &str = "lookup-hash";
const ROW: &str = "row-authentication";
const CHAIN: &str = "audit-chain";
const SEEDS: &str = "authenticator-seeds";
const ORGANIZATION: &str = "organization-key";
const PROJECT: &str = "project-key";
/// What the key of an organization is wrapped for: beside a row that is authenticated, and before
/// such rows were. Nobody without the root key makes the one of the other.
const AUTHENTICATED: u32 = 2;
const OF_BEFORE: u32 = 1;

/// How many unwrapped organization and project keys stay in memory.
const CACHED_KEYS: u64 = 10_000;

/// Where the root key comes from, already read.
pub type RootKeySource = Arc<dyn RootKeyProvider>;

/// Why the keys of an instance could not be opened. Nothing has been written then.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The data was written under another root key.
    #[error("this data needs the root key with fingerprint {needed}, but {given} was given")]
    WrongRootKey {
        /// The fingerprint of the key that the data needs.
        needed: String,
        /// The fingerprint of the key that was given.
        given: Fingerprint,
    },
    /// A stored key does not open: the data was changed or restored from something else.
    #[error("the stored key `{0}` cannot be opened")]
    Damaged(String),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

pub(crate) struct Keys {
    root: RootKeySource,
    pub(crate) tokens: TokenKeys,
    pub(crate) lookup: LookupKey,
    pub(crate) rows: Arc<RowKey>,
    pub(crate) chain: Arc<ChainKey>,
    /// What seeds of authenticator apps are sealed under.
    pub(crate) seeds: Key,
    opened: Cache<Uuid, Arc<Key>>,
    pub(crate) instance_id: Uuid,
}

impl Keys {
    /// Opens the keys of an instance, making them on an empty database.
    pub(crate) async fn open(
        store: &Store,
        root: RootKeySource,
        entropy: &dyn Entropy,
        clock: &dyn Clock,
    ) -> Result<Self, KeyError> {
        let instance = match instance::find(store).await? {
            Some(instance) => instance,
            None => create(store, &root, entropy, clock).await?,
        };
        let given = root.fingerprint();
        if instance.root_fingerprint != given.to_string() {
            return Err(KeyError::WrongRootKey { needed: instance.root_fingerprint, given });
        }
        let mut rows = instance::keys(store).await?;
        if rows.iter().all(|row| row.purpose != TokenPurpose::UserPage.as_str()) {
            add_page_key(store, &root, instance.instance_id, entropy, clock).await?;
            rows = instance::keys(store).await?;
        }
        let open = |purpose: &str| unwrap(&root, &rows, purpose, instance.instance_id);
        let mut tokens = Vec::new();
        for purpose in TokenPurpose::ALL {
            tokens.push((purpose, 1, open(purpose.as_str())?));
        }
        let lookup = LookupKey::new(open(LOOKUP)?);
        let row_key = Arc::new(RowKey::new(open(ROW)?));
        let chain = Arc::new(ChainKey::new(open(CHAIN)?));
        let seeds = match open(SEEDS) {
            Err(_) if rows.iter().all(|row| row.purpose != SEEDS) => {
                add_seeds(store, &root, instance.instance_id, entropy, clock).await?
            }
            other => other?,
        };
        Ok(Self {
            tokens: TokenKeys::new(tokens),
            lookup,
            rows: row_key,
            chain,
            seeds,
            opened: Cache::new(CACHED_KEYS),
            instance_id: instance.instance_id,
            root,
        })
    }

    /// Makes the key of a new organization.
    pub(crate) fn new_organization_key(
        &self,
        organization: OrganizationId,
        entropy: &dyn Entropy,
    ) -> Result<WrappedKey> {
        let context = organization_key(organization, AUTHENTICATED);
        Ok(self.root.wrap(&context, &Key::generate(entropy), entropy)?)
    }

    /// Makes the key of an organization as it was made before rows of organizations were
    /// authenticated.
    #[cfg(test)]
    pub(crate) fn organization_key_of_before(
        &self,
        organization: OrganizationId,
        entropy: &dyn Entropy,
    ) -> Result<WrappedKey> {
        let context = organization_key(organization, OF_BEFORE);
        Ok(self.root.wrap(&context, &Key::generate(entropy), entropy)?)
    }

    /// Whether an organization's key was wrapped before rows of organizations were authenticated.
    pub(crate) fn is_of_before(&self, id: OrganizationId, wrapped: &[u8]) -> bool {
        self.root.unwrap(&organization_key(id, OF_BEFORE), wrapped).is_ok()
    }

    /// Wraps an organization's key, the same one, for a row that is authenticated.
    pub(crate) fn rewrap_organization_key(
        &self,
        id: OrganizationId,
        wrapped: &[u8],
        entropy: &dyn Entropy,
    ) -> Result<WrappedKey> {
        let key = self.root.unwrap(&organization_key(id, OF_BEFORE), wrapped)?;
        Ok(self.root.wrap(&organization_key(id, AUTHENTICATED), &key, entropy)?)
    }

    /// Makes the key of a new project under its organization's.
    pub(crate) fn new_project_key(
        &self,
        organization: OrganizationId,
        organization_wrapped: &[u8],
        project: ProjectId,
        entropy: &dyn Entropy,
    ) -> Result<WrappedKey> {
        let kek = self.organization(organization, organization_wrapped)?;
        let context = KeyContext { purpose: PROJECT, owner: project.uuid(), version: 1 };
        Ok(kms_crypto::wrap_key(&kek, &context, &Key::generate(entropy), entropy)?)
    }

    /// The key of an organization, for what belongs to the organization itself.
    pub(crate) fn of_organization(&self, row: &OrganizationRow) -> Result<Arc<Key>> {
        self.organization(row.id, &row.wrapped_key)
    }

    fn organization(&self, id: OrganizationId, wrapped: &[u8]) -> Result<Arc<Key>> {
        self.cached(id.uuid(), || {
            let opened = self.root.unwrap(&organization_key(id, AUTHENTICATED), wrapped);
            let of_before = |_| self.root.unwrap(&organization_key(id, OF_BEFORE), wrapped);
            Ok(opened.or_else(of_before)?)
        })
    }

    /// The key that a project's values are sealed under.
    pub(crate) fn project(
        &self,
        organization: OrganizationId,
        organization_wrapped: &[u8],
        project: ProjectId,
        project_wrapped: &[u8],
    ) -> Result<Arc<Key>> {
        self.cached(project.uuid(), || {
            let kek = self.organization(organization, organization_wrapped)?;
            let context = KeyContext { purpose: PROJECT, owner: project.uuid(), version: 1 };
            Ok(kms_crypto::unwrap_key(&kek, &context, project_wrapped)?)
        })
    }

    /// Forgets a key that was destroyed.
    pub(crate) fn forget(&self, owner: Uuid) {
        self.opened.invalidate(&owner);
    }

    /// Whether a key is in memory.
    #[cfg(test)]
    pub(crate) fn remembers(&self, owner: Uuid) -> bool {
        self.opened.contains_key(&owner)
    }

    fn cached(&self, owner: Uuid, open: impl FnOnce() -> Result<Key>) -> Result<Arc<Key>> {
        if let Some(key) = self.opened.get(&owner) {
            return Ok(key);
        }
        let key = Arc::new(open()?);
        self.opened.insert(owner, Arc::clone(&key));
        Ok(key)
    }
}

fn organization_key(id: OrganizationId, version: u32) -> KeyContext<'static> {
    KeyContext { purpose: ORGANIZATION, owner: id.uuid(), version }
}

async fn create(
    store: &Store,
    root: &RootKeySource,
    entropy: &dyn Entropy,
    clock: &dyn Clock,
) -> Result<instance::InstanceRow, KeyError> {
    let row = instance::InstanceRow {
        instance_id: kms_crypto::uuid_v4(entropy),
        root_fingerprint: root.fingerprint().to_string(),
        initialized: false,
        setup_token_hash: None,
    };
    let now = clock.now().micros();
    let purposes = TokenPurpose::ALL.into_iter().map(TokenPurpose::as_str);
    let mut keys = Vec::new();
    for purpose in purposes.chain([LOOKUP, ROW, CHAIN, SEEDS]) {
        keys.push((purpose, new_key(root, purpose, row.instance_id, entropy)?));
    }
    let mut tx = store.begin().await?;
    if !instance::insert(&mut tx, &row, now).await? {
        // Another replica was first; its keys count.
        drop(tx);
        return instance::find(store).await?.ok_or(KeyError::Damaged("instance".into()));
    }
    for (purpose, wrapped) in &keys {
        instance::insert_key(&mut tx, purpose, 1, wrapped.as_bytes(), now).await?;
    }
    tx.commit().await?;
    Ok(row)
}

/// Makes the key that came later, for an instance of before: one in which no seed was sealed.
async fn add_seeds(
    store: &Store,
    root: &RootKeySource,
    owner: Uuid,
    entropy: &dyn Entropy,
    clock: &dyn Clock,
) -> Result<Key, KeyError> {
    let wrapped = new_key(root, SEEDS, owner, entropy)?;
    let mut tx = store.begin().await?;
    instance::add_seeds_key(&mut tx, SEEDS, wrapped.as_bytes(), clock.now().micros()).await?;
    tx.commit().await?;
    unwrap(root, &instance::keys(store).await?, SEEDS, owner)
}

/// Makes the key of browsers' tokens for an instance of before there were pages. Losing it would
/// only sign them out.
async fn add_page_key(
    store: &Store,
    root: &RootKeySource,
    owner: Uuid,
    entropy: &dyn Entropy,
    clock: &dyn Clock,
) -> Result<(), KeyError> {
    let purpose = TokenPurpose::UserPage.as_str();
    let wrapped = new_key(root, purpose, owner, entropy)?;
    let mut tx = store.begin().await?;
    instance::add_key(&mut tx, purpose, wrapped.as_bytes(), clock.now().micros()).await?;
    Ok(tx.commit().await?)
}

fn new_key(
    root: &RootKeySource,
    purpose: &'static str,
    owner: Uuid,
    entropy: &dyn Entropy,
) -> Result<WrappedKey, KeyError> {
    let context = KeyContext { purpose, owner, version: 1 };
    let wrapped = root.wrap(&context, &Key::generate(entropy), entropy);
    wrapped.map_err(|_| KeyError::Damaged(purpose.to_owned()))
}

fn unwrap(
    root: &RootKeySource,
    rows: &[instance::InstanceKeyRow],
    purpose: &str,
    owner: Uuid,
) -> Result<Key, KeyError> {
    let damaged = || KeyError::Damaged(purpose.to_owned());
    let row = rows.iter().find(|row| row.purpose == purpose).ok_or_else(damaged)?;
    let context = KeyContext { purpose, owner, version: 1 };
    root.unwrap(&context, &row.wrapped).map_err(|_| damaged())
}

impl From<KeyError> for Error {
    fn from(error: KeyError) -> Self {
        Self::Internal(Box::new(error))
    }
}

#[cfg(test)]
mod tests;
