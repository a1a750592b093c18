//! The audit log: what is recorded.
//!
//! A change puts its record into its own transaction ([`Core::record`] and `Tx::audit`). A read of
//! values is queued ([`Core::log_read`], `read_log`) and committed within 100 ms; when the queue is
//! full or could not be written, reads fail too, so that nothing is ever read without a record.

use std::sync::Arc;

use kms_api::{OrganizationId, ProjectId};
use kms_store::audit::NewAuditRecord;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{Caller, Core, Origin, Result, text::SecretPath};

/// What happened.
#[derive(Clone, Debug)]
pub struct Event {
    kind: &'static str,
    project: Option<ProjectId>,
    environment: Option<Arc<str>>,
    secret_path: Option<Arc<str>>,
    secret_key: Option<Arc<str>>,
    details: Arc<str>,
}

impl Event {
    /// An event of a kind, such as `create-secret`.
    pub fn new(kind: &'static str) -> Self {
        Self {
            kind,
            project: None,
            environment: None,
            secret_path: None,
            secret_key: None,
            details: "{}".into(),
        }
    }

    /// In a project.
    #[must_use]
    pub fn project(self, project: ProjectId) -> Self {
        Self { project: Some(project), ..self }
    }

    /// In a folder of an environment.
    #[must_use]
    pub fn at(self, environment: &str, path: &SecretPath) -> Self {
        Self {
            environment: Some(environment.into()),
            secret_path: Some(path.as_str().into()),
            ..self
        }
    }

    /// About a secret of this name.
    #[must_use]
    pub fn key(self, name: &str) -> Self {
        Self { secret_key: Some(name.into()), ..self }
    }

    /// With more to say: ids, names and counts, never a value.
    #[must_use]
    pub fn details<'n>(self, details: impl IntoIterator<Item = (&'n str, Value)>) -> Self {
        let map: Map<_, _> = details.into_iter().map(|(key, value)| (key.into(), value)).collect();
        Self { details: Value::Object(map).to_string().into(), ..self }
    }
}

/// Who did it, where there is no [`Caller`] yet.
#[derive(Clone, Debug)]
pub struct AuditActor {
    /// `identity`, `user`, `platform`, `unknownUser`.
    pub kind: &'static str,
    /// The id, where it is known.
    pub id: Option<Uuid>,
    /// JSON.
    pub metadata: Arc<str>,
}

impl AuditActor {
    /// The server itself.
    pub fn platform() -> Self {
        Self { kind: "platform", id: None, metadata: "{}".into() }
    }
}

impl Core {
    /// The record of something that a caller did.
    pub fn record(&self, caller: &Caller, event: &Event) -> NewAuditRecord {
        let actor = AuditActor {
            kind: caller.actor.kind(),
            id: Some(caller.actor.id()),
            metadata: Arc::clone(&caller.actor_metadata),
        };
        self.record_of(caller.organization, &actor, &caller.origin, event)
    }

    /// The record of something that happened in an organization.
    pub fn record_of(
        &self,
        organization: OrganizationId,
        actor: &AuditActor,
        origin: &Origin,
        event: &Event,
    ) -> NewAuditRecord {
        NewAuditRecord {
            org_id: organization.uuid(),
            id: self.new_id(),
            created_at: self.now().micros(),
            project_id: event.project.map(Into::into),
            actor_type: actor.kind,
            actor_id: actor.id,
            actor_metadata: Arc::clone(&actor.metadata),
            event_type: event.kind,
            event_metadata: Arc::clone(&event.details),
            environment: event.environment.clone(),
            secret_path: event.secret_path.clone(),
            secret_key: event.secret_key.clone(),
            ip: origin.ip.map(|ip| ip.to_string().into()),
            user_agent: origin.user_agent.clone(),
            user_agent_type: user_agent_type(origin.user_agent.as_deref()),
        }
    }

    /// Records a read of values. Fails when the log cannot keep up or cannot be written.
    pub async fn log_read(&self, caller: &Caller, event: &Event) -> Result<()> {
        self.read_log.push(self.record(caller, event)).await
    }

    /// Writes a record that belongs to no other change, such as a refusal, before returning.
    pub async fn log_now(&self, record: NewAuditRecord) -> Result<()> {
        let mut tx = self.store.begin().await?;
        tx.audit(record);
        Ok(tx.commit().await?)
    }
}

/// The kind of program behind a user agent, in the words of the contract.
pub fn user_agent_type(user_agent: Option<&str>) -> &'static str {
    let agent = user_agent.unwrap_or_default();
    let known = [
        ("k8-operator", "k8-operator"),
        ("terraform", "terraform"),
        ("infisical-go-sdk", "InfisicalGoSDK"),
        ("infisical-rs", "InfisicalRustSDK"),
        ("kms-rust", "InfisicalRustSDK"),
        ("python-requests", "InfisicalPythonSDK"),
        ("node", "InfisicalNodeSDK"),
        ("kms-cli", "cli"),
    ];
    if agent == "cli" {
        return "cli";
    }
    if let Some((_, kind)) = known.iter().find(|(prefix, _)| agent.starts_with(prefix)) {
        return kind;
    }
    if agent.starts_with("Mozilla/") { "web" } else { "other" }
}
