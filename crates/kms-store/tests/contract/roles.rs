//! Roles of projects and service tokens.

use kms_api::{OrganizationId, ProjectId, UserId};
use kms_store::{
    Store, StoreError, identities,
    memberships::{self, Grant, NewMembership},
    projects,
    roles::{self, CustomRoleRow},
    service_tokens::{self, ServiceTokenRow},
    users,
};

use crate::{
    tenancy::{Tenant, id},
    tenants,
};

fn role(tenant: &Tenant, slug: &str, at: i64) -> CustomRoleRow {
    CustomRoleRow {
        id: id(),
        org_id: tenant.org,
        project_id: tenant.project,
        slug: slug.into(),
        name: "Ä".into(),
        description: Some("what for".into()),
        permissions: "[]".into(),
        created_at: at,
        updated_at: at,
        mac: vec![3; 32],
    }
}

fn grant(role: &CustomRoleRow, position: i64) -> Grant {
    Grant {
        id: id(),
        role: "custom".into(),
        is_temporary: false,
        temporary_range: None,
        starts_at: None,
        ends_at: None,
        mac: vec![5; 32],
        position,
        custom_role_id: Some(role.id),
        custom: Some(role.clone()),
    }
}

fn text(value: &impl std::fmt::Debug) -> String {
    format!("{value:?}")
}

pub(crate) async fn a_role_is_found_within_its_tenant_and_its_slug_taken_once(store: &Store) {
    let (tenant, other) = (Tenant::new(store).await, Tenant::new(store).await);
    let (one, two) = (role(&tenant, "one", 1), role(&tenant, "two", 2));
    let mut tx = store.begin().await.unwrap();
    roles::insert(&mut tx, &two).await.unwrap();
    roles::insert(&mut tx, &one).await.unwrap();
    roles::insert(&mut tx, &role(&other, "one", 1)).await.unwrap();
    tx.commit().await.unwrap();
    let listed = roles::list(store, tenant.org, tenant.project).await.unwrap();
    assert_eq!(text(&listed), text(&[&one, &two]));
    assert!(roles::list(store, other.org, tenant.project).await.unwrap().is_empty());
    let found = roles::find(store, tenant.org, one.id).await.unwrap();
    assert_eq!(text(&found), text(&Some(&one)));
    assert!(roles::find(store, other.org, one.id).await.unwrap().is_none());
    let by_slug = async |org: OrganizationId, project: ProjectId, slug| {
        roles::find_by_slug(store, org, project, slug).await.unwrap().map(|row| row.id)
    };
    assert_eq!(by_slug(tenant.org, tenant.project, "two").await, Some(two.id));
    assert_eq!(by_slug(tenant.org, tenant.project, "Two").await, None);
    assert_eq!(by_slug(other.org, tenant.project, "two").await, None);
    let taken = roles::insert(&mut store.begin().await.unwrap(), &role(&tenant, "one", 3)).await;
    assert!(matches!(taken, Err(StoreError::Duplicate)), "{taken:?}");

    let changed = CustomRoleRow {
        slug: "three".into(),
        name: "B".into(),
        description: None,
        permissions: "[1]".into(),
        updated_at: 9,
        mac: vec![4; 32],
        ..one.clone()
    };
    let mut tx = store.begin().await.unwrap();
    let foreign = CustomRoleRow { org_id: other.org, ..changed.clone() };
    assert!(!roles::update(&mut tx, &foreign).await.unwrap());
    assert!(roles::update(&mut tx, &changed).await.unwrap());
    tx.commit().await.unwrap();
    let found = roles::find(store, tenant.org, one.id).await.unwrap();
    assert_eq!(text(&found), text(&Some(&changed)));
    let mut tx = store.begin().await.unwrap();
    assert!(!roles::delete(&mut tx, other.org, one.id).await.unwrap());
    assert!(roles::delete(&mut tx, tenant.org, one.id).await.unwrap());
    tx.commit().await.unwrap();
    assert!(roles::find(store, tenant.org, one.id).await.unwrap().is_none());
}

pub(crate) async fn a_role_in_use_stays_and_is_read_with_its_holders_in_order(store: &Store) {
    let (tenant, other) = (Tenant::new(store).await, Tenant::new(store).await);
    let (first, second) = (role(&tenant, "first", 1), role(&tenant, "second", 1));
    let person: UserId = id();
    let row = NewMembership {
        id: id(),
        org_id: tenant.org,
        project_id: tenant.project,
        principal_kind: "user",
        principal_id: person.uuid(),
        mac: [6; 32],
    };
    let mut tx = store.begin().await.unwrap();
    roles::insert(&mut tx, &first).await.unwrap();
    roles::insert(&mut tx, &second).await.unwrap();
    memberships::insert(&mut tx, &row, 1).await.unwrap();
    for (role, position) in [(&second, 1), (&first, 0)] {
        let grant = grant(role, position);
        memberships::insert_role(&mut tx, tenant.org, row.id, &grant, 1).await.unwrap();
    }
    tx.commit().await.unwrap();
    let (org, project, principal) = (tenant.org, tenant.project, person.uuid());
    let of = memberships::roles_of(store, org, project, "user", principal).await.unwrap();
    let in_project = memberships::roles_in_project(store, org, project, "user").await.unwrap();
    let found = projects::find_for(store, org, project, "user", principal).await.unwrap();
    let found: Vec<_> = found.into_iter().filter_map(|row| row.role.0).collect();
    for rows in [of, in_project, found] {
        let told: Vec<_> = rows.iter().filter_map(kms_store::memberships::RoleRow::grant).collect();
        assert_eq!(told.iter().map(Grant::slug).collect::<Vec<_>>(), ["first", "second"]);
        assert_eq!(text(&told[0].custom), text(&Some(&first)));
    }
    assert_eq!(roles::holders(store, org, first.id).await.unwrap(), 1);
    assert_eq!(roles::holders(store, other.org, first.id).await.unwrap(), 0);
    let mut beside = roles::beside(store, org, first.id).await.unwrap();
    beside.sort_by_key(|held| held.role_id != first.id);
    let ids: Vec<_> = beside.iter().map(|held| (held.membership_id, held.role_id)).collect();
    assert_eq!(ids, [(row.id, first.id), (row.id, second.id)]);
    assert!(roles::beside(store, other.org, first.id).await.unwrap().is_empty());
    let kept = roles::delete(&mut store.begin().await.unwrap(), org, first.id).await;
    assert!(matches!(kept, Err(StoreError::Orphan)), "{kept:?}");

    let mut tx = store.begin().await.unwrap();
    let absent = role(&tenant, "absent", 1);
    let none = memberships::insert_role(&mut tx, org, row.id, &grant(&absent, 2), 1).await;
    assert!(matches!(none, Err(StoreError::Orphan)), "{none:?}");
    drop(tx);
    // A project goes with its roles, held or not.
    let mut tx = store.begin().await.unwrap();
    assert!(projects::delete(&mut tx, org, project).await.unwrap());
    tx.commit().await.unwrap();
    assert!(roles::find(store, org, first.id).await.unwrap().is_none());
}

pub(crate) async fn what_an_identity_holds_is_told_with_its_roles(store: &Store) {
    let tenant = Tenant::new(store).await;
    let custom = role(&tenant, "custom-one", 1);
    let mut tx = store.begin().await.unwrap();
    let machine = tenants::machine(&mut tx, &tenant, "ci").await;
    let membership = tenants::join(&mut tx, &tenant, "identity", machine.uuid(), 1).await;
    roles::insert(&mut tx, &custom).await.unwrap();
    let second = grant(&custom, 1);
    memberships::insert_role(&mut tx, tenant.org, membership, &second, 1).await.unwrap();
    tx.commit().await.unwrap();
    let held = identities::project_roles(store, machine).await.unwrap();
    let slugs: Vec<_> = held
        .iter()
        .map(|row| row.custom.0.as_ref().map_or(row.role.as_str(), |custom| &custom.slug))
        .collect();
    assert_eq!(slugs, ["viewer", "custom-one"]);
    let listed = identities::project_memberships(store, tenant.org, machine).await.unwrap();
    let slugs: Vec<_> = listed.iter().filter_map(|row| row.role.grant()).collect();
    assert_eq!(slugs.iter().map(Grant::slug).collect::<Vec<_>>(), ["viewer", "custom-one"]);
}

fn token(tenant: &Tenant, maker: UserId, at: i64) -> ServiceTokenRow {
    ServiceTokenRow {
        id: id(),
        org_id: tenant.org,
        project_id: tenant.project,
        name: "ci".into(),
        scopes: "[]".into(),
        permissions: "[\"read\"]".into(),
        secret_hash: vec![8; 32],
        expires_at: Some(100),
        created_by: maker,
        last_used_at: None,
        created_at: at,
        updated_at: at,
        mac: vec![9; 32],
    }
}

pub(crate) async fn a_service_token_is_found_by_its_id_and_kept_within_its_tenant(store: &Store) {
    let (tenant, other) = (Tenant::new(store).await, Tenant::new(store).await);
    let maker = tenants::user("maker@example.test");
    let (one, two) = (token(&tenant, maker.id, 1), token(&tenant, id(), 2));
    let mut tx = store.begin().await.unwrap();
    users::insert(&mut tx, &maker).await.unwrap();
    service_tokens::insert(&mut tx, &two).await.unwrap();
    service_tokens::insert(&mut tx, &one).await.unwrap();
    tx.commit().await.unwrap();
    let shown = service_tokens::shown(store, one.id).await.unwrap();
    assert_eq!(text(&shown), text(&Some(&one)));
    assert!(service_tokens::shown(store, id()).await.unwrap().is_none());
    let (org, project) = (tenant.org, tenant.project);
    let listed = service_tokens::list(store, org, project).await.unwrap();
    assert_eq!(text(&listed), text(&[&one, &two]));
    assert!(service_tokens::list(store, other.org, project).await.unwrap().is_empty());
    assert!(service_tokens::find(store, other.org, one.id).await.unwrap().is_none());
    assert!(service_tokens::made(store, other.org, one.id).await.unwrap().is_none());
    let made = service_tokens::made(store, org, one.id).await.unwrap().unwrap();
    assert_eq!(made.maker.0.unwrap().email, "maker@example.test");
    let made = service_tokens::made(store, org, two.id).await.unwrap().unwrap();
    assert!(made.maker.0.is_none());

    let mut tx = store.begin().await.unwrap();
    service_tokens::note_use(&mut tx, other.org, one.id, 6).await.unwrap();
    service_tokens::note_use(&mut tx, org, two.id, 7).await.unwrap();
    assert!(!service_tokens::delete(&mut tx, other.org, one.id).await.unwrap());
    tx.commit().await.unwrap();
    let used =
        async |id| service_tokens::find(store, org, id).await.unwrap().map(|row| row.last_used_at);
    assert_eq!((used(one.id).await, used(two.id).await), (Some(None), Some(Some(7))));
    let mut tx = store.begin().await.unwrap();
    assert!(service_tokens::delete(&mut tx, org, one.id).await.unwrap());
    assert!(projects::delete(&mut tx, org, project).await.unwrap());
    tx.commit().await.unwrap();
    assert!(service_tokens::shown(store, one.id).await.unwrap().is_none());
    assert!(service_tokens::shown(store, two.id).await.unwrap().is_none());
}
