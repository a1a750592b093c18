//! A project with two environments to put things in.

use kms_api::{EnvironmentId, FolderId, OrganizationId, ProjectId};
use kms_store::{
    Store,
    folders::{self, NewFolder, Place},
};
use uuid::Uuid;

pub(crate) struct Tenant {
    pub(crate) org: OrganizationId,
    pub(crate) project: ProjectId,
    pub(crate) dev: EnvironmentId,
    pub(crate) root: FolderId,
}

const ORGANIZATION: &str = "INSERT INTO organizations (id, tree_id, name, slug, wrapped_key,
        created_at, updated_at)
    VALUES ($1, $2, 'o', $3, $4, 0, 0)";
const PROJECT: &str = "INSERT INTO projects (id, org_id, name, slug, auto_capitalization,
        has_delete_protection, secret_sharing, pit_version_limit, wrapped_key, created_at,
        updated_at)
    VALUES ($1, $2, 'p', 'p', FALSE, FALSE, FALSE, 10, $3, 0, 0)";
const ENVIRONMENT: &str = "INSERT INTO environments (id, org_id, project_id, name, slug, position,
        created_at, updated_at)
    VALUES ($1, $2, $3, $4, $4, 1, 0, 0)";

pub(crate) fn id<T: From<Uuid>>() -> T {
    Uuid::now_v7().into()
}

impl Tenant {
    /// An organization with a project with the environments `dev` and `prod` and their root
    /// folders.
    pub(crate) async fn new(store: &Store) -> Self {
        let tenant = Self { org: id(), project: id(), dev: id(), root: id() };
        let mut tx = store.begin().await.unwrap();
        let slug = tenant.org.to_string();
        let params = (tenant.org, Uuid::nil(), slug.as_str(), &[1_u8; 4][..]);
        tx.execute(ORGANIZATION, params).await.unwrap();
        tx.execute(PROJECT, (tenant.project, tenant.org, &[1_u8; 4][..])).await.unwrap();
        for (env, slug, root) in [(tenant.dev, "dev", tenant.root), (id(), "prod", id())] {
            tx.execute(ENVIRONMENT, (env, tenant.org, tenant.project, slug)).await.unwrap();
            folders::insert_root(&mut tx, tenant.org, tenant.project, env, root, 0).await.unwrap();
        }
        tx.commit().await.unwrap();
        tenant
    }

    pub(crate) fn at<'a>(&self, environment: &'a str, path: &'a str) -> Place<'a> {
        Place { org: self.org, project: self.project, environment, path }
    }

    /// Adds a folder to `dev`, whose parent must be there.
    pub(crate) async fn folder(&self, store: &Store, path: &str) -> FolderId {
        let (parent, name) = path.rsplit_once('/').unwrap();
        let parent = if parent.is_empty() { "/" } else { parent };
        let parent = folders::find_at(store, &self.at("dev", parent)).await.unwrap().unwrap();
        let new = NewFolder {
            id: id(),
            org: self.org,
            project: self.project,
            environment: self.dev,
            parent: Some(parent.id),
            name,
            path,
            description: None,
        };
        let mut tx = store.begin().await.unwrap();
        folders::insert(&mut tx, &new, 1).await.unwrap();
        tx.commit().await.unwrap();
        new.id
    }
}
