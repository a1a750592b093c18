//! The audit log.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{AuditId, OrganizationId, ProjectId, Timestamp};

/// The query of a read.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[serde(rename_all = "camelCase")]
pub struct AuditQuery {
    /// Only one project; needs `audit-logs: read` there, else in the organization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// Only one environment's slug.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Only one folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_path: Option<String>,
    /// Only one secret's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_key: Option<String>,
    /// Comma list of event types.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_type: Option<String>,
    /// `user`, `identity`, `service`, `platform`, `unknownUser`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor_type: Option<String>,
    /// Only one actor's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// From when; the last midnight of yesterday when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_date: Option<Timestamp>,
    /// Until when; now when left out. At most three months after the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_date: Option<Timestamp>,
    /// How many to pass over, 0 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<String>,
    /// How many to answer, at most 1,000, 20 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<String>,
}

/// Who did it, or what was done.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Typed {
    /// Of an actor `user`, `identity`, …; of an event such as `create-secret`.
    pub r#type: String,
    /// What is known about it; never a value.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub metadata: Value,
}

/// One record.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct AuditLog {
    /// Its id.
    pub id: AuditId,
    /// Its place in the organization's chain.
    pub sequence: i64,
    /// Its link in the chain, 64 hexadecimal characters.
    pub chain: String,
    /// When it happened.
    pub created_at: Timestamp,
    /// The same.
    pub updated_at: Timestamp,
    /// The caller's address.
    pub ip_address: Option<String>,
    /// The caller's program.
    pub user_agent: Option<String>,
    /// The kind of program: `cli`, `terraform`, `web`, …
    pub user_agent_type: Option<String>,
    /// When it may be removed; null for never.
    pub expires_at: Option<Timestamp>,
    /// The organization.
    pub org_id: OrganizationId,
    /// The project, where there is one.
    pub project_id: Option<ProjectId>,
    /// Its name.
    pub project_name: Option<String>,
    /// Who.
    pub actor: Typed,
    /// What.
    pub event: Typed,
}

/// The answer to a read.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct AuditLogsResponse {
    /// Newest first.
    pub audit_logs: Vec<AuditLog>,
}
