use kms_api::{
    IdentityId,
    auth::{
        TokenSettings,
        token_auth::{CreateToken, ListTokensQuery},
        universal::{CreateClientSecret, Settings},
    },
    identities::{CreateIdentity, IdentityMetadata, ListIdentitiesQuery, UpdateIdentity},
    memberships::IdentityMembershipBody,
    projects::CreateProject,
};
use uuid::Uuid;

use crate::{
    Caller, Error,
    access::ORGANIZATION_ROLES,
    testing::{World, machines::ips},
};

fn named(name: &str, role: &str) -> CreateIdentity {
    CreateIdentity { name: name.into(), role: Some(role.into()), ..CreateIdentity::default() }
}

async fn make(world: &World, name: &str, role: &str) -> IdentityId {
    world.core.create_identity(&world.ours, &named(name, role)).await.unwrap().identity.id
}

#[tokio::test]
async fn an_identity_is_made_read_changed_and_deleted() {
    let world = World::new().await;
    let (core, ours) = (&world.core, &world.ours);
    let metadata = vec![IdentityMetadata { key: "team".into(), value: "a".into() }];
    let body = CreateIdentity {
        organization_id: Some(ours.organization.to_string()),
        has_delete_protection: Some(true),
        metadata: Some(metadata.clone()),
        ..named("ci", "member")
    };
    let made = core.create_identity(ours, &body).await.unwrap().identity;
    assert_eq!(made.metadata, Some(metadata));
    let read = core.get_identity(ours, made.id).await.unwrap().identity;
    assert_eq!((read.role.as_str(), read.identity.name.as_str()), ("member", "ci"));
    let refused = core.delete_identity(ours, made.id).await;
    assert!(matches!(refused, Err(Error::BadRequest { .. })));
    let body = UpdateIdentity {
        name: Some("cd".into()),
        role: Some("admin".into()),
        has_delete_protection: Some(false),
        metadata: None,
    };
    let changed = core.update_identity(ours, made.id, &body).await.unwrap().identity;
    assert!(changed.name == "cd" && changed.metadata.is_some());
    assert_eq!(core.get_identity(ours, made.id).await.unwrap().identity.role, "admin");
    core.delete_identity(ours, made.id).await.unwrap();
    assert!(matches!(core.get_identity(ours, made.id).await, Err(Error::NotFound(_))));
    let memberships = "SELECT COUNT(*) FROM organization_memberships
        WHERE principal_kind = 'identity'";
    assert_eq!(world.number(memberships).await, 0);
}

#[tokio::test]
async fn k8_a_change_signs_nothing_that_was_edited_in_the_database() {
    let name = UpdateIdentity { name: Some("cd".into()), ..UpdateIdentity::default() };
    for edit in [
        "UPDATE identities SET metadata = '[{\"key\":\"a\",\"value\":\"b\"}]' WHERE name = 'ci'",
        "UPDATE identities SET name = 'root' WHERE name = 'ci'",
        "UPDATE identities SET facts_mac = X'00' WHERE name = 'ci'",
        "UPDATE identities SET mac = X'00' WHERE name = 'ci'",
        "UPDATE organization_memberships SET mac = X'00' WHERE principal_kind = 'identity'",
    ] {
        let world = World::new().await;
        let id = make(&world, "ci", "member").await;
        assert!(world.tamper(edit).await > 0, "{edit}");
        let changed = world.core.update_identity(&world.ours, id, &name).await;
        assert!(matches!(changed, Err(Error::Internal(_))), "{edit}: {changed:?}");
        assert_eq!(world.number("SELECT COUNT(*) FROM identities WHERE name = 'cd'").await, 0);
    }
    // What is not authenticated stays so, until somebody says all of it.
    let world = World::new().await;
    let id = make(&world, "ci", "member").await;
    world.tamper("UPDATE identities SET metadata = '[]', facts_mac = NULL").await;
    let untold = "SELECT COUNT(*) FROM identities WHERE facts_mac IS NULL AND name = 'cd'";
    world.core.update_identity(&world.ours, id, &name).await.unwrap();
    assert_eq!(world.number(untold).await, 1);
    let whole = UpdateIdentity { metadata: Some(Vec::new()), ..name };
    world.core.update_identity(&world.ours, id, &whole).await.unwrap();
    assert_eq!(world.number(untold).await, 0);
}

#[tokio::test]
async fn lists_are_searched_and_paged_by_name_with_all_auth_methods() {
    let world = World::new().await;
    let (core, ours) = (&world.core, &world.ours);
    for name in ["beta", "Alpha_1", "alpha-2", "alphaX3"] {
        let id = make(&world, name, "member").await;
        core.attach_universal_auth(ours, id, &Settings::default()).await.unwrap();
        world.clock.advance(1);
        core.attach_token_auth(ours, id, &TokenSettings::default()).await.unwrap();
    }
    let list = async |search: Option<&str>, offset: &str, limit: &str| {
        let query = ListIdentitiesQuery {
            search: search.map(Into::into),
            offset: Some(offset.into()),
            limit: Some(limit.into()),
            org_id: None,
        };
        let answer = core.list_identities(ours, &query).await.unwrap();
        let names: Vec<_> = answer.identities.iter().map(|row| row.identity.name.clone()).collect();
        let methods = ["universal-auth", "token-auth"];
        assert!(answer.identities.iter().all(|row| row.identity.auth_methods == methods));
        (names, answer.total_count)
    };
    let (names, total) = list(None, "1", "2").await;
    assert_eq!((names.len(), total), (2, 4));
    assert_eq!(list(Some("ALPHA"), "0", "10").await.1, 3);
    assert_eq!(list(Some("alpha_"), "0", "10").await.0, ["Alpha_1"], "no wildcard");
    assert_eq!(list(Some("%"), "0", "10").await.1, 0);
}

#[tokio::test]
async fn t1_identities_of_others_are_as_if_they_were_not_there() {
    let world = World::new().await;
    let core = &world.core;
    let there = make(&world, "ours", "member").await;
    core.attach_universal_auth(&world.ours, there, &Settings::default()).await.unwrap();
    core.attach_token_auth(&world.ours, there, &TokenSettings::default()).await.unwrap();
    let nowhere = IdentityId::from(Uuid::from_u128(7));
    let stranger = &world.theirs;
    for id in [there, nowhere] {
        let texts = [
            core.get_identity(stranger, id).await.map(|_| ()),
            core.update_identity(stranger, id, &UpdateIdentity::default()).await.map(|_| ()),
            core.delete_identity(stranger, id).await.map(|_| ()),
            core.list_projects_of_identity(stranger, id).await.map(|_| ()),
            core.get_universal_auth(stranger, id).await.map(|_| ()),
            core.attach_universal_auth(stranger, id, &Settings::default()).await.map(|_| ()),
            core.update_universal_auth(stranger, id, &Settings::default()).await.map(|_| ()),
            core.detach_universal_auth(stranger, id).await.map(|_| ()),
            core.create_client_secret(stranger, id, &CreateClientSecret::default())
                .await
                .map(|_| ()),
            core.list_client_secrets(stranger, id).await.map(|_| ()),
            core.clear_lockouts(stranger, id).await.map(|_| ()),
            core.get_token_auth(stranger, id).await.map(|_| ()),
            core.create_token(stranger, id, &CreateToken::default()).await.map(|_| ()),
            core.list_tokens(stranger, id, &ListTokensQuery::default()).await.map(|_| ()),
            core.detach_token_auth(stranger, id).await.map(|_| ()),
        ];
        for (place, result) in texts.into_iter().enumerate() {
            let Err(Error::NotFound(text)) = result else { panic!("{place}: {result:?}") };
            assert_eq!(text, format!("Failed to find identity with id {id}"), "{place}");
        }
    }
    let foreign = CreateIdentity {
        organization_id: Some(world.ours.organization.to_string()),
        ..named("x", "no-access")
    };
    assert!(matches!(core.create_identity(stranger, &foreign).await, Err(Error::NotFound(_))));
}

/// Everything that would let a caller act as an identity or change what it may.
async fn takeovers(world: &World, caller: &Caller, id: IdentityId) -> Vec<Result<(), Error>> {
    let core = &world.core;
    let open = TokenSettings {
        access_token_trusted_ips: Some(ips(&["0.0.0.0/0"])),
        ..TokenSettings::default()
    };
    let universal = Settings { token: open.clone(), ..Settings::default() };
    let role = UpdateIdentity { role: Some("no-access".into()), ..UpdateIdentity::default() };
    vec![
        core.create_client_secret(caller, id, &CreateClientSecret::default()).await.map(|_| ()),
        core.create_token(caller, id, &CreateToken::default()).await.map(|_| ()),
        core.update_universal_auth(caller, id, &universal).await.map(|_| ()),
        core.update_token_auth(caller, id, &open).await.map(|_| ()),
        core.update_identity(caller, id, &role).await.map(|_| ()),
        core.detach_token_auth(caller, id).await.map(|_| ()),
        core.delete_identity(caller, id).await.map(|_| ()),
    ]
}

#[tokio::test]
async fn t4_nobody_makes_an_identity_stronger_than_themselves() {
    let world = World::new().await;
    for (mine, own) in ORGANIZATION_ROLES.iter().enumerate() {
        let caller = world.identity(world.ours.organization, own).await;
        for (theirs, role) in ORGANIZATION_ROLES.iter().enumerate() {
            let made = world.core.create_identity(&caller, &named("x", role)).await;
            // Only an administrator may make identities at all.
            assert_eq!(made.is_ok(), mine == 0 && mine <= theirs, "{own} makes {role}");
        }
    }
    let unknown = world.core.create_identity(&world.ours, &named("x", "Admin")).await;
    assert!(matches!(unknown, Err(Error::BadRequest { .. })), "role names are exact");
}

#[tokio::test]
async fn t4_nobody_takes_over_an_identity_that_may_more() {
    let world = World::new().await;
    let (core, ours) = (&world.core, &world.ours);
    let body = CreateProject { project_name: "p".into(), ..CreateProject::default() };
    let project = core.create_project(ours, &body).await.unwrap().project.id;
    let id = make(&world, "in a project", "no-access").await;
    core.attach_universal_auth(ours, id, &Settings::default()).await.unwrap();
    core.attach_token_auth(ours, id, &TokenSettings::default()).await.unwrap();
    let member = IdentityMembershipBody { role: Some("viewer".into()), roles: None };
    core.add_identity_membership(ours, project, id, &member).await.unwrap();

    // An administrator of the organization who is no member of that project.
    let outsider = world.identity(ours.organization, "admin").await;
    for (place, result) in takeovers(&world, &outsider, id).await.into_iter().enumerate() {
        assert!(matches!(result, Err(Error::PermissionBoundary { .. })), "{place}: {result:?}");
    }
    let reader = world.identity(ours.organization, "member").await;
    for (place, result) in takeovers(&world, &reader, id).await.into_iter().enumerate() {
        assert!(matches!(result, Err(Error::PermissionDenied { .. })), "{place}: {result:?}");
    }
    for (place, result) in takeovers(&world, ours, id).await.into_iter().enumerate() {
        assert!(result.is_ok(), "{place}: {result:?}");
    }
}

#[tokio::test]
async fn t4_an_instance_administrator_is_taken_over_only_by_one() {
    let world = World::new().await;
    let new = super::NewIdentity {
        organization: world.ours.organization,
        name: "root".into(),
        role: "no-access".into(),
        has_delete_protection: false,
        metadata: None,
        is_instance_admin: true,
    };
    let mut tx = world.store.begin().await.unwrap();
    let id = world.core.insert_identity(&mut tx, new).await.unwrap().id;
    tx.commit().await.unwrap();
    let refused = world.core.attach_universal_auth(&world.ours, id, &Settings::default()).await;
    assert!(matches!(refused, Err(Error::PermissionBoundary { .. })));
    let root = Caller { instance_admin: true, ..world.ours.clone() };
    assert!(world.core.attach_universal_auth(&root, id, &Settings::default()).await.is_ok());
}

#[tokio::test]
async fn settings_out_of_bounds_are_refused_by_name() {
    let world = World::new().await;
    let (core, ours) = (&world.core, &world.ours);
    let id = make(&world, "x", "member").await;
    let token = |ttl, max| TokenSettings {
        access_token_ttl: ttl,
        access_token_max_ttl: max,
        ..TokenSettings::default()
    };
    let cases = [
        (Settings { token: token(Some(100), Some(50)), ..Settings::default() }, "accessTokenTTL"),
        (Settings { token: token(Some(-1), None), ..Settings::default() }, "accessTokenTTL"),
        (
            Settings { token: token(None, Some(315_360_001)), ..Settings::default() },
            "accessTokenMaxTTL",
        ),
        (Settings { lockout_threshold: Some(31), ..Settings::default() }, "lockoutThreshold"),
        (
            Settings { lockout_duration_seconds: Some(29), ..Settings::default() },
            "lockoutDurationSeconds",
        ),
        (
            Settings { lockout_counter_reset_seconds: Some(4), ..Settings::default() },
            "lockoutCounterResetSeconds",
        ),
        (
            Settings { client_secret_trusted_ips: Some(ips(&["nowhere"])), ..Settings::default() },
            "clientSecretTrustedIps",
        ),
        (
            Settings { client_secret_trusted_ips: Some(ips(&[])), ..Settings::default() },
            "clientSecretTrustedIps",
        ),
    ];
    for (settings, field) in cases {
        let Err(Error::Validation(issues)) = core.attach_universal_auth(ours, id, &settings).await
        else {
            panic!("{field} was taken");
        };
        assert_eq!(issues[0].path, [field]);
    }
    core.attach_universal_auth(ours, id, &Settings::default()).await.unwrap();
    let twice = core.attach_universal_auth(ours, id, &Settings::default()).await;
    assert!(matches!(twice, Err(Error::BadRequest { message, .. })
        if message == "Failed to add universal auth to already configured identity"));
    let longer = Settings { token: token(Some(2_592_001), None), ..Settings::default() };
    let longer = core.update_universal_auth(ours, id, &longer).await;
    assert!(matches!(longer, Err(Error::BadRequest { .. })));
    let none = core.get_token_auth(ours, id).await;
    assert!(matches!(none, Err(Error::BadRequest { message, .. })
        if message == "The identity does not have token auth"));
}
