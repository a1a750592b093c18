//! Environments, under every path they have.

use http::StatusCode;
use kms_api::routes as paths;
use serde_json::json;

use super::{Instance, fields, path, sorted};

#[tokio::test]
async fn an_environment_is_made_read_moved_and_removed_under_either_name() {
    let instance = Instance::start().await;
    for (all, one) in [
        (paths::PROJECT_ENVIRONMENTS, paths::PROJECT_ENVIRONMENT),
        (paths::WORKSPACE_ENVIRONMENTS, paths::WORKSPACE_ENVIRONMENT),
    ] {
        let project = instance.project().await;
        let project = project["id"].as_str().unwrap();
        let body = json!({"name": "QA", "slug": "qa", "projectId": project});
        let made = instance.send("POST", &path(all, &[project]), body.clone()).await.ok();
        assert_eq!(fields(&made), sorted("message workspace environment"));
        assert_eq!(made["workspace"], project);
        let environment = &made["environment"];
        assert_eq!(
            fields(environment),
            sorted("id name slug position projectId createdAt updatedAt")
        );
        assert_eq!(environment["position"], 4);
        let again = instance.send("POST", &path(all, &[project]), body).await;
        assert_eq!(again.status, StatusCode::BAD_REQUEST);
        assert_eq!(again.json()["message"], "Environment with slug already exist");

        let id = environment["id"].as_str().unwrap();
        let one = path(one, &[project, id]);
        assert_eq!(instance.get(&one).await.ok()["environment"], *environment);
        let alone = path(paths::ENVIRONMENT, &[id]);
        assert_eq!(instance.get(&alone).await.ok()["environment"], *environment);
        let by_slug = path(paths::PROJECT_ENVIRONMENT_BY_SLUG, &[project, "qa"]);
        assert_eq!(instance.get(&by_slug).await.ok(), *environment);

        let body = json!({"ID": id, "name": "Quality", "slug": "quality", "position": 1});
        let moved = instance.send("PATCH", &one, body).await.ok();
        assert_eq!(moved["environment"]["position"], 1);
        let project = instance.get(&path(paths::PROJECT, &[project])).await.ok();
        assert_eq!(project["project"]["environments"][0]["slug"], "quality");
        let gone = instance.send("DELETE", &one, json!({"id": id})).await.ok();
        assert_eq!(gone["message"], "Successfully deleted environment");
        assert_eq!(instance.get(&one).await.status, StatusCode::NOT_FOUND);
        assert_eq!(instance.send("DELETE", &one, json!({})).await.status, StatusCode::NOT_FOUND);
    }
    instance.server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parallel_makers_leave_places_without_gaps() {
    let instance = Instance::start().await;
    let project = instance.project().await;
    let id = project["id"].as_str().unwrap();
    let all = path(paths::PROJECT_ENVIRONMENTS, &[id]);
    let mut requests = tokio::task::JoinSet::new();
    for number in 0..12 {
        let slug = format!("env-{number}");
        let request = instance.server.post(&all).bearer(&instance.token);
        requests.spawn(request.json(json!({"name": slug, "slug": slug, "position": 2})).send());
    }
    let ids: Vec<String> = (requests.join_all().await.iter())
        .map(|answer| answer.ok()["environment"]["id"].as_str().unwrap().to_owned())
        .collect();
    let mut places = Vec::new();
    for environment in &ids {
        let one = path(paths::PROJECT_ENVIRONMENT, &[id, environment]);
        places.push(instance.get(&one).await.ok()["environment"]["position"].as_i64().unwrap());
    }
    places.sort_unstable();
    assert_eq!(places, (2..=13).collect::<Vec<_>>());
    instance.server.stop().await;
}

#[tokio::test]
async fn bodies_outside_the_contract_are_refused() {
    let instance = Instance::start().await;
    let project = instance.project().await;
    let all = path(paths::PROJECT_ENVIRONMENTS, &[project["id"].as_str().unwrap()]);
    for body in [
        json!({"name": "Bad", "slug": "Not A Slug"}),
        json!({"name": "NoSlug"}),
        json!({"name": "", "slug": "ok"}),
        json!({"name": "n", "slug": "ok", "position": 0}),
        json!({"name": "n", "slug": "ok", "position": "1"}),
    ] {
        let answer = instance.send("POST", &all, body.clone()).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
    }
    instance.server.stop().await;
}
