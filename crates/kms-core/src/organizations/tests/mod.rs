mod members;
mod sub;

use kms_api::{
    OrganizationId, UserId,
    organizations::{CreateOrganization, CreateSubOrganization, UpdateOrganization},
    projects::{CreateProject, ListProjectsQuery},
};

use kms_store::{organization_memberships, organizations};

use crate::{
    Caller, Error, Origin,
    access::organization_membership_mac,
    testing::{World, person, signed_in},
};

/// A second person in our organization.
pub(super) async fn colleague(world: &World, role: &str) -> Caller {
    let new = crate::users::NewUser {
        email: format!("{}@ours.test", world.core.slug_tail()),
        first_name: Some("Grace".into()),
        last_name: None,
        password_hash: None,
        super_admin: false,
        is_accepted: true,
        is_email_verified: false,
    };
    let mut tx = world.store.begin().await.unwrap();
    let id: UserId = world.core.insert_user(&mut tx, new).await.unwrap().id;
    let principal = ("user", id.uuid());
    let org = world.ours.organization;
    world.core.insert_organization_member(&mut tx, org, principal, role).await.unwrap();
    tx.commit().await.unwrap();
    person(id, org, role)
}

#[tokio::test]
async fn a_person_sees_the_organizations_they_may_act_in() {
    let world = World::new().await;
    let list = world.core.list_organizations(&signed_in(&world.ours)).await.unwrap().organizations;
    assert_eq!(list.len(), 1);
    assert_eq!(list[0].id, world.ours.organization);
    assert_eq!(list[0].user_role.as_deref(), Some("admin"));
}

#[tokio::test]
async fn name_and_slug_change_by_who_may_change_settings() {
    let world = World::new().await;
    let (core, org) = (&world.core, world.ours.organization);
    let body = UpdateOrganization {
        name: Some("New Name".into()),
        slug: Some("new-name".into()),
        ..UpdateOrganization::default()
    };
    let changed = core.update_organization(&world.ours, org, &body).await.unwrap().organization;
    assert_eq!((changed.name.as_str(), changed.slug.as_str()), ("New Name", "new-name"));
    let read = core.get_organization(&world.ours, org).await.unwrap().organization;
    assert_eq!(read.slug, "new-name");
    for role in ["member", "no-access"] {
        let refused = core.update_organization(&colleague(&world, role).await, org, &body).await;
        assert!(matches!(refused, Err(Error::PermissionDenied { .. })), "{role}");
    }
    let theirs = world.theirs.organization;
    let taken = core.update_organization(&world.theirs, theirs, &body).await;
    assert!(matches!(taken, Err(Error::BadRequest { .. })), "{taken:?}");
    for name in ["", "a/b", "line\nbreak", &"x".repeat(65)] {
        let body = UpdateOrganization { name: Some(name.into()), ..UpdateOrganization::default() };
        let refused = core.update_organization(&world.ours, org, &body).await;
        assert!(matches!(refused, Err(Error::Validation(_))), "{name:?}");
    }
}

#[tokio::test]
async fn what_is_asked_of_members_changes_and_only_to_what_there_is() {
    let world = World::new().await;
    let (core, org) = (&world.core, world.ours.organization);
    let body = UpdateOrganization {
        default_membership_role_slug: Some("no-access".into()),
        enforce_mfa: Some(true),
        selected_mfa_method: Some("totp".into()),
        user_token_expiration: Some("8h".into()),
        allow_device_login: Some(false),
        ..UpdateOrganization::default()
    };
    let changed = core.update_organization(&world.ours, org, &body).await.unwrap().organization;
    assert_eq!(changed.default_membership_role, "no-access");
    assert_eq!((changed.enforce_mfa, changed.selected_mfa_method.as_deref()), (true, Some("totp")));
    assert_eq!(changed.user_token_expiration.as_deref(), Some("8h"));
    assert!(!changed.allow_device_login);
    for (method, expiration, role) in [
        (Some("sms"), None, None),
        (None, Some("0h"), None),
        (None, Some("8"), None),
        (None, None, Some("Admin")),
        (None, None, Some("viewer")),
    ] {
        let body = UpdateOrganization {
            selected_mfa_method: method.map(Into::into),
            user_token_expiration: expiration.map(Into::into),
            default_membership_role_slug: role.map(Into::into),
            ..UpdateOrganization::default()
        };
        let refused = core.update_organization(&world.ours, org, &body).await;
        assert!(refused.is_err(), "{body:?}");
    }
    // Codes by mail need a mail server, and there is none here.
    let body = UpdateOrganization {
        enforce_mfa: Some(true),
        selected_mfa_method: Some("email".into()),
        ..UpdateOrganization::default()
    };
    let refused = core.update_organization(&world.ours, org, &body).await;
    assert!(matches!(refused, Err(Error::BadRequest { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_person_makes_an_organization_and_deletes_it_with_everything_in_it() {
    let world = World::new().await;
    let core = &world.core;
    let person_of_theirs = signed_in(&world.theirs);
    let body = CreateOrganization { name: "Second".into() };
    let made = core.create_organization(&person_of_theirs, &body).await.unwrap().organization;
    let list = core.list_organizations(&person_of_theirs).await.unwrap().organizations;
    assert_eq!(list.len(), 2);
    assert_eq!(list[1].user_role.as_deref(), Some("admin"));
    let admin = person(world.theirs.actor.id().into(), made.id, "admin");
    let sub = CreateSubOrganization { name: "below".into(), slug: None };
    let sub = core.create_sub_organization(&admin, &sub).await.unwrap().organization;
    let refused = core.delete_organization(&world.ours, made.id).await;
    assert!(matches!(refused, Err(Error::NotFound(_))), "{refused:?}");
    let member = person(world.theirs.actor.id().into(), made.id, "member");
    let refused = core.delete_organization(&member, made.id).await;
    assert!(matches!(refused, Err(Error::PermissionDenied { .. })), "{refused:?}");
    core.delete_organization(&admin, made.id).await.unwrap();
    assert_eq!(core.list_organizations(&person_of_theirs).await.unwrap().organizations.len(), 1);
    for gone in [made.id, sub.id] {
        assert!(organizations::find(&world.store, gone).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn t4_an_organization_with_who_administers_the_instance_is_not_deleted_from_within() {
    let world = World::new().await;
    let (core, org) = (&world.core, world.ours.organization);
    let new = crate::identities::NewIdentity {
        organization: org,
        name: "instance".into(),
        role: "admin".into(),
        has_delete_protection: false,
        metadata: None,
        is_instance_admin: true,
    };
    let mut tx = world.store.begin().await.unwrap();
    core.insert_identity(&mut tx, new).await.unwrap();
    tx.commit().await.unwrap();
    let refused = core.delete_organization(&world.ours, org).await;
    assert!(matches!(refused, Err(Error::PermissionBoundary { .. })), "{refused:?}");
    let super_admin = Caller { instance_admin: true, ..world.ours.clone() };
    core.delete_organization(&super_admin, org).await.unwrap();
}

#[tokio::test]
async fn people_are_listed_with_their_role() {
    let world = World::new().await;
    let grace = colleague(&world, "member").await;
    let org = world.ours.organization;
    let users = world.core.list_organization_users(&grace, org).await.unwrap().users;
    let mut told: Vec<_> = users.iter().map(|user| (user.user.id.uuid(), &*user.role)).collect();
    // Both came at the same moment; chance decides who is first.
    told.sort_by_key(|(_, role)| *role);
    assert_eq!(told, [(world.ours.actor.id(), "admin"), (grace.actor.id(), "member")]);
    let nobody = colleague(&world, "no-access").await;
    let refused = world.core.list_organization_users(&nobody, org).await;
    assert!(matches!(refused, Err(Error::PermissionDenied { .. })), "{refused:?}");
}

#[tokio::test]
async fn t1_another_organization_answers_as_one_that_does_not_exist() {
    let world = World::new().await;
    let answers = async |id: OrganizationId| {
        let (core, ours) = (&world.core, &world.ours);
        let text = |result: Result<(), Error>| match result {
            Err(Error::NotFound(text)) => text.replace(&id.to_string(), "ID"),
            other => panic!("{other:?}"),
        };
        let body = UpdateOrganization::default();
        [
            text(core.get_organization(ours, id).await.map(|_| ())),
            text(core.update_organization(ours, id, &body).await.map(|_| ())),
            text(core.list_organization_users(ours, id).await.map(|_| ())),
            text(core.list_organization_workspaces(ours, id).await.map(|_| ())),
        ]
    };
    assert_eq!(answers(world.theirs.organization).await, answers(world.core.new_id()).await);
}

#[tokio::test]
async fn only_projects_of_the_caller_are_listed() {
    let world = World::new().await;
    let body = CreateProject { project_name: "p".into(), ..CreateProject::default() };
    world.core.create_project(&world.ours, &body).await.unwrap();
    let org = world.ours.organization;
    let list = world.core.list_organization_workspaces(&world.ours, org).await.unwrap();
    assert_eq!(list.workspaces.len(), 1);
    assert_eq!(list.workspaces[0].environments[2].slug, "prod");
    let grace = colleague(&world, "admin").await;
    let list = world.core.list_organization_workspaces(&grace, org).await.unwrap();
    assert!(list.workspaces.is_empty());
    let query = ListProjectsQuery { r#type: Some("ssh".into()), include_roles: None };
    assert!(world.core.list_projects(&world.ours, &query).await.unwrap().projects.is_empty());
}

/// Writes the state of a membership as the server does.
async fn set_state(world: &World, member: &Caller, status: &str, is_active: bool) {
    let (org, principal) = (member.organization, member.actor.id());
    let mut tx = world.store.begin().await.unwrap();
    let row = organizations::membership(&mut tx, org, principal, "user").await.unwrap();
    let mut row = row.expect("a member");
    (row.status, row.is_active) = (status.to_owned(), is_active);
    row.mac = organization_membership_mac(&world.core.keys.rows, &row).finish().to_vec();
    assert!(organization_memberships::update(&mut tx, &row).await.unwrap());
    world.core.touches_rights(&mut tx);
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn t6_who_is_invited_or_suspended_neither_sees_the_organization_nor_acts_in_it() {
    let world = World::new().await;
    let (org, user) = (world.ours.organization, world.ours.actor.id().into());
    let token = world.sign_in(user, org).await;
    for (status, is_active, acts) in [
        ("accepted", true, true),
        ("accepted", false, false),
        ("invited", true, false),
        ("invited", false, false),
        ("accepted", true, true),
        ("Accepted", true, false),
    ] {
        set_state(&world, &world.ours, status, is_active).await;
        let list =
            world.core.list_organizations(&signed_in(&world.ours)).await.unwrap().organizations;
        assert_eq!(list.len(), usize::from(acts), "{status} {is_active}");
        let caller = world.core.authenticate(&token, Origin::default()).await;
        assert_eq!(caller.is_ok(), acts, "{status} {is_active}");
    }
}

#[tokio::test]
async fn k8_a_role_raised_in_the_database_is_noticed() {
    let world = World::new().await;
    let grace = colleague(&world, "no-access").await;
    assert!(world.core.list_organizations(&signed_in(&grace)).await.is_ok());
    world.tamper("UPDATE organization_memberships SET role = 'admin'").await;
    let listed = world.core.list_organizations(&signed_in(&grace)).await;
    assert!(matches!(listed, Err(Error::Internal(_))), "{listed:?}");
}
