//! A project to test folders and secrets in, with the environments `dev`, `staging` and `prod`, on
//! an instance of its own.

use std::sync::Arc;

use kms_api::{
    ProjectId,
    folders::{FolderBody, FolderPlace},
    permissions::Rule,
    projects::CreateProject,
    secrets::{
        CreateSecret, DeleteSecret, GetSecretQuery, ListSecretsQuery, ProjectRef, Secret,
        SecretFields, SecretResponse, SecretsResponse, UpdateSecret,
    },
    wire::WireBool,
};
use serde_json::Value;
use tempfile::TempDir;
use uuid::Uuid;

use crate::{
    Actor, Caller, Core, IdentityActor, ManualClock, Options, Result, access::RuleSet, testing,
};

/// See the module.
pub(crate) struct Bed {
    pub(crate) core: Core,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) directory: TempDir,
    /// Administers organization and project.
    pub(crate) admin: Caller,
    pub(crate) project: ProjectId,
    pub(crate) slug: String,
}

impl Bed {
    pub(crate) async fn new() -> Self {
        Self::remembering(Options::default().memory_budget).await
    }

    /// A bed whose instance remembers answers within a budget.
    pub(crate) async fn remembering(memory_budget: u64) -> Self {
        let (core, _, clock, directory) = testing::remembering(memory_budget).await;
        let admin = testing::administrator(&core, "ours").await;
        let body: CreateProject =
            serde_json::from_value(serde_json::json!({ "projectName": "demo" })).unwrap();
        let project = core.create_project(&admin, &body).await.unwrap().project;
        Self { core, clock, directory, admin, project: project.id, slug: project.slug }
    }

    /// A machine with exactly these rules in the project.
    pub(crate) async fn machine(&self, rules: Value) -> Caller {
        let rules: Vec<Rule> = serde_json::from_value(rules).unwrap();
        let id = Uuid::now_v7();
        let caller = Caller {
            actor: Actor::Identity(IdentityActor {
                id: id.into(),
                name: "robot".into(),
                auth_method: "universal-auth".into(),
                token: Uuid::now_v7().into(),
            }),
            ..self.admin.clone()
        };
        let mut access = self.core.project_access(&self.admin, self.project).await.unwrap();
        access.rules = Arc::new(RuleSet::new(rules));
        let place = (id, self.project, caller.organization, Uuid::nil());
        self.core.access_memory.insert(place, (self.core.epochs.rights(), i64::MAX, access));
        caller
    }

    /// A person with exactly these rules in the project.
    pub(crate) async fn person(&self, rules: Value) -> Caller {
        let machine = self.machine(rules).await;
        let id = Uuid::now_v7();
        let access = self.core.project_access(&machine, self.project).await.unwrap();
        let place = (id, self.project, machine.organization, Uuid::nil());
        self.core.access_memory.insert(place, (self.core.epochs.rights(), i64::MAX, access));
        testing::person(id.into(), machine.organization, "member")
    }

    /// Writes a value into any environment.
    pub(crate) async fn put(&self, environment: &str, path: &str, name: &str, value: &str) {
        let body = CreateSecret { environment: Some(environment.into()), ..self.body(path, value) };
        self.core.create_secret(&self.admin, name, &body).await.unwrap();
    }

    pub(crate) fn reference(&self) -> ProjectRef {
        ProjectRef::id(self.project)
    }

    pub(crate) async fn folder(&self, path: &str) {
        let (parent, name) = path.rsplit_once('/').unwrap();
        let body = FolderBody {
            place: FolderPlace {
                project: self.reference(),
                environment: Some("dev".into()),
                path: Some(format!("/{parent}"))
                    .filter(|_| parent.is_empty())
                    .or(Some(parent.into())),
                directory: None,
            },
            name: name.into(),
            description: None,
        };
        self.core.create_folder(&self.admin, &body).await.unwrap();
    }

    /// What a write of a value into `dev` sends.
    pub(crate) fn body(&self, path: &str, value: &str) -> CreateSecret {
        CreateSecret {
            project: self.reference(),
            environment: Some("dev".into()),
            secret_path: Some(path.into()),
            r#type: None,
            fields: SecretFields { secret_value: Some(value.into()), ..SecretFields::default() },
        }
    }

    pub(crate) async fn create(&self, path: &str, name: &str, value: &str) -> Secret {
        self.create_as(&self.admin, path, name, value).await.unwrap()
    }

    pub(crate) async fn create_as(
        &self,
        caller: &Caller,
        path: &str,
        name: &str,
        value: &str,
    ) -> Result<Secret> {
        let body = self.body(path, value);
        Ok(self.core.create_secret(caller, name, &body).await?.secret)
    }

    pub(crate) async fn update_as(
        &self,
        caller: &Caller,
        path: &str,
        name: &str,
        value: &str,
    ) -> Result<Secret> {
        let body = UpdateSecret { secret: self.body(path, value), new_secret_name: None };
        Ok(self.core.update_secret(caller, name, &body).await?.secret)
    }

    pub(crate) async fn delete_as(
        &self,
        caller: &Caller,
        path: &str,
        name: &str,
    ) -> Result<Secret> {
        let body = DeleteSecret {
            project: self.reference(),
            environment: Some("dev".into()),
            secret_path: Some(path.into()),
            r#type: None,
        };
        Ok(self.core.delete_secret(caller, name, &body).await?.secret)
    }

    pub(crate) fn one(&self, path: &str) -> GetSecretQuery {
        GetSecretQuery {
            project: self.reference(),
            environment: Some("dev".into()),
            secret_path: Some(path.into()),
            ..GetSecretQuery::default()
        }
    }

    pub(crate) async fn get_as(
        &self,
        caller: &Caller,
        name: &str,
        query: &GetSecretQuery,
    ) -> Result<Secret> {
        let answer = self.core.get_secret(caller, name, query).await?;
        Ok(serde_json::from_slice::<SecretResponse>(&answer.body).unwrap().secret)
    }

    pub(crate) async fn value(&self, path: &str, name: &str) -> String {
        let secret = self.get_as(&self.admin, name, &self.one(path)).await.unwrap();
        secret.secret_value.expose().to_owned()
    }

    pub(crate) fn all(&self, path: &str, recursive: bool) -> ListSecretsQuery {
        ListSecretsQuery {
            project: self.reference(),
            environment: Some("dev".into()),
            secret_path: Some(path.into()),
            recursive: Some(WireBool(recursive)),
            ..ListSecretsQuery::default()
        }
    }

    pub(crate) async fn list_as(
        &self,
        caller: &Caller,
        query: &ListSecretsQuery,
    ) -> Result<Vec<Secret>> {
        let answer = self.core.list_secrets(caller, query).await?;
        Ok(serde_json::from_slice::<SecretsResponse>(&answer.body).unwrap().secrets)
    }

    /// Everything in `dev`, as `path:name=value@version`.
    pub(crate) async fn dump(&self) -> Vec<String> {
        let secrets = self.list_as(&self.admin, &self.all("/", true)).await.unwrap();
        let line = |secret: Secret| {
            let path = secret.secret_path.unwrap_or_default();
            let value = secret.secret_value.expose();
            format!("{path}:{}={value}@{}", secret.secret_key, secret.version)
        };
        secrets.into_iter().map(line).collect()
    }

    /// Writes to the database behind the instance's back.
    pub(crate) async fn run<'p>(&self, sql: &'static str, params: impl kms_store::Params<'p>) {
        let mut tx = self.core.store.begin().await.unwrap();
        tx.execute(sql, params).await.unwrap();
        tx.commit().await.unwrap();
    }
}
