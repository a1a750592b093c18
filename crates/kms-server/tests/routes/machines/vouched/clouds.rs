//! C1 to C10 at the routes: logins of the clouds.

use kms_standins::{ACCOUNT, Client, Peer, SERVICE_ACCOUNT, TENANT, status};

use super::*;

const AWS: &str = "aws-auth";

/// Logs in with what a client of AWS signed.
async fn signed(outside: &Outside, id: &str, client: Client) -> Answer {
    let client = client.when(outside.now()).as_identity(id.parse().unwrap());
    outside.login_with(AWS, json!(client.proof()), HOME).await
}

#[tokio::test]
async fn c1_nobody_chooses_who_verifies_a_signed_request() {
    let outside = Outside::start().await;
    let id = outside.machine(AWS).await;
    let canary = Peer::http(|_| status(200)).await;
    let asked = outside.vouchers.sts.peer.requests().len();
    for host in [
        canary.address.to_string(),
        "sts.eu-west-1.amazonaws.com.evil.example".into(),
        "sts.eu-west-1.amazonaws.com@evil.example".into(),
        "sts.us-east-1.amazonaws.com".into(),
        "sts.cn-north-1.amazonaws.com.cn".into(),
        "sts.us-gov-west-1.amazonaws.com".into(),
        "iam.amazonaws.com".into(),
        "localhost".into(),
        "169.254.169.254".into(),
    ] {
        let answer = signed(&outside, &id, Client::node().at(&host)).await;
        assert_unverified(&answer, &host);
    }
    for region in ["cn-north-1", "us-gov-west-1", "eu-west-1.evil", "x", "", "eu-west-1/../x"] {
        let client = Client { region: region.into(), ..Client::node() };
        assert_unverified(&signed(&outside, &id, client).await, region);
    }
    assert_eq!(canary.connections(), 0);
    assert_eq!(outside.vouchers.sts.peer.requests().len(), asked, "nobody was asked");
    signed(&outside, &id, Client::go()).await.ok();
    outside.instance.server.stop().await;
}

#[tokio::test]
async fn c2_only_the_one_request_is_sent_on() {
    let outside = Outside::start().await;
    let id = outside.machine(AWS).await;
    let usual = json!(Client::node().when(outside.now()).as_identity(id.parse().unwrap()).proof());
    let asked = outside.vouchers.sts.peer.requests().len();
    for (field, value) in [
        ("iamHttpRequestMethod", "GET"),
        ("iamHttpRequestMethod", "PUT"),
        ("iamRequestBody", "QWN0aW9uPUdldFNlc3Npb25Ub2tlbg=="),
        ("iamRequestBody", ""),
        ("iamRequestBody", "%"),
        ("iamRequestHeaders", "W10="),
        ("iamRequestHeaders", ""),
    ] {
        let mut proof = usual.clone();
        proof[field] = value.into();
        let answer = outside.login_with(AWS, proof, HOME).await;
        assert_unverified(&answer, &format!("{field} {value}"));
    }
    for (name, value) in [
        ("X-Amz-Date", json!("20300101T000000Z")),
        ("accept", json!("text/html")),
        ("content-type", json!("application/json")),
        ("content-length", json!("1")),
        ("host", json!("evil.example")),
    ] {
        let client = Client::node().with_header(name, &value);
        assert_unverified(&signed(&outside, &id, client).await, name);
    }
    assert_eq!(outside.vouchers.sts.peer.requests().len(), asked, "nobody was asked");
    let stolen = Client { secret: "another".into(), ..Client::node() };
    assert_unverified(&signed(&outside, &id, stolen).await, "signed with another key");
    outside.instance.server.stop().await;
}

#[tokio::test]
async fn c3_an_account_is_compared_whatever_the_name_of_the_role() {
    let outside = Outside::start().await;
    for settings in [
        json!({ "allowedAccountIds": "999999999999" }),
        json!({ "allowedPrincipalArns": "arn:aws:iam::999999999999:role/App" }),
        json!({ "allowedPrincipalArns": format!("arn:aws:iam::{ACCOUNT}:role/Ap") }),
        json!({ "allowedPrincipalArns": format!("arn:aws:iam::{ACCOUNT}:user/App") }),
        json!({ "allowedAccountIds": "999999999999",
            "allowedPrincipalArns": format!("arn:aws:iam::{ACCOUNT}:role/App") }),
    ] {
        let id = outside.identity().await;
        outside.attach(AWS, &id, settings.clone()).await.ok();
        assert_refused(&signed(&outside, &id, Client::node()).await, &settings.to_string());
    }
    for (settings, field) in [
        (json!({ "allowedPrincipalArns": "arn:aws:iam::*:role/App" }), "allowedPrincipalArns"),
        (json!({ "allowedPrincipalArns": "*" }), "allowedPrincipalArns"),
        (json!({}), "allowedAccountIds"),
    ] {
        let id = outside.identity().await;
        let answer = outside.attach(AWS, &id, settings).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(answer.json()["message"][0]["path"], json!([field]));
    }
    let root = Client { key_id: "AKIAROOTROOTROOTROOT".into(), ..Client::node() };
    let id = outside.identity().await;
    outside.attach(AWS, &id, json!({ "allowedAccountIds": ACCOUNT })).await.ok();
    assert_refused(&signed(&outside, &id, root).await, "the account's root");
    outside.instance.server.stop().await;
}

#[tokio::test]
async fn c4_a_request_for_another_server_is_refused_and_ours_can_be_required() {
    let outside = Outside::start().await;
    let id = outside.machine(AWS).await;
    let own = outside.instance.server.url().to_owned();
    signed(&outside, &id, Client::ours(&own)).await.ok();
    outside.instance.server.clock.advance(1);
    for other in ["https://kms.hanzo.ai", "https://evil.example", ""] {
        assert_unverified(&signed(&outside, &id, Client::ours(other)).await, other);
    }
    outside.change(AWS, &id, json!({ "requireServerHeader": true })).await.ok();
    assert_unverified(&signed(&outside, &id, Client::node()).await, "bound to no server");
    signed(&outside, &id, Client::ours(&own)).await.ok();
    outside.instance.server.stop().await;
}

#[tokio::test]
async fn c5_c6_c7_google_vouches_for_instances_and_accounts_only_for_themselves() {
    let outside = Outside::start().await;
    let method = "gcp-auth";
    let id = outside.machine(method).await;
    outside.login(method, &id).await.ok();
    // The service account's own key is not Google's, whatever it says (C5).
    let claims = outside.vouchers.claims(method, &id, outside.now());
    let own = Signer::imposter().sign(&claims);
    assert_unverified(&outside.with_jwt(method, &id, &own).await, "signed by the account");
    for changes in [
        json!({ "google": null }),
        json!({ "google": {} }),
        json!({ "google": { "compute_engine": {} } }),
        json!({ "google": { "compute_engine": { "project_id": "proj" } } }),
        json!({ "google": { "compute_engine": { "zone": "europe-west1-b" } } }),
        json!({ "google": { "compute_engine": { "project_id": "x", "zone": "europe-west1-b" } } }),
        json!({ "google": { "compute_engine": { "project_id": ["proj"], "zone": 1 } } }),
        json!({ "email": null }),
        json!({ "email": "other@proj.iam.gserviceaccount.com" }),
        json!({ "email_verified": null }),
        json!({ "email_verified": false }),
        json!({ "email_verified": "true" }),
        json!({ "aud": "5b5fd0bb-6b86-4b0c-9d3c-5d3f2f7d1b11" }),
    ] {
        assert_refused(&outside.saying(method, &id, &changes).await, &changes.to_string());
    }
    // The other kind: the name of the account becomes a part of an address (C7).
    let iam = json!({ "type": "iam", "allowedServiceAccounts": SERVICE_ACCOUNT });
    outside.change(method, &id, iam).await.ok();
    let asked = outside.vouchers.issuer.requests().len();
    for subject in [
        "../../../keys",
        "app@proj.iam.gserviceaccount.com/../../keys",
        "app@proj.iam.gserviceaccount.com?x",
        "app%40proj.iam.gserviceaccount.com",
        "other@proj.iam.gserviceaccount.com",
        "",
    ] {
        let answer = outside.saying(method, &id, &json!({ "sub": subject })).await;
        assert_unverified(&answer, subject);
    }
    assert_eq!(outside.vouchers.issuer.requests().len(), asked, "nobody was asked");
    outside.instance.server.stop().await;
}

#[tokio::test]
async fn c8_a_tenant_is_one_tenant_and_a_principal_is_its_object() {
    let outside = Outside::start().await;
    let method = "azure-auth";
    let id = outside.machine(method).await;
    let other = "6a7d1c2e-0000-4000-8000-000000000002";
    for changes in [
        json!({ "tid": other }),
        json!({ "tid": null }),
        json!({ "iss": format!("https://sts.windows.net/{other}/") }),
        json!({ "iss": format!("https://login.microsoftonline.com/{TENANT}/v2.0"), "ver": "2.0" }),
        json!({ "oid": other }),
        json!({ "oid": null, "appid": kms_standins::PRINCIPAL }),
        json!({ "oid": null, "sub": kms_standins::PRINCIPAL }),
        json!({ "aud": "https://graph.microsoft.com" }),
        json!({ "scp": "user_impersonation" }),
    ] {
        assert_refused(&outside.saying(method, &id, &changes).await, &changes.to_string());
    }
    for tenant in ["common", "organizations", "../x", "", "a.b"] {
        let answer = outside.change(method, &id, json!({ "tenantId": tenant })).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{tenant}");
    }
    outside.login(method, &id).await.ok();
    outside.instance.server.stop().await;
}

#[tokio::test]
async fn c10_a_cluster_vouches_for_its_service_accounts_and_for_the_audience() {
    let outside = Outside::start().await;
    let method = "kubernetes-auth";
    for status in [
        json!({ "authenticated": false }),
        json!({ "user": { "username": "system:node:web" } }),
        json!({ "user": { "username": "system:serviceaccount:apps:web:x" } }),
        json!({ "user": { "username": "system:serviceaccount:other:web" } }),
        json!({ "audiences": ["other"] }),
        json!({ "audiences": null }),
    ] {
        let cluster = kms_standins::Cluster::start(status.clone()).await;
        let change = json!({ "kubernetesHost": cluster.peer.url() });
        let settings = kms_standins::changed(&outside.vouchers.settings(method), &change);
        let id = outside.identity().await;
        outside.attach(method, &id, settings).await.ok();
        assert_refused(&outside.login(method, &id).await, &status.to_string());
    }
    let id = outside.identity().await;
    let host = json!({ "kubernetesHost": outside.vouchers.cluster.peer.url() });
    let open = outside.attach(method, &id, host).await;
    assert_eq!(open.status, StatusCode::UNPROCESSABLE_ENTITY, "no limit that somebody chose");
    outside.instance.server.stop().await;
}
