//! Secrets: v4 and v3 differ in spellings and defaults; both are read by the same types.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    EnvironmentId, FolderId, ProjectId, SecretId, SecretValue, TagId, Timestamp,
    secret_imports::ImportEnvironment,
    wire::{WireBool, blank_as_none, present},
};

/// What stands in `secretValue` when the caller may not read it. Old clients compare
/// `secretValueHidden`, not this text.
pub const HIDDEN_VALUE: &str = "<hidden-by-infisical>";

/// Every spelling of the project on the wire; the first that is given counts.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[serde(rename_all = "camelCase")]
pub struct ProjectRef {
    /// The project's id (v4).
    #[serde(default, deserialize_with = "blank_as_none", skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// The project's id (v3).
    #[serde(default, deserialize_with = "blank_as_none", skip_serializing_if = "Option::is_none")]
    pub workspace_id: Option<String>,
    /// The project's slug (v3 queries).
    #[serde(default, deserialize_with = "blank_as_none", skip_serializing_if = "Option::is_none")]
    pub workspace_slug: Option<String>,
    /// The project's slug (v3 bodies).
    #[serde(default, deserialize_with = "blank_as_none", skip_serializing_if = "Option::is_none")]
    pub project_slug: Option<String>,
}

impl ProjectRef {
    /// By id, as v4 spells it.
    pub fn id(project: impl std::fmt::Display) -> Self {
        Self { project_id: Some(project.to_string()), ..Self::default() }
    }
}

/// The query of a list (`GET /api/v4/secrets`, `GET /api/v3/secrets/raw`).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[serde(rename_all = "camelCase")]
pub struct ListSecretsQuery {
    /// The project.
    #[serde(flatten)]
    pub project: ProjectRef,
    /// The environment's slug.
    #[serde(default, deserialize_with = "blank_as_none", skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The folder, `/` when left out.
    #[serde(default, deserialize_with = "blank_as_none", skip_serializing_if = "Option::is_none")]
    pub secret_path: Option<String>,
    /// Whether values are wanted; true when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view_secret_value: Option<WireBool>,
    /// Whether references are expanded; v4 true, v3 false when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expand_secret_references: Option<WireBool>,
    /// Whether folders below are listed too; false when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recursive: Option<WireBool>,
    /// Whether imports are answered; v4 true, v3 false when left out.
    #[serde(default, alias = "include_imports", skip_serializing_if = "Option::is_none")]
    pub include_imports: Option<WireBool>,
    /// Whether the caller's own overrides replace shared secrets (v4); false when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub include_personal_overrides: Option<WireBool>,
    /// Comma list of tag slugs; a secret with any of them is listed.
    #[serde(default, deserialize_with = "blank_as_none", skip_serializing_if = "Option::is_none")]
    pub tag_slugs: Option<String>,
    /// `key=a,value=b|key=c,value=d`, at most ten pairs.
    #[serde(default, deserialize_with = "blank_as_none", skip_serializing_if = "Option::is_none")]
    pub metadata_filter: Option<String>,
}

/// The query of one secret by name.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[serde(rename_all = "camelCase")]
pub struct GetSecretQuery {
    /// The project.
    #[serde(flatten)]
    pub project: ProjectRef,
    /// The environment's slug.
    #[serde(default, deserialize_with = "blank_as_none", skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The folder, `/` when left out.
    #[serde(default, deserialize_with = "blank_as_none", skip_serializing_if = "Option::is_none")]
    pub secret_path: Option<String>,
    /// A former version; the current one when left out.
    #[serde(default, deserialize_with = "blank_as_none", skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// `shared` (when left out) or `personal`.
    #[serde(default, deserialize_with = "blank_as_none", skip_serializing_if = "Option::is_none")]
    pub r#type: Option<String>,
    /// Whether the value is wanted; true when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view_secret_value: Option<WireBool>,
    /// Whether references are expanded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expand_secret_references: Option<WireBool>,
    /// Whether imports are searched when the folder lacks the name.
    #[serde(default, alias = "include_imports", skip_serializing_if = "Option::is_none")]
    pub include_imports: Option<WireBool>,
}

/// The query of a secret's history.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
pub struct ListVersionsQuery {
    /// Versions to skip; 0 when left out.
    #[serde(default, deserialize_with = "blank_as_none", skip_serializing_if = "Option::is_none")]
    pub offset: Option<String>,
    /// Versions to answer, 1 to 100; 20 when left out.
    #[serde(default, deserialize_with = "blank_as_none", skip_serializing_if = "Option::is_none")]
    pub limit: Option<String>,
}

/// A key and value that describe a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SecretMetadata {
    /// At least one character.
    pub key: String,
    /// Empty when left out.
    #[serde(default)]
    pub value: String,
    /// Kept as sent; every metadata value is sealed at rest anyway.
    #[serde(default)]
    pub is_encrypted: bool,
}

/// The body of a create.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CreateSecret {
    /// The project.
    #[serde(flatten)]
    pub project: ProjectRef,
    /// The environment's slug.
    #[serde(default, deserialize_with = "blank_as_none", skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The folder, `/` when left out.
    #[serde(default, deserialize_with = "blank_as_none", skip_serializing_if = "Option::is_none")]
    pub secret_path: Option<String>,
    /// `shared` (when left out) or `personal`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r#type: Option<String>,
    /// What is stored with the name.
    #[serde(flatten)]
    pub fields: SecretFields,
}

/// The parts of a secret that a write may carry.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SecretFields {
    /// The value; white space around it is trimmed, one final newline is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_value: Option<SecretValue>,
    /// A comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_comment: Option<String>,
    /// Whether clients write real newlines; `null` clears it.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub skip_multiline_encoding: Option<Option<bool>>,
    /// Replaces all metadata.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_metadata: Option<Vec<SecretMetadata>>,
    /// Replaces all tags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag_ids: Option<Vec<TagId>>,
    /// Days between reminders; `null` or 0 clears it.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub secret_reminder_repeat_days: Option<Option<i64>>,
    /// A note for the reminder, at most 1,024 characters.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub secret_reminder_note: Option<Option<String>>,
}

/// The body of an update.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct UpdateSecret {
    /// Where, and what; every part of it may be left out.
    #[serde(flatten)]
    pub secret: CreateSecret,
    /// The new name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_secret_name: Option<String>,
}

/// The body of a delete.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct DeleteSecret {
    /// The project.
    #[serde(flatten)]
    pub project: ProjectRef,
    /// The environment's slug.
    #[serde(default, deserialize_with = "blank_as_none", skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The folder, `/` when left out.
    #[serde(default, deserialize_with = "blank_as_none", skip_serializing_if = "Option::is_none")]
    pub secret_path: Option<String>,
    /// `shared` (when left out) or `personal`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r#type: Option<String>,
}

/// One element of a batch.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct BatchItem {
    /// The name.
    pub secret_key: String,
    /// A folder of its own (update).
    #[serde(default, deserialize_with = "blank_as_none", skip_serializing_if = "Option::is_none")]
    pub secret_path: Option<String>,
    /// The new name (update).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_secret_name: Option<String>,
    /// `shared` or `personal` (delete).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r#type: Option<String>,
    /// What is stored with the name.
    #[serde(flatten)]
    pub fields: SecretFields,
}

/// The body of a batch.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct BatchBody {
    /// The project.
    #[serde(flatten)]
    pub project: ProjectRef,
    /// The environment's slug.
    #[serde(default, deserialize_with = "blank_as_none", skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The folder, `/` when left out.
    #[serde(default, deserialize_with = "blank_as_none", skip_serializing_if = "Option::is_none")]
    pub secret_path: Option<String>,
    /// What an update does about a missing name: `failOnNotFound` (when left out), `upsert`,
    /// `ignore`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// The secrets, at least one.
    pub secrets: Vec<BatchItem>,
}

/// A tag on a secret.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Tag {
    /// The tag's id.
    pub id: Uuid,
    /// Its slug.
    pub slug: String,
    /// Its colour; may be empty.
    #[serde(default)]
    pub color: Option<String>,
    /// Its name.
    #[serde(default)]
    pub name: String,
}

/// Who wrote the current version.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SecretActor {
    /// The user's or identity's id.
    pub actor_id: Option<Uuid>,
    /// `user`, `identity` or `service`.
    pub actor_type: Option<String>,
    /// The actor's name.
    pub name: Option<String>,
    /// The actor's membership in the project.
    pub membership_id: Option<Uuid>,
    /// The group through which the actor is a member.
    pub group_id: Option<Uuid>,
}

/// One secret, as every route answers it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Secret {
    /// Its id.
    pub id: SecretId,
    /// The id again, for older clients.
    #[serde(rename = "_id")]
    pub underscore_id: SecretId,
    /// The project's id.
    pub workspace: ProjectId,
    /// The environment's slug.
    pub environment: String,
    /// The folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_path: Option<String>,
    /// Counts from 1, by one for every change.
    pub version: i64,
    /// `shared` or `personal`.
    pub r#type: String,
    /// The name.
    pub secret_key: String,
    /// The value, or [`HIDDEN_VALUE`].
    pub secret_value: SecretValue,
    /// Whether the value is hidden.
    #[serde(default)]
    pub secret_value_hidden: bool,
    /// The comment.
    #[serde(default)]
    pub secret_comment: String,
    /// The reminder's note.
    #[serde(default)]
    pub secret_reminder_note: Option<String>,
    /// The reminder's days.
    #[serde(default)]
    pub secret_reminder_repeat_days: Option<i64>,
    /// Whether clients write real newlines.
    #[serde(default)]
    pub skip_multiline_encoding: Option<bool>,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When it last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// Who wrote this version.
    #[serde(default)]
    pub actor: Option<SecretActor>,
    /// Whether a rotation owns it.
    #[serde(default)]
    pub is_rotated_secret: bool,
    /// The rotation that owns it.
    #[serde(default)]
    pub rotation_id: Option<Uuid>,
    /// Its tags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<Tag>>,
    /// Its metadata.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_metadata: Option<Vec<SecretMetadata>>,
}

/// Secrets that a list takes in from elsewhere.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SecretImport {
    /// The folder they come from.
    pub secret_path: String,
    /// The environment they come from.
    pub environment: String,
    /// The environment they come from, where imports are read on their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment_info: Option<ImportEnvironment>,
    /// The folder's id; null where there is no such folder.
    #[serde(default)]
    pub folder_id: Option<FolderId>,
    /// The secrets.
    pub secrets: Vec<Secret>,
}

/// The answer to a list.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SecretsResponse {
    /// The secrets, by folder and name.
    pub secrets: Vec<Secret>,
    /// What is imported; always there, since the Rust SDK requires it.
    #[serde(default)]
    pub imports: Vec<SecretImport>,
}

/// The answer about one secret.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SecretResponse {
    /// The secret.
    pub secret: Secret,
}

/// The answer to a batch.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BatchResponse {
    /// The secrets that were written or deleted.
    pub secrets: Vec<Secret>,
}

/// One version in a secret's history.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SecretVersion {
    /// The secret's id and version make it unique.
    pub id: Uuid,
    /// The secret.
    pub secret_id: SecretId,
    /// The environment.
    pub env_id: EnvironmentId,
    /// The folder.
    pub folder_id: FolderId,
    /// Counts from 1.
    pub version: i64,
    /// `shared` or `personal`.
    pub r#type: String,
    /// The name it had.
    pub secret_key: String,
    /// The value it had, or [`HIDDEN_VALUE`].
    pub secret_value: SecretValue,
    /// Whether the value is hidden.
    pub secret_value_hidden: bool,
    /// The comment it had.
    pub secret_comment: String,
    /// Whether clients wrote real newlines.
    #[serde(default)]
    pub skip_multiline_encoding: Option<bool>,
    /// The tags it had, as far as there are such tags.
    #[serde(default)]
    pub tags: Vec<Tag>,
    /// The metadata it had.
    #[serde(default)]
    pub secret_metadata: Vec<SecretMetadata>,
    /// Who wrote it.
    #[serde(default)]
    pub actor: Option<SecretActor>,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it was written.
    pub updated_at: Timestamp,
}

/// The answer to a history.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SecretVersionsResponse {
    /// Newest first.
    pub secret_versions: Vec<SecretVersion>,
}

/// A secret in a tree of references, and those that it leads to.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ReferenceNode {
    /// The name.
    pub key: String,
    /// The value as it is stored, where it is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<SecretValue>,
    /// The environment's slug.
    pub environment: String,
    /// The folder.
    pub secret_path: String,
    /// What follows from it, in order.
    #[cfg_attr(feature = "openapi", schema(no_recursion))]
    pub children: Vec<ReferenceNode>,
}

/// The answer about the references of a secret.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReferenceTreeResponse {
    /// The secret and what it leads to.
    pub tree: ReferenceNode,
    /// The secret's value with its references expanded, where it is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<SecretValue>,
}
