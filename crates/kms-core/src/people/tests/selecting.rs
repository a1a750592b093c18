use kms_api::OrganizationId;
use kms_crypto::claims::UserRefreshClaims;
use kms_store::organizations;
use uuid::Uuid;

use super::{Login, login_of, refused};
use crate::{Error, access::organization_mac, people::Selection, testing::World};

/// Another root organization with Ada in it.
async fn second_home(world: &World) -> OrganizationId {
    let id = world.theirs.organization;
    let user = users_id(world).await;
    let mut tx = world.store.begin().await.unwrap();
    world.core.insert_organization_member(&mut tx, id, ("user", user), "member").await.unwrap();
    tx.commit().await.unwrap();
    id
}

async fn users_id(world: &World) -> Uuid {
    let login = world.log_in().await;
    world.signed_in(&login.access).await.unwrap().user.id.uuid()
}

/// A sub-organization of ours, with Ada in it or not.
async fn below_ours(world: &World, with_ada: bool) -> OrganizationId {
    let user = users_id(world).await;
    let mut tx = world.store.begin().await.unwrap();
    let mut row = world.core.insert_organization(&mut tx, "below").await.unwrap();
    row.id = world.core.new_id();
    let root = world.ours.organization;
    (row.parent_id, row.root_id, row.tree_id) = (Some(root), Some(root), root.uuid());
    row.mac = organization_mac(&world.core.keys.rows, &row).finish().to_vec();
    organizations::insert(&mut tx, &row).await.unwrap();
    if with_ada {
        let ada = ("user", user);
        world.core.insert_organization_member(&mut tx, row.id, ada, "member").await.unwrap();
    }
    tx.commit().await.unwrap();
    row.id
}

#[tokio::test]
async fn a_token_for_a_sub_organization_says_both() {
    let world = World::new().await;
    world.ada().await;
    let below = below_ours(&world, true).await;
    let login = world.log_in().await;
    let inside = world.enter(&login, below).await;
    let claims = world.user_claims(&inside.access);
    assert_eq!(claims.organization_id, Some(world.ours.organization.uuid()));
    assert_eq!(claims.sub_organization_id, Some(below.uuid()));
    assert_eq!(world.request(&inside.access).await.unwrap().organization, below);
    let again = world.refresh(&inside).await.unwrap();
    assert_eq!(world.request(&again.access).await.unwrap().organization, below);
    world
        .tamper(
            "DELETE FROM organization_memberships WHERE org_id IN
        (SELECT id FROM organizations WHERE root_id IS NULL)",
        )
        .await;
    let error = refused(world.request(&inside.access).await);
    assert!(error.to_string().contains("not member"), "the root counts too: {error}");
}

#[tokio::test]
async fn t1_an_organization_of_others_answers_as_if_there_were_none() {
    let world = World::new().await;
    world.ada().await;
    let (below, theirs) = (below_ours(&world, false).await, world.theirs.organization);
    let login = world.log_in().await;
    let nowhere = OrganizationId::from(Uuid::nil());
    for id in [below, theirs, nowhere] {
        let error = refused(world.select(&login, id, None).await);
        assert!(matches!(error, Error::NotFound(_)), "{error}");
        assert_eq!(error.to_string(), format!("Organization with ID '{id}' not found"));
    }
}

#[tokio::test]
async fn a_second_organization_gets_a_session_of_its_own() {
    let world = World::new().await;
    world.ada().await;
    let other = second_home(&world).await;
    let login = world.log_in().await;
    let first = world.enter(&login, world.ours.organization).await;
    let second = world.enter(&first, other).await;
    for (login, organization) in [(&first, world.ours.organization), (&second, other)] {
        let mut login: Login = login.clone();
        for _ in 0..3 {
            login = world.refresh(&login).await.unwrap();
            let caller = world.request(&login.access).await.unwrap();
            assert_eq!(caller.organization, organization, "both go on");
        }
    }
}

#[tokio::test]
async fn a_browser_takes_its_session_along() {
    let world = World::new().await;
    world.ada().await;
    let other = second_home(&world).await;
    let login = world.log_in().await;
    let first = world.enter(&login, world.ours.organization).await;
    let cookie = Some(first.refresh.as_str());
    let second = match world.select(&first, other, cookie).await.unwrap() {
        Selection::Opened(opened) => login_of(opened, |answer| answer.token),
        Selection::Owes(_) => panic!("a second factor"),
    };
    let session = |login: &Login| world.user_claims(&login.access).token_version_id;
    assert_eq!(session(&first), session(&second));
    // What the jar held before is set aside, but nobody stole it.
    assert!(world.refresh(&first).await.is_err());
    assert!(world.refresh(&second).await.is_ok());
}

#[tokio::test]
async fn an_organization_ends_logins_sooner() {
    let world = World::new().await;
    world.ada().await;
    world.change_ours(|row| row.user_token_expiration = Some("8h".into())).await;
    let login = world.log_in().await;
    let inside = world.enter(&login, world.ours.organization).await;
    let now = world.core.now().seconds();
    let claims: UserRefreshClaims = world.core.keys.tokens.verify(&inside.refresh, now).unwrap();
    assert_eq!(claims.exp, now + 8 * 3_600);
    world.clock.advance(8 * 3_600 - 60);
    let late = world.refresh(&inside).await.unwrap();
    assert_eq!(world.user_claims(&late.access).exp, now + 8 * 3_600);
    world.clock.advance(60);
    assert!(world.refresh(&late).await.is_err());
    let error = refused(world.select(&login, world.ours.organization, None).await);
    assert!(matches!(error, Error::Token(_) | Error::SessionOver { .. }), "{error}");
}
