//! What all servers on one database share. Where the database is one server's alone, that server
//! is asked twice.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::*;

/// Servers of one instance.
async fn servers(outside: &Outside) -> Vec<Arc<TestServer>> {
    outside.instance.server.beside().await.into_iter().map(Arc::new).collect()
}

async fn login_at(server: &TestServer, proof: &Value, from: &str) -> Answer {
    server.post("/api/v1/auth/aws-auth/login").from(from).json(proof.clone()).send().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c4_a_signed_request_is_used_once_on_all_servers_together() {
    let outside = Outside::start().await;
    let id = outside.machine("aws-auth").await;
    let others = servers(&outside).await;
    let here = &outside.instance.server;
    let there: &TestServer = others.first().map_or(here, |other| other);
    let proof = outside.proof("aws-auth", &id);
    login_at(here, &proof, "192.0.2.1:1").await.ok();
    let stolen = login_at(there, &proof, "198.51.100.1:1").await;
    assert_eq!(stolen.status, StatusCode::UNAUTHORIZED);
    assert_eq!(stolen.json()["message"], "Access denied: this signed request was used before");
    here.clock.advance(9);
    login_at(there, &proof, "192.0.2.1:2").await.ok();
    here.clock.advance(1);
    for server in [here, there] {
        let late = login_at(server, &proof, "192.0.2.1:3").await;
        assert_eq!(late.status, StatusCode::UNAUTHORIZED);
    }
    for other in others {
        Arc::into_inner(other).unwrap().stop().await;
    }
    outside.instance.server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c4_of_two_who_send_it_at_once_one_is_let_in() {
    let outside = Outside::start().await;
    let id = outside.machine("aws-auth").await;
    let others = servers(&outside).await;
    for _ in 0..10 {
        outside.instance.server.clock.advance(1);
        let proof = outside.proof("aws-auth", &id);
        let there: &TestServer = others.first().map_or(&outside.instance.server, |other| other);
        let (one, two) = tokio::join!(
            login_at(&outside.instance.server, &proof, "192.0.2.1:1"),
            login_at(there, &proof, "198.51.100.1:1"),
        );
        let admitted = [one, two].iter().filter(|answer| answer.status == StatusCode::OK).count();
        assert_eq!(admitted, 1);
    }
    for other in others {
        Arc::into_inner(other).unwrap().stop().await;
    }
    outside.instance.server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn j11_what_ends_at_one_server_has_ended_at_the_other() {
    let outside = Outside::start().await;
    let others = servers(&outside).await;
    let there: &TestServer = others.first().map_or(&outside.instance.server, |other| other);
    for method in METHODS {
        let id = outside.machine(method).await;
        outside.instance.server.clock.advance(1);
        let token = outside.token(method, &id).await;
        let ask = async || there.get(paths::IDENTITY_DETAILS).bearer(&token).send().await;
        ask().await.ok();
        ask().await.ok();
        let one = configuration(method, &id);
        outside.instance.send("DELETE", &one, json!({})).await.ok();
        assert_eq!(ask().await.status, StatusCode::UNAUTHORIZED, "{method}");
        let route = format!("/api/v1/auth/{method}/login");
        let proof = outside.proof(method, &id);
        let again = there.post(&route).from(HOME).json(proof).send().await;
        assert_unverified(&again, method);
    }
    for other in others {
        Arc::into_inner(other).unwrap().stop().await;
    }
    outside.instance.server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_change_of_two_who_make_one_at_once_is_lost() {
    let outside = Outside::start().await;
    let others = servers(&outside).await;
    let token = outside.instance.token.clone();
    let mut methods = METHODS.to_vec();
    methods.extend(["universal-auth", "token-auth"]);
    for method in methods {
        let id = outside.identity().await;
        let settings =
            if METHODS.contains(&method) { outside.vouchers.settings(method) } else { json!({}) };
        outside.attach(method, &id, settings).await.ok();
        let one = configuration(method, &id);
        for round in 1..=5_i64 {
            let mut changes = JoinSet::new();
            let fields = [("accessTokenTTL", round), ("accessTokenNumUsesLimit", 100 + round)];
            for (field, value) in fields {
                let there = others.first().filter(|_| field == "accessTokenTTL");
                let server: &TestServer = there.map_or(&outside.instance.server, |other| other);
                let mut body = json!({ field: value });
                if method == "jwt-auth" {
                    body["configurationType"] = "static".into();
                }
                let request = server.call(http::Method::PATCH, &one).bearer(&token).json(body);
                changes.spawn(request.send());
            }
            for answer in changes.join_all().await {
                answer.ok();
            }
            let read = outside.instance.get(&one).await.ok();
            let (_, read) = read.as_object().unwrap().iter().next().unwrap();
            let found = (&read["accessTokenTTL"], &read["accessTokenNumUsesLimit"]);
            assert_eq!(found, (&json!(round), &json!(100 + round)), "{method}");
        }
    }
    for other in others {
        Arc::into_inner(other).unwrap().stop().await;
    }
    outside.instance.server.stop().await;
}
