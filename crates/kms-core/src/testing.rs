//! Fixtures of this crate's tests: an embedded instance with two organizations, time that stands
//! still and randomness that repeats.

pub(crate) mod machines;
pub(crate) mod vouched;

use std::sync::Arc;

use kms_api::{OrganizationId, SessionId, Timestamp, TokenId, UserId};
use kms_crypto::{LocalRootKey, SeededEntropy};
use kms_store::{Store, users};
use uuid::Uuid;

use crate::{
    Actor, Caller, Core, IdentityActor, ManualClock, Options, Origin, SignedIn, UserActor,
    access::organization_role,
    epochs::Seen,
    identities::NewIdentity,
    mail::{Mail, Mailer, Sending},
    people::{Chosen, Grant},
    users::NewUser,
};

/// When every test begins: 23 November 2026, noon.
pub(crate) const NOON: Timestamp = Timestamp::from_seconds(1_795_435_200);

/// An instance.
pub(crate) struct World {
    pub(crate) core: Core,
    /// The database itself, for what an intruder does to it.
    pub(crate) store: Store,
    pub(crate) clock: Arc<ManualClock>,
    /// An organization and a user who administers it.
    pub(crate) ours: Caller,
    /// Another organization and a user who administers that one.
    pub(crate) theirs: Caller,
    _directory: tempfile::TempDir,
}

/// The root key of every test.
pub(crate) fn root_key() -> Arc<LocalRootKey> {
    Arc::new(LocalRootKey::generate(&SeededEntropy::new(7)))
}

impl World {
    /// An instance with two organizations.
    pub(crate) async fn new() -> Self {
        Self::with(Options::default()).await
    }

    /// The same, and its mail.
    pub(crate) async fn mailing() -> (Self, Arc<Mailbox>) {
        let mailbox = Arc::new(Mailbox::default());
        let mailer: Arc<dyn Mailer> = mailbox.clone();
        (Self::with(Options { mailer, ..Options::default() }).await, mailbox)
    }

    async fn with(options: Options) -> Self {
        let (core, store, clock, directory) = with(options).await;
        let ours = administrator(&core, "ours").await;
        let theirs = administrator(&core, "theirs").await;
        Self { core, store, clock, ours, theirs, _directory: directory }
    }

    /// A machine identity that is a member of an organization.
    pub(crate) async fn identity(&self, organization: OrganizationId, role: &str) -> Caller {
        let core = &self.core;
        let new = NewIdentity {
            organization,
            name: format!("machine-{}", core.random_text::<2>()),
            role: role.to_owned(),
            has_delete_protection: false,
            metadata: None,
            is_instance_admin: false,
        };
        let mut tx = core.store.begin().await.unwrap();
        let row = core.insert_identity(&mut tx, new).await.unwrap();
        tx.commit().await.unwrap();
        let actor = IdentityActor {
            id: row.id,
            name: row.name.into(),
            auth_method: "universal-auth".into(),
            token: TokenId::from(Uuid::nil()),
        };
        caller(Actor::Identity(actor), organization, role)
    }

    /// The access token of a person in an organization, with a session behind it.
    pub(crate) async fn sign_in(&self, user: UserId, organization: OrganizationId) -> String {
        let mut tx = self.store.begin().await.unwrap();
        let user = users::find(&mut tx, user).await.unwrap().unwrap();
        let chosen = Some(Chosen { root: organization, sub: None });
        let grant = Grant { chosen, factor: None };
        let tokens = self.core.start_session(&mut tx, &user, &grant, &Origin::default()).await;
        tx.commit().await.unwrap();
        tokens.unwrap().access
    }

    /// Runs SQL as somebody does who has the database file.
    pub(crate) async fn tamper(&self, sql: &'static str) -> u64 {
        let mut tx = self.store.begin().await.unwrap();
        let rows = tx.execute(sql, ()).await.unwrap();
        tx.commit().await.unwrap();
        self.core.epochs.raise_rights();
        rows
    }
}

/// An instance that nobody set up.
pub(crate) async fn empty() -> (Core, Store, Arc<ManualClock>, tempfile::TempDir) {
    remembering(Options::default().memory_budget).await
}

/// An instance that nobody set up and that remembers answers within a budget.
pub(crate) async fn remembering(
    memory_budget: u64,
) -> (Core, Store, Arc<ManualClock>, tempfile::TempDir) {
    with(Options { memory_budget, ..Options::default() }).await
}

/// An instance that nobody set up, with a clock and randomness of its own.
pub(crate) async fn with(options: Options) -> (Core, Store, Arc<ManualClock>, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open_embedded(directory.path()).await.unwrap();
    let clock = Arc::new(ManualClock::at(NOON));
    let options =
        Options { clock: clock.clone(), entropy: Arc::new(SeededEntropy::new(1)), ..options };
    let core = Core::open(store.clone(), root_key(), options).await.unwrap();
    (core, store, clock, directory)
}

/// A mail server that keeps what it is given.
#[derive(Default)]
pub(crate) struct Mailbox(std::sync::Mutex<Vec<Mail>>);

impl Mailbox {
    /// Takes out what came since the last time.
    pub(crate) fn take(&self) -> Vec<Mail> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Mailer for Mailbox {
    fn is_configured(&self) -> bool {
        true
    }

    fn send(&self, mail: Mail) -> Sending<'_> {
        self.0.lock().unwrap().push(mail);
        Box::pin(std::future::ready(Ok(())))
    }
}

/// An organization and a user who administers it.
pub(crate) async fn administrator(core: &Core, name: &str) -> Caller {
    let mut tx = core.store.begin().await.unwrap();
    let organization = core.insert_organization(&mut tx, name).await.unwrap().id;
    let new = NewUser {
        email: format!("admin@{name}.test"),
        first_name: None,
        last_name: None,
        password_hash: None,
        super_admin: false,
        is_accepted: true,
        is_email_verified: false,
    };
    let user = core.insert_user(&mut tx, new).await.unwrap();
    let principal = ("user", user.id.uuid());
    core.insert_organization_member(&mut tx, organization, principal, "admin").await.unwrap();
    tx.commit().await.unwrap();
    person(user.id, organization, "admin")
}

/// A person in an organization.
pub(crate) fn person(id: UserId, organization: OrganizationId, role: &str) -> Caller {
    let actor = UserActor {
        id,
        session: SessionId::from(Uuid::nil()),
        username: "person".into(),
        email: "person@example.test".into(),
    };
    caller(Actor::User(actor), organization, role)
}

/// The person who calls, with no organization chosen.
pub(crate) fn signed_in(caller: &Caller) -> SignedIn {
    SignedIn {
        user: caller.actor.user().expect("a person").clone(),
        auth_method: "email".into(),
        factor: None,
        organization: None,
        provider: None,
        instance_admin: caller.instance_admin,
        actor_metadata: "{}".into(),
        origin: Origin::default(),
        proven_at: 0,
    }
}

fn caller(actor: Actor, organization: OrganizationId, role: &str) -> Caller {
    Caller {
        actor,
        organization,
        rules: organization_role(role).unwrap(),
        instance_admin: false,
        actor_metadata: "{}".into(),
        origin: Origin::default(),
        facts: Arc::default(),
        seen: Seen::default(),
    }
}
