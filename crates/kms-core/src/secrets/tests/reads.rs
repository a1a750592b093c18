use kms_api::{
    secrets::{HIDDEN_VALUE, ListVersionsQuery, ProjectRef},
    wire::WireBool,
};
use serde_json::json;

use super::refused;
use crate::testbed::Bed;

#[tokio::test]
async fn a_list_is_ordered_by_folder_and_name_and_holds_nothing_else() {
    let bed = Bed::new().await;
    for path in ["/b", "/a", "/a/c", "/ab", "/a-b"] {
        bed.folder(path).await;
        for name in ["Z", "A", "m"] {
            bed.create(path, name, "v").await;
        }
    }
    bed.create("/", "TOP", "v").await;
    let all = bed.dump().await;
    let at = |path: &str| ["A", "Z", "m"].map(|name| format!("{path}:{name}=v@1"));
    let paths = ["/a", "/a-b", "/a/c", "/ab", "/b"];
    let mut expected = vec!["/:TOP=v@1".to_owned()];
    expected.extend(paths.into_iter().flat_map(at));
    assert_eq!(all, expected);
    let one = bed.list_as(&bed.admin, &bed.all("/a", false)).await.unwrap();
    assert_eq!(one.len(), 3);
    let below = bed.list_as(&bed.admin, &bed.all("/a/", true)).await.unwrap();
    assert_eq!(below.len(), 6, "`/ab` and `/a-b` are not below `/a`");
}

#[tokio::test]
async fn an_empty_folder_is_an_empty_list_and_a_missing_one_is_not_found() {
    let bed = Bed::new().await;
    bed.folder("/empty").await;
    for recursive in [false, true] {
        let query = bed.all("/empty", recursive);
        assert!(bed.list_as(&bed.admin, &query).await.unwrap().is_empty());
        let error = bed.list_as(&bed.admin, &bed.all("/nope", recursive)).await.err().unwrap();
        assert_eq!(
            error.to_string(),
            "Folder with path '/nope' in environment 'dev' was not found. Please ensure the \
             environment slug and secret path is correct."
        );
        let mut query = bed.all("/", recursive);
        query.environment = Some("nope".into());
        assert_eq!(refused(bed.list_as(&bed.admin, &query).await), 404);
    }
}

#[tokio::test]
async fn ten_thousand_secrets_are_listed_completely_and_in_order() {
    let bed = Bed::new().await;
    for batch in 0..10 {
        let secrets: Vec<_> = (0..1_000)
            .map(|n| json!({ "secretKey": format!("KEY_{batch}_{n:04}"), "secretValue": n.to_string() }))
            .collect();
        let body = serde_json::from_value(json!({ "projectId": bed.project, "environment": "dev",
            "secrets": secrets }));
        bed.core.create_secrets(&bed.admin, &body.unwrap()).await.unwrap();
    }
    let secrets = bed.list_as(&bed.admin, &bed.all("/", false)).await.unwrap();
    assert_eq!(secrets.len(), 10_000);
    assert!(secrets.is_sorted_by(|one, other| one.secret_key < other.secret_key));
    assert_eq!(secrets[9_999].secret_value.expose(), "999");
}

#[tokio::test]
async fn values_that_are_not_wanted_are_masked() {
    let bed = Bed::new().await;
    bed.create("/", "A", "value").await;
    let mut query = bed.all("/", false);
    query.view_secret_value = Some(WireBool(false));
    let listed = bed.list_as(&bed.admin, &query).await.unwrap();
    let mut one = bed.one("/");
    one.view_secret_value = Some(WireBool(false));
    let read = bed.get_as(&bed.admin, "A", &one).await.unwrap();
    for secret in [&listed[0], &read] {
        assert_eq!(secret.secret_value.expose(), HIDDEN_VALUE);
        assert!(secret.secret_value_hidden);
    }
}

#[tokio::test]
async fn filters_narrow_a_list() {
    let bed = Bed::new().await;
    for (name, owner, team) in [("A", "x", "1"), ("B", "x", "2"), ("C", "y", "1")] {
        let mut body = bed.body("/", "v");
        body.fields.secret_metadata = serde_json::from_value(json!([
            {"key": "owner", "value": owner}, {"key": "team", "value": team}]))
        .unwrap();
        bed.core.create_secret(&bed.admin, name, &body).await.unwrap();
    }
    let names = async |filter: &str| {
        let mut query = bed.all("/", false);
        query.metadata_filter = Some(filter.into());
        let listed = bed.list_as(&bed.admin, &query).await.unwrap();
        listed.into_iter().map(|secret| secret.secret_key).collect::<String>()
    };
    assert_eq!(names("key=owner,value=x").await, "AB");
    assert_eq!(names("key=owner,value=x|key=team,value=1").await, "A");
    assert_eq!(names("key=owner,value=z").await, "");
    assert_eq!(names("key=owner|nonsense|value=x").await, "ABC", "malformed pairs are dropped");
    let mut query = bed.all("/", false);
    query.metadata_filter = Some(["key=a,value=b"; 11].join("|"));
    assert_eq!(refused(bed.list_as(&bed.admin, &query).await), 422);
    query.metadata_filter = None;
    query.tag_slugs = Some("backend".into());
    assert!(bed.list_as(&bed.admin, &query).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_project_is_found_under_every_spelling_and_must_be_named() {
    let bed = Bed::new().await;
    bed.create("/", "A", "v").await;
    let id = Some(bed.project.to_string());
    let slug = Some(bed.slug.clone());
    for project in [
        ProjectRef { project_id: id.clone(), ..ProjectRef::default() },
        ProjectRef { workspace_id: id.clone(), ..ProjectRef::default() },
        ProjectRef { workspace_slug: slug.clone(), ..ProjectRef::default() },
        ProjectRef { project_slug: slug.clone(), ..ProjectRef::default() },
        ProjectRef { workspace_id: id, workspace_slug: slug, ..ProjectRef::default() },
    ] {
        let mut query = bed.all("/", false);
        query.project = project;
        assert_eq!(bed.list_as(&bed.admin, &query).await.unwrap().len(), 1);
    }
    let mut query = bed.all("/", false);
    query.environment = Some(" ".into());
    let error = bed.list_as(&bed.admin, &query).await.err().unwrap();
    assert_eq!(error.to_string(), "Missing project id or environment");
    query = bed.all("/", false);
    query.project = ProjectRef::default();
    assert_eq!(refused(bed.list_as(&bed.admin, &query).await), 400);
    query.project.workspace_slug = Some("nope".into());
    assert_eq!(refused(bed.list_as(&bed.admin, &query).await), 404);
}

#[tokio::test]
async fn a_secret_is_found_by_its_id_by_members_only() {
    let bed = Bed::new().await;
    let made = bed.create("/", "A", "v").await;
    let id = made.id.to_string();
    let answer = bed.core.get_secret_by_id(&bed.admin, &id).await.unwrap();
    let read: kms_api::secrets::SecretResponse = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(read.secret.secret_value.expose(), "v");
    let foreign = crate::Caller { organization: uuid::Uuid::now_v7().into(), ..bed.admin.clone() };
    let mut stranger = bed.machine(json!([])).await;
    if let crate::Actor::Identity(identity) = &mut stranger.actor {
        identity.id = uuid::Uuid::now_v7().into();
    }
    for caller in [&foreign, &stranger] {
        let there = bed.core.get_secret_by_id(caller, &id).await.err().unwrap();
        let missing = uuid::Uuid::now_v7().to_string();
        let nowhere = bed.core.get_secret_by_id(caller, &missing).await.err().unwrap();
        assert_eq!(there.to_string().replace(&id, "-"), nowhere.to_string().replace(&missing, "-"));
        assert_eq!(super::status(&there), 404);
    }
}

#[tokio::test]
async fn a_former_version_is_shown_only_to_those_who_may_read_it_under_both_names() {
    let bed = Bed::new().await;
    let made = bed.create("/", "PRIVATE", "old").await;
    let body = kms_api::secrets::UpdateSecret {
        secret: bed.body("/", "new"),
        new_secret_name: Some("PUBLIC".into()),
    };
    bed.core.update_secret(&bed.admin, "PRIVATE", &body).await.unwrap();
    let machine = bed
        .machine(json!([
            {"subject": "secrets", "action": "read", "conditions": {"secretName": "PUBLIC"}},
            {"subject": "secrets", "action": "describeSecret"},
            {"subject": "secret-rollback", "action": "read"}]))
        .await;
    let mut query = bed.one("/");
    assert_eq!(bed.get_as(&machine, "PUBLIC", &query).await.unwrap().version, 2);
    query.version = Some("1".into());
    assert_eq!(refused(bed.get_as(&machine, "PUBLIC", &query).await), 403);
    let id = made.id.to_string();
    let history =
        bed.core.list_secret_versions(&machine, &id, &ListVersionsQuery::default()).await.unwrap();
    let shown: Vec<_> = history.secret_versions.iter().map(|v| v.secret_value.expose()).collect();
    assert_eq!(shown, ["new", HIDDEN_VALUE]);
    let outsider = bed.machine(json!([{"subject": "secrets", "action": "read"}])).await;
    let history =
        bed.core.list_secret_versions(&outsider, &id, &ListVersionsQuery::default()).await;
    assert_eq!(refused(history), 403, "history is a right of its own");
}
