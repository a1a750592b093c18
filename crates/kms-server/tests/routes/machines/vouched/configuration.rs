//! Attaching, changing, showing and detaching.

use super::*;

const ATTACHED: &str = "id identityId accessTokenTTL accessTokenMaxTTL accessTokenNumUsesLimit
    accessTokenTrustedIps createdAt updatedAt";

#[tokio::test]
async fn each_method_is_answered_as_the_contract_names_it() {
    let outside = Outside::start().await;
    for (method, own) in [
        (
            "kubernetes-auth",
            "kubernetesHost caCert tokenReviewerJwt tokenReviewMode allowedNamespaces allowedNames
            allowedAudience gatewayId",
        ),
        ("azure-auth", "tenantId resource allowedServicePrincipalIds"),
        ("gcp-auth", "type allowedServiceAccounts allowedProjects allowedZones"),
        ("aws-auth", "type stsEndpoint allowedPrincipalArns allowedAccountIds requireServerHeader"),
        (
            "oidc-auth",
            "oidcDiscoveryUrl caCert boundIssuer boundAudiences boundClaims boundSubject
            claimMetadataMapping",
        ),
        (
            "jwt-auth",
            "configurationType jwksUrl jwksCaCert publicKeys boundIssuer boundAudiences boundClaims
            boundSubject",
        ),
    ] {
        let id = outside.identity().await;
        let one = configuration(method, &id);
        assert_eq!(outside.instance.get(&one).await.status, StatusCode::BAD_REQUEST, "{method}");
        let settings = outside.vouchers.settings(method);
        let made = outside.attach(method, &id, settings.clone()).await.ok();
        assert_eq!(fields(&made), [answer_key(method)], "{method}");
        let made = &made[answer_key(method)];
        let mut expected = sorted(ATTACHED);
        expected.extend(own.split_whitespace());
        expected.sort_unstable();
        assert_eq!(fields(made), expected, "{method}");
        let shown = outside.instance.get(&one).await.ok();
        assert_eq!(&shown[answer_key(method)], made);
        let twice = outside.attach(method, &id, settings).await;
        assert_eq!(twice.status, StatusCode::BAD_REQUEST);
        assert!(twice.text().contains("to already configured identity"), "{}", twice.text());
        let changed = outside.change(method, &id, json!({ "accessTokenTTL": 60 })).await.ok();
        assert_eq!(changed[answer_key(method)]["accessTokenTTL"], 60);
        let listed = outside.instance.get(&path(paths::IDENTITY, &[&id])).await.ok();
        assert_eq!(listed["identity"]["identity"]["authMethods"], json!([method]));
        let gone = outside.instance.send("DELETE", &one, json!({})).await.ok();
        assert_eq!(gone[answer_key(method)]["id"], made["id"]);
        let changed = outside.change(method, &id, json!({})).await;
        assert_eq!(changed.status, StatusCode::BAD_REQUEST, "{method}");
    }
    outside.instance.server.stop().await;
}

#[tokio::test]
async fn a_login_takes_json_and_forms_and_says_what_every_login_says() {
    let outside = Outside::start().await;
    for method in METHODS {
        let id = outside.machine(method).await;
        let proof = outside.proof(method, &id);
        let answer = outside.login_with(method, proof.clone(), HOME).await.ok();
        let said = "accessToken expiresIn accessTokenMaxTTL tokenType";
        assert_eq!(fields(&answer), sorted(said), "{method}");
        let pairs = proof.as_object().unwrap().iter();
        let pairs = pairs.filter_map(|(name, value)| Some((name, value.as_str()?)));
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        let route = format!("/api/v1/auth/{method}/login/");
        let request = outside.instance.server.post(&route).from(HOME);
        let answer = request.body("application/x-www-form-urlencoded", form).send().await.ok();
        who(&outside.instance, &text(&answer["accessToken"])).await.ok();
        let nothing = outside.login_with(method, json!({}), HOME).await;
        assert_eq!(nothing.status, StatusCode::UNPROCESSABLE_ENTITY, "{method}");
    }
    outside.instance.server.stop().await;
}

#[tokio::test]
async fn x1_x4_an_address_inside_is_not_saved_and_no_refusal_repeats_it() {
    let outside = Outside::start().await;
    for (method, field) in [
        ("kubernetes-auth", "kubernetesHost"),
        ("oidc-auth", "oidcDiscoveryUrl"),
        ("jwt-auth", "jwksUrl"),
        ("aws-auth", "stsEndpoint"),
    ] {
        let id = outside.identity().await;
        let mut settings = outside.vouchers.settings(method);
        if method == "jwt-auth" {
            settings["configurationType"] = "jwks".into();
        }
        for address in [
            "https://10.0.0.1/canary",
            "https://172.16.0.9/canary",
            "https://192.168.1.1/canary",
            "https://100.64.0.1/canary",
            "https://169.254.169.254/canary",
            "https://[fe80::1]/canary",
            "https://[fd00::1]/canary",
            "https://[::ffff:10.0.0.1]/canary",
            "https://167772161/canary",
            "https://0xa000001/canary",
            "https://012.0.0.1/canary",
            "https://0.0.0.0/canary",
            "https://user:canary@example.com",
            "https://example.com./canary",
            "https://example.com/#canary",
            "https://example.com:22/canary",
            "https://example.com/\r\nX-Canary: canary",
            "https://example.com\\canary",
            "file:///canary",
            "gopher://example.com/canary",
            "http://example.com.canary:80/",
            // This server itself, which `--outbound-allow` does not open (attack X2).
            &format!("{}/canary", outside.instance.server.url()),
        ] {
            if address.starts_with("http://example.com") && method != "aws-auth" {
                // Where networks are allowed, a name may lead into one; only calling it tells.
                continue;
            }
            settings[field] = address.into();
            let answer = outside.attach(method, &id, settings.clone()).await;
            let status = answer.status;
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{method} {address}");
            assert_eq!(answer.json()["message"][0]["path"], json!([field]), "{method} {address}");
            assert!(!answer.text().contains("canary"), "{}", answer.text());
        }
        let none = outside.instance.get(&configuration(method, &id)).await;
        assert_eq!(none.status, StatusCode::BAD_REQUEST, "nothing was written");
    }
    outside.instance.server.stop().await;
}

#[tokio::test]
async fn c9_the_reviewer_goes_to_the_cluster_that_it_was_given_for() {
    let outside = Outside::start().await;
    let id = outside.machine("kubernetes-auth").await;
    let canary = kms_standins::Cluster::start(json!({})).await;
    let moved = json!({ "kubernetesHost": canary.peer.url() });
    let answer = outside.change("kubernetes-auth", &id, moved.clone()).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(answer.json()["message"][0]["path"], json!(["tokenReviewerJwt"]));
    assert_eq!(canary.peer.connections(), 0);
    let mut without = moved;
    without["tokenReviewerJwt"] = Value::Null;
    let changed = outside.change("kubernetes-auth", &id, without).await.ok();
    assert_eq!(changed["identityKubernetesAuth"]["tokenReviewerJwt"], Value::Null);
    outside.login("kubernetes-auth", &id).await.ok();
    for request in canary.peer.requests() {
        let bearer = request.headers().get("authorization");
        assert!(bearer.is_none_or(|bearer| bearer != "Bearer reviewer-token"));
    }
    outside.instance.server.stop().await;
}
