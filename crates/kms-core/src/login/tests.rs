use std::sync::Arc;

use kms_api::auth::universal::{CreateClientSecret, Settings};
use secrecy::ExposeSecret as _;
use tokio::task::JoinSet;

use crate::{
    Error,
    testing::{
        World,
        machines::{HOME, Machine, from, ips, proof, unauthorized},
    },
};

const WRONG: &str = "Invalid credentials";
const LOCKED: &str = "This identity auth method is temporarily locked, please try again later";
const SOMEBODY: &str = "5b5fd0bb-6b86-4b0c-9d3c-5d3f2f7d1b11";
const ATTACKER: &str = "198.51.100.66";

fn limited(uses: i64) -> CreateClientSecret {
    CreateClientSecret { num_uses_limit: uses, ..CreateClientSecret::default() }
}

async fn guess(world: &World, client_id: &str, ip: &str) -> String {
    unauthorized(world.core.universal_auth_login(&proof(client_id, "wrong"), &from(ip)).await)
}

#[tokio::test]
async fn a_right_client_secret_gives_a_token_that_says_who_it_is() {
    let world = World::new().await;
    let machine = world.machine("member", Settings::default()).await;
    let answer = world.login(&machine).await.unwrap();
    assert_eq!((answer.expires_in, answer.access_token_max_ttl), (2_592_000, 2_592_000));
    assert_eq!(answer.token_type, "Bearer");
    let claims = world.claims(&answer.access_token);
    assert_eq!(claims.identity_id, machine.id.uuid());
    assert_eq!(claims.client_secret_id, Some(machine.secret_id.uuid()));
    assert_eq!(claims.auth_method_id, machine.method.uuid());
    assert_eq!(claims.org_id, world.ours.organization.uuid());
    assert!(!claims.ip_restriction_enabled && claims.num_uses_limit.is_none());
    let caller = world.request(&answer.access_token).await.unwrap();
    assert_eq!(caller.actor.id(), machine.id.uuid());
    assert!(caller.actor_metadata.contains("universal-auth"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn c12_one_use_secret_admits_exactly_one_login() {
    let world = Arc::new(World::new().await);
    let machine = world.machine_with("member", Settings::default(), limited(1)).await;
    let mut logins = JoinSet::new();
    for _ in 0..500 {
        let (world, machine) = (Arc::clone(&world), machine.clone());
        logins.spawn(async move { world.login(&machine).await });
    }
    let (mut admitted, mut refused) = (0, 0);
    while let Some(login) = logins.join_next().await {
        match login.unwrap() {
            Ok(_) => admitted += 1,
            Err(Error::Unauthorized(text)) => {
                assert!(text.contains("usage limit reached"), "{text}");
                refused += 1;
            }
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!((admitted, refused), (1, 499));
    let secret = world.core.get_client_secret(&world.ours, machine.id, machine.secret_id).await;
    assert_eq!(secret.unwrap().client_secret_data.client_secret_num_uses, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn c13_guesses_lock_out_their_own_source_and_nobody_else() {
    let world = Arc::new(World::new().await);
    let machine = world.machine("member", Settings::default()).await;
    let mut guesses = JoinSet::new();
    for _ in 0..60 {
        let (world, machine) = (Arc::clone(&world), machine.clone());
        guesses.spawn(async move { guess(&world, &machine.client_id, ATTACKER).await });
    }
    for _ in 0..20 {
        assert!(world.login(&machine).await.is_ok(), "the owner logs in during the attack");
    }
    let texts = guesses.join_all().await;
    assert_eq!(texts.iter().filter(|text| *text == WRONG).count(), 3, "the threshold, no more");
    assert_eq!(texts.iter().filter(|text| *text == LOCKED).count(), 57);

    let late = world.core.universal_auth_login(&machine.proof(), &from(ATTACKER)).await;
    assert_eq!(unauthorized(late), LOCKED, "the right secret does not end a lockout");
    world.clock.advance(301);
    assert!(world.core.universal_auth_login(&machine.proof(), &from(ATTACKER)).await.is_ok());
}

#[tokio::test]
async fn c13_counting_starts_anew_after_a_pause_and_after_a_success() {
    let world = World::new().await;
    let machine = world.machine("member", Settings::default()).await;
    for _ in 0..2 {
        assert_eq!(guess(&world, &machine.client_id, HOME).await, WRONG);
    }
    world.clock.advance(31);
    for _ in 0..2 {
        assert_eq!(guess(&world, &machine.client_id, HOME).await, WRONG);
    }
    assert!(world.login(&machine).await.is_ok());
    for _ in 0..3 {
        assert_eq!(guess(&world, &machine.client_id, HOME).await, WRONG);
    }
    // In another spelling, the client id is still the same client.
    assert_eq!(guess(&world, &machine.client_id.to_uppercase(), HOME).await, LOCKED);
}

#[tokio::test]
async fn clearing_lockouts_lets_everybody_try_again() {
    let world = World::new().await;
    let machine = world.machine("member", Settings::default()).await;
    for ip in [HOME, ATTACKER] {
        for _ in 0..4 {
            guess(&world, &machine.client_id, ip).await;
        }
    }
    let cleared = world.core.clear_lockouts(&world.ours, machine.id).await.unwrap();
    assert_eq!(cleared.deleted, 2);
    assert!(world.login(&machine).await.is_ok());
    assert_eq!(world.core.clear_lockouts(&world.ours, machine.id).await.unwrap().deleted, 0);
}

#[tokio::test]
async fn a_switched_off_lockout_never_locks() {
    let world = World::new().await;
    let settings = Settings { lockout_enabled: Some(false), ..Settings::default() };
    let machine = world.machine("member", settings).await;
    for _ in 0..10 {
        assert_eq!(guess(&world, &machine.client_id, HOME).await, WRONG);
    }
    assert!(world.login(&machine).await.is_ok());
}

/// Statements, keyed hashes and audit records that a login takes.
async fn work(world: &World, client_id: &str, secret: &str, ip: &str) -> (u64, u64, i64) {
    const RECORDS: &str = "SELECT COUNT(*) FROM audit_logs";
    let records = world.number(RECORDS).await;
    let (statements, hashes) = (world.store.statements(), world.core.keys.lookup.hashes());
    let _ = world.core.universal_auth_login(&proof(client_id, secret), &from(ip)).await;
    let statements = world.store.statements() - statements;
    let hashes = world.core.keys.lookup.hashes() - hashes;
    (statements, hashes, world.number(RECORDS).await - records)
}

#[tokio::test]
async fn c14_a_thousand_client_secrets_do_not_make_a_login_dearer() {
    let world = World::new().await;
    let machine = world.machine("member", Settings::default()).await;
    let before = work(&world, &machine.client_id, &machine.secret, HOME).await;
    assert_eq!(before, (1, 1, 1), "one query, one hash, one record");

    let method = kms_store::auth_methods::find(
        &world.store,
        world.ours.organization,
        machine.id,
        "universal-auth",
    );
    let method = method.await.unwrap().unwrap();
    let mut tx = world.store.begin().await.unwrap();
    let mut last = None;
    for _ in 0..1_000 {
        let body = CreateClientSecret::default();
        last = Some(world.core.insert_client_secret(&mut tx, &method, &body).await.unwrap().0);
    }
    tx.commit().await.unwrap();
    let last = last.unwrap();
    for secret in [machine.secret.as_str(), last.expose_secret()] {
        // From elsewhere, so that nothing is remembered of it.
        assert_eq!(work(&world, &machine.client_id, secret, "192.0.2.77").await, before);
    }
}

#[tokio::test]
async fn c13_what_is_remembered_of_a_client_hides_no_lockout_and_no_change() {
    let world = World::new().await;
    let machine = world.machine("member", Settings::default()).await;
    let login = async |ip| {
        let proof = proof(&machine.client_id, &machine.secret);
        world.core.universal_auth_login(&proof, &from(ip)).await
    };
    for expected in [1, 0, 0] {
        let work = work(&world, &machine.client_id, &machine.secret, ATTACKER).await;
        assert_eq!(work, (expected, 1, 1), "one query at first, then from memory");
    }
    for _ in 0..3 {
        assert_eq!(guess(&world, &machine.client_id, ATTACKER).await, WRONG);
    }
    assert_eq!(unauthorized(login(ATTACKER).await), LOCKED);
    login(HOME).await.unwrap();
    let (identity, secret) = (machine.id, machine.secret_id);
    world.core.revoke_client_secret(&world.ours, identity, secret).await.unwrap();
    assert_eq!(unauthorized(login(HOME).await), WRONG);
}

#[tokio::test]
async fn c15_an_unknown_client_costs_and_answers_like_a_wrong_secret() {
    let world = World::new().await;
    let machine = world.machine("member", Settings::default()).await;
    let quiet = Settings { lockout_enabled: Some(false), ..Settings::default() };
    let quiet = world.machine("member", quiet).await;
    let revoked = world.machine("member", Settings::default()).await;
    world.core.revoke_client_secret(&world.ours, revoked.id, revoked.secret_id).await.unwrap();
    let tries = [
        (machine.client_id.as_str(), "wrong"),
        (SOMEBODY, "wrong"),
        ("not a client id", "wrong"),
        (SOMEBODY, machine.secret.as_str()),
        (quiet.client_id.as_str(), machine.secret.as_str()),
        (revoked.client_id.as_str(), revoked.secret.as_str()),
    ];
    for (client_id, secret) in tries {
        let cost = work(&world, client_id, secret, "203.0.113.1").await;
        assert_eq!(cost, (2, 1, 1), "{client_id}");
        let (proof, home) = (proof(client_id, secret), from(HOME));
        let login = world.core.universal_auth_login(&proof, &home).await;
        assert_eq!(unauthorized(login), WRONG, "{client_id}");
    }
}

#[tokio::test]
async fn c15_an_unknown_client_locks_out_like_a_known_one() {
    let world = World::new().await;
    let machine = world.machine("member", Settings::default()).await;
    for client_id in [machine.client_id.as_str(), SOMEBODY] {
        let mut texts = Vec::new();
        for _ in 0..5 {
            texts.push(guess(&world, client_id, ATTACKER).await);
        }
        assert_eq!(texts, [WRONG, WRONG, WRONG, LOCKED, LOCKED], "{client_id}");
        assert_eq!(work(&world, client_id, "wrong", ATTACKER).await, (2, 1, 1));
    }
}

#[tokio::test]
async fn an_untrusted_address_is_refused_only_with_the_right_secret() {
    let world = World::new().await;
    let settings =
        Settings { client_secret_trusted_ips: Some(ips(&["192.0.2.0/24"])), ..Settings::default() };
    let machine = world.machine("member", settings).await;
    assert!(world.login(&machine).await.is_ok());
    let away = world.core.universal_auth_login(&machine.proof(), &from(ATTACKER)).await;
    assert_eq!(unauthorized(away), "Failed to authenticate");
    assert_eq!(guess(&world, &machine.client_id, ATTACKER).await, WRONG);
}

#[tokio::test]
async fn an_expired_client_secret_is_refused() {
    let world = World::new().await;
    let secret = CreateClientSecret { ttl: 60, ..CreateClientSecret::default() };
    let machine = world.machine_with("member", Settings::default(), secret).await;
    world.clock.advance(59);
    assert!(world.login(&machine).await.is_ok());
    world.clock.advance(1);
    let text = unauthorized(world.login(&machine).await);
    assert_eq!(text, "Access denied due to expired client secret");
}

#[tokio::test]
async fn t7_a_token_is_scoped_only_to_organizations_of_the_identity() {
    let world = World::new().await;
    let machine = world.machine("admin", Settings::default()).await;
    let their = kms_store::organizations::find(&world.store, world.theirs.organization).await;
    let mut asked = machine.proof();
    asked.organization_slug = Some(their.unwrap().unwrap().slug);
    let login = world.core.universal_auth_login(&asked, &from(HOME)).await;
    assert!(matches!(login, Err(Error::NotFound(_))), "another root is no sub-organization");
    let our = kms_store::organizations::find(&world.store, world.ours.organization).await;
    asked.organization_slug = Some(our.unwrap().unwrap().slug);
    let token = world.core.universal_auth_login(&asked, &from(HOME)).await.unwrap().access_token;
    assert_eq!(world.claims(&token).org_id, world.ours.organization.uuid());
}

#[tokio::test]
async fn t7_a_sub_organization_takes_only_its_own_members() {
    let world = World::new().await;
    let core = &world.core;
    let machine = world.machine("member", Settings::default()).await;
    let root = world.ours.organization;
    let mut tx = world.store.begin().await.unwrap();
    let mut sub = core.insert_organization(&mut tx, "unused").await.unwrap();
    sub.id = core.new_id();
    sub.slug = "sub".into();
    (sub.parent_id, sub.root_id, sub.tree_id) = (Some(root), Some(root), root.uuid());
    kms_store::organizations::insert(&mut tx, &sub).await.unwrap();
    tx.commit().await.unwrap();
    let mut asked = machine.proof();
    asked.organization_slug = Some("sub".into());
    let refused = core.universal_auth_login(&asked, &from(HOME)).await;
    assert_eq!(unauthorized(refused), "Identity not authorized to access sub organization sub");
    let mut tx = world.store.begin().await.unwrap();
    let member = ("identity", machine.id.uuid());
    core.insert_organization_member(&mut tx, sub.id, member, "admin").await.unwrap();
    tx.commit().await.unwrap();
    let answer = core.universal_auth_login(&asked, &from(HOME)).await.unwrap();
    let claims = world.claims(&answer.access_token);
    let ids = (claims.org_id, claims.root_org_id, claims.parent_org_id);
    assert_eq!(ids, (sub.id.uuid(), root.uuid(), root.uuid()));
    let caller = world.request(&answer.access_token).await.unwrap();
    assert_eq!(caller.organization, sub.id);
    let unseen = core.get_universal_auth(&caller, machine.id).await;
    assert!(matches!(unseen, Err(Error::NotFound(_))), "the identity lives in the root");
}

#[tokio::test]
async fn d4_logins_leave_nothing_but_their_audit_records() {
    const ROWS: &str = "SELECT (SELECT COUNT(*) FROM revoked_tokens)
        + (SELECT COUNT(*) FROM token_uses) + (SELECT COUNT(*) FROM token_auth_tokens)
        + (SELECT COUNT(*) FROM login_lockouts) + (SELECT COUNT(*) FROM client_secrets)
        + (SELECT COUNT(*) FROM organization_memberships)
        + (SELECT COUNT(*) FROM identities)";
    let world = World::new().await;
    let settings = Settings::default();
    let machine = world.machine("member", settings).await;
    let (rows, records) =
        (world.number(ROWS).await, world.number("SELECT COUNT(*) FROM audit_logs").await);
    let statements = world.store.statements();
    for _ in 0..200 {
        world.login(&machine).await.unwrap();
    }
    assert_eq!(world.store.statements() - statements, 1, "one query in all, no other statement");
    assert_eq!(world.number(ROWS).await, rows);
    assert_eq!(world.number("SELECT COUNT(*) FROM audit_logs").await, records + 200);
}

#[tokio::test]
async fn d4_what_failed_logins_leave_is_swept() {
    let world = World::new().await;
    for client in 0..50_u128 {
        guess(&world, &uuid::Uuid::from_u128(client + 1).to_string(), ATTACKER).await;
    }
    assert_eq!(world.number("SELECT COUNT(*) FROM login_lockouts").await, 50);
    world.clock.advance(31);
    world.core.sweep().await.unwrap();
    assert_eq!(world.number("SELECT COUNT(*) FROM login_lockouts").await, 0);
}

#[tokio::test]
async fn uses_and_last_logins_are_shown_at_once_and_written_by_the_sweep() {
    let world = World::new().await;
    let machine = world.machine("member", Settings::default()).await;
    for _ in 0..3 {
        world.login(&machine).await.unwrap();
    }
    let uses = async || {
        let list = world.core.list_client_secrets(&world.ours, machine.id).await.unwrap();
        list.client_secret_data[0].client_secret_num_uses
    };
    assert_eq!(uses().await, 3);
    assert_eq!(world.number("SELECT SUM(uses) FROM client_secrets").await, 0);
    world.core.sweep().await.unwrap();
    assert_eq!(world.number("SELECT SUM(uses) FROM client_secrets").await, 3);
    assert_eq!(uses().await, 3);
    let member = world.core.get_identity(&world.ours, machine.id).await.unwrap().identity;
    assert_eq!(member.last_login_auth_method.as_deref(), Some("universal-auth"));
    assert_eq!(member.last_login_time, Some(world.core.now()));
}

#[tokio::test]
async fn failed_logins_are_in_the_log_of_the_organization_that_was_aimed_at() {
    let world = World::new().await;
    let machine = world.machine("member", Settings::default()).await;
    guess(&world, &machine.client_id, ATTACKER).await;
    guess(&world, SOMEBODY, ATTACKER).await;
    let failed = "SELECT COUNT(*) FROM audit_logs
        WHERE event_type = 'login-identity-universal-auth-failed'
            AND org_id IN (SELECT id FROM organizations)";
    assert_eq!(world.number(failed).await, 1);
    let nobodys = "SELECT COUNT(*) FROM audit_logs
        WHERE event_type = 'login-identity-universal-auth-failed'
            AND org_id NOT IN (SELECT id FROM organizations)";
    assert_eq!(world.number(nobodys).await, 1);
}

#[tokio::test]
async fn k8_rows_that_were_changed_behind_the_server_admit_nobody() {
    for change in [
        "UPDATE identity_auth_methods SET access_token_ttl = 315360000",
        "UPDATE identities SET is_instance_admin = TRUE",
        "UPDATE client_secrets SET uses_limit = 0",
        "UPDATE organization_memberships SET role = 'admin' WHERE principal_kind = 'identity'",
    ] {
        let world = World::new().await;
        let machine = world.machine_with("member", Settings::default(), limited(5)).await;
        let token = world.token(&machine).await;
        assert!(world.tamper(change).await > 0);
        assert!(matches!(world.login(&machine).await, Err(Error::Internal(_))), "{change}");
        assert!(matches!(world.request(&token).await, Err(Error::Internal(_))), "{change}");
    }
}

/// A login of a machine that is no longer what it was.
async fn lapsed(change: impl AsyncFnOnce(&World, &Machine)) -> String {
    let world = World::new().await;
    let machine = world.machine("member", Settings::default()).await;
    change(&world, &machine).await;
    unauthorized(world.login(&machine).await)
}

#[tokio::test]
async fn t6_a_machine_that_is_no_acting_member_cannot_log_in() {
    let inactive = "Identity organization membership is inactive";
    for (status, is_active) in [("invited", true), ("accepted", false), ("invited", false)] {
        let text = lapsed(async |world, machine| {
            world.set_membership(machine.id, status, is_active).await;
        });
        assert_eq!(text.await, inactive, "{status} {is_active}");
    }
    let removed = lapsed(async |world, _| {
        world
            .tamper("DELETE FROM organization_memberships WHERE principal_kind = 'identity'")
            .await;
    });
    assert_eq!(removed.await, "Identity is not a member of the organization");
    let deleted = lapsed(async |world, machine| {
        world.core.delete_identity(&world.ours, machine.id).await.unwrap();
    });
    assert_eq!(deleted.await, WRONG);
    let detached = lapsed(async |world, machine| {
        world.core.detach_universal_auth(&world.ours, machine.id).await.unwrap();
    });
    assert_eq!(detached.await, WRONG);
}
