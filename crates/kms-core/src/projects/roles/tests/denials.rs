//! What a role forbids stays forbidden to whoever may change roles.

use kms_api::{
    memberships::{AddMembers, FindMember, RoleInput, UpdateMember},
    roles::UpdateRole,
};
use serde_json::{Value, json};

use super::{id_of, make, member, of, project, reads};
use crate::{
    Caller, Error, Result,
    testing::{World, person},
    users::NewUser,
};

/// A role that only denies allows nothing, so everybody covers it.
#[tokio::test]
async fn t4_nobody_lifts_a_denial_of_what_they_do_not_hold() {
    let world = World::new().await;
    let (core, ours, project) = (&world.core, &world.ours, project(&world).await);
    let manager = json!([
        {"subject": "role", "action": ["read", "create", "edit", "delete"]},
        {"subject": "identity", "action": ["read", "create", "edit", "delete"]},
        {"subject": "secrets", "action": "read"},
    ]);
    let no_prod = json!([{"subject": "secrets", "action": "read", "inverted": true,
        "conditions": {"environment": "prod"}}]);
    make(&world, project, "manager", manager).await;
    let denial = make(&world, project, "no-prod", no_prod.clone()).await;
    let spare = make(&world, project, "spare", no_prod.clone()).await;
    let manager = member(&world, project, &["manager", "no-prod"]).await;
    let is_boundary = |result: Result<()>| matches!(result, Err(Error::PermissionBoundary { .. }));
    let change = async |caller: &Caller, rules: &Value| {
        let permissions = rules.as_array().cloned();
        let body = UpdateRole { permissions, ..UpdateRole::default() };
        core.update_project_role(caller, project, denial.id, &body).await.map(drop)
    };
    for rules in [
        json!([]),
        json!([{"subject": "secrets", "action": "readValue", "inverted": true,
            "conditions": {"environment": "prod"}}]),
        json!([{"subject": "secrets", "action": "read", "inverted": true,
            "conditions": {"environment": "prod", "secretPath": "/a"}}]),
        json!([{"subject": "secrets", "action": "read", "inverted": true,
            "conditions": {"environment": "{{identity.metadata.env}}"}}]),
    ] {
        assert!(is_boundary(change(&manager, &rules).await), "{rules}");
    }
    assert!(is_boundary(core.delete_project_role(&manager, project, spare.id).await.map(drop)));
    assert!(!reads(&world, &manager, project, ("prod", "/")).await);

    // Nor by taking the role from somebody, or somebody with it from the project.
    let other = member(&world, project, &["no-access", "no-prod"]).await;
    let give = async |caller: &Caller, slugs: &[&str]| {
        let body = of(slugs);
        core.update_identity_membership(caller, project, id_of(&other), &body).await.map(drop)
    };
    assert!(is_boundary(give(&manager, &["no-access"]).await));
    assert!(is_boundary(
        give(&manager, &["spare"]).await.and(give(&manager, &["no-access"]).await)
    ));
    let removed = core.remove_identity_membership(&manager, project, id_of(&other)).await;
    assert!(is_boundary(removed.map(drop)));

    // A denial may stand elsewhere, and become wider.
    let wider = json!([{"subject": "tags", "action": "read", "inverted": true},
        {"subject": "secrets", "action": ["read", "edit"], "inverted": true,
         "conditions": {"environment": {"$in": ["qa", "prod"]}}}]);
    change(&manager, &no_prod).await.unwrap();
    change(&manager, &wider).await.unwrap();
    give(&manager, &["no-prod", "no-access"]).await.unwrap();
    // Whoever may do what it withholds lifts it.
    assert!(is_boundary(change(&manager, &no_prod).await));
    change(ours, &json!([])).await.unwrap();
    give(ours, &["no-access"]).await.unwrap();
    assert!(reads(&world, &manager, project, ("prod", "/")).await);
}

/// Rules are compared before the write begins, and written only over what was compared.
#[tokio::test]
async fn t4_a_role_that_changed_since_it_was_compared_is_not_written() {
    let world = World::new().await;
    let (core, ours, project) = (&world.core, &world.ours, project(&world).await);
    let role = make(&world, project, "mine", json!([])).await;
    let access = core.project_access(ours, project).await.unwrap();
    let (seen, _) = core.role_to_change(&access, role.id).await.unwrap();
    drop(core.role_as_seen(&seen).await.unwrap());
    let permissions = json!([{"subject": "tags", "action": "read"}]).as_array().cloned();
    let body = UpdateRole { permissions, ..UpdateRole::default() };
    core.update_project_role(ours, project, role.id, &body).await.unwrap();
    assert!(matches!(core.role_as_seen(&seen).await, Err(Error::Unavailable(_))));
}

/// Leaving asks for no right, whatever the membership withholds or is to give later.
#[tokio::test]
async fn t4_whoever_is_denied_something_may_leave() {
    let world = World::new().await;
    let (core, ours, project) = (&world.core, &world.ours, project(&world).await);
    let denial = |environment: &str| {
        json!([{"subject": "secrets", "action": "read", "inverted": true,
            "conditions": {"environment": environment}}])
    };
    let own = json!([{"subject": "secrets", "action": "read",
        "conditions": {"environment": "{{identity.metadata.env}}"}}]);
    make(&world, project, "no-prod", denial("prod")).await;
    make(&world, project, "no-own", denial("{{identity.metadata.env}}")).await;
    make(&world, project, "own", own).await;
    for (index, slug) in ["no-prod", "no-own", "own", "admin"].into_iter().enumerate() {
        let email = format!("ada{index}@ours.test");
        let new = NewUser {
            email: email.clone(),
            first_name: None,
            last_name: None,
            password_hash: None,
            super_admin: false,
            is_accepted: true,
            is_email_verified: false,
        };
        let mut tx = world.store.begin().await.unwrap();
        let ada = core.insert_user(&mut tx, new).await.unwrap().id;
        let (org, principal) = (ours.organization, ("user", ada.uuid()));
        core.insert_organization_member(&mut tx, org, principal, "member").await.unwrap();
        tx.commit().await.unwrap();
        let body = AddMembers {
            usernames: vec![email.clone()],
            role_slugs: Some(vec!["no-access".into()]),
            ..AddMembers::default()
        };
        core.add_user_memberships(ours, project, &body).await.unwrap();
        let found = core.find_user_membership(ours, project, &FindMember { username: email }).await;
        let role = |slug: &str, ends| RoleInput {
            role: slug.into(),
            is_temporary: Some(ends),
            temporary_mode: Some("relative".into()),
            temporary_range: Some("1h".into()),
            temporary_access_start_time: Some(crate::testing::NOON.plus_seconds(60)),
        };
        let roles = vec![role("no-access", false), role(slug, slug == "admin")];
        let id = found.unwrap().membership.id;
        core.update_user_membership(ours, project, id, &UpdateMember { roles }).await.unwrap();
        let ada = person(ada, ours.organization, "member");
        core.leave_project(&ada, project).await.unwrap();
        let gone = core.project_access(&ada, project).await;
        assert!(matches!(gone, Err(Error::Forbidden { .. })), "{slug}");
    }
    let last = core.leave_project(ours, project).await;
    assert!(matches!(last, Err(Error::BadRequest { .. })), "a project needs an administrator");
}
