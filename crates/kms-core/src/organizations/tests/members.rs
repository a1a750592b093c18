//! Changing and ending memberships of people.

use kms_api::{
    MembershipId, OrganizationId,
    organizations::{CreateSubOrganization, UpdateOrganizationMembership},
};
use kms_store::organizations;

use super::{colleague, set_state};
use crate::{
    Caller, Error,
    testing::{World, person, signed_in},
};

async fn membership(world: &World, org: OrganizationId, caller: &Caller) -> MembershipId {
    let found = organizations::membership(&world.store, org, caller.actor.id(), "user").await;
    found.unwrap().expect("a member").id
}

fn role(role: &str) -> UpdateOrganizationMembership {
    UpdateOrganizationMembership { role: Some(role.into()), is_active: None }
}

fn active(is_active: bool) -> UpdateOrganizationMembership {
    UpdateOrganizationMembership { role: None, is_active: Some(is_active) }
}

#[tokio::test]
async fn an_administrator_changes_suspends_and_removes_members() {
    let world = World::new().await;
    let (core, org) = (&world.core, world.ours.organization);
    let grace = colleague(&world, "member").await;
    let id = membership(&world, org, &grace).await;
    let ours = &world.ours;
    let changed = core.update_organization_membership(ours, org, id, &role("admin")).await;
    assert_eq!(changed.unwrap().membership.role, "admin");
    let changed = core.update_organization_membership(ours, org, id, &active(false)).await;
    assert!(!changed.unwrap().membership.is_active);
    let sees = async || core.list_organizations(&signed_in(&grace)).await.unwrap().organizations;
    assert!(sees().await.is_empty(), "suspended");
    core.update_organization_membership(ours, org, id, &active(true)).await.unwrap();
    assert_eq!(sees().await.len(), 1);
    core.remove_organization_membership(ours, org, id).await.unwrap();
    assert!(sees().await.is_empty(), "removed");
    let gone = core.get_organization_membership(ours, org, id).await;
    assert!(matches!(gone, Err(Error::NotFound(_))), "{gone:?}");
}

#[tokio::test]
async fn the_last_administrator_stays() {
    let world = World::new().await;
    let (core, org, ours) = (&world.core, world.ours.organization, &world.ours);
    let id = membership(&world, org, ours).await;
    let colleague = colleague(&world, "member").await;
    for body in [role("member"), active(false)] {
        let refused = core.update_organization_membership(ours, org, id, &body).await;
        assert!(matches!(refused, Err(Error::BadRequest { .. })), "{refused:?}");
    }
    let refused = core.remove_organization_membership(ours, org, id).await;
    assert!(matches!(refused, Err(Error::BadRequest { .. })), "{refused:?}");
    let second = membership(&world, org, &colleague).await;
    core.update_organization_membership(ours, org, second, &role("admin")).await.unwrap();
    core.remove_organization_membership(ours, org, id).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_administrators_cannot_remove_each_other_at_once() {
    for _ in 0..8 {
        let world = World::new().await;
        let (core, org) = (world.core.clone(), world.ours.organization);
        let grace = colleague(&world, "admin").await;
        let ids =
            [membership(&world, org, &world.ours).await, membership(&world, org, &grace).await];
        let callers = [grace, world.ours.clone()];
        let tasks = callers.into_iter().zip(ids).map(|(caller, id)| {
            let core = core.clone();
            tokio::spawn(async move {
                core.remove_organization_membership(&caller, org, id).await.is_ok()
            })
        });
        let mut removed = 0;
        for task in tasks.collect::<Vec<_>>() {
            removed += usize::from(task.await.unwrap());
        }
        assert_eq!(removed, 1);
        assert_eq!(organizations::members(&world.store, org, "user").await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn t4_nobody_changes_members_without_the_right_or_gives_more_than_they_hold() {
    let world = World::new().await;
    let (core, org) = (&world.core, world.ours.organization);
    let victim = membership(&world, org, &world.ours).await;
    for held in ["member", "no-access"] {
        let caller = colleague(&world, held).await;
        let own = membership(&world, org, &caller).await;
        for id in [victim, own] {
            let admin = role("admin");
            let raised = core.update_organization_membership(&caller, org, id, &admin).await;
            assert!(matches!(raised, Err(Error::PermissionDenied { .. })), "{held}: {raised:?}");
        }
        let removed = core.remove_organization_membership(&caller, org, victim).await;
        assert!(matches!(removed, Err(Error::PermissionDenied { .. })), "{held}: {removed:?}");
        // Leaving is everybody's right.
        core.remove_organization_membership(&caller, org, own).await.unwrap();
    }
    for wrong in ["Admin", "ADMIN", "owner", "viewer", ""] {
        let wrong = role(wrong);
        let refused = core.update_organization_membership(&world.ours, org, victim, &wrong).await;
        assert!(refused.is_err(), "{wrong:?}");
    }
}

#[tokio::test]
async fn t1_members_of_another_organization_are_not_there() {
    let world = World::new().await;
    let (core, ours) = (&world.core, &world.ours);
    let theirs = membership(&world, world.theirs.organization, &world.theirs).await;
    for organization in [world.ours.organization, world.theirs.organization] {
        for refused in [
            core.get_organization_membership(ours, organization, theirs).await,
            core.update_organization_membership(ours, organization, theirs, &role("member")).await,
            core.remove_organization_membership(ours, organization, theirs).await,
        ] {
            assert!(matches!(refused, Err(Error::NotFound(_))), "{refused:?}");
        }
    }
}

#[tokio::test]
async fn k8_a_role_raised_below_in_the_database_is_not_made_genuine_by_a_suspension() {
    let world = World::new().await;
    let (core, org, ours) = (&world.core, world.ours.organization, &world.ours);
    let body = CreateSubOrganization { name: "team".into(), slug: None };
    let team = core.create_sub_organization(ours, &body).await.unwrap().organization.id;
    let grace = colleague(&world, "admin").await;
    core.join_sub_organization(&grace, team).await.unwrap();
    let above = membership(&world, org, &grace).await;
    world
        .tamper(
            "UPDATE organization_memberships SET role = 'member' WHERE org_id IN
        (SELECT id FROM organizations WHERE root_id IS NOT NULL)",
        )
        .await;
    let written = core.update_organization_membership(ours, org, above, &active(false)).await;
    assert!(matches!(written, Err(Error::Internal(_))), "{written:?}");
}

#[tokio::test]
async fn t6_who_is_suspended_in_or_removed_from_the_root_is_so_below_it() {
    let world = World::new().await;
    let (core, org, ours) = (&world.core, world.ours.organization, &world.ours);
    let body = CreateSubOrganization { name: "team".into(), slug: None };
    let team = core.create_sub_organization(ours, &body).await.unwrap().organization.id;
    let grace = colleague(&world, "admin").await;
    core.join_sub_organization(&grace, team).await.unwrap();
    let (above, below) =
        (membership(&world, org, &grace).await, membership(&world, team, &grace).await);
    core.update_organization_membership(ours, org, above, &active(false)).await.unwrap();
    let row = organizations::membership(&world.store, team, grace.actor.id(), "user").await;
    assert!(!row.unwrap().unwrap().is_active);
    // Nobody below brings back who is suspended above.
    let within = person(ours.actor.id().into(), team, "admin");
    let refused = core.update_organization_membership(&within, team, below, &active(true)).await;
    assert!(matches!(refused, Err(Error::BadRequest { .. })), "{refused:?}");
    core.update_organization_membership(ours, org, above, &active(true)).await.unwrap();
    core.update_organization_membership(&within, team, below, &active(true)).await.unwrap();
    core.remove_organization_membership(ours, org, above).await.unwrap();
    let row = organizations::membership(&world.store, team, grace.actor.id(), "user").await;
    assert!(row.unwrap().is_none());
}

#[tokio::test]
async fn h1_an_invitation_does_not_tell_the_name_behind_an_address() {
    let world = World::new().await;
    let (core, org) = (&world.core, world.ours.organization);
    let grace = colleague(&world, "member").await;
    let named = async || {
        let users = core.list_organization_users(&world.ours, org).await.unwrap().users;
        let grace = users.iter().find(|user| user.user.id.uuid() == grace.actor.id());
        grace.unwrap().user.first_name.clone()
    };
    assert_eq!(named().await.as_deref(), Some("Grace"));
    set_state(&world, &grace, "invited", true).await;
    assert_eq!(named().await, None);
}
