//! J11: what tokens of these methods rest on, and what ends them.

use super::*;

/// A machine of each method, with a token that was good a moment ago.
async fn machines(vouched: &Vouched) -> Vec<(&'static str, IdentityId, String)> {
    let mut machines = Vec::new();
    for method in METHODS {
        let id = vouched.machine(method).await;
        let token = vouched.token(method, id).await;
        vouched.world.request(&token).await.unwrap();
        machines.push((method, id, token));
    }
    machines
}

#[tokio::test]
async fn j11_a_detached_method_ends_its_tokens_and_logins() {
    let vouched = Vouched::new().await;
    for (method, id, token) in machines(&vouched).await {
        vouched.detach(method, id).await.unwrap();
        assert!(vouched.world.request(&token).await.is_err(), "{method}");
        assert!(vouched.world.renew(&token).await.is_err(), "{method}");
        assert_eq!(unauthorized(vouched.login(method, id).await), "Invalid credentials");
        // The same method again is another one.
        vouched.attach(method, id, vouched.vouchers.settings(method)).await.unwrap();
        assert!(vouched.world.request(&token).await.is_err(), "{method}");
        vouched.world.clock.advance(1);
        let anew = vouched.token(method, id).await;
        vouched.world.request(&anew).await.unwrap();
    }
}

#[tokio::test]
async fn j11_a_deleted_identity_is_nobody() {
    let vouched = Vouched::new().await;
    for (method, id, token) in machines(&vouched).await {
        vouched.world.core.delete_identity(&vouched.world.ours, id).await.unwrap();
        assert!(vouched.world.request(&token).await.is_err(), "{method}");
        assert_eq!(unauthorized(vouched.login(method, id).await), "Invalid credentials");
    }
}

#[tokio::test]
async fn j11_who_is_no_member_any_more_is_let_in_nowhere() {
    let vouched = Vouched::new().await;
    for (method, id, token) in machines(&vouched).await {
        for (status, is_active) in [("accepted", false), ("invited", true)] {
            vouched.world.set_membership(id, status, is_active).await;
            assert!(vouched.world.request(&token).await.is_err(), "{method}");
            vouched.world.clock.advance(1);
            unauthorized(vouched.login(method, id).await);
        }
        vouched.world.set_membership(id, "accepted", true).await;
        vouched.world.request(&token).await.unwrap();
    }
}

#[tokio::test]
async fn j11_trusted_addresses_act_on_tokens_that_exist() {
    let vouched = Vouched::new().await;
    for (method, id, token) in machines(&vouched).await {
        let mut sent = json!({ "accessTokenTrustedIps": [{ "ipAddress": "198.51.100.0/24" }] });
        if method == "jwt-auth" {
            sent["configurationType"] = "static".into();
        }
        vouched.change(method, id, sent).await.unwrap();
        assert!(vouched.world.request(&token).await.is_err(), "{method}");
        let nearby = vouched.world.core.authenticate(&token, from("198.51.100.4")).await;
        assert!(nearby.is_ok(), "{method}");
        // Where a token may be used is not where one may log in (wire contract, IP rules).
        vouched.world.clock.advance(1);
        vouched.token(method, id).await;
    }
}

/// What the embedded server remembers of a login hides no change of who may log in.
#[tokio::test]
async fn j11_a_changed_rule_counts_at_the_next_login() {
    let vouched = Vouched::new().await;
    for (method, change) in [
        ("kubernetes-auth", json!({ "allowedNames": "job" })),
        ("azure-auth", json!({ "allowedServicePrincipalIds": kms_standins::TENANT })),
        ("gcp-auth", json!({ "allowedZones": "europe-west1-c" })),
        ("aws-auth", json!({ "allowedPrincipalArns": "arn:aws:iam::123456789012:role/Other" })),
        ("oidc-auth", json!({ "boundAudiences": "other" })),
        ("jwt-auth", json!({ "configurationType": "static", "boundAudiences": "other" })),
    ] {
        let id = vouched.machine(method).await;
        vouched.token(method, id).await;
        vouched.token(method, id).await;
        vouched.change(method, id, change).await.unwrap();
        vouched.world.clock.advance(1);
        unauthorized(vouched.login(method, id).await);
    }
}

#[tokio::test]
async fn t7_a_token_is_scoped_to_a_sub_organization_of_which_the_identity_is_a_member() {
    let vouched = Vouched::new().await;
    let (world, core) = (&vouched.world, &vouched.world.core);
    let root = world.ours.organization;
    let mut tx = world.store.begin().await.unwrap();
    let mut sub = core.insert_organization(&mut tx, "unused").await.unwrap();
    sub.id = core.new_id();
    sub.slug = "sub".into();
    (sub.parent_id, sub.root_id, sub.tree_id) = (Some(root), Some(root), root.uuid());
    kms_store::organizations::insert(&mut tx, &sub).await.unwrap();
    tx.commit().await.unwrap();
    for method in METHODS {
        let id = vouched.machine(method).await;
        let login = async |slug: &str| {
            world.clock.advance(1);
            let mut proof = vouched.proof(method, id);
            proof["organizationSlug"] = slug.into();
            vouched.login_with(method, proof, &from(HOME)).await
        };
        let refused = unauthorized(login("sub").await);
        assert_eq!(refused, "Identity not authorized to access sub organization sub", "{method}");
        assert!(matches!(login("nowhere").await, Err(Error::NotFound(_))));
        assert!(matches!(login("Not a slug!").await, Err(Error::Validation(_))));
        let mut tx = world.store.begin().await.unwrap();
        let member = ("identity", id.uuid());
        core.insert_organization_member(&mut tx, sub.id, member, "member").await.unwrap();
        core.touches_rights(&mut tx);
        tx.commit().await.unwrap();
        let token = login("sub").await.unwrap().access_token;
        let claims = world.claims(&token);
        assert_eq!((claims.org_id, claims.root_org_id), (sub.id.uuid(), root.uuid()), "{method}");
        assert_eq!(world.request(&token).await.unwrap().organization, sub.id);
        let home = login("").await.unwrap().access_token;
        assert_eq!(world.claims(&home).org_id, root.uuid());
    }
}
