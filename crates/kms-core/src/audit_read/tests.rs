use kms_api::{Timestamp, audit::AuditQuery, projects::CreateProject};

use crate::{
    Error,
    audit::Event,
    testing::{NOON, World},
};

async fn with_project(world: &World) -> kms_api::ProjectId {
    let body = CreateProject { project_name: "p".into(), ..CreateProject::default() };
    world.core.create_project(&world.ours, &body).await.unwrap().project.id
}

#[tokio::test]
async fn what_was_done_and_read_is_told_newest_first_and_only_to_its_own() {
    let world = World::new().await;
    let project = with_project(&world).await;
    world.clock.advance(1);
    let read = Event::new("get-secret").project(project).key("NAME");
    world.core.log_read(&world.ours, &read).await.unwrap();
    world.core.read_log.flush().await;
    let logs = world.core.list_audit_logs(&world.ours, &AuditQuery::default()).await.unwrap();
    let kinds: Vec<_> = logs.audit_logs.iter().map(|log| log.event.r#type.as_str()).collect();
    assert_eq!(kinds, ["get-secret", "create-project"]);
    let newest = &logs.audit_logs[0];
    assert_eq!(newest.event.metadata["secretKey"], "NAME");
    assert_eq!(newest.project_name.as_deref(), Some("p"));
    assert_eq!((newest.sequence, newest.chain.len()), (2, 64));
    let theirs = world.core.list_audit_logs(&world.theirs, &AuditQuery::default()).await.unwrap();
    assert!(theirs.audit_logs.is_empty());
}

#[tokio::test]
async fn the_log_needs_its_permission_in_the_project_or_in_the_organization() {
    let world = World::new().await;
    let project = with_project(&world).await;
    let of_project = AuditQuery { project_id: Some(project.to_string()), ..AuditQuery::default() };
    for role in ["member", "no-access"] {
        let machine = world.identity(world.ours.organization, role).await;
        let refused = world.core.list_audit_logs(&machine, &AuditQuery::default()).await;
        assert!(matches!(refused, Err(Error::PermissionDenied { .. })), "{role}");
        let refused = world.core.list_audit_logs(&machine, &of_project).await;
        assert!(matches!(refused, Err(Error::Forbidden { .. })), "{role}");
    }
    assert!(world.core.list_audit_logs(&world.ours, &of_project).await.is_ok());
    let foreign = world.core.list_audit_logs(&world.theirs, &of_project).await;
    assert!(matches!(foreign, Err(Error::NotFound(_))), "{foreign:?}");
}

#[tokio::test]
async fn the_span_begins_at_yesterdays_midnight_and_has_at_most_three_months() {
    let world = World::new().await;
    let span = |query: AuditQuery| world.core.span(&query);
    let midnight = NOON.plus_seconds(-36 * 3_600);
    let default = span(AuditQuery::default()).unwrap();
    assert_eq!(default, (midnight.micros(), NOON.micros()));
    let days = |days: i64| AuditQuery {
        start_date: Some(NOON),
        end_date: Some(NOON.plus_seconds(days * 86_400)),
        ..AuditQuery::default()
    };
    assert!(span(days(92)).is_ok());
    for query in [
        days(93),
        days(-1),
        AuditQuery { start_date: Some(Timestamp(i64::MIN)), ..AuditQuery::default() },
    ] {
        assert!(matches!(span(query), Err(Error::Validation(_))));
    }
}

#[tokio::test]
async fn filters_and_pages_narrow_the_log() {
    let world = World::new().await;
    let project = with_project(&world).await;
    let event = |kind| Event::new(kind).project(project);
    for kind in ["get-secret", "get-secrets", "get-secret"] {
        world.core.log_read(&world.ours, &event(kind)).await.unwrap();
    }
    world.core.read_log.flush().await;
    let count = async |query: AuditQuery| {
        world.core.list_audit_logs(&world.ours, &query).await.unwrap().audit_logs.len()
    };
    let kinds =
        |kinds: &str| AuditQuery { event_type: Some(kinds.into()), ..AuditQuery::default() };
    assert_eq!(count(kinds("get-secret")).await, 2);
    assert_eq!(count(kinds("get-secret, get-secrets,")).await, 3);
    assert_eq!(count(kinds("get-%")).await, 0);
    let user = world.ours.actor.id().to_string();
    let actor = |id: String| AuditQuery { actor: Some(id), ..AuditQuery::default() };
    assert_eq!(count(actor(user)).await, 4);
    assert_eq!(count(actor(world.theirs.actor.id().to_string())).await, 0);
    let page = AuditQuery { limit: Some("3".into()), ..AuditQuery::default() };
    assert_eq!(count(AuditQuery { offset: Some("2".into()), ..page }).await, 2);
    for limit in ["0", "1001", "many"] {
        let query = AuditQuery { limit: Some(limit.into()), ..AuditQuery::default() };
        let refused = world.core.list_audit_logs(&world.ours, &query).await;
        assert!(matches!(refused, Err(Error::Validation(_))), "{limit}");
    }
}

#[tokio::test]
async fn d7_every_edit_of_the_log_is_found_where_it_is() {
    for (edit, broken) in [
        ("UPDATE audit_logs SET event_type = 'nothing' WHERE seq = 3", 3),
        ("UPDATE audit_logs SET ip = '192.0.2.1' WHERE seq = 1", 1),
        ("UPDATE audit_logs SET created_at = created_at + 1 WHERE seq = 5", 5),
        ("DELETE FROM audit_logs WHERE seq = 2", 2),
        ("DELETE FROM audit_logs WHERE seq = 5", 5),
        ("DELETE FROM audit_logs", 1),
        ("UPDATE audit_logs SET seq = seq + 10 WHERE seq = 4", 4),
        ("UPDATE audit_chains SET seq = 4", 6),
        ("DELETE FROM audit_chains", 6),
    ] {
        let world = World::new().await;
        for _ in 0..5 {
            world.core.log_read(&world.ours, &Event::new("get-secret")).await.unwrap();
        }
        world.core.read_log.flush().await;
        let org = world.ours.organization;
        assert_eq!(world.core.verify_audit_chain(org).await.unwrap(), None);
        assert!(world.tamper(edit).await > 0, "{edit}");
        assert_eq!(world.core.verify_audit_chain(org).await.unwrap(), Some(broken), "{edit}");
    }
}
