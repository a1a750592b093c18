//! Organizations, people, projects, environments and who is a member of what.

use kms_api::{IdentityId, MembershipId, OrganizationId, SessionId, UserId};
use kms_store::{
    Store, StoreError, Tx,
    environments::{self, EnvironmentRow},
    identities::{self, IdentityRow},
    memberships::{self, Grant, NewMembership},
    organizations::{self, OrganizationMembershipRow, OrganizationRow},
    project_members::{self, IdentityFilter},
    projects,
    user_sessions::{self, SessionRow},
    users::{self, UserRow},
};
use uuid::Uuid;

use crate::tenancy::{Tenant, id};

pub(crate) fn organization(slug: &str) -> OrganizationRow {
    OrganizationRow {
        id: id(),
        parent_id: None,
        root_id: None,
        tree_id: Uuid::nil(),
        name: "Ä".into(),
        slug: slug.into(),
        wrapped_key: vec![1, 2, 3],
        default_role: "member".into(),
        enforce_mfa: false,
        selected_mfa_method: None,
        user_token_expiration: None,
        auth_enforced: false,
        bypass_org_auth: false,
        device_login: true,
        created_at: 5,
        updated_at: 6,
        mac: vec![7, 8],
    }
}

pub(crate) fn user(username: &str) -> UserRow {
    UserRow {
        id: id(),
        username: username.into(),
        email: username.into(),
        first_name: Some("Ada".into()),
        last_name: None,
        password_hash: Some("hash".into()),
        super_admin: true,
        is_accepted: true,
        is_email_verified: false,
        epoch: 7,
        is_mfa_enabled: true,
        selected_mfa_method: Some("totp".into()),
        created_at: 1,
        updated_at: 2,
        mac: vec![9; 32],
    }
}

pub(crate) fn member(
    org_id: OrganizationId,
    kind: &str,
    principal_id: Uuid,
) -> OrganizationMembershipRow {
    OrganizationMembershipRow {
        id: id(),
        org_id,
        principal_kind: kind.into(),
        principal_id,
        role: "admin".into(),
        status: "accepted".into(),
        is_active: true,
        last_login_method: None,
        last_login_at: None,
        created_at: 3,
        updated_at: 4,
        mac: vec![8; 32],
    }
}

pub(crate) async fn an_organization_comes_back_as_it_was_written(store: &Store) {
    let mut row = organization("one");
    let other = organization("two");
    let mut tx = store.begin().await.unwrap();
    organizations::insert(&mut tx, &row).await.unwrap();
    organizations::insert(&mut tx, &other).await.unwrap();
    tx.commit().await.unwrap();
    (row.name, row.slug, row.updated_at) = ("renamed".into(), "three".into(), 7);
    (row.wrapped_key, row.mac, row.device_login) = (vec![4], vec![9], false);
    let mut tx = store.begin().await.unwrap();
    assert!(organizations::update(&mut tx, &row).await.unwrap());
    assert!(!organizations::update(&mut tx, &organization("four")).await.unwrap());
    tx.commit().await.unwrap();
    let found = organizations::find(store, row.id).await.unwrap().unwrap();
    assert_eq!(format!("{found:?}"), format!("{row:?}"));
    let mut tx = store.begin().await.unwrap();
    row.slug = "two".into();
    let taken = organizations::update(&mut tx, &row).await;
    assert!(matches!(taken, Err(StoreError::Duplicate)), "{taken:?}");
}

pub(crate) async fn members_of_an_organization_are_found_by_who_they_are(store: &Store) {
    let (one, two) = (organization("one"), organization("two"));
    let ada = user("ada@example.test");
    let mine = member(one.id, "user", ada.id.uuid());
    let mut tx = store.begin().await.unwrap();
    organizations::insert(&mut tx, &one).await.unwrap();
    organizations::insert(&mut tx, &two).await.unwrap();
    users::insert(&mut tx, &ada).await.unwrap();
    organizations::insert_membership(&mut tx, &mine).await.unwrap();
    tx.commit().await.unwrap();
    let find = async |org, principal, kind| {
        organizations::membership(store, org, principal, kind).await.unwrap()
    };
    let found = find(one.id, ada.id.uuid(), "user").await.unwrap();
    assert_eq!(format!("{found:?}"), format!("{mine:?}"));
    assert!(find(one.id, ada.id.uuid(), "identity").await.is_none());
    assert!(find(two.id, ada.id.uuid(), "user").await.is_none());
    assert_eq!(organizations::members(store, one.id, "user").await.unwrap().len(), 1);
    assert!(organizations::members(store, two.id, "user").await.unwrap().is_empty());
    let of = organizations::of_principal(store, ada.id.uuid(), "user").await.unwrap();
    assert_eq!(of.iter().map(|row| row.id).collect::<Vec<_>>(), [one.id]);
    assert_eq!(organizations::memberships_of(store, ada.id.uuid(), "user").await.unwrap().len(), 1);
    let people = users::of_organization(store, one.id).await.unwrap();
    assert_eq!(people[0].username, ada.username);
    let mut tx = store.begin().await.unwrap();
    let again = member(one.id, "user", ada.id.uuid());
    let again = organizations::insert_membership(&mut tx, &again).await;
    assert!(matches!(again, Err(StoreError::Duplicate)), "{again:?}");
}

pub(crate) async fn a_username_is_taken_once_and_sessions_belong_to_their_user(store: &Store) {
    let (ada, bob) = (user("ada@example.test"), user("bob@example.test"));
    let session = SessionRow {
        id: id::<SessionId>(),
        user_id: ada.id,
        user_epoch: 7,
        auth_method: "email".into(),
        access_version: 1,
        refresh_version: 2,
        refresh_used: Some(id()),
        refresh_floor: 2,
        org_id: Some(id()),
        ip: Some("192.0.2.1".into()),
        user_agent: None,
        login_at: 2,
        created_at: 3,
        last_used_at: 4,
        expires_at: 5,
        provider_id: Some(id()),
        mac: vec![7; 32],
    };
    let mut tx = store.begin().await.unwrap();
    users::insert(&mut tx, &ada).await.unwrap();
    users::insert(&mut tx, &bob).await.unwrap();
    user_sessions::insert(&mut tx, &session).await.unwrap();
    tx.commit().await.unwrap();
    let found = users::find(store, ada.id).await.unwrap().unwrap();
    assert_eq!((found.password_hash, found.super_admin), (ada.password_hash.clone(), true));
    assert_eq!((found.first_name, found.last_name, found.mac), (ada.first_name, None, ada.mac));
    let found = user_sessions::find(store, ada.id, session.id).await.unwrap().unwrap();
    assert_eq!(format!("{found:?}"), format!("{session:?}"));
    assert!(user_sessions::find(store, bob.id, session.id).await.unwrap().is_none());
    let mut tx = store.begin().await.unwrap();
    let taken = users::insert(&mut tx, &user("ada@example.test")).await;
    assert!(matches!(taken, Err(StoreError::Duplicate)), "{taken:?}");
}

fn environment(tenant: &Tenant, slug: &str, position: i64) -> EnvironmentRow {
    EnvironmentRow {
        id: id(),
        org_id: tenant.org,
        project_id: tenant.project,
        name: "n".into(),
        slug: slug.into(),
        position,
        created_at: 1,
        updated_at: 2,
    }
}

pub(crate) async fn environments_come_in_their_order_and_within_their_tenant(store: &Store) {
    let (tenant, other) = (Tenant::new(store).await, Tenant::new(store).await);
    let mut row = environment(&tenant, "qa", 3);
    let mut tx = store.begin().await.unwrap();
    assert!(projects::lock(&mut tx, tenant.org, tenant.project).await.unwrap());
    assert!(!projects::lock(&mut tx, other.org, tenant.project).await.unwrap());
    environments::insert(&mut tx, &row).await.unwrap();
    environments::set_position(&mut tx, tenant.org, tenant.dev, 4).await.unwrap();
    environments::set_position(&mut tx, other.org, row.id, 99).await.unwrap();
    (row.name, row.slug) = ("renamed".into(), "quality".into());
    assert!(environments::update(&mut tx, &row).await.unwrap());
    tx.commit().await.unwrap();
    let list = environments::list(store, tenant.org, tenant.project).await.unwrap();
    let slugs: Vec<_> = list.iter().map(|row| (row.slug.as_str(), row.position)).collect();
    assert_eq!(slugs, [("prod", 1), ("quality", 3), ("dev", 4)]);
    assert_eq!(list[1].name, "renamed");
    assert!(environments::list(store, other.org, tenant.project).await.unwrap().is_empty());
    let find = async |org, project| {
        environments::find(store, org, project, row.id).await.unwrap().is_some()
    };
    assert!(find(tenant.org, tenant.project).await);
    assert!(!find(other.org, tenant.project).await);
    assert!(!find(tenant.org, other.project).await);
    assert!(environments::find_by_id(store, tenant.org, row.id).await.unwrap().is_some());
    assert!(environments::find_by_id(store, other.org, row.id).await.unwrap().is_none());
    let by_slug = async |org, project, slug| {
        environments::find_by_slug(store, org, project, slug).await.unwrap().is_some()
    };
    assert!(by_slug(tenant.org, tenant.project, "quality").await);
    assert!(!by_slug(tenant.org, tenant.project, "Quality").await);
    assert!(!by_slug(other.org, tenant.project, "quality").await);
    let mut tx = store.begin().await.unwrap();
    assert!(!environments::delete(&mut tx, other.org, row.id).await.unwrap());
    assert!(environments::delete(&mut tx, tenant.org, row.id).await.unwrap());
    let taken = environments::insert(&mut tx, &environment(&tenant, "dev", 9)).await;
    assert!(matches!(taken, Err(StoreError::Duplicate)), "{taken:?}");
}

pub(crate) async fn machine(tx: &mut Tx, tenant: &Tenant, name: &str) -> IdentityId {
    let row = IdentityRow {
        id: id(),
        org_id: tenant.org,
        name: name.into(),
        has_delete_protection: false,
        metadata: None,
        epoch: 1,
        is_instance_admin: false,
        created_at: 1,
        updated_at: 1,
        mac: vec![0; 32],
        facts_mac: None,
    };
    identities::insert(tx, &row).await.unwrap();
    let membership = member(tenant.org, "identity", row.id.uuid());
    organizations::insert_membership(tx, &membership).await.unwrap();
    row.id
}

fn grant(role: &str) -> Grant {
    Grant {
        id: id(),
        role: role.into(),
        is_temporary: true,
        temporary_range: Some("1h".into()),
        starts_at: Some(1),
        ends_at: Some(2),
        mac: vec![7; 32],
        position: 0,
        custom_role_id: None,
        custom: None,
    }
}

pub(crate) async fn join(
    tx: &mut Tx,
    tenant: &Tenant,
    kind: &str,
    principal_id: Uuid,
    at: i64,
) -> MembershipId {
    let row = NewMembership {
        id: id(),
        org_id: tenant.org,
        project_id: tenant.project,
        principal_kind: kind,
        principal_id,
        mac: [6; 32],
    };
    memberships::insert(tx, &row, at).await.unwrap();
    memberships::insert_role(tx, tenant.org, row.id, &grant("viewer"), at).await.unwrap();
    row.id
}

pub(crate) async fn members_of_a_project_are_listed_page_by_page(store: &Store) {
    let (tenant, other) = (Tenant::new(store).await, Tenant::new(store).await);
    let mut tx = store.begin().await.unwrap();
    for (place, name) in [(1, "alpha"), (2, "Alp%a"), (3, "b_ta"), (4, "beta!")] {
        let id = machine(&mut tx, &tenant, name).await;
        join(&mut tx, &tenant, "identity", id.uuid(), place).await;
    }
    let ada = user("ada@example.test");
    users::insert(&mut tx, &ada).await.unwrap();
    join(&mut tx, &tenant, "user", ada.id.uuid(), 5).await;
    tx.commit().await.unwrap();
    let list = async |name: Option<&str>, offset, limit| {
        let filter = IdentityFilter { name: name.map(Into::into), offset, limit };
        let (org, project) = (tenant.org, tenant.project);
        let rows = project_members::identities(store, org, project, &filter).await.unwrap();
        let count = project_members::count_identities(store, org, project, &filter).await.unwrap();
        (rows.into_iter().map(|row| row.name).collect::<Vec<_>>(), count)
    };
    let all = ["alpha", "Alp%a", "b_ta", "beta!"].map(String::from).to_vec();
    assert_eq!(list(None, 0, 10).await, (all.clone(), 4));
    assert_eq!(list(None, 1, 2).await, (all[1..3].to_vec(), 4));
    for (search, found) in
        [("ALP", &all[0..2]), ("%", &all[1..2]), ("_", &all[2..3]), ("!", &all[3..4])]
    {
        assert_eq!(list(Some(search), 0, 10).await.0, found, "{search}");
    }
    let people = project_members::users(store, tenant.org, tenant.project).await.unwrap();
    assert_eq!(people[0].username, ada.username);
    let everyone = IdentityFilter { name: None, offset: 0, limit: 10 };
    let foreign = project_members::identities(store, other.org, tenant.project, &everyone).await;
    assert!(foreign.unwrap().is_empty());
    assert!(project_members::users(store, other.org, tenant.project).await.unwrap().is_empty());
}

pub(crate) async fn roles_are_replaced_and_memberships_end_with_their_roles(store: &Store) {
    let (tenant, other) = (Tenant::new(store).await, Tenant::new(store).await);
    let ada: UserId = id();
    let mut tx = store.begin().await.unwrap();
    let membership = join(&mut tx, &tenant, "user", ada.uuid(), 1).await;
    assert!(!memberships::touch(&mut tx, other.org, membership, 2).await.unwrap());
    assert!(memberships::touch(&mut tx, tenant.org, membership, 2).await.unwrap());
    memberships::clear_roles(&mut tx, other.org, membership).await.unwrap();
    let (project, principal) = (tenant.project, ada.uuid());
    let kept = memberships::roles_of(&mut tx, tenant.org, project, "user", principal).await;
    assert!(kept.unwrap()[0].grant().is_some());
    memberships::clear_roles(&mut tx, tenant.org, membership).await.unwrap();
    let given = grant("admin");
    memberships::insert_role(&mut tx, tenant.org, membership, &given, 2).await.unwrap();
    tx.commit().await.unwrap();
    let roles = async |org| {
        let (project, principal) = (tenant.project, ada.uuid());
        memberships::roles_of(store, org, project, "user", principal).await.unwrap()
    };
    let found = roles(tenant.org).await;
    assert_eq!(format!("{:?}", found[0].grant().unwrap()), format!("{given:?}"));
    assert_eq!((found.len(), found[0].membership_mac.as_slice()), (1, &[6; 32][..]));
    assert!(roles(other.org).await.is_empty());
    let in_project = async |org, kind| {
        memberships::roles_in_project(store, org, tenant.project, kind).await.unwrap().len()
    };
    assert_eq!(in_project(tenant.org, "user").await, 1);
    assert_eq!(in_project(tenant.org, "identity").await, 0);
    assert_eq!(in_project(other.org, "user").await, 0);
    let of = memberships::of_principal(store, tenant.org, "user", ada.uuid()).await.unwrap();
    assert_eq!((of[0].id, of[0].project_id), (membership, tenant.project));
    let mut tx = store.begin().await.unwrap();
    assert!(!memberships::delete(&mut tx, other.org, membership).await.unwrap());
    assert!(memberships::delete(&mut tx, tenant.org, membership).await.unwrap());
    tx.commit().await.unwrap();
    assert!(roles(tenant.org).await.is_empty());
}
