//! What a machine login and a token rest on.

use std::collections::HashSet;

use kms_api::{AuthMethodId, ClientSecretId, IdentityId, OrganizationId, TokenId};
use kms_store::{
    Store, StoreError,
    auth_methods::{self, AuthMethodRow},
    callers::{self, IdentityToken},
    client_secrets::{self, ClientSecretRow},
    identities::{self, IdentityRow},
    lockouts::{self, Failure},
    logins, organization_memberships,
    organizations::{self, OrganizationMembershipRow},
    tokens::{self, TokenRow},
};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::tenancy::{Tenant, id};

const SECOND: i64 = 1_000_000;

struct Machine {
    identity: IdentityRow,
    membership: OrganizationMembershipRow,
    method: AuthMethodRow,
    secret: ClientSecretRow,
}

impl Machine {
    /// An identity of an organization with universal auth and a client secret for `limit` uses.
    async fn new(store: &Store, org: OrganizationId, name: &str, limit: i64) -> Self {
        let identity = identity(org, name);
        let membership = membership(org, identity.id);
        let method = method(&identity, "universal-auth", Some(Uuid::now_v7()));
        let secret = secret(&method, limit);
        let mut tx = store.begin().await.unwrap();
        identities::insert(&mut tx, &identity).await.unwrap();
        organizations::insert_membership(&mut tx, &membership).await.unwrap();
        auth_methods::insert(&mut tx, &method).await.unwrap();
        client_secrets::insert(&mut tx, &secret).await.unwrap();
        tx.commit().await.unwrap();
        Self { identity, membership, method, secret }
    }

    fn client_id(&self) -> Uuid {
        self.method.client_id.unwrap()
    }
}

fn identity(org: OrganizationId, name: &str) -> IdentityRow {
    IdentityRow {
        id: id(),
        org_id: org,
        name: name.into(),
        has_delete_protection: true,
        metadata: Some("[]".into()),
        epoch: 3,
        is_instance_admin: false,
        created_at: 1,
        updated_at: 2,
        mac: vec![1; 32],
        facts_mac: Some(vec![4; 32]),
    }
}

fn membership(org: OrganizationId, identity: IdentityId) -> OrganizationMembershipRow {
    OrganizationMembershipRow {
        id: id(),
        org_id: org,
        principal_kind: "identity".into(),
        principal_id: identity.uuid(),
        role: "member".into(),
        status: "accepted".into(),
        is_active: true,
        last_login_method: None,
        last_login_at: None,
        created_at: 1,
        updated_at: 2,
        mac: vec![2; 32],
    }
}

fn method(identity: &IdentityRow, method: &str, client_id: Option<Uuid>) -> AuthMethodRow {
    AuthMethodRow {
        id: id(),
        org_id: identity.org_id,
        identity_id: identity.id,
        method: method.into(),
        client_id,
        access_token_ttl: 10,
        access_token_max_ttl: 20,
        access_token_uses_limit: 30,
        access_token_trusted_ips: "[1]".into(),
        config: "{}".into(),
        sealed: Some(vec![7]),
        created_at: 1,
        updated_at: 2,
        mac: vec![3; 32],
    }
}

fn secret(method: &AuthMethodRow, limit: i64) -> ClientSecretRow {
    ClientSecretRow {
        id: id(),
        org_id: method.org_id,
        auth_method_id: method.id,
        description: "d".into(),
        prefix: "abcd".into(),
        secret_hash: Uuid::now_v7().as_bytes().repeat(2),
        uses: 0,
        uses_limit: limit,
        ttl: 60,
        revoked: false,
        created_at: 1,
        updated_at: 2,
        last_used_at: None,
        mac: vec![4; 32],
    }
}

pub(crate) async fn a_login_finds_all_it_needs_in_one_query(store: &Store) {
    let tenant = Tenant::new(store).await;
    let machine = Machine::new(store, tenant.org, "m", 0).await;
    let hash = &machine.secret.secret_hash;
    let before = store.statements();
    let row = logins::by_client(store, machine.client_id(), hash, "a").await.unwrap().unwrap();
    assert_eq!(store.statements() - before, 1);
    assert_eq!(format!("{:?}", row.subject.method), format!("{:?}", machine.method));
    assert_eq!(format!("{:?}", row.subject.identity), format!("{:?}", machine.identity));
    assert_eq!(row.subject.home.id, tenant.org);
    let membership = row.subject.membership.0.unwrap();
    assert_eq!(format!("{membership:?}"), format!("{:?}", machine.membership));
    let secret = row.secret.0.unwrap();
    assert_eq!(format!("{secret:?}"), format!("{:?}", machine.secret));
    assert_eq!(row.locked_until, None);

    let row = logins::by_client(store, machine.client_id(), &[0; 32], "a").await.unwrap().unwrap();
    assert!(row.secret.0.is_none() && row.subject.membership.0.is_some());
    assert!(logins::by_client(store, Uuid::now_v7(), hash, "a").await.unwrap().is_none());
    let subject = logins::by_identity(store, machine.identity.id, "universal-auth").await.unwrap();
    assert_eq!(subject.unwrap().method.id, machine.method.id);
    assert!(logins::by_identity(store, machine.identity.id, "jwt-auth").await.unwrap().is_none());
}

pub(crate) async fn a_token_finds_what_it_rests_on_and_misses_what_is_gone(store: &Store) {
    let tenant = Tenant::new(store).await;
    let machine = Machine::new(store, tenant.org, "m", 0).await;
    let token = IdentityToken {
        identity: machine.identity.id,
        organization: tenant.org,
        method: machine.method.id,
        token: id(),
        secret: Some(machine.secret.id),
    };
    let row = callers::identity(store, &token).await.unwrap().unwrap();
    assert!(row.membership.0.is_some() && row.method.0.is_some() && row.secret.0.is_some());
    assert_eq!(row.revoked, None);
    let elsewhere = IdentityToken { organization: id(), ..token };
    assert!(callers::identity(store, &elsewhere).await.unwrap().unwrap().membership.0.is_none());
    let other = Machine::new(store, tenant.org, "other", 0).await;
    let borrowed = IdentityToken { method: other.method.id, ..token };
    let row = callers::identity(store, &borrowed).await.unwrap().unwrap();
    assert!(row.method.0.is_none() && row.secret.0.is_none(), "of another identity");
    let borrowed = IdentityToken { secret: Some(other.secret.id), ..token };
    assert!(callers::identity(store, &borrowed).await.unwrap().unwrap().secret.0.is_none());

    let mut tx = store.begin().await.unwrap();
    let (org, identity) = (tenant.org, machine.identity.id);
    for _ in 0..2 {
        tokens::revoke(&mut tx, org, identity, token.token, 9, 1).await.unwrap();
    }
    tx.commit().await.unwrap();
    let row = callers::identity(store, &token).await.unwrap().unwrap();
    assert_eq!(row.revoked, Some(token.token.uuid()));
}

pub(crate) async fn an_identity_takes_all_it_has_with_it(store: &Store) {
    let tenant = Tenant::new(store).await;
    let machine = Machine::new(store, tenant.org, "m", 0).await;
    let identity = machine.identity.id;
    let mut tx = store.begin().await.unwrap();
    let stranger = OrganizationId::from(Uuid::now_v7());
    assert!(!identities::delete(&mut tx, stranger, identity).await.unwrap());
    assert!(identities::delete(&mut tx, tenant.org, identity).await.unwrap());
    tx.commit().await.unwrap();
    assert!(identities::find(store, tenant.org, identity).await.unwrap().is_none());
    let hash = &machine.secret.secret_hash;
    assert!(logins::by_client(store, machine.client_id(), hash, "a").await.unwrap().is_none());
    let (org, id) = (tenant.org, identity.uuid());
    assert!(organizations::membership(store, org, id, "identity").await.unwrap().is_none());
    let mut tx = store.begin().await.unwrap();
    let orphan = secret(&machine.method, 0);
    let refused = client_secrets::insert(&mut tx, &orphan).await;
    assert!(matches!(refused, Err(StoreError::Orphan)));
}

pub(crate) async fn a_method_is_attached_once_and_changed_within_its_tenant(store: &Store) {
    let tenant = Tenant::new(store).await;
    let machine = Machine::new(store, tenant.org, "m", 0).await;
    let mut tx = store.begin().await.unwrap();
    let again = method(&machine.identity, "universal-auth", Some(Uuid::now_v7()));
    assert!(matches!(auth_methods::insert(&mut tx, &again).await, Err(StoreError::Duplicate)));
    drop(tx);
    let mut tx = store.begin().await.unwrap();
    let second = method(&machine.identity, "token-auth", None);
    auth_methods::insert(&mut tx, &second).await.unwrap();
    let mut changed = second.clone();
    changed.config = r#"{"a":1}"#.into();
    changed.sealed = None;
    changed.mac = vec![9; 32];
    let foreign = AuthMethodRow { org_id: id(), ..changed.clone() };
    assert!(!auth_methods::update(&mut tx, &foreign, &second.mac).await.unwrap());
    assert!(auth_methods::update(&mut tx, &changed, &second.mac).await.unwrap());
    tx.commit().await.unwrap();
    let (org, identity) = (tenant.org, machine.identity.id);
    let found = auth_methods::find(store, org, identity, "token-auth").await.unwrap().unwrap();
    assert_eq!(format!("{found:?}"), format!("{changed:?}"));
    let rows = identities::member(store, org, identity).await.unwrap();
    let methods: Vec<_> = rows.iter().filter_map(|row| row.method.as_deref()).collect();
    assert_eq!(methods, ["universal-auth", "token-auth"]);
}

/// Of many changes that rest on the same state one is written; the others must be made anew.
pub(crate) async fn a_method_changes_only_from_what_was_read(store: &Store) {
    let tenant = Tenant::new(store).await;
    let machine = Machine::new(store, tenant.org, "m", 0).await;
    let (org, identity) = (tenant.org, machine.identity.id);
    let found = auth_methods::find(store, org, identity, "universal-auth").await;
    let read = found.unwrap().unwrap();
    let mut changes = JoinSet::new();
    for number in 0..20_u8 {
        let (store, read) = (store.clone(), read.clone());
        changes.spawn(async move {
            let after = AuthMethodRow { mac: vec![number; 32], ..read.clone() };
            let mut tx = store.begin().await.unwrap();
            let written = auth_methods::update(&mut tx, &after, &read.mac).await.unwrap();
            tx.commit().await.unwrap();
            written.then_some(after.mac)
        });
    }
    let written: Vec<_> = changes.join_all().await.into_iter().flatten().collect();
    assert_eq!(written.len(), 1);
    let found = auth_methods::find(store, org, identity, "universal-auth").await;
    assert_eq!(found.unwrap().unwrap().mac, written[0]);
}

pub(crate) async fn identities_are_found_page_by_page_whatever_their_case(store: &Store) {
    let tenant = Tenant::new(store).await;
    for name in ["Beta", "alpha", "gamma_1", "gammaX1"] {
        Machine::new(store, tenant.org, name, 0).await;
    }
    let elsewhere = Tenant::new(store).await;
    Machine::new(store, elsewhere.org, "alpha", 0).await;
    let org = tenant.org;
    let mut seen = HashSet::new();
    for offset in 0..4 {
        let page = identities::members(store, org, "%", 1, offset).await.unwrap();
        assert_eq!(page.len(), 1);
        seen.insert(page[0].identity.name.clone());
    }
    assert_eq!(seen.len(), 4, "every identity on exactly one page");
    assert_eq!(identities::count(store, org, "%").await.unwrap(), 4);
    for (pattern, count) in [("%beta%", 1), ("%a\\_1%", 1), ("%nobody%", 0)] {
        assert_eq!(identities::count(store, org, pattern).await.unwrap(), count, "{pattern}");
        let page = identities::members(store, org, pattern, 9, 0).await.unwrap();
        assert_eq!(page.len(), usize::try_from(count).unwrap(), "{pattern}");
    }
}

/// Runs something 64 times at once and says how often it was true.
async fn at_once<F: Future<Output = bool> + Send + 'static>(what: impl Fn() -> F) -> usize {
    let tasks: Vec<_> = (0..64).map(|_| tokio::spawn(what())).collect();
    let mut hits = 0;
    for task in tasks {
        hits += usize::from(task.await.unwrap());
    }
    hits
}

pub(crate) async fn c12_uses_of_a_client_secret_are_taken_exactly_as_often(store: &Store) {
    let tenant = Tenant::new(store).await;
    let machine = Machine::new(store, tenant.org, "m", 5).await;
    let secret = machine.secret.id;
    let take = |store: Store, secret: ClientSecretId| async move {
        let mut tx = store.begin().await.unwrap();
        let taken = client_secrets::take_use(&mut tx, secret, 77).await.unwrap();
        tx.commit().await.unwrap();
        taken
    };
    assert_eq!(at_once(|| take(store.clone(), secret)).await, 5);
    let method = machine.method.id;
    let row = client_secrets::find(store, tenant.org, method, secret).await.unwrap().unwrap();
    assert_eq!((row.uses, row.last_used_at), (5, Some(77)));
    let unlimited = Machine::new(store, tenant.org, "n", 0).await;
    assert!(!take(store.clone(), unlimited.secret.id).await, "without a limit there is no use");
    let mut tx = store.begin().await.unwrap();
    client_secrets::add_uses(&mut tx, unlimited.secret.id, 3, 9).await.unwrap();
    let revoked = ClientSecretRow { updated_at: 5, mac: vec![8; 32], ..row };
    assert!(client_secrets::revoke(&mut tx, &revoked).await.unwrap());
    tx.commit().await.unwrap();
    let method: AuthMethodId = unlimited.method.id;
    let listed = client_secrets::list(store, tenant.org, method).await.unwrap();
    assert_eq!((listed[0].uses, listed[0].last_used_at), (3, Some(9)));
    let row = client_secrets::find(store, tenant.org, machine.method.id, secret).await.unwrap();
    assert!(row.is_some_and(|row| row.revoked && row.mac == [8; 32] && row.updated_at == 5));
}

pub(crate) async fn j13_uses_of_a_token_are_taken_exactly_as_often(store: &Store) {
    let org: OrganizationId = id();
    let token: TokenId = id();
    let take = |store: Store| async move {
        let mut tx = store.begin().await.unwrap();
        let got_one = tokens::take_use(&mut tx, org, token, 7, 100).await.unwrap();
        tx.commit().await.unwrap();
        got_one
    };
    assert_eq!(at_once(|| take(store.clone())).await, 7);
    let mut tx = store.begin().await.unwrap();
    assert!(!tokens::keep_uses(&mut tx, org, token, 7, 900).await.unwrap(), "used up");
    let other: TokenId = id();
    assert!(tokens::keep_uses(&mut tx, org, other, 2, 900).await.unwrap());
    assert!(tokens::take_use(&mut tx, org, other, 2, 100).await.unwrap());
    assert_eq!(tokens::sweep(&mut tx, 100).await.unwrap(), 1, "the first only");
    assert!(tokens::take_use(&mut tx, org, other, 2, 100).await.unwrap());
    assert!(!tokens::take_use(&mut tx, org, other, 2, 100).await.unwrap(), "no use came back");
    assert_eq!(tokens::sweep(&mut tx, 899).await.unwrap(), 0, "kept for the renewal");
    assert_eq!(tokens::sweep(&mut tx, 900).await.unwrap(), 1);
    tx.commit().await.unwrap();
}

pub(crate) async fn c13_a_threshold_of_guesses_is_counted_and_no_more(store: &Store) {
    let client_id = Uuid::now_v7();
    let failure = move |source: &'static str, now: i64| Failure {
        client_id,
        source,
        now,
        threshold: 3,
        locked_until: now + 300 * SECOND,
        forgotten_at: now + 30 * SECOND,
    };
    let guess = move |store: Store, source: &'static str, now: i64| async move {
        let mut tx = store.begin().await.unwrap();
        let counted = lockouts::count(&mut tx, &failure(source, now)).await.unwrap();
        tx.commit().await.unwrap();
        counted
    };
    assert_eq!(at_once(|| guess(store.clone(), "a", 0)).await, 3);
    assert!(guess(store.clone(), "b", 0).await, "another source has its own count");
    assert!(!guess(store.clone(), "a", 299 * SECOND).await);
    assert!(guess(store.clone(), "a", 300 * SECOND).await, "over");
    for now in [0, 31 * SECOND, 62 * SECOND, 93 * SECOND, 124 * SECOND] {
        assert!(guess(store.clone(), "slow", now).await, "forgotten in between");
    }
    let mut tx = store.begin().await.unwrap();
    lockouts::forget(&mut tx, client_id, "slow").await.unwrap();
    assert_eq!(lockouts::sweep(&mut tx, 31 * SECOND).await.unwrap(), 1, "b");
    assert_eq!(lockouts::clear(&mut tx, client_id).await.unwrap(), 1, "a");
    tx.commit().await.unwrap();
}

pub(crate) async fn named_tokens_are_listed_newest_first_within_their_tenant(store: &Store) {
    let tenant = Tenant::new(store).await;
    let machine = Machine::new(store, tenant.org, "m", 0).await;
    let (org, identity) = (tenant.org, machine.identity.id);
    let mut tx = store.begin().await.unwrap();
    for created_at in 1..=3 {
        let row = TokenRow {
            id: id(),
            org_id: org,
            identity_id: identity,
            name: Some(format!("t{created_at}")),
            ttl: 1,
            max_ttl: 2,
            uses_limit: 5,
            revoked: false,
            last_used_at: None,
            last_renewed_at: None,
            created_at,
            updated_at: created_at,
            remaining: None,
        };
        tokens::insert(&mut tx, &row).await.unwrap();
    }
    tx.commit().await.unwrap();
    let page = tokens::list(store, org, identity, 2, 1).await.unwrap();
    let names: Vec<_> = page.iter().filter_map(|row| row.name.as_deref()).collect();
    assert_eq!(names, ["t2", "t1"]);
    let token = page[0].id;
    let mut tx = store.begin().await.unwrap();
    assert!(!tokens::rename(&mut tx, id(), token, Some("x"), 9).await.unwrap());
    assert!(tokens::rename(&mut tx, org, token, None, 9).await.unwrap());
    assert!(tokens::take_use(&mut tx, org, token, 5, 1).await.unwrap());
    tokens::mark_renewed(&mut tx, token, 8).await.unwrap();
    tokens::revoke(&mut tx, org, identity, token, 99, 10).await.unwrap();
    tx.commit().await.unwrap();
    let row = tokens::find(store, org, token).await.unwrap().unwrap();
    assert_eq!((row.name, row.remaining, row.revoked), (None, Some(4), true));
    assert_eq!((row.last_renewed_at, row.updated_at), (Some(8), 10));
    assert!(tokens::find(store, id(), token).await.unwrap().is_none());
    let mut tx = store.begin().await.unwrap();
    tokens::delete_of_identity(&mut tx, org, identity).await.unwrap();
    tx.commit().await.unwrap();
    assert!(tokens::list(store, org, identity, 9, 0).await.unwrap().is_empty());
}

pub(crate) async fn a_membership_changes_within_its_organization(store: &Store) {
    let tenant = Tenant::new(store).await;
    let machine = Machine::new(store, tenant.org, "m", 0).await;
    let mut row = machine.membership;
    row.role = "admin".into();
    row.is_active = false;
    row.mac = vec![6; 32];
    let mut tx = store.begin().await.unwrap();
    let foreign = OrganizationMembershipRow { org_id: id(), ..row.clone() };
    assert!(!organization_memberships::update(&mut tx, &foreign).await.unwrap());
    assert!(organization_memberships::update(&mut tx, &row).await.unwrap());
    organization_memberships::set_last_login(&mut tx, row.id, "universal-auth", 8).await.unwrap();
    tx.commit().await.unwrap();
    let found = organizations::membership(store, tenant.org, row.principal_id, "identity").await;
    row.last_login_method = Some("universal-auth".into());
    row.last_login_at = Some(8);
    assert_eq!(format!("{:?}", found.unwrap().unwrap()), format!("{row:?}"));
}
