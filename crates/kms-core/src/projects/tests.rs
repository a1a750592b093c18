use kms_api::{
    ProjectId,
    projects::{CreateProject, ListProjectsQuery, Project, UpdateProject},
};

use crate::{Caller, Error, testing::World};

fn named(name: &str) -> CreateProject {
    CreateProject { project_name: name.into(), ..CreateProject::default() }
}

async fn made(world: &World, caller: &Caller, name: &str) -> Project {
    world.core.create_project(caller, &named(name)).await.unwrap().project
}

#[tokio::test]
async fn a_new_project_has_three_environments_and_its_maker_as_administrator() {
    let world = World::new().await;
    let project = made(&world, &world.ours, "My App").await;
    assert!(project.slug.starts_with("my-app-"), "{}", project.slug);
    assert_eq!((project.id, project.version), (project.underscore_id, 3));
    let slugs: Vec<_> = project.environments.iter().map(|row| row.slug.as_str()).collect();
    assert_eq!(slugs, ["dev", "staging", "prod"]);
    let members = world.core.list_user_memberships(&world.ours, project.id).await.unwrap();
    assert_eq!(members.len(), 1);
    assert_eq!(members[0].roles[0].role, "admin");
    let read = world.core.get_project(&world.ours, project.id).await.unwrap().project;
    assert_eq!(serde_json::json!(read), serde_json::json!(project));
}

#[tokio::test]
async fn two_projects_of_one_name_get_slugs_of_their_own() {
    let world = World::new().await;
    let one = made(&world, &world.ours, "twin").await;
    let two = made(&world, &world.ours, "twin").await;
    assert_ne!(one.slug, two.slug);
    let list = world.core.list_projects(&world.ours, &ListProjectsQuery::default()).await.unwrap();
    assert_eq!(list.projects.len(), 2);
    assert_eq!(list.projects[1].environments.len(), 3);
}

#[tokio::test]
async fn a_slug_is_taken_once_in_an_organization_and_free_in_another() {
    let world = World::new().await;
    let body = CreateProject { slug: Some("shared".into()), ..named("p") };
    world.core.create_project(&world.ours, &body).await.unwrap();
    let again = world.core.create_project(&world.ours, &body).await;
    assert!(matches!(again, Err(Error::BadRequest { .. })), "{again:?}");
    world.core.create_project(&world.theirs, &body).await.unwrap();
}

#[tokio::test]
async fn bodies_outside_the_contract_are_refused_by_field() {
    let world = World::new().await;
    let long = "x".repeat(65);
    for (body, field) in [
        (named(""), "projectName"),
        (named(&long), "projectName"),
        (CreateProject { slug: Some("abc".into()), ..named("p") }, "slug"),
        (CreateProject { slug: Some("Not-A-Slug".into()), ..named("p") }, "slug"),
        (CreateProject { r#type: Some("ssh".into()), ..named("p") }, "type"),
        (
            CreateProject { project_description: Some("x".repeat(257)), ..named("p") },
            "projectDescription",
        ),
    ] {
        let refused = world.core.create_project(&world.ours, &body).await;
        let Err(Error::Validation(issues)) = refused else { panic!("{field}: {refused:?}") };
        assert_eq!(issues[0].path, [field]);
        assert!(!issues[0].message.contains("Not-A-Slug"));
    }
}

#[tokio::test]
async fn t4_only_who_may_make_projects_makes_them() {
    let world = World::new().await;
    for (role, allowed) in [("admin", true), ("member", true), ("no-access", false)] {
        let machine = world.identity(world.ours.organization, role).await;
        let made = world.core.create_project(&machine, &named("p")).await;
        assert_eq!(made.is_ok(), allowed, "{role}");
    }
}

#[tokio::test]
async fn settings_change_only_where_they_are_given() {
    let world = World::new().await;
    let project = made(&world, &world.ours, "before").await;
    let body = UpdateProject {
        name: Some("after".into()),
        slug: Some("new_slug-1".into()),
        ..UpdateProject::default()
    };
    let changed = world.core.update_project(&world.ours, project.id, &body).await.unwrap().project;
    assert_eq!((changed.name.as_str(), changed.slug.as_str()), ("after", "new_slug-1"));
    assert_eq!(changed.pit_version_limit, project.pit_version_limit);
    let read = world.core.get_project_by_slug(&world.ours, "new_slug-1").await.unwrap();
    assert_eq!(read.name, "after");
    for limit in [0, 101] {
        let body = UpdateProject { pit_version_limit: Some(limit), ..UpdateProject::default() };
        assert!(world.core.update_project(&world.ours, project.id, &body).await.is_err());
    }
}

#[tokio::test]
async fn a_protected_project_is_not_removed() {
    let world = World::new().await;
    let body = CreateProject { has_delete_protection: Some(true), ..named("precious") };
    let project = world.core.create_project(&world.ours, &body).await.unwrap().project;
    let refused = world.core.delete_project(&world.ours, project.id).await;
    assert!(matches!(refused, Err(Error::Forbidden { .. })), "{refused:?}");
    let body = UpdateProject { has_delete_protection: Some(false), ..UpdateProject::default() };
    world.core.update_project(&world.ours, project.id, &body).await.unwrap();
    world.core.delete_project(&world.ours, project.id).await.unwrap();
}

#[tokio::test]
async fn k7_a_removed_project_leaves_neither_its_key_nor_anything_below_it() {
    let world = World::new().await;
    let project = made(&world, &world.ours, "doomed").await;
    let keep = made(&world, &world.ours, "kept").await;
    world.core.delete_project(&world.ours, project.id).await.unwrap();
    assert!(!world.core.keys.remembers(project.id.uuid()), "the key is still in memory");
    for table in [
        "SELECT COUNT(*) FROM projects WHERE id = $1",
        "SELECT COUNT(*) FROM environments WHERE project_id = $1",
        "SELECT COUNT(*) FROM folders WHERE project_id = $1",
        "SELECT COUNT(*) FROM project_memberships WHERE project_id = $1",
    ] {
        use kms_store::Source as _;
        let count =
            async |id: ProjectId| world.store.fetch_all::<(i64,)>(table, (id,)).await.unwrap()[0].0;
        assert_eq!(count(project.id).await, 0, "{table}");
        assert!(count(keep.id).await > 0, "{table}");
    }
    let gone = world.core.get_project(&world.ours, project.id).await;
    assert!(matches!(gone, Err(Error::NotFound(_))), "{gone:?}");
}

#[tokio::test]
async fn t1_a_project_of_another_organization_answers_as_one_that_does_not_exist() {
    let world = World::new().await;
    let foreign = made(&world, &world.theirs, "theirs").await;
    let absent: ProjectId = world.core.new_id();
    let text = |result: Result<String, Error>, id: ProjectId| match result {
        Err(Error::NotFound(text)) => text.replace(&id.to_string(), "ID"),
        other => panic!("{other:?}"),
    };
    let answers = async |id: ProjectId| {
        let core = &world.core;
        let ours = &world.ours;
        let json = |project: kms_api::projects::ProjectResponse| format!("{project:?}");
        let body = UpdateProject::default();
        [
            text(core.get_project(ours, id).await.map(json), id),
            text(core.update_project(ours, id, &body).await.map(json), id),
            text(core.delete_project(ours, id).await.map(json), id),
            text(core.list_project_roles(ours, id).await.map(|_| String::new()), id),
            text(core.caller_permissions(ours, id).await.map(|_| String::new()), id),
            text(core.list_user_memberships(ours, id).await.map(|_| String::new()), id),
        ]
    };
    assert_eq!(answers(foreign.id).await, answers(absent).await);
    let by_slug = world.core.get_project_by_slug(&world.ours, &foreign.slug).await;
    assert!(matches!(by_slug, Err(Error::NotFound(_))), "{by_slug:?}");
    let list = world.core.list_projects(&world.ours, &ListProjectsQuery::default()).await.unwrap();
    assert!(list.projects.is_empty());
}

#[tokio::test]
async fn who_is_not_a_member_is_refused_even_as_administrator_of_the_organization() {
    let world = World::new().await;
    let project = made(&world, &world.ours, "private").await;
    let machine = world.identity(world.ours.organization, "admin").await;
    let refused = world.core.get_project(&machine, project.id).await;
    assert!(matches!(refused, Err(Error::Forbidden { .. })), "{refused:?}");
    let list = world.core.list_projects(&machine, &ListProjectsQuery::default()).await.unwrap();
    assert!(list.projects.is_empty());
}

#[tokio::test]
async fn the_built_in_roles_are_listed_and_the_callers_rules_told() {
    let world = World::new().await;
    let project = made(&world, &world.ours, "p").await;
    let roles = world.core.list_project_roles(&world.ours, project.id).await.unwrap().roles;
    let slugs: Vec<_> = roles.iter().map(|role| role.slug.as_str()).collect();
    assert_eq!(slugs, crate::access::PROJECT_ROLES);
    let told = world.core.caller_permissions(&world.ours, project.id).await.unwrap().data;
    assert_eq!(told.membership.roles[0].role, "admin");
    assert_eq!(told.membership.user_id.map(kms_api::UserId::uuid), Some(world.ours.actor.id()));
    assert_eq!(told.permissions[0][1], "secrets");
}

#[tokio::test]
async fn k4_one_damaged_project_key_hurts_only_its_project() {
    let world = World::new().await;
    let broken = made(&world, &world.ours, "broken").await;
    let whole = made(&world, &world.ours, "whole").await;
    let damage = "UPDATE projects SET wrapped_key = X'00' WHERE name = 'broken'";
    assert_eq!(world.tamper(damage).await, 1);
    world.core.keys.forget(broken.id.uuid());
    let read = world.core.get_project(&world.ours, broken.id).await;
    assert!(matches!(read, Err(Error::Internal(_))), "{read:?}");
    world.core.get_project(&world.ours, whole.id).await.unwrap();
    let list = world.core.list_projects(&world.ours, &ListProjectsQuery::default()).await.unwrap();
    assert_eq!(list.projects.len(), 2);
}
