use kms_api::IdentityId;
use kms_standins::{Authority, Cluster, METHODS, REVIEWER, Signer};
use kms_store::auth_methods::AuthMethodRow;
use serde_json::{Value, json};

use crate::{Error, access::auth_method_mac, testing::vouched::Vouched};

const ROWS: &str = "SELECT COUNT(*) FROM identity_auth_methods";

/// What a change of a method sends besides; `jwt-auth` must say again where its keys come from.
fn changing(method: &str, mut settings: Value) -> Value {
    if method == "jwt-auth" {
        settings["configurationType"] = "static".into();
    }
    settings
}

async fn row(vouched: &Vouched, method: &str, id: IdentityId) -> AuthMethodRow {
    let world = &vouched.world;
    let org = world.ours.organization;
    kms_store::auth_methods::find(&world.store, org, id, method).await.unwrap().unwrap()
}

/// The fields of a refusal.
fn fields(error: &Error) -> Vec<String> {
    let Error::Validation(issues) = error else { panic!("another error: {error}") };
    issues.iter().map(|issue| issue.path[0].as_str().unwrap().to_owned()).collect()
}

fn bad_request<T>(result: crate::Result<T>) -> String {
    match result {
        Err(Error::BadRequest { message, .. }) => message.into_owned(),
        Err(other) => panic!("another error: {other}"),
        Ok(_) => panic!("it was done"),
    }
}

#[tokio::test]
async fn every_method_is_attached_read_changed_and_detached() {
    let vouched = Vouched::new().await;
    for method in METHODS {
        let id = vouched.identity().await;
        bad_request(vouched.read(method, id).await);
        let settings = vouched.vouchers.settings(method);
        let made = vouched.attach(method, id, settings.clone()).await.unwrap();
        for (name, value) in settings.as_object().unwrap() {
            assert_eq!(&made[name], value, "{method} {name}");
        }
        assert_eq!(made["identityId"], json!(id));
        assert_eq!(made["accessTokenTTL"], 2_592_000);
        assert_eq!(vouched.read(method, id).await.unwrap(), made, "{method}");
        let twice = bad_request(vouched.attach(method, id, settings).await);
        assert!(twice.contains("already configured identity"), "{twice}");

        vouched.world.clock.advance(1);
        let sent = changing(method, json!({ "accessTokenTTL": 600, "accessTokenMaxTTL": 900 }));
        let changed = vouched.change(method, id, sent).await.unwrap();
        let mut expected = made.clone();
        expected["accessTokenTTL"] = 600.into();
        expected["accessTokenMaxTTL"] = 900.into();
        expected["updatedAt"] = changed["updatedAt"].clone();
        assert_ne!(changed["updatedAt"], made["updatedAt"]);
        assert_eq!(changed, expected, "{method}: what is left out stays");
        assert_eq!(vouched.read(method, id).await.unwrap(), changed, "{method}");

        let gone = vouched.detach(method, id).await.unwrap();
        assert_eq!(gone["id"], made["id"]);
        bad_request(vouched.read(method, id).await);
        let sent = changing(method, json!({}));
        bad_request(vouched.change(method, id, sent).await);
        bad_request(vouched.detach(method, id).await);
        for event in ["add", "update", "revoke"] {
            let kind = format!("{event}-identity-{method}");
            assert_eq!(vouched.world.recorded(&kind).await, 1, "{kind}");
        }
    }
}

#[tokio::test]
async fn t1_methods_of_another_organization_are_not_there() {
    let vouched = Vouched::new().await;
    for method in METHODS {
        let id = vouched.machine(method).await;
        let read = vouched.read_as(&vouched.world.theirs, method, id).await;
        assert!(matches!(read, Err(Error::NotFound(_))), "{method}");
    }
}

#[tokio::test]
async fn settings_that_are_not_safe_are_refused_by_field_and_write_nothing() {
    let vouched = Vouched::new().await;
    let records = "SELECT COUNT(*) FROM audit_logs";
    let private = Signer::rsa().pair().serialize_pem();
    for (method, change, field) in [
        ("kubernetes-auth", json!({ "kubernetesHost": "https://10.0.0.1" }), "kubernetesHost"),
        ("kubernetes-auth", json!({ "kubernetesHost": "" }), "kubernetesHost"),
        ("kubernetes-auth", json!({ "caCert": "none" }), "caCert"),
        ("kubernetes-auth", json!({ "tokenReviewerJwt": "a\r\nb: c" }), "tokenReviewerJwt"),
        ("kubernetes-auth", json!({ "tokenReviewMode": "gateway" }), "tokenReviewMode"),
        ("azure-auth", json!({ "tenantId": "common" }), "tenantId"),
        (
            "gcp-auth",
            json!({ "allowedServiceAccounts": "", "allowedProjects": "" }),
            "allowedServiceAccounts",
        ),
        ("aws-auth", json!({ "allowedPrincipalArns": "*" }), "allowedPrincipalArns"),
        (
            "aws-auth",
            json!({ "allowedPrincipalArns": "", "allowedAccountIds": "" }),
            "allowedAccountIds",
        ),
        ("aws-auth", json!({ "stsEndpoint": "https://sts.example.com" }), "stsEndpoint"),
        ("oidc-auth", json!({ "oidcDiscoveryUrl": "https://169.254.169.254" }), "oidcDiscoveryUrl"),
        ("oidc-auth", json!({ "boundIssuer": "" }), "boundIssuer"),
        ("jwt-auth", json!({ "publicKeys": [] }), "publicKeys"),
        ("jwt-auth", json!({ "publicKeys": [private] }), "publicKeys"),
        ("jwt-auth", json!({ "accessTokenTTL": 9, "accessTokenMaxTTL": 1 }), "accessTokenTTL"),
        (
            "oidc-auth",
            json!({ "accessTokenTrustedIps": [{ "ipAddress": "x" }] }),
            "accessTokenTrustedIps",
        ),
    ] {
        let id = vouched.identity().await;
        let (rows, logged) =
            (vouched.world.number(ROWS).await, vouched.world.number(records).await);
        let settings = kms_standins::changed(&vouched.vouchers.settings(method), &change);
        let refused = vouched.attach(method, id, settings).await.expect_err(method);
        assert!(fields(&refused).contains(&field.to_owned()), "{change} {refused:?}");
        assert_eq!(vouched.world.number(ROWS).await, rows, "{change}");
        assert_eq!(vouched.world.number(records).await, logged, "{change}");
        // What could not be attached cannot be changed to either.
        vouched.attach(method, id, vouched.vouchers.settings(method)).await.unwrap();
        let before = row(&vouched, method, id).await;
        assert!(vouched.change(method, id, changing(method, change.clone())).await.is_err());
        assert_eq!(row(&vouched, method, id).await.mac, before.mac, "{change}");
    }
}

#[tokio::test]
async fn a_configuration_has_a_limit() {
    let vouched = Vouched::new().await;
    let id = vouched.identity().await;
    // As many names as there may be, each as long as it may be.
    let mapping: serde_json::Map<_, _> =
        (0..64).map(|n| (format!("{n:0>512}"), json!("c".repeat(512)))).collect();
    let change = json!({ "claimMetadataMapping": mapping });
    let settings = kms_standins::changed(&vouched.vouchers.settings("oidc-auth"), &change);
    let text = bad_request(vouched.attach("oidc-auth", id, settings).await);
    assert_eq!(text, "The configuration must have at most 65536 bytes");
    bad_request(vouched.read("oidc-auth", id).await);
}

#[tokio::test]
async fn k8_the_reviewer_of_a_cluster_rests_sealed_and_is_nowhere_else() {
    let vouched = Vouched::new().await;
    let id = vouched.machine("kubernetes-auth").await;
    vouched.token("kubernetes-auth", id).await;
    let stored = row(&vouched, "kubernetes-auth", id).await;
    let sealed = stored.sealed.clone().unwrap();
    assert!(!stored.config.contains(REVIEWER), "{}", stored.config);
    assert!(!sealed.windows(REVIEWER.len()).any(|bytes| bytes == REVIEWER.as_bytes()));
    let telling = "SELECT COUNT(*) FROM audit_logs
        WHERE event_metadata LIKE '%reviewer-token%' OR actor_metadata LIKE '%reviewer-token%'";
    assert_eq!(vouched.world.number(telling).await, 0);
    let of_it = "SELECT COUNT(*) FROM audit_logs WHERE event_metadata LIKE '%authMethodId%'";
    assert_eq!(vouched.world.number(of_it).await, 2, "attached, logged in");
    // Sealed anew with every change, so that equal texts cannot be told.
    vouched.change("kubernetes-auth", id, json!({ "allowedNames": "web, job" })).await.unwrap();
    let again = row(&vouched, "kubernetes-auth", id).await.sealed.unwrap();
    assert_ne!(again, sealed);
    assert_eq!(vouched.read("kubernetes-auth", id).await.unwrap()["tokenReviewerJwt"], REVIEWER);
}

#[tokio::test]
async fn the_reviewer_of_a_cluster_is_shown_to_those_who_could_replace_it() {
    let vouched = Vouched::new().await;
    let id = vouched.machine("kubernetes-auth").await;
    let member = vouched.world.identity(vouched.world.ours.organization, "member").await;
    let seen = vouched.read_as(&member, "kubernetes-auth", id).await.unwrap();
    assert_eq!(seen["tokenReviewerJwt"], Value::Null);
    assert_eq!(seen["allowedNames"], "web");
    let gone = vouched.detach("kubernetes-auth", id).await.unwrap();
    assert_eq!(gone["tokenReviewerJwt"], Value::Null, "it ended with the method");
}

#[tokio::test]
async fn k8_an_edited_row_is_refused() {
    for sql in [
        "UPDATE identity_auth_methods SET config = REPLACE(config, 'apps', 'evil')",
        "UPDATE identity_auth_methods SET sealed = NULL",
        "UPDATE identity_auth_methods SET access_token_trusted_ips = '[]'",
        "UPDATE identity_auth_methods SET method = 'kubernetes-auth'",
    ] {
        let vouched = Vouched::new().await;
        let id = vouched.machine("kubernetes-auth").await;
        let other = vouched.machine("jwt-auth").await;
        vouched.token("kubernetes-auth", id).await;
        assert!(vouched.world.tamper(sql).await > 0);
        let (method, id) = if sql.contains("SET method") {
            ("kubernetes-auth", other)
        } else {
            ("kubernetes-auth", id)
        };
        let login = vouched.login(method, id).await;
        assert!(matches!(login, Err(Error::Internal(_))), "{sql}");
        assert!(vouched.read(method, id).await.is_err(), "{sql}");
        let changed = vouched.change(method, id, json!({ "allowedNames": "" })).await;
        assert!(changed.is_err(), "{sql}");
    }
}

/// Whoever has the database and the key of rows still cannot make one identity use the token that
/// another was given.
#[tokio::test]
async fn k1_a_sealed_reviewer_belongs_to_its_identity() {
    let vouched = Vouched::new().await;
    let world = &vouched.world;
    let (ours, other) =
        (vouched.machine("kubernetes-auth").await, vouched.machine("kubernetes-auth").await);
    let stolen = row(&vouched, "kubernetes-auth", other).await.sealed;
    let before = row(&vouched, "kubernetes-auth", ours).await;
    let mut moved = AuthMethodRow { sealed: stolen, ..before.clone() };
    moved.mac = auth_method_mac(&world.core.keys.rows, &moved).finish().to_vec();
    let mut tx = world.store.begin().await.unwrap();
    assert!(kms_store::auth_methods::update(&mut tx, &moved, &before.mac).await.unwrap());
    world.core.touches_rights(&mut tx);
    tx.commit().await.unwrap();
    assert!(matches!(vouched.login("kubernetes-auth", ours).await, Err(Error::Internal(_))));
    assert!(matches!(vouched.read("kubernetes-auth", ours).await, Err(Error::Internal(_))));
    vouched.token("kubernetes-auth", other).await;
}

#[tokio::test]
async fn c9_a_cluster_is_asked_before_it_is_stored() {
    let vouched = Vouched::new().await;
    let settings = vouched.vouchers.settings("kubernetes-auth");
    let id = vouched.identity().await;
    let nobody = json!({ "kubernetesHost": "http://127.0.0.1:1" });
    let wrong = json!({ "tokenReviewerJwt": "not-the-reviewer" });
    for (change, part) in [(&nobody, "could not be asked"), (&wrong, "system:auth-delegator")] {
        let sent = kms_standins::changed(&settings, change);
        let text = bad_request(vouched.attach("kubernetes-auth", id, sent).await);
        assert!(text.contains(part), "{text}");
        bad_request(vouched.read("kubernetes-auth", id).await);
    }
    vouched.attach("kubernetes-auth", id, settings).await.unwrap();
    let before = row(&vouched, "kubernetes-auth", id).await;
    for change in [&nobody, &wrong] {
        let mut change = change.clone();
        change["tokenReviewerJwt"] = "not-the-reviewer".into();
        bad_request(vouched.change("kubernetes-auth", id, change).await);
        assert_eq!(row(&vouched, "kubernetes-auth", id).await.mac, before.mac);
    }
    // What does not change how the cluster is asked does not need it.
    let asked = vouched.vouchers.cluster.peer.requests().len();
    vouched.change("kubernetes-auth", id, json!({ "allowedNames": "x" })).await.unwrap();
    assert_eq!(vouched.vouchers.cluster.peer.requests().len(), asked);
}

#[tokio::test]
async fn c11_a_cluster_is_asked_over_tls_that_is_verified() {
    let vouched = Vouched::new().await;
    let (authority, other) = (Authority::new(), Authority::new());
    let cluster = Cluster::secure(&authority).await;
    let host = format!("https://{}", cluster.peer.address);
    let id = vouched.identity().await;
    for (certificate, accepted) in
        [(String::new(), false), (other.pem(), false), (authority.pem(), true)]
    {
        let change = json!({ "kubernetesHost": host, "caCert": certificate });
        let settings =
            kms_standins::changed(&vouched.vouchers.settings("kubernetes-auth"), &change);
        let attached = vouched.attach("kubernetes-auth", id, settings).await;
        assert_eq!(attached.is_ok(), accepted);
        assert_eq!(cluster.peer.requests().len(), usize::from(accepted), "nobody got a token");
    }
    vouched.token("kubernetes-auth", id).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn changes_at_once_are_all_kept() {
    let vouched = Vouched::new().await;
    for method in METHODS {
        let id = vouched.machine(method).await;
        let change = |field: &str, value: i64| {
            vouched.change(method, id, changing(method, json!({ field: value })))
        };
        let (ttl, max_ttl, uses) = tokio::join!(
            change("accessTokenTTL", 600),
            change("accessTokenMaxTTL", 2_592_001),
            change("accessTokenNumUsesLimit", 7),
        );
        for changed in [ttl, max_ttl, uses] {
            changed.unwrap();
        }
        let read = vouched.read(method, id).await.unwrap();
        let found =
            (&read["accessTokenTTL"], &read["accessTokenMaxTTL"], &read["accessTokenNumUsesLimit"]);
        assert_eq!(found, (&json!(600), &json!(2_592_001), &json!(7)), "{method}");
    }
}

#[tokio::test]
async fn t4_nobody_changes_how_somebody_stronger_logs_in() {
    let vouched = Vouched::new().await;
    let world = &vouched.world;
    let strong = world.identity(world.ours.organization, "admin").await;
    let weak = world.identity(world.ours.organization, "member").await;
    let id = IdentityId::from(strong.actor.id());
    vouched.attach("jwt-auth", id, vouched.vouchers.settings("jwt-auth")).await.unwrap();
    let body = serde_json::from_value(json!({ "configurationType": "static" })).unwrap();
    let core = &world.core;
    assert!(core.update_external::<kms_api::auth::jwt::Jwt>(&weak, id, &body).await.is_err());
    assert!(core.detach_external::<kms_api::auth::jwt::Jwt>(&weak, id).await.is_err());
    vouched.token("jwt-auth", id).await;
}
