//! What every use case works with.

use std::sync::Arc;

use kms_api::{OrganizationId, ProjectId, ServiceTokenId, Timestamp};
use kms_auth::{
    Endpoints, Verifier,
    outbound::{Outbound, OutboundPolicy},
    sso::SingleSignOn,
};
use kms_crypto::{Entropy, OsEntropy};
use kms_store::Store;
use moka::sync::Cache;
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::{
    Clock, KeyError, RootKeySource, SystemClock,
    access::ProjectAccess,
    epochs::Epochs,
    keys::Keys,
    login::{clients::Clients, ledger::Ledger},
    mail::{Mailer, NoMail},
    passwords::Passwords,
    read_log::ReadLog,
    secrets::Answers,
    service_tokens::KnownService,
    sessions::{CallerKey, Known},
    verified::Verified,
};

/// A principal, a project, the organization, and what the principal's login told (`Facts::print`).
pub(crate) type AccessKey = (Uuid, ProjectId, OrganizationId, Uuid);

/// How many may read all secrets of a project at one time.
const WHOLE_PROJECTS: usize = 2;
/// How many callers and memberships are remembered at most.
const REMEMBERED: u64 = 20_000;

/// What an instance is started with.
#[derive(Clone)]
pub struct Options {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Seconds that an identity's access token lives at most; 90 days by the contract.
    pub max_token_age: i64,
    /// Bytes of decrypted answers that may stay in memory; 0 turns that off.
    pub memory_budget: u64,
    /// How many passwords are hashed at one time; each takes 19 MiB.
    pub password_hashers: usize,
    /// How mail is sent.
    pub mailer: Arc<dyn Mailer>,
    /// Seconds that a person's access token lives at most.
    pub user_access_ttl: i64,
    /// Seconds that a person's login lasts at most, however often it is refreshed.
    pub user_session_ttl: i64,
    /// The way out of the server.
    pub outbound: Outbound,
    /// Where the vendors are whose word counts for machine logins.
    pub endpoints: Endpoints,
    /// How many may wait for changes at one time.
    pub watchers: usize,
    /// How many of them one user or identity may be.
    pub watchers_of_one: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            entropy: Arc::new(OsEntropy),
            max_token_age: 90 * 86_400,
            memory_budget: 16 * 1024 * 1024,
            password_hashers: 2,
            mailer: Arc::new(NoMail),
            user_access_ttl: 15 * 60,
            user_session_ttl: 90 * 86_400,
            outbound: Outbound::new(OutboundPolicy::default()),
            endpoints: Endpoints::default(),
            watchers: 12_288,
            watchers_of_one: 1_024,
        }
    }
}

/// The product: every use case is a method of it. Cheap to clone.
#[derive(Clone)]
pub struct Core {
    pub(crate) inner: Arc<Inner>,
}

/// What [`Core`] shares; reached only from this crate.
pub struct Inner {
    pub(crate) store: Store,
    pub(crate) keys: Keys,
    pub(crate) options: Options,
    pub(crate) epochs: Arc<Epochs>,
    pub(crate) read_log: ReadLog,
    pub(crate) passwords: Passwords,
    pub(crate) ledger: Ledger,
    pub(crate) clients: Clients,
    /// What tokens say.
    pub(crate) verified: Verified,
    /// Who a token stands for.
    pub(crate) caller_memory: Cache<CallerKey, Arc<Known>>,
    /// Who a service token is.
    pub(crate) service_memory: Cache<ServiceTokenId, Arc<KnownService>>,
    /// What a principal may do in a project: the epoch it was read in, until when it holds, and it.
    pub(crate) access_memory: Cache<AccessKey, (u64, i64, ProjectAccess)>,
    pub(crate) answers: Answers,
    /// Turns of those who read all secrets of a project at once: each may take much memory.
    pub(crate) whole_projects: Semaphore,
    pub(crate) sso: SingleSignOn,
    pub(crate) verifier: Verifier,
}

impl std::ops::Deref for Core {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.inner
    }
}

impl Core {
    /// Opens an instance on a database, making its keys if it is empty.
    pub async fn open(
        store: Store,
        root: RootKeySource,
        options: Options,
    ) -> Result<Self, KeyError> {
        let keys = Keys::open(&store, root, &*options.entropy, &*options.clock).await?;
        let chain = Arc::clone(&keys.chain);
        store.set_chain_hasher(Arc::new(move |previous, record| chain.next(previous, record)));
        let read_log = ReadLog::start(store.clone());
        let passwords = Passwords::new(options.password_hashers);
        let answers = Answers::new(options.memory_budget);
        let sso = SingleSignOn::new(options.outbound.clone());
        let verifier = Verifier::new(options.outbound.clone(), options.endpoints.clone());
        let inner = Inner {
            store,
            keys,
            options,
            epochs: Arc::default(),
            read_log,
            passwords,
            ledger: Ledger::default(),
            clients: Clients::default(),
            verified: Verified::default(),
            caller_memory: Cache::new(REMEMBERED),
            service_memory: Cache::new(REMEMBERED),
            access_memory: Cache::new(REMEMBERED),
            answers,
            whole_projects: Semaphore::new(WHOLE_PROJECTS),
            sso,
            verifier,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The fingerprint of the root key that the embedded data in a directory needs, or nothing
    /// where there is no data. Only reads.
    pub async fn needed_root_key(directory: &std::path::Path) -> Result<Option<String>, KeyError> {
        Ok(kms_store::instance::root_fingerprint(directory).await?)
    }

    /// Writes what is queued and closes the database.
    pub async fn close(&self) {
        if let Err(error) = self.write_ledger().await {
            tracing::warn!(error = &error as &dyn std::error::Error, "uses were not written");
        }
        self.read_log.flush().await;
        self.store.close().await;
    }

    /// Names the instance.
    pub fn instance_id(&self) -> Uuid {
        self.keys.instance_id
    }

    /// Names a content without telling it, for `ETag`: keyed, so that a short secret cannot be
    /// found by trying. The same on every replica.
    pub fn content_tag(&self, content: &[u8]) -> [u8; 32] {
        self.keys.lookup.hash("content-tag", content).0
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        self.options.clock.now()
    }
}

impl Inner {
    /// A new id, ordered by time.
    pub(crate) fn new_id<T: From<Uuid>>(&self) -> T {
        let millis = u64::try_from(self.options.clock.now().micros() / 1_000).unwrap_or_default();
        kms_crypto::uuid_v7(&*self.options.entropy, millis).into()
    }

    pub(crate) fn entropy(&self) -> &dyn Entropy {
        &*self.options.entropy
    }
}
