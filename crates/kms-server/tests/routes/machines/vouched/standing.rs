//! J11 and C15 at the routes.

use super::*;

#[tokio::test]
async fn j11_every_revocation_holds_for_the_next_request() {
    let outside = Outside::start().await;
    let elsewhere = json!({ "accessTokenTrustedIps": [{ "ipAddress": "192.0.2.1" }] });
    for method in METHODS {
        for end in ["detach", "delete", "addresses"] {
            let id = outside.machine(method).await;
            outside.instance.server.clock.advance(1);
            let token = outside.token(method, &id).await;
            who(&outside.instance, &token).await.ok();
            let ended = match end {
                "detach" => {
                    outside.instance.send("DELETE", &configuration(method, &id), json!({})).await
                }
                "delete" => {
                    let one = path(paths::IDENTITY, &[&id]);
                    outside.instance.send("DELETE", &one, json!({})).await
                }
                _ => outside.change(method, &id, elsewhere.clone()).await,
            };
            ended.ok();
            let answer = who(&outside.instance, &token).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {end}");
            let renewed = with_token(&outside.instance, paths::TOKEN_RENEW, &token).await;
            assert_eq!(renewed.status, StatusCode::UNAUTHORIZED, "{method} {end}");
            outside.instance.server.clock.advance(1);
            let again = outside.login(method, &id).await;
            if end == "addresses" {
                again.ok();
            } else {
                assert_unverified(&again, &format!("{method} {end}"));
            }
        }
    }
    outside.instance.server.stop().await;
}

#[tokio::test]
async fn c15_nothing_in_an_answer_tells_whether_an_identity_exists() {
    let outside = Outside::start().await;
    for method in METHODS {
        let known = outside.machine(method).await;
        outside.login(method, &known).await.ok();
        let bare = outside.identity().await;
        let mut proof = outside.proof(method, &known);
        if method == "aws-auth" {
            proof["iamRequestHeaders"] = "e30=".into();
        } else {
            proof["jwt"] = "e30.e30.e30".into();
        }
        let unknown = "5b5fd0bb-6b86-4b0c-9d3c-5d3f2f7d1b11";
        let mut seen = Vec::new();
        for id in [known.as_str(), bare.as_str(), unknown] {
            proof["identityId"] = id.into();
            let answer = outside.login_with(method, proof.clone(), HOME).await;
            let mut names: Vec<_> = answer.headers.keys().map(ToString::to_string).collect();
            names.sort();
            assert_unverified(&answer, method);
            seen.push((answer.status, answer.without_request_id(), answer.body.len(), names));
        }
        assert_eq!(seen[0], seen[1], "{method}");
        assert_eq!(seen[0], seen[2], "{method}");
    }
    outside.instance.server.stop().await;
}

/// What is refused is written down with its reason; what is written down holds no proof.
#[tokio::test]
async fn d5_no_proof_is_in_the_log() {
    let outside = Outside::start().await;
    for method in METHODS {
        let id = outside.machine(method).await;
        let proof = outside.proof(method, &id);
        outside.login_with(method, proof.clone(), HOME).await.ok();
        outside.login_with(method, proof.clone(), "198.51.100.1:9").await;
        let log = outside.instance.get("/api/v1/organization/audit-logs?limit=50").await;
        assert!(log.text().contains(&format!("login-identity-{method}")), "{method}");
        for part in ["jwt", "iamRequestHeaders"] {
            if let Some(secret) = proof[part].as_str() {
                let end = secret.rsplit('.').next().unwrap();
                assert!(!log.text().contains(end), "{method}");
            }
        }
        assert!(!log.text().contains("reviewer-token"));
    }
    outside.instance.server.stop().await;
}
