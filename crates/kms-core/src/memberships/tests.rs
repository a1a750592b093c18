use kms_api::{
    IdentityId, ProjectId,
    environments::CreateEnvironment,
    memberships::{IdentityMembershipBody, ListMembershipsQuery, RoleInput},
    projects::{CreateProject, ListProjectsQuery},
};

use crate::{
    Caller, Error,
    access::PROJECT_ROLES,
    testing::{NOON, World},
};

async fn project(world: &World, caller: &Caller) -> ProjectId {
    let body = CreateProject { project_name: "p".into(), ..CreateProject::default() };
    world.core.create_project(caller, &body).await.unwrap().project.id
}

fn role(slug: &str) -> IdentityMembershipBody {
    IdentityMembershipBody { role: Some(slug.into()), roles: None }
}

fn id_of(machine: &Caller) -> IdentityId {
    machine.actor.id().into()
}

/// A machine of our organization with a role in a project.
async fn member(world: &World, project: ProjectId, slug: &str) -> Caller {
    let machine = world.identity(world.ours.organization, "no-access").await;
    let body = role(slug);
    world.core.add_identity_membership(&world.ours, project, id_of(&machine), &body).await.unwrap();
    machine
}

/// Whether a machine may write in a project: what members may and viewers may not.
async fn writes(world: &World, project: ProjectId, machine: &Caller) -> Result<(), Error> {
    let slug = world.core.slug_tail();
    let body = CreateEnvironment { name: "e".into(), slug, position: None };
    world.core.create_environment(machine, project, &body).await.map(|_| ())
}

#[tokio::test]
async fn an_identity_is_added_changed_and_removed() {
    let world = World::new().await;
    let project = project(&world, &world.ours).await;
    let machine = world.identity(world.ours.organization, "no-access").await;
    let (core, ours, id) = (&world.core, &world.ours, id_of(&machine));
    let added = core.add_identity_membership(ours, project, id, &role("viewer")).await.unwrap();
    let added = added.identity_membership;
    assert_eq!((added.identity_id, added.project_id), (id, project));
    assert_eq!(added.roles[0].role, "viewer");
    assert!(writes(&world, project, &machine).await.is_err());
    let again = core.add_identity_membership(ours, project, id, &role("viewer")).await;
    assert!(matches!(again, Err(Error::BadRequest { .. })), "{again:?}");

    core.update_identity_membership(ours, project, id, &role("member")).await.unwrap();
    writes(&world, project, &machine).await.unwrap();
    let read = core.get_identity_membership(ours, project, id).await.unwrap();
    let roles = read.identity_membership.roles;
    assert_eq!(roles.iter().map(|role| role.role.as_str()).collect::<Vec<_>>(), ["member"]);

    core.remove_identity_membership(ours, project, id).await.unwrap();
    assert!(writes(&world, project, &machine).await.is_err());
    let gone = core.get_identity_membership(ours, project, id).await;
    assert!(matches!(gone, Err(Error::NotFound(_))), "{gone:?}");
}

#[tokio::test]
async fn a_member_without_a_named_role_may_nothing() {
    let world = World::new().await;
    let project = project(&world, &world.ours).await;
    let machine = world.identity(world.ours.organization, "admin").await;
    let body = IdentityMembershipBody::default();
    let added =
        world.core.add_identity_membership(&world.ours, project, id_of(&machine), &body).await;
    assert_eq!(added.unwrap().identity_membership.roles[0].role, "no-access");
    assert!(writes(&world, project, &machine).await.is_err());
}

#[tokio::test]
async fn t1_an_identity_of_another_organization_answers_as_one_that_does_not_exist() {
    let world = World::new().await;
    let project = project(&world, &world.ours).await;
    let foreign = id_of(&world.identity(world.theirs.organization, "admin").await);
    let absent: IdentityId = world.core.new_id();
    let answers = async |id: IdentityId| {
        let (core, ours, body) = (&world.core, &world.ours, role("viewer"));
        let text = |result: Result<(), Error>| match result {
            Err(Error::NotFound(text)) => text.replace(&id.to_string(), "ID"),
            other => panic!("{other:?}"),
        };
        [
            text(core.add_identity_membership(ours, project, id, &body).await.map(|_| ())),
            text(core.update_identity_membership(ours, project, id, &body).await.map(|_| ())),
            text(core.remove_identity_membership(ours, project, id).await.map(|_| ())),
            text(core.get_identity_membership(ours, project, id).await.map(|_| ())),
        ]
    };
    assert_eq!(answers(foreign).await, answers(absent).await);
}

#[tokio::test]
async fn t4_nobody_gives_takes_or_changes_more_than_they_hold() {
    let world = World::new().await;
    let project = project(&world, &world.ours).await;
    for giver_role in PROJECT_ROLES {
        let giver = member(&world, project, giver_role).await;
        for given in PROJECT_ROLES {
            let fresh = id_of(&world.identity(world.ours.organization, "no-access").await);
            let stronger = id_of(&member(&world, project, given).await);
            let core = &world.core;
            let added = core.add_identity_membership(&giver, project, fresh, &role(given)).await;
            let changed =
                core.update_identity_membership(&giver, project, stronger, &role(given)).await;
            let removed = core.remove_identity_membership(&giver, project, stronger).await;
            for result in [added, changed, removed] {
                assert_eq!(result.is_ok(), giver_role == "admin", "{giver_role} gives {given}");
            }
        }
    }
}

#[tokio::test]
async fn t4_the_right_to_manage_identities_is_no_right_to_raise_them() {
    let world = World::new().await;
    let project = project(&world, &world.ours).await;
    let manager = world.identity(world.ours.organization, "no-access").await;
    let rules = serde_json::json!([
        {"subject": "identity", "action": ["read", "create", "edit", "delete"]},
        {"subject": "secrets", "action": ["read", "describeSecret", "readValue"]},
    ]);
    let rules: Vec<kms_api::permissions::Rule> = serde_json::from_value(rules).unwrap();
    let holds = crate::access::RuleSet::new(rules);
    let may = |slug: &str| holds.require_covers(&crate::access::project_role(slug).unwrap());
    assert!(may("no-access").is_ok());
    for slug in ["viewer", "member", "admin"] {
        let Err(Error::PermissionBoundary { missing }) = may(slug) else { panic!("{slug}") };
        assert!(!missing.is_empty());
    }
    // Nor is being an administrator of the organization.
    let (id, body) = (id_of(&manager), role("admin"));
    let refused = world.core.add_identity_membership(&manager, project, id, &body).await;
    assert!(matches!(refused, Err(Error::Forbidden { .. })));
}

#[tokio::test]
async fn a_temporary_role_holds_from_its_start_to_its_end() {
    let world = World::new().await;
    let project = project(&world, &world.ours).await;
    let machine = world.identity(world.ours.organization, "no-access").await;
    let later = RoleInput {
        role: "member".into(),
        is_temporary: Some(true),
        temporary_mode: Some("relative".into()),
        temporary_range: Some("1h".into()),
        temporary_access_start_time: Some(NOON.plus_seconds(60)),
    };
    let body = IdentityMembershipBody { role: None, roles: Some(vec![later]) };
    let id = id_of(&machine);
    let added = world.core.add_identity_membership(&world.ours, project, id, &body).await.unwrap();
    let told = &added.identity_membership.roles[0];
    assert_eq!(told.temporary_access_end_time, Some(NOON.plus_seconds(3_660)));
    assert!(writes(&world, project, &machine).await.is_err(), "before it starts");
    world.clock.advance(60);
    writes(&world, project, &machine).await.unwrap();
    world.clock.advance(3_599);
    writes(&world, project, &machine).await.unwrap();
    world.clock.advance(1);
    assert!(writes(&world, project, &machine).await.is_err(), "after it ended");
}

#[tokio::test]
async fn lists_are_paged_and_searched_literally() {
    let world = World::new().await;
    let project = project(&world, &world.ours).await;
    let mut names = Vec::new();
    for _ in 0..5 {
        let machine = member(&world, project, "viewer").await;
        world.clock.advance(1);
        let crate::Actor::Identity(actor) = machine.actor else { unreachable!() };
        names.push(actor.name.to_string());
    }
    let list = async |query: ListMembershipsQuery| {
        world.core.list_identity_memberships(&world.ours, project, &query).await
    };
    let all = list(ListMembershipsQuery::default()).await.unwrap();
    let told: Vec<_> =
        all.identity_memberships.iter().map(|row| row.identity.clone().unwrap().name).collect();
    assert_eq!((told, all.total_count), (names.clone(), 5));
    let page = ListMembershipsQuery {
        offset: Some("3".into()),
        limit: Some("1".into()),
        ..ListMembershipsQuery::default()
    };
    let page = list(page).await.unwrap();
    assert_eq!(page.identity_memberships[0].identity.as_ref().unwrap().name, names[3]);
    assert_eq!((page.identity_memberships.len(), page.total_count), (1, 5));
    for (search, found) in
        [(names[2].to_uppercase(), 1), ("machine_".into(), 0), ("%".into(), 0), ("!".into(), 0)]
    {
        let query = ListMembershipsQuery {
            identity_name: Some(search.clone()),
            ..ListMembershipsQuery::default()
        };
        assert_eq!(list(query).await.unwrap().total_count, found, "{search}");
    }
    for (offset, limit) in [("-1", "1"), ("0", "0"), ("0", "1001"), ("x", "1")] {
        let query = ListMembershipsQuery {
            offset: Some(offset.into()),
            limit: Some(limit.into()),
            identity_name: None,
        };
        assert!(matches!(list(query).await, Err(Error::Validation(_))), "{offset} {limit}");
    }
}

#[tokio::test]
async fn k8_a_membership_edited_in_the_database_gives_nobody_anything() {
    for edit in [
        "UPDATE project_membership_roles SET role = 'admin'",
        "UPDATE project_membership_roles SET is_temporary = FALSE",
        "UPDATE project_membership_roles SET ends_at = ends_at + 1",
        "UPDATE project_membership_roles SET starts_at = starts_at - 1",
        "UPDATE project_membership_roles SET mac = X'00'",
        // The viewer's membership takes the administrator's roles over.
        "UPDATE project_membership_roles SET membership_id = (SELECT m.id FROM project_memberships
            m WHERE m.principal_kind = 'identity')",
        "UPDATE project_memberships SET mac = X'00'",
    ] {
        let world = World::new().await;
        let project = project(&world, &world.ours).await;
        let machine = world.identity(world.ours.organization, "no-access").await;
        let temporary = RoleInput {
            role: "viewer".into(),
            is_temporary: Some(true),
            temporary_range: Some("1h".into()),
            temporary_access_start_time: Some(NOON),
            temporary_mode: None,
        };
        let body = IdentityMembershipBody { role: None, roles: Some(vec![temporary]) };
        let (core, id) = (&world.core, id_of(&machine));
        core.add_identity_membership(&world.ours, project, id, &body).await.unwrap();
        core.get_project(&machine, project).await.unwrap();
        assert!(world.tamper(edit).await > 0, "{edit}");
        let used = core.get_project(&machine, project).await;
        assert!(matches!(used, Err(Error::Internal(_))), "{edit}: {used:?}");
        assert!(writes(&world, project, &machine).await.is_err(), "{edit}");
    }
}

#[tokio::test]
async fn k8_a_membership_moved_to_somebody_else_is_noticed() {
    let world = World::new().await;
    let project = project(&world, &world.ours).await;
    let intruder = world.identity(world.ours.organization, "no-access").await;
    let moved = world
        .tamper(
            "UPDATE project_memberships SET principal_kind = 'identity',
                principal_id = (SELECT id FROM identities)",
        )
        .await;
    assert_eq!(moved, 1);
    let used = world.core.get_project(&intruder, project).await;
    assert!(matches!(used, Err(Error::Internal(_))), "{used:?}");
    let listed = world.core.list_projects(&intruder, &ListProjectsQuery::default()).await;
    assert!(matches!(listed, Err(Error::Internal(_))), "{listed:?}");
}

fn of(slugs: &[String]) -> IdentityMembershipBody {
    let role = |slug: &String| RoleInput { role: slug.clone(), ..RoleInput::default() };
    IdentityMembershipBody { role: None, roles: Some(slugs.iter().map(role).collect()) }
}

async fn make_role(
    world: &World,
    project: ProjectId,
    slug: &str,
    rules: &[serde_json::Value],
) -> kms_api::RoleId {
    let body = kms_api::roles::CreateRole {
        slug: slug.into(),
        name: format!("Role {slug}"),
        description: None,
        permissions: rules.to_vec(),
    };
    world.core.create_project_role(&world.ours, project, &body).await.unwrap().role.id
}

async fn set_rules(
    world: &World,
    project: ProjectId,
    role: kms_api::RoleId,
    rules: &[serde_json::Value],
) -> Result<(), Error> {
    let permissions = Some(rules.to_vec());
    let body = kms_api::roles::UpdateRole { permissions, ..Default::default() };
    world.core.update_project_role(&world.ours, project, role, &body).await.map(drop)
}

#[tokio::test]
async fn h10_the_roles_of_one_member_are_bounded_together() {
    let world = World::new().await;
    let project = project(&world, &world.ours).await;
    let tags = serde_json::json!({"subject": "tags", "action": "read"});
    let named = serde_json::json!({"subject": "secrets", "action": "read",
        "conditions": {"secretName": {"$glob": format!("{}*", "*a".repeat(255))}}});
    let mut slugs = Vec::new();
    for index in 0..6 {
        slugs.push(format!("many-{index}"));
        make_role(&world, project, &slugs[index], &vec![tags.clone(); 100]).await;
    }
    for index in 0..3 {
        slugs.push(format!("long-{index}"));
        make_role(&world, project, &slugs[6 + index], &vec![named.clone(); 8]).await;
    }
    let machine = id_of(&world.identity(world.ours.organization, "no-access").await);
    let (core, ours) = (&world.core, &world.ours);
    for many in [&slugs[..6], &slugs[6..]] {
        let refused = core.add_identity_membership(ours, project, machine, &of(many)).await;
        assert!(matches!(refused, Err(Error::Validation(_))), "{refused:?}");
    }
    core.add_identity_membership(ours, project, machine, &of(&slugs[..5])).await.unwrap();
    core.update_identity_membership(ours, project, machine, &of(&slugs[6..8])).await.unwrap();

    // Nor does a role grow beyond that which somebody has.
    let small = make_role(&world, project, "small", std::slice::from_ref(&tags)).await;
    let held = [&slugs[..4], &["small".to_owned()]].concat();
    core.update_identity_membership(ours, project, machine, &of(&held)).await.unwrap();
    set_rules(&world, project, small, &vec![tags.clone(); 100]).await.unwrap();
    set_rules(&world, project, small, std::slice::from_ref(&tags)).await.unwrap();
    let held = [&slugs[6..8], &["small".to_owned()]].concat();
    core.update_identity_membership(ours, project, machine, &of(&held)).await.unwrap();
    let refused = set_rules(&world, project, small, &[named]).await;
    assert!(matches!(refused, Err(Error::Validation(_))), "{refused:?}");
    set_rules(&world, project, small, &vec![tags; 50]).await.unwrap();
}

/// What is compared before a write begins counts only for what was compared.
#[tokio::test]
async fn t4_a_membership_that_changed_since_it_was_compared_is_not_written() {
    let world = World::new().await;
    let project = project(&world, &world.ours).await;
    let (core, ours) = (&world.core, &world.ours);
    let tags = serde_json::json!({"subject": "tags", "action": "read"});
    let role = make_role(&world, project, "mine", std::slice::from_ref(&tags)).await;
    let machine = id_of(&world.identity(ours.organization, "no-access").await);
    let body = of(&["mine".to_owned()]);
    core.add_identity_membership(ours, project, machine, &body).await.unwrap();
    let access = core.project_access(ours, project).await.unwrap();
    let given = core.roles_to_give(&access, body.roles.as_deref().unwrap()).await.unwrap();
    let standing = async || {
        core.membership_to_change(&access, ("identity", machine.uuid()), &[]).await.unwrap()
    };
    let seen = standing().await;
    let stands = async |seen| {
        let mut tx = world.store.begin().await.unwrap();
        core.require_standing(&mut tx, &access, seen).await.is_ok()
    };
    assert!(stands(&seen).await);
    set_rules(&world, project, role, &[tags.clone(), tags]).await.unwrap();
    assert!(!stands(&seen).await, "the role changed");
    let mut tx = world.store.begin().await.unwrap();
    assert!(core.require_given_as_read(&mut tx, &given).await.is_err());
    drop(tx);
    let seen = standing().await;
    core.update_identity_membership(ours, project, machine, &self::role("viewer")).await.unwrap();
    assert!(!stands(&seen).await, "the membership did");
}
