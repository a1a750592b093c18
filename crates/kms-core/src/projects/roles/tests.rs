mod denials;

use std::sync::Arc;

use kms_api::{
    IdentityId, ProjectId, RoleId,
    identities::{IdentityMetadata, UpdateIdentity},
    memberships::{AddMembers, IdentityMembershipBody, RoleInput},
    permissions::Rule,
    projects::CreateProject,
    roles::{CreateRole, ProjectRole, UpdateRole},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::pack;
use crate::{
    Caller, Error, Result,
    access::{Action, Attributes, Facts, Subject},
    testing::{World, administrator, person},
    users::NewUser,
};

#[test]
fn rules_are_packed_without_zeros_at_the_end() {
    let packed = |rule: Value| pack(&serde_json::from_value::<Rule>(rule).unwrap());
    assert_eq!(
        packed(json!({"subject": "tags", "action": ["read", "edit"]})),
        [json!("read,edit"), json!("tags")]
    );
    assert_eq!(
        packed(json!({"subject": "secrets", "action": "read", "inverted": true})),
        [json!("read"), json!("secrets"), json!(0), json!(1)]
    );
    let conditions = json!({"environment": "prod"});
    assert_eq!(
        packed(json!({"subject": "secrets", "action": "read", "conditions": conditions})),
        [json!("read"), json!("secrets"), conditions]
    );
}

async fn project(world: &World) -> ProjectId {
    let body = CreateProject { project_name: "p".into(), ..CreateProject::default() };
    world.core.create_project(&world.ours, &body).await.unwrap().project.id
}

fn body(slug: &str, rules: &Value) -> CreateRole {
    CreateRole {
        slug: slug.into(),
        name: format!("Role {slug}"),
        description: None,
        permissions: rules.as_array().unwrap().clone(),
    }
}

async fn make_as(
    world: &World,
    caller: &Caller,
    project: ProjectId,
    slug: &str,
    rules: Value,
) -> Result<ProjectRole> {
    let made = world.core.create_project_role(caller, project, &body(slug, &rules)).await;
    made.map(|answer| answer.role)
}

async fn make(world: &World, project: ProjectId, slug: &str, rules: Value) -> ProjectRole {
    make_as(world, &world.ours, project, slug, rules).await.unwrap()
}

fn of(slugs: &[&str]) -> IdentityMembershipBody {
    let role = |slug: &&str| RoleInput { role: (*slug).into(), ..RoleInput::default() };
    IdentityMembershipBody { role: None, roles: Some(slugs.iter().map(role).collect()) }
}

fn id_of(machine: &Caller) -> IdentityId {
    machine.actor.id().into()
}

/// A machine with these roles in a project.
async fn member(world: &World, project: ProjectId, slugs: &[&str]) -> Caller {
    let machine = world.identity(world.ours.organization, "no-access").await;
    let id = id_of(&machine);
    world.core.add_identity_membership(&world.ours, project, id, &of(slugs)).await.unwrap();
    machine
}

async fn give(world: &World, project: ProjectId, machine: &Caller, slugs: &[&str]) -> Result<()> {
    let body = of(slugs);
    let core = &world.core;
    core.update_identity_membership(&world.ours, project, id_of(machine), &body).await.map(|_| ())
}

/// Whether somebody may read the value of a secret in a folder.
async fn reads(world: &World, caller: &Caller, project: ProjectId, at: (&str, &str)) -> bool {
    let access = world.core.project_access(caller, project).await.unwrap();
    let attributes = Attributes {
        environment: Some(at.0),
        secret_path: Some(at.1),
        secret_name: Some("A"),
        ..Attributes::default()
    };
    access.rules.allows(Action::ReadValue, Subject::Secrets, &attributes)
}

fn read_in(environment: &str) -> Value {
    json!([{"subject": "secrets", "action": "read", "conditions": {"environment": environment}}])
}

#[tokio::test]
async fn a_role_is_made_read_changed_and_deleted() {
    let world = World::new().await;
    let (core, ours, project) = (&world.core, &world.ours, project(&world).await);
    let made = make(&world, project, "readers", read_in("dev")).await;
    assert_eq!(json!(made.permissions.as_ref().unwrap()), read_in("dev"));
    let listed = core.list_project_roles(ours, project).await.unwrap().roles;
    let slugs: Vec<_> = listed.iter().map(|role| role.slug.as_str()).collect();
    assert_eq!(slugs, ["admin", "member", "viewer", "no-access", "readers"]);
    assert!(listed.iter().all(|role| role.permissions.is_none()));
    let taken = make_as(&world, ours, project, "readers", json!([])).await;
    assert!(matches!(taken, Err(Error::BadRequest { .. })), "{taken:?}");

    let change = UpdateRole {
        slug: Some("writers".into()),
        name: Some("Writers".into()),
        description: Some("who write".into()),
        permissions: None,
    };
    let changed = core.update_project_role(ours, project, made.id, &change).await.unwrap().role;
    assert_eq!((changed.slug.as_str(), changed.name.as_str()), ("writers", "Writers"));
    assert_eq!(json!(changed.permissions), read_in("dev"));
    for answer in [
        core.get_project_role(ours, project, "writers").await,
        core.get_role(ours, made.id).await,
        core.delete_project_role(ours, project, made.id).await,
    ] {
        assert_eq!(answer.unwrap().role.description.as_deref(), Some("who write"));
    }
    for gone in [
        core.get_project_role(ours, project, "writers").await,
        core.get_role(ours, made.id).await,
        core.delete_project_role(ours, project, made.id).await,
        core.update_project_role(ours, project, made.id, &change).await,
    ] {
        assert!(matches!(gone, Err(Error::NotFound(_))), "{gone:?}");
    }
    for kind in ["create-project-role", "update-project-role", "delete-project-role"] {
        assert_eq!(world.recorded(kind).await, 1, "{kind}");
    }
    let viewer = core.get_project_role(ours, project, "viewer").await.unwrap().role;
    assert!(!viewer.permissions.unwrap().is_empty());
    for result in [
        core.delete_project_role(ours, project, viewer.id).await,
        core.update_project_role(ours, project, viewer.id, &change).await,
    ] {
        assert!(matches!(result, Err(Error::BadRequest { .. })), "built in: {result:?}");
    }
}

#[tokio::test]
async fn a_role_counts_for_its_holders_at_once_and_stays_while_there_are_any() {
    let world = World::new().await;
    let (core, ours, project) = (&world.core, &world.ours, project(&world).await);
    let made = make(&world, project, "readers", read_in("dev")).await;
    let machine = member(&world, project, &["readers"]).await;
    assert!(reads(&world, &machine, project, ("dev", "/")).await);
    assert!(!reads(&world, &machine, project, ("prod", "/")).await);
    let told = core.get_identity_membership(ours, project, id_of(&machine)).await.unwrap();
    let role = &told.identity_membership.roles[0];
    assert_eq!(
        (role.role.as_str(), role.custom_role_slug.as_deref(), role.custom_role_id),
        ("custom", Some("readers"), Some(made.id.uuid()))
    );
    let permissions = core.caller_permissions(&machine, project).await.unwrap().data;
    assert_eq!(permissions.membership.roles[0].role, "readers");
    assert_eq!(permissions.permissions.len(), 1);

    let rules = read_in("prod").as_array().cloned();
    // Another slug: a membership knows a role by its id.
    let change =
        UpdateRole { slug: Some("other".into()), permissions: rules, ..Default::default() };
    core.update_project_role(ours, project, made.id, &change).await.unwrap();
    assert!(!reads(&world, &machine, project, ("dev", "/")).await);
    assert!(reads(&world, &machine, project, ("prod", "/")).await);

    let held = core.delete_project_role(ours, project, made.id).await;
    assert!(matches!(held, Err(Error::BadRequest { .. })), "{held:?}");
    give(&world, project, &machine, &["viewer"]).await.unwrap();
    core.delete_project_role(ours, project, made.id).await.unwrap();
}

#[tokio::test]
async fn t3_the_rules_of_several_roles_stand_in_the_order_of_the_roles() {
    let world = World::new().await;
    let project = project(&world).await;
    let no_prod = json!([{"subject": "secrets", "action": "read", "inverted": true,
        "conditions": {"environment": "prod"}}]);
    make(&world, project, "no-prod", no_prod).await;
    for _ in 0..4 {
        let denied = member(&world, project, &["viewer", "no-prod"]).await;
        assert!(reads(&world, &denied, project, ("dev", "/")).await);
        assert!(!reads(&world, &denied, project, ("prod", "/")).await, "a deny after an allow");
        let useless = member(&world, project, &["no-prod", "viewer"]).await;
        assert!(reads(&world, &useless, project, ("prod", "/")).await, "and before it");
    }
}

#[tokio::test]
async fn a_role_of_a_project_is_given_to_people_and_for_a_time() {
    let world = World::new().await;
    let (core, ours, project) = (&world.core, &world.ours, project(&world).await);
    make(&world, project, "readers", read_in("dev")).await;
    let new = NewUser {
        email: "ada@ours.test".into(),
        first_name: None,
        last_name: None,
        password_hash: None,
        super_admin: false,
        is_accepted: true,
        is_email_verified: false,
    };
    let mut tx = world.store.begin().await.unwrap();
    let ada = core.insert_user(&mut tx, new).await.unwrap().id;
    let principal = ("user", ada.uuid());
    core.insert_organization_member(&mut tx, ours.organization, principal, "member").await.unwrap();
    tx.commit().await.unwrap();
    let body = AddMembers {
        usernames: vec!["ada@ours.test".into()],
        role_slugs: Some(vec!["readers".into()]),
        ..AddMembers::default()
    };
    core.add_user_memberships(ours, project, &body).await.unwrap();
    let colleague = person(ada, ours.organization, "member");
    assert!(reads(&world, &colleague, project, ("dev", "/")).await);

    let machine = world.identity(ours.organization, "no-access").await;
    let role = RoleInput {
        role: "readers".into(),
        is_temporary: Some(true),
        temporary_mode: Some("relative".into()),
        temporary_range: Some("1h".into()),
        temporary_access_start_time: Some(crate::testing::NOON),
    };
    let body = IdentityMembershipBody { role: None, roles: Some(vec![role]) };
    core.add_identity_membership(ours, project, id_of(&machine), &body).await.unwrap();
    assert!(reads(&world, &machine, project, ("dev", "/")).await);
    world.clock.advance(3_600);
    assert!(!reads(&world, &machine, project, ("dev", "/")).await);
}

#[tokio::test]
async fn t4_names_of_built_in_roles_are_taken_in_whatever_case() {
    let world = World::new().await;
    let (core, ours, project) = (&world.core, &world.ours, project(&world).await);
    let made = make(&world, project, "mine", json!([])).await;
    for slug in ["admin", "member", "viewer", "no-access", "custom", "developer"] {
        let refused = make_as(&world, ours, project, slug, json!([])).await;
        assert!(matches!(refused, Err(Error::BadRequest { .. })), "{slug}");
        let change = UpdateRole { slug: Some(slug.into()), ..UpdateRole::default() };
        assert!(core.update_project_role(ours, project, made.id, &change).await.is_err(), "{slug}");
    }
    for slug in ["Admin", " ADMIN", "ad min", "", "a--b", "ädmin", "аdmin"] {
        let refused = make_as(&world, ours, project, slug, json!([])).await;
        assert!(refused.is_err(), "{slug}");
    }
    for name in ["Admin", "ADMIN", " admin ", "DEVELOPER", "no ACCESS", "Custom", "Member"] {
        let mut body = body("other", &json!([]));
        body.name = name.into();
        assert!(core.create_project_role(ours, project, &body).await.is_err(), "{name}");
    }
    for slug in ["Mine", "MINE", " mine"] {
        let machine = world.identity(ours.organization, "no-access").await;
        let given =
            core.add_identity_membership(ours, project, id_of(&machine), &of(&[slug])).await;
        assert!(matches!(given, Err(Error::BadRequest { .. })), "{slug}: {given:?}");
    }
    let machine = world.identity(ours.organization, "no-access").await;
    for slugs in [&["custom"][..], &["mine", "mine"], &[], &["owner"]] {
        let given = core.add_identity_membership(ours, project, id_of(&machine), &of(slugs)).await;
        assert!(given.is_err(), "{slugs:?}");
    }
}

#[tokio::test]
async fn t4_nobody_makes_changes_or_gives_a_role_stronger_than_themselves() {
    let world = World::new().await;
    let (core, project) = (&world.core, project(&world).await);
    let manager = json!([
        {"subject": "role", "action": ["read", "create", "edit", "delete"]},
        {"subject": "identity", "action": ["read", "create", "edit", "delete"]},
        {"subject": "secrets", "action": "read", "conditions": {"environment": "dev"}},
    ]);
    make(&world, project, "manager", manager).await;
    let strong = make(&world, project, "strong", read_in("prod")).await;
    let weak = make(&world, project, "weak", read_in("dev")).await;
    let manager = member(&world, project, &["manager"]).await;
    let is_boundary = |result: Result<()>| matches!(result, Err(Error::PermissionBoundary { .. }));

    make_as(&world, &manager, project, "fine", read_in("dev")).await.unwrap();
    for (slug, rules) in [
        ("prod", read_in("prod")),
        ("all", json!([{"subject": "secrets", "action": "readValue"}])),
        (
            "write",
            json!([{"subject": "secrets", "action": "edit",
            "conditions": {"environment": "dev"}}]),
        ),
        ("member", json!([{"subject": "member", "action": "create"}])),
        (
            "own",
            json!([{"subject": "secrets", "action": "read",
            "conditions": {"environment": "{{identity.metadata.env}}"}}]),
        ),
    ] {
        let slug = format!("role-{slug}");
        let refused = make_as(&world, &manager, project, &slug, rules).await;
        assert!(is_boundary(refused.map(drop)), "{slug}");
    }
    let to = |rules: Value| UpdateRole {
        permissions: rules.as_array().cloned(),
        ..UpdateRole::default()
    };
    let change = async |id: RoleId, body: &UpdateRole| {
        core.update_project_role(&manager, project, id, body).await.map(drop)
    };
    assert!(is_boundary(change(weak.id, &to(read_in("prod"))).await), "no role is raised");
    assert!(is_boundary(change(strong.id, &to(read_in("dev"))).await), "nor a stronger lowered");
    let renamed = UpdateRole { name: Some("x".into()), ..UpdateRole::default() };
    assert!(is_boundary(change(strong.id, &renamed).await));
    assert!(is_boundary(core.delete_project_role(&manager, project, strong.id).await.map(drop)));
    change(weak.id, &renamed).await.unwrap();

    let machine = world.identity(world.ours.organization, "no-access").await;
    for slug in ["strong", "admin", "viewer"] {
        let body = of(&[slug]);
        let given = core.add_identity_membership(&manager, project, id_of(&machine), &body).await;
        assert!(is_boundary(given.map(drop)), "{slug}");
    }
    core.add_identity_membership(&manager, project, id_of(&machine), &of(&["weak", "manager"]))
        .await
        .unwrap();
    let held = member(&world, project, &["weak", "strong"]).await;
    let body = of(&["weak"]);
    let taken = core.update_identity_membership(&manager, project, id_of(&held), &body).await;
    assert!(is_boundary(taken.map(drop)), "nor taken from somebody stronger");
}

#[tokio::test]
async fn rules_say_things_about_whoever_asks() {
    let world = World::new().await;
    let (core, ours, project) = (&world.core, &world.ours, project(&world).await);
    make(
        &world,
        project,
        "own",
        json!([
            {"subject": "secrets", "action": "read", "conditions": {
                "environment": "dev",
                "secretPath": {"$glob": "/teams/{{identity.metadata.team}}/**"}}},
            {"subject": "secrets", "action": "read",
                "conditions": {"secretPath": "/users/{{identity.id}}"}},
            {"subject": "secrets", "action": "read",
                "conditions": {"environment": "{{identity.auth.oidc.claims.environment}}"}},
        ]),
    )
    .await;
    let machine = world.machine("no-access", kms_api::auth::universal::Settings::default()).await;
    core.add_identity_membership(ours, project, machine.id, &of(&["own"])).await.unwrap();
    let token = world.token(&machine).await;
    let describe = async |team: &str| {
        let pair = IdentityMetadata { key: "team".into(), value: team.into() };
        let body = UpdateIdentity { metadata: Some(vec![pair]), ..UpdateIdentity::default() };
        core.update_identity(ours, machine.id, &body).await
    };
    let may = async |path: &str| {
        let caller = world.request(&token).await.unwrap();
        reads(&world, &caller, project, ("dev", path)).await
    };
    let users = format!("/users/{}", machine.id);
    assert!(may(&users).await && !may("/users/x").await);
    assert!(!may("/teams/blue").await, "nothing is known about a team");
    // The organization's administrator holds all that the role can come to.
    describe("blue").await.unwrap();
    assert!(may("/teams/blue/x").await && !may("/teams/red").await);
    describe("*").await.unwrap();
    assert!(!may("/teams/red").await, "T4: a value is no pattern");

    // What a login told is the token's, not the identity's.
    let caller = world.request(&token).await.unwrap();
    let with = |environment: &str| {
        let auth = json!({"oidc": {"claims": {"environment": environment}}});
        let auth = auth.as_object().cloned().unwrap();
        let print = Uuid::from_u128(u128::from(environment.len() as u64));
        let facts = Facts { auth, print, ..(*caller.facts).clone() };
        Caller { facts: Arc::new(facts), ..caller.clone() }
    };
    let (staging, prod) = (with("staging"), with("prod"));
    for _ in 0..2 {
        assert!(reads(&world, &staging, project, ("staging", "/")).await);
        assert!(!reads(&world, &staging, project, ("prod", "/")).await);
        assert!(reads(&world, &prod, project, ("prod", "/")).await);
        assert!(!reads(&world, &caller, project, ("prod", "/")).await);
    }
}

#[tokio::test]
async fn t1_roles_of_another_project_are_none() {
    let world = World::new().await;
    let (core, ours) = (&world.core, &world.ours);
    let (one, two) = (project(&world).await, project(&world).await);
    let role = make(&world, one, "mine", json!([])).await;
    let theirs = administrator(core, "strangers").await;
    let change = UpdateRole { name: Some("x".into()), ..UpdateRole::default() };
    let answers = async |caller: &Caller, project: ProjectId, id: RoleId| {
        let text = |result: Result<()>| match result {
            Err(Error::NotFound(text)) => text.replace(&project.to_string(), "PROJECT"),
            other => panic!("{other:?}"),
        };
        [
            text(core.get_role(&theirs, id).await.map(drop)),
            text(core.get_project_role(caller, project, "mine").await.map(drop)),
            text(core.update_project_role(caller, project, id, &change).await.map(drop)),
            text(core.delete_project_role(caller, project, id).await.map(drop)),
        ]
    };
    let absent: RoleId = core.new_id();
    assert_eq!(answers(ours, two, role.id).await, answers(ours, two, absent).await);
    assert_eq!(answers(&theirs, one, role.id).await, answers(&theirs, core.new_id(), absent).await);
    let machine = world.identity(ours.organization, "no-access").await;
    let given = core.add_identity_membership(ours, two, id_of(&machine), &of(&["mine"])).await;
    assert!(matches!(given, Err(Error::BadRequest { .. })), "{given:?}");
}

#[tokio::test]
async fn k8_a_role_edited_in_the_database_gives_nobody_anything() {
    for edit in [
        "UPDATE project_roles SET permissions = '[{\"subject\":\"secrets\",\"action\":\"read\"}]'",
        "UPDATE project_roles SET slug = slug || 'x'",
        "UPDATE project_roles SET org_id = project_id",
        "UPDATE project_roles SET mac = X'00'",
        // Another role of the same project, and another order.
        "UPDATE project_membership_roles SET custom_role_id =
            (SELECT id FROM project_roles WHERE slug = 'strong') WHERE custom_role_id IS NOT NULL",
        "UPDATE project_membership_roles SET custom_role_id = NULL",
        "UPDATE project_membership_roles SET position = 1 - position
            WHERE custom_role_id IS NOT NULL",
        "UPDATE project_membership_roles SET role = 'admin' WHERE role = 'custom'",
    ] {
        let world = World::new().await;
        let project = project(&world).await;
        make(&world, project, "weak", read_in("dev")).await;
        make(&world, project, "other", read_in("qa")).await;
        make(&world, project, "strong", read_in("prod")).await;
        let machine = member(&world, project, &["weak", "other"]).await;
        world.core.get_project(&machine, project).await.unwrap();
        assert!(world.tamper(edit).await > 0, "{edit}");
        let used = world.core.get_project(&machine, project).await;
        assert!(matches!(used, Err(Error::Internal(_))), "{edit}: {used:?}");
    }
}

#[tokio::test]
async fn k8_what_rules_refer_to_is_authenticated() {
    for edit in [
        "UPDATE identities SET metadata = '[{\"key\":\"team\",\"value\":\"red\"}]'",
        "UPDATE identities SET name = 'somebody'",
        "UPDATE identities SET facts_mac = X'00'",
    ] {
        let world = World::new().await;
        let settings = kms_api::auth::universal::Settings::default();
        let machine = world.machine("no-access", settings).await;
        let token = world.token(&machine).await;
        world.request(&token).await.unwrap();
        assert!(world.tamper(edit).await > 0);
        let used = world.request(&token).await;
        assert!(matches!(used, Err(Error::Internal(_))), "{edit}: {:?}", used.err());
    }
    // What was written before is not told, and harms nobody.
    let world = World::new().await;
    let settings = kms_api::auth::universal::Settings::default();
    let machine = world.machine("no-access", settings).await;
    let token = world.token(&machine).await;
    world.tamper("UPDATE identities SET facts_mac = NULL").await;
    let caller = world.request(&token).await.unwrap();
    assert!(caller.facts.username.is_empty() && caller.facts.metadata.is_empty());
}
