//! Who is let in, and what is known about it afterwards.

use super::*;

#[tokio::test]
async fn every_method_logs_in_and_its_token_says_what_it_learnt() {
    let vouched = Vouched::new().await;
    let world = &vouched.world;
    for (method, learnt) in [
        ("kubernetes-auth", json!({ "kubernetes": { "namespace": "apps", "name": "web" } })),
        (
            "azure-auth",
            json!({ "azure": {
                "tenantId": kms_standins::TENANT, "servicePrincipalId": kms_standins::PRINCIPAL,
            } }),
        ),
        (
            "gcp-auth",
            json!({ "gcp": {
                "serviceAccount": kms_standins::SERVICE_ACCOUNT, "projectId": "proj",
                "zone": "europe-west1-b",
            } }),
        ),
        (
            "aws-auth",
            json!({ "aws": {
                "accountId": kms_standins::ACCOUNT, "userId": "AROAEXAMPLE:i-1",
                "arn": "arn:aws:sts::123456789012:assumed-role/App/i-1", "partition": "aws",
                "service": "sts", "resourceType": "assumed-role", "resourceName": "App",
            } }),
        ),
        ("oidc-auth", json!({ "oidc": { "claims": { "team": "red" } } })),
        ("jwt-auth", json!({ "jwt": {} })),
    ] {
        let id = vouched.machine(method).await;
        let answer = vouched.login(method, id).await.unwrap();
        assert_eq!((answer.expires_in, answer.access_token_max_ttl), (2_592_000, 2_592_000));
        assert_eq!(answer.token_type, "Bearer");
        let claims = world.claims(&answer.access_token);
        assert_eq!(claims.identity_id, id.uuid());
        assert_eq!(claims.auth_method, method);
        assert_eq!(claims.client_secret_id, None);
        assert_eq!(Value::Object(claims.identity_auth), learnt, "{method}");
        let caller = world.request(&answer.access_token).await.unwrap();
        assert_eq!(caller.actor.id(), id.uuid());
        // A renewal is the same login.
        world.clock.advance(5);
        let renewed = world.renew(&answer.access_token).await.unwrap();
        let claims = world.claims(&renewed.access_token);
        assert_eq!(Value::Object(claims.identity_auth), learnt, "{method}");
        world.core.write_ledger().await.unwrap();
        let member = world.core.get_identity(&world.ours, id).await.unwrap().identity;
        assert_eq!(member.last_login_auth_method.as_deref(), Some(method));
        assert!(member.last_login_time.is_some());
    }
}

#[tokio::test]
async fn d5_the_log_says_who_came_and_why_somebody_was_refused_and_no_token() {
    let vouched = Vouched::new().await;
    for (method, fact, value) in [
        ("kubernetes-auth", "namespace", "apps"),
        ("azure-auth", "servicePrincipalId", kms_standins::PRINCIPAL),
        ("gcp-auth", "serviceAccount", kms_standins::SERVICE_ACCOUNT),
        ("aws-auth", "accountId", kms_standins::ACCOUNT),
        ("oidc-auth", "subject", kms_standins::SUBJECT),
        ("jwt-auth", "subject", kms_standins::SUBJECT),
    ] {
        let id = vouched.machine(method).await;
        let proof = vouched.proof(method, id);
        let origin = from(HOME);
        let issued = vouched.login_with(method, proof.clone(), &origin).await.unwrap();
        let record = last_record(&vouched, &format!("login-identity-{method}")).await;
        let said = &record["event"]["metadata"];
        assert_eq!(said[fact], value, "{method} {record}");
        assert_eq!(said["identityId"], json!(id));
        assert_eq!(record["actor"]["metadata"]["authMethod"], method);
        assert_eq!(record["ipAddress"], HOME);

        let mut wrong = proof.clone();
        if method == "aws-auth" {
            wrong["iamRequestBody"] = "eA==".into();
        } else {
            wrong["jwt"] = "not-the-token".into();
        }
        unauthorized(vouched.login_with(method, wrong, &origin).await);
        let refused = last_record(&vouched, &format!("login-identity-{method}-failed")).await;
        let reason = refused["event"]["metadata"]["reason"].as_str().unwrap();
        assert!(!reason.is_empty() && !reason.contains("not-the-token"), "{reason}");
        assert_eq!(refused["event"]["metadata"]["identityId"], json!(id));
        let secrets = [
            Some(issued.access_token.as_str()),
            proof["jwt"].as_str(),
            proof["iamRequestHeaders"].as_str(),
        ];
        for secret in secrets.into_iter().flatten() {
            let signature = secret.rsplit('.').next().unwrap();
            for record in [&record, &refused] {
                assert!(!record.to_string().contains(signature), "{method} {record}");
            }
        }
    }
}

#[tokio::test]
async fn c15_who_is_unknown_who_has_no_method_and_who_proves_nothing_answer_alike() {
    let vouched = Vouched::new().await;
    for method in METHODS {
        let known = vouched.machine(method).await;
        let bare = vouched.identity().await;
        let other = if method == "jwt-auth" { "oidc-auth" } else { "jwt-auth" };
        let elsewhere = vouched.machine(other).await;
        // Warm, so that nothing is fetched below.
        vouched.token(method, known).await;
        let mut unproven = vouched.proof(method, known);
        if method == "aws-auth" {
            unproven["iamRequestBody"] = "eA==".into();
        } else {
            unproven["jwt"] = "e30.e30.e30".into();
        }
        let named = |id: &str| {
            let mut proof = unproven.clone();
            proof["identityId"] = id.into();
            proof
        };
        let mut seen = Vec::new();
        for proof in [
            unproven.clone(),
            named(SOMEBODY),
            named(&bare.to_string()),
            named(&elsewhere.to_string()),
        ] {
            let origin = from(HOME);
            let login = vouched.login_with(method, proof, &origin);
            let (statements, records, result) = work(&vouched, login).await;
            assert!(statements <= 1, "{method}");
            seen.push((records, unauthorized(result)));
        }
        assert!(seen.iter().all(|answer| *answer == seen[0]), "{method} {seen:?}");
        assert_eq!(seen[0], (1, "Invalid credentials".into()));
        // A genuine proof counts for the identity and the method that it is for, alone.
        for id in [bare, elsewhere] {
            let proof = vouched.proof(method, id);
            unauthorized(vouched.login_with(method, proof, &from(HOME)).await);
        }
    }
}

/// Whoever configures an address reads the log: it tells nothing about what is there.
#[tokio::test]
async fn x3_the_log_tells_nothing_about_a_network() {
    let vouched = Vouched::new().await;
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = silent.local_addr().map(|at| (silent, at)).unwrap();
    let mut seen = Vec::new();
    for place in ["http://127.0.0.1:1".to_owned(), format!("http://{}", silent.1)] {
        let id = vouched.identity().await;
        let change = json!({ "configurationType": "jwks", "jwksUrl": place });
        let settings = kms_standins::changed(&vouched.vouchers.settings("jwt-auth"), &change);
        vouched.attach("jwt-auth", id, settings).await.unwrap();
        let text = unauthorized(vouched.login("jwt-auth", id).await);
        let record = last_record(&vouched, "login-identity-jwt-auth-failed").await;
        seen.push((text, record["event"]["metadata"]["reason"].clone()));
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[0].1, "the address could not be called");
    // Nor does the caller learn that there is such an identity (attack C15).
    let nobody = SOMEBODY.parse().unwrap();
    assert_eq!(seen[0].0, unauthorized(vouched.login("jwt-auth", nobody).await));
}

#[tokio::test]
async fn a_login_is_one_query_at_first_and_none_from_memory() {
    let vouched = Vouched::new().await;
    for method in METHODS.into_iter().filter(|method| *method != "aws-auth") {
        let id = vouched.machine(method).await;
        for expected in [1, 0, 0] {
            let login = vouched.login(method, id);
            let (statements, records, answer) = work(&vouched, login).await;
            answer.unwrap();
            assert_eq!((statements, records), (expected, 1), "{method}");
        }
    }
    // The one proof that can be sent again is written down.
    let id = vouched.machine("aws-auth").await;
    for expected in [2, 1] {
        vouched.world.clock.advance(1);
        let (statements, records, answer) = work(&vouched, vouched.login("aws-auth", id)).await;
        answer.unwrap();
        assert_eq!((statements, records), (expected, 1));
    }
}

#[tokio::test]
async fn d4_logins_leave_their_records_and_what_is_swept() {
    const ROWS: &str = "SELECT (SELECT COUNT(*) FROM revoked_tokens)
        + (SELECT COUNT(*) FROM token_uses) + (SELECT COUNT(*) FROM token_auth_tokens)
        + (SELECT COUNT(*) FROM login_lockouts) + (SELECT COUNT(*) FROM identity_auth_methods)
        + (SELECT COUNT(*) FROM organization_memberships) + (SELECT COUNT(*) FROM identities)";
    const USED: &str = "SELECT COUNT(*) FROM used_proofs";
    let vouched = Vouched::new().await;
    let world = &vouched.world;
    let mut machines = Vec::new();
    for method in METHODS {
        machines.push((method, vouched.machine(method).await));
    }
    let rows = world.number(ROWS).await;
    for _ in 0..10 {
        world.clock.advance(1);
        for (method, id) in &machines {
            vouched.token(method, *id).await;
            unauthorized(vouched.login(method, SOMEBODY.parse().unwrap()).await);
        }
    }
    assert_eq!(world.number(ROWS).await, rows);
    assert_eq!(world.number(USED).await, 10, "one for each signed request");
    world.core.sweep().await.unwrap();
    assert_eq!(world.number(USED).await, 10, "they would still be believed");
    world.clock.advance(300);
    world.core.sweep().await.unwrap();
    assert_eq!(world.number(USED).await, 1, "the last one is believed for a second more");
    world.clock.advance(1);
    world.core.sweep().await.unwrap();
    assert_eq!(world.number(USED).await, 0);
}

#[tokio::test]
async fn what_a_token_would_say_at_length_is_refused() {
    let vouched = Vouched::new().await;
    let id = vouched.machine("oidc-auth").await;
    let login = async |team: String| {
        let now = vouched.world.core.now().seconds();
        let mut claims = vouched.vouchers.claims("oidc-auth", &id.to_string(), now);
        claims["org"]["team"] = team.into();
        let jwt = kms_standins::Signer::rsa().sign(&claims);
        let proof = json!({ "identityId": id, "jwt": jwt });
        vouched.login_with("oidc-auth", proof, &from(HOME)).await
    };
    login("x".repeat(4_000)).await.unwrap();
    let text = unauthorized(login("x".repeat(4_100)).await);
    assert!(text.contains("too long for a token"), "{text}");
    let record = last_record(&vouched, "login-identity-oidc-auth-failed").await;
    assert!(record.to_string().len() < 2_048, "{record}");
}

#[tokio::test]
async fn an_audit_record_is_short_whoever_signs() {
    let vouched = Vouched::new().await;
    let id = vouched.machine("jwt-auth").await;
    let any = json!({ "configurationType": "static", "boundSubject": "" });
    vouched.change("jwt-auth", id, any).await.unwrap();
    let now = vouched.world.core.now().seconds();
    let mut claims = vouched.vouchers.claims("jwt-auth", &id.to_string(), now);
    claims["sub"] = "é".repeat(3_000).into();
    let jwt = kms_standins::Signer::rsa().sign(&claims);
    let proof = json!({ "identityId": id, "jwt": jwt });
    vouched.login_with("jwt-auth", proof, &from(HOME)).await.unwrap();
    let record = last_record(&vouched, "login-identity-jwt-auth").await;
    let subject = record["event"]["metadata"]["subject"].as_str().unwrap();
    assert_eq!(subject, "é".repeat(512));
}
