//! Logging in with a client id and a client secret.

use std::sync::Arc;

use http::StatusCode;
use kms_api::routes as paths;
use kms_testkit::Answer;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::Machine;
use crate::tenants::{Instance, fields, path, sorted};

const ANSWER: &str = "accessToken expiresIn accessTokenMaxTTL tokenType";

async fn post(instance: &Instance, from: &str, body: Value) -> Answer {
    instance.server.post(paths::UNIVERSAL_AUTH_LOGIN).from(from).json(body).send().await
}

#[tokio::test]
async fn json_and_forms_log_in_with_and_without_a_trailing_slash() {
    let instance = Instance::start().await;
    let machine = Machine::plain(&instance).await;
    let form = format!("clientId={}&clientSecret={}&extra=1", machine.client_id, machine.secret);
    let mut json = machine.proof();
    json["extra"] = json!({"is": "ignored"});
    for route in
        [paths::UNIVERSAL_AUTH_LOGIN.to_owned(), format!("{}/", paths::UNIVERSAL_AUTH_LOGIN)]
    {
        let by_form = instance.server.post(&route);
        let by_form =
            by_form.body("application/x-www-form-urlencoded; charset=utf-8", form.clone());
        let by_json = instance.server.post(&route).json(json.clone());
        for request in [by_form, by_json] {
            let answer = request.send().await.ok();
            assert_eq!(fields(&answer), sorted(ANSWER), "{route}");
            assert_eq!(answer["expiresIn"], 2_592_000);
            assert_eq!(answer["accessTokenMaxTTL"], 2_592_000);
            assert_eq!(answer["tokenType"], "Bearer");
        }
    }
    instance.server.stop().await;
}

#[tokio::test]
async fn refusals_have_the_statuses_of_the_contract() {
    let instance = Instance::start().await;
    let machine = Machine::plain(&instance).await;
    let wrong = json!({"clientId": machine.client_id, "clientSecret": "wrong"});
    let answer = post(&instance, "127.0.0.1:1", wrong).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        answer.without_request_id(),
        json!({"statusCode": 401, "error": "UnauthorizedError", "message": "Invalid credentials"})
    );
    for (body, field) in [
        (json!({}), "clientId"),
        (json!({"clientId": machine.client_id}), "clientSecret"),
        (json!({"clientId": 7, "clientSecret": "x"}), "clientId"),
    ] {
        let answer = post(&instance, "127.0.0.1:1", body).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(answer.json()["error"], "ValidationFailure");
        assert!(answer.text().contains(field), "{}", answer.text());
    }
    let mut elsewhere = machine.proof();
    elsewhere["organizationSlug"] = json!("somewhere-else");
    let answer = post(&instance, "127.0.0.1:1", elsewhere).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_eq!(answer.json()["message"], "Sub organization with slug somewhere-else not found");
    instance.server.stop().await;
}

#[tokio::test]
async fn c15_nothing_in_an_answer_tells_an_unknown_client_from_a_wrong_secret() {
    let instance = Instance::start().await;
    let machine = Machine::plain(&instance).await;
    let unknown = "5b5fd0bb-6b86-4b0c-9d3c-5d3f2f7d1b11";
    let mut seen = Vec::new();
    for client_id in [machine.client_id.as_str(), unknown, "no id at all"] {
        let mut answers = Vec::new();
        for _ in 0..5 {
            let body = json!({"clientId": client_id, "clientSecret": "wrong"});
            let answer = post(&instance, "192.0.2.9:4", body).await;
            let mut names: Vec<_> = answer.headers.keys().map(ToString::to_string).collect();
            names.sort();
            answers.push((answer.status, answer.without_request_id(), answer.body.len(), names));
        }
        seen.push(answers);
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[0], seen[2]);
    instance.server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c12_five_hundred_logins_with_a_secret_for_one_use_admit_one() {
    let instance = Arc::new(Instance::start().await);
    let machine = Arc::new(Machine::new(&instance, json!({}), json!({"numUsesLimit": 1})).await);
    let mut logins = JoinSet::new();
    for _ in 0..500 {
        let (instance, machine) = (Arc::clone(&instance), Arc::clone(&machine));
        logins.spawn(async move { machine.login(&instance).await });
    }
    let answers = logins.join_all().await;
    let with = |status| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!((with(StatusCode::OK), with(StatusCode::UNAUTHORIZED)), (1, 499));
    assert!(answers.iter().filter(|answer| answer.status != StatusCode::OK).all(|answer| {
        answer.json()["message"] == "Access denied due to client secret usage limit reached"
    }));
    let list = instance.get(&path(paths::CLIENT_SECRETS, &[&machine.id])).await.ok();
    assert_eq!(list["clientSecretData"][0]["clientSecretNumUses"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c13_an_attacker_locks_out_nobody_else_and_cannot_change_its_address_by_a_header() {
    let instance = Arc::new(Instance::start().await);
    let machine = Arc::new(Machine::plain(&instance).await);
    let mut guesses = JoinSet::new();
    for guess in 0..40 {
        let (instance, machine) = (Arc::clone(&instance), Arc::clone(&machine));
        guesses.spawn(async move {
            let body = json!({"clientId": machine.client_id, "clientSecret": guess.to_string()});
            let request = instance.server.post(paths::UNIVERSAL_AUTH_LOGIN).json(body);
            let request = request
                .from("198.51.100.7:9")
                .header("x-forwarded-for", &format!("192.0.2.{guess}"));
            request.send().await
        });
    }
    for _ in 0..10 {
        assert_eq!(machine.login(&instance).await.status, StatusCode::OK);
    }
    let answers = guesses.join_all().await;
    assert!(answers.iter().all(|answer| answer.status == StatusCode::UNAUTHORIZED));
    let wrong = |answer: &&Answer| answer.json()["message"] == "Invalid credentials";
    assert_eq!(answers.iter().filter(wrong).count(), 3, "the threshold, no more");
    let late = post(&instance, "198.51.100.7:9", machine.proof()).await;
    assert!(late.text().contains("temporarily locked"), "{}", late.text());
    let cleared =
        instance.send("POST", &path(paths::CLEAR_LOCKOUTS, &[&machine.id]), json!({})).await.ok();
    assert_eq!(cleared, json!({"deleted": 1}));
    assert_eq!(post(&instance, "198.51.100.7:9", machine.proof()).await.status, StatusCode::OK);
}
