use kms_api::{
    EnvironmentId, ProjectId,
    environments::{CreateEnvironment, UpdateEnvironment},
    projects::CreateProject,
};

use crate::{Caller, Error, testing::World};

async fn project(world: &World, caller: &Caller) -> ProjectId {
    let body = CreateProject { project_name: "p".into(), ..CreateProject::default() };
    world.core.create_project(caller, &body).await.unwrap().project.id
}

fn named(slug: &str, position: Option<i64>) -> CreateEnvironment {
    CreateEnvironment { name: slug.to_uppercase(), slug: slug.into(), position }
}

/// The slugs in their order, and proof that places count from 1 without gaps.
async fn order(world: &World, project: ProjectId) -> Vec<String> {
    let org = world.ours.organization;
    let rows = kms_store::environments::list(&world.store, org, project).await.unwrap();
    for (position, row) in (1..).zip(&rows) {
        assert_eq!(row.position, position, "{}", row.slug);
    }
    rows.into_iter().map(|row| row.slug).collect()
}

async fn id_of(world: &World, project: ProjectId, slug: &str) -> EnvironmentId {
    world.core.get_environment_by_slug(&world.ours, project, slug).await.unwrap().id
}

#[tokio::test]
async fn a_new_environment_comes_last_unless_it_says_where() {
    let world = World::new().await;
    let project = project(&world, &world.ours).await;
    let core = &world.core;
    let qa = core.create_environment(&world.ours, project, &named("qa", None)).await.unwrap();
    assert_eq!((qa.environment.position, qa.workspace), (4, project));
    core.create_environment(&world.ours, project, &named("first", Some(1))).await.unwrap();
    core.create_environment(&world.ours, project, &named("far", Some(99))).await.unwrap();
    assert_eq!(order(&world, project).await, ["first", "dev", "staging", "prod", "qa", "far"]);
    let refused = core.create_environment(&world.ours, project, &named("zero", Some(0))).await;
    assert!(matches!(refused, Err(Error::Validation(_))), "{refused:?}");
}

#[tokio::test]
async fn moving_shifts_the_others_and_removing_closes_the_gap() {
    let world = World::new().await;
    let project = project(&world, &world.ours).await;
    let core = &world.core;
    for (slug, position, expected) in [
        ("prod", 1, ["prod", "dev", "staging"]),
        ("prod", 2, ["dev", "prod", "staging"]),
        ("dev", 3, ["prod", "staging", "dev"]),
        ("dev", 3, ["prod", "staging", "dev"]),
        ("staging", 100, ["prod", "dev", "staging"]),
    ] {
        let id = id_of(&world, project, slug).await;
        let body = UpdateEnvironment { position: Some(position), ..UpdateEnvironment::default() };
        let moved = core.update_environment(&world.ours, project, id, &body).await.unwrap();
        assert_eq!(moved.environment.position, position.min(3));
        assert_eq!(order(&world, project).await, expected);
    }
    let id = id_of(&world, project, "dev").await;
    core.delete_environment(&world.ours, project, id).await.unwrap();
    assert_eq!(order(&world, project).await, ["prod", "staging"]);
}

#[tokio::test]
async fn every_environment_has_a_root_folder() {
    use kms_store::Source as _;
    let world = World::new().await;
    let project = project(&world, &world.ours).await;
    world.core.create_environment(&world.ours, project, &named("qa", None)).await.unwrap();
    let sql = "SELECT COUNT(*) FROM folders f JOIN environments e ON e.id = f.env_id
        WHERE e.project_id = $1 AND f.path = '/' AND f.parent_id IS NULL";
    let count = world.store.fetch_all::<(i64,)>(sql, (project,)).await.unwrap();
    assert_eq!(count[0].0, 4);
}

#[tokio::test]
async fn a_slug_is_taken_once_in_a_project() {
    let world = World::new().await;
    let project = project(&world, &world.ours).await;
    let core = &world.core;
    let text = |error: Error| error.to_string();
    let again = core.create_environment(&world.ours, project, &named("dev", None)).await;
    assert_eq!(text(again.unwrap_err()), "Environment with slug already exist");
    let id = id_of(&world, project, "prod").await;
    let body = UpdateEnvironment { slug: Some("dev".into()), ..UpdateEnvironment::default() };
    let renamed = core.update_environment(&world.ours, project, id, &body).await;
    assert_eq!(text(renamed.unwrap_err()), "Environment with slug already exist");
    assert_eq!(order(&world, project).await, ["dev", "staging", "prod"]);
}

#[tokio::test]
async fn parallel_makers_leave_places_without_gaps() {
    let world = std::sync::Arc::new(World::new().await);
    let project = project(&world, &world.ours).await;
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..20 {
        let world = std::sync::Arc::clone(&world);
        tasks.spawn(async move {
            let body = named(&format!("env-{number}"), Some(1));
            world.core.create_environment(&world.ours, project, &body).await.map(|_| ())
        });
    }
    assert!(tasks.join_all().await.into_iter().all(|result| result.is_ok()));
    assert_eq!(order(&world, project).await.len(), 23);
}

#[tokio::test]
async fn a_project_has_at_most_a_hundred() {
    let world = World::new().await;
    let project = project(&world, &world.ours).await;
    for number in 0..97 {
        let body = named(&format!("env-{number}"), None);
        world.core.create_environment(&world.ours, project, &body).await.unwrap();
    }
    let refused =
        world.core.create_environment(&world.ours, project, &named("one-more", None)).await;
    assert!(matches!(refused, Err(Error::BadRequest { .. })), "{refused:?}");
}

#[tokio::test]
async fn t1_environments_of_others_answer_as_ones_that_do_not_exist() {
    let world = World::new().await;
    let (ours, theirs) = (project(&world, &world.ours).await, project(&world, &world.theirs).await);
    let other = project(&world, &world.ours).await;
    let org = world.theirs.organization;
    let foreign = kms_store::environments::list(&world.store, org, theirs).await.unwrap()[0].id;
    let elsewhere = id_of(&world, other, "dev").await;
    let absent: EnvironmentId = world.core.new_id();
    let core = &world.core;
    let answers = async |id: EnvironmentId| {
        let body = UpdateEnvironment::default();
        let text = |result: Result<(), Error>| match result {
            Err(Error::NotFound(text)) => text.into_owned(),
            other => panic!("{other:?}"),
        };
        [
            text(core.get_environment(&world.ours, ours, id).await.map(|_| ())),
            text(core.update_environment(&world.ours, ours, id, &body).await.map(|_| ())),
            text(core.delete_environment(&world.ours, ours, id).await.map(|_| ())),
        ]
    };
    let expected = answers(absent).await;
    assert_eq!(answers(foreign).await, expected);
    assert_eq!(answers(elsewhere).await, expected, "of another project of the same organization");
    let by_id = core.get_environment_by_id(&world.ours, foreign).await.unwrap_err();
    let absent = core.get_environment_by_id(&world.ours, absent).await.unwrap_err();
    assert_eq!(by_id.to_string(), absent.to_string());
}

#[tokio::test]
async fn t4_nobody_renames_an_environment_out_of_their_rules_or_into_them() {
    let bed = crate::testbed::Bed::new().await;
    let caller = bed
        .person(serde_json::json!([
            {"subject": "environments", "action": ["read", "edit"]},
            {"subject": "secrets", "action": "read"},
            {"subject": "secrets", "action": "read", "inverted": true,
             "conditions": {"environment": "prod"}},
        ]))
        .await;
    let change = async |caller: &Caller, from: &str, to: &str| {
        let found = bed.core.get_environment_by_slug(&bed.admin, bed.project, from).await.unwrap();
        let body = UpdateEnvironment { slug: Some(to.into()), ..UpdateEnvironment::default() };
        bed.core.update_environment(caller, bed.project, found.id, &body).await
    };
    for to in ["live", "dev2"] {
        let refused = change(&caller, "prod", to).await;
        assert!(matches!(refused, Err(Error::Forbidden { .. })), "{refused:?}");
    }
    change(&caller, "prod", "prod").await.unwrap();
    change(&caller, "dev", "development").await.unwrap();
    change(&bed.admin, "prod", "live").await.unwrap();
    let refused = change(&caller, "staging", "prod").await;
    assert!(matches!(refused, Err(Error::Forbidden { .. })), "{refused:?}");
}
