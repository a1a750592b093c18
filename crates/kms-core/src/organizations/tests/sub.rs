//! Sub-organizations, and who acts in them.

use kms_api::{
    OrganizationId,
    auth::universal::{Proof, Settings},
    identities::OrganizationIdentityBody,
    organizations::{
        CreateSubOrganization, ListSubOrganizationsQuery, UpdateOrganization, UpdateSubOrganization,
    },
    wire::WireBool,
};

use super::colleague;
use crate::{
    Actor, Caller, Error, Origin,
    testing::{World, person, signed_in},
};

async fn sub(world: &World, caller: &Caller, name: &str) -> OrganizationId {
    let body = CreateSubOrganization { name: name.into(), slug: None };
    world.core.create_sub_organization(caller, &body).await.unwrap().organization.id
}

#[tokio::test]
async fn a_root_has_sub_organizations_with_slugs_unique_below_it() {
    let world = World::new().await;
    let core = &world.core;
    let team = sub(&world, &world.ours, "team").await;
    // Another root may use the same slug.
    sub(&world, &world.theirs, "team").await;
    let again = CreateSubOrganization { name: "team".into(), slug: None };
    let taken = core.create_sub_organization(&world.ours, &again).await;
    assert!(matches!(taken, Err(Error::BadRequest { .. })), "{taken:?}");
    for name in ["", "Team", "a b", "a--b", "-a", &"x".repeat(65)] {
        let body = CreateSubOrganization { name: name.into(), slug: None };
        let refused = core.create_sub_organization(&world.ours, &body).await;
        assert!(matches!(refused, Err(Error::Validation(_))), "{name}");
    }
    let body = UpdateSubOrganization { name: Some("crew".into()), slug: Some("crew".into()) };
    let changed = core.update_sub_organization(&world.ours, team, &body).await.unwrap();
    assert_eq!(changed.organization.slug, "crew");
    assert_eq!(changed.organization.root_org_id, Some(world.ours.organization));
    let all = ListSubOrganizationsQuery::default();
    let list = core.list_sub_organizations(&world.ours, &all).await.unwrap();
    assert_eq!((list.organizations.len(), list.total_count), (1, 1));
    core.delete_sub_organization(&world.ours, team).await.unwrap();
    let gone = core.delete_sub_organization(&world.ours, team).await;
    assert!(matches!(gone, Err(Error::NotFound(_))), "{gone:?}");
}

#[tokio::test]
async fn there_is_one_level_and_policy_comes_from_the_root() {
    let world = World::new().await;
    let core = &world.core;
    let team = sub(&world, &world.ours, "team").await;
    let within = person(world.ours.actor.id().into(), team, "admin");
    let body = CreateSubOrganization { name: "deeper".into(), slug: None };
    let refused = core.create_sub_organization(&within, &body).await;
    assert!(matches!(refused, Err(Error::BadRequest { .. })), "{refused:?}");
    for body in [
        UpdateOrganization { enforce_mfa: Some(false), ..UpdateOrganization::default() },
        UpdateOrganization { allow_device_login: Some(true), ..UpdateOrganization::default() },
    ] {
        let refused = core.update_organization(&within, team, &body).await;
        assert!(matches!(refused, Err(Error::Validation(_))), "{refused:?}");
    }
    let refused = core.delete_organization(&within, team).await;
    assert!(matches!(refused, Err(Error::BadRequest { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_person_sees_the_sub_organizations_they_may_act_in() {
    let world = World::new().await;
    let core = &world.core;
    let team = sub(&world, &world.ours, "team").await;
    let grace = colleague(&world, "admin").await;
    let only = ListSubOrganizationsQuery {
        is_accessible: Some(WireBool(true)),
        ..ListSubOrganizationsQuery::default()
    };
    let seen = async |caller: &Caller| {
        let list = core.list_accessible_organizations(&signed_in(caller)).await.unwrap();
        let page = core.list_sub_organizations(caller, &only).await.unwrap();
        let below: Vec<_> = list.organizations[0].sub_organizations.iter().map(|s| s.id).collect();
        assert_eq!(page.organizations.iter().map(|s| s.id).collect::<Vec<_>>(), below);
        assert_eq!(list.organizations.len(), 1);
        below
    };
    assert_eq!(seen(&world.ours).await, [team]);
    assert!(seen(&grace).await.is_empty());
    core.join_sub_organization(&grace, team).await.unwrap();
    assert_eq!(seen(&grace).await, [team]);
    let again = core.join_sub_organization(&grace, team).await;
    assert!(matches!(again, Err(Error::BadRequest { .. })), "{again:?}");
}

#[tokio::test]
async fn t4_only_who_may_reach_everywhere_joins_and_changes_sub_organizations() {
    let world = World::new().await;
    let core = &world.core;
    let team = sub(&world, &world.ours, "team").await;
    for role in ["member", "no-access"] {
        let caller = colleague(&world, role).await;
        let body = CreateSubOrganization { name: "mine".into(), slug: None };
        let update = UpdateSubOrganization::default();
        for refused in [
            core.join_sub_organization(&caller, team).await,
            core.create_sub_organization(&caller, &body).await,
            core.update_sub_organization(&caller, team, &update).await,
            core.delete_sub_organization(&caller, team).await,
        ] {
            assert!(matches!(refused, Err(Error::PermissionDenied { .. })), "{role}: {refused:?}");
        }
    }
}

#[tokio::test]
async fn t1_sub_organizations_of_others_are_not_there() {
    let world = World::new().await;
    let core = &world.core;
    let theirs = sub(&world, &world.theirs, "team").await;
    let answers = async |id: OrganizationId| {
        let update = UpdateSubOrganization { name: Some("x".into()), slug: None };
        [
            core.update_sub_organization(&world.ours, id, &update).await,
            core.join_sub_organization(&world.ours, id).await,
            core.delete_sub_organization(&world.ours, id).await,
        ]
        .map(|answer| match answer {
            Err(Error::NotFound(text)) => text.replace(&id.to_string(), "ID"),
            other => panic!("{other:?}"),
        })
    };
    let nowhere = answers(core.new_id()).await;
    assert_eq!(answers(theirs).await, nowhere);
    // Neither is a root organization somebody's sub-organization, not even one's own.
    assert_eq!(answers(world.ours.organization).await, nowhere);
}

#[tokio::test]
async fn an_identity_of_the_root_is_let_into_a_sub_organization_and_out_again() {
    let world = World::new().await;
    let core = &world.core;
    let team = sub(&world, &world.ours, "team").await;
    let within = person(world.ours.actor.id().into(), team, "admin");
    let machine = world.machine("no-access", Settings::default()).await;
    let login = async || {
        let proof = Proof { organization_slug: Some("team".into()), ..machine.proof() };
        let answer = core.universal_auth_login(&proof, &Origin::default()).await?;
        core.authenticate(&answer.access_token, Origin::default()).await
    };
    let refused = login().await.map(|caller| caller.organization);
    assert!(matches!(refused, Err(Error::Unauthorized(_))), "not a member: {refused:?}");
    let body = OrganizationIdentityBody { role: Some("member".into()) };
    let added = core.add_organization_identity(&within, machine.id, &body).await.unwrap();
    assert_eq!(added.identity_membership.role, "member");
    let caller = login().await.unwrap();
    assert_eq!(caller.organization, team);
    assert!(matches!(caller.actor, Actor::Identity(identity) if identity.id == machine.id));
    let again = core.add_organization_identity(&within, machine.id, &body).await;
    assert!(matches!(again, Err(Error::BadRequest { .. })), "{again:?}");
    let body = OrganizationIdentityBody { role: Some("no-access".into()) };
    let changed = core.update_organization_identity(&within, machine.id, &body).await.unwrap();
    assert_eq!(changed.identity_membership.role, "no-access");
    core.remove_organization_identity(&within, machine.id).await.unwrap();
    let refused = login().await.map(|caller| caller.organization);
    assert!(matches!(refused, Err(Error::Unauthorized(_))), "out again: {refused:?}");
    // It still is what it was at home.
    let home = core.universal_auth_login(&machine.proof(), &Origin::default()).await;
    assert!(home.is_ok(), "{home:?}");
}

#[tokio::test]
async fn t4_nobody_lets_an_identity_in_with_more_than_they_hold() {
    let world = World::new().await;
    let core = &world.core;
    let team = sub(&world, &world.ours, "team").await;
    let machine = world.machine("no-access", Settings::default()).await;
    for role in ["member", "no-access"] {
        let within = person(world.ours.actor.id().into(), team, role);
        let body = OrganizationIdentityBody { role: Some("no-access".into()) };
        let refused = core.add_organization_identity(&within, machine.id, &body).await;
        assert!(matches!(refused, Err(Error::PermissionDenied { .. })), "{role}: {refused:?}");
    }
    // From the root itself nothing can be added to the root; the identity lives there.
    let body = OrganizationIdentityBody::default();
    let refused = core.add_organization_identity(&world.ours, machine.id, &body).await;
    assert!(matches!(refused, Err(Error::NotFound(_))), "{refused:?}");
    // An identity of another root is nobody's guest here.
    let theirs = world.identity(world.theirs.organization, "admin").await;
    let within = person(world.ours.actor.id().into(), team, "admin");
    let theirs = theirs.actor.id().into();
    let refused = core.add_organization_identity(&within, theirs, &body).await;
    assert!(matches!(refused, Err(Error::NotFound(_))), "{refused:?}");
}
