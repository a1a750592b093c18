//! From rows to the wire.

use kms_api::{
    SecretValue, Timestamp,
    secrets::{HIDDEN_VALUE, Secret, SecretActor},
};
use kms_store::secrets::{SHARED, SecretRow};
use uuid::Uuid;

use super::Payload;
use crate::{
    access::{Action, ProjectAccess},
    place::Place,
    tags::Labels,
};

/// Whether a value is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Show {
    Value,
    Mask,
}

impl Show {
    /// A value is shown to those who may read it.
    pub(super) fn to_readers(place: &Place, name: &str, tags: &[String]) -> Self {
        if place.allows_secret(Action::ReadValue, name, tags) { Self::Value } else { Self::Mask }
    }

    /// A value is shown where both say so.
    pub(super) fn and(self, other: Self) -> Self {
        if self == Self::Value { other } else { Self::Mask }
    }
}

/// What every answer about secrets of one folder shares.
#[derive(Clone, Copy)]
pub(super) struct Frame<'a> {
    pub(super) access: &'a ProjectAccess,
    pub(super) environment: &'a str,
    pub(super) path: &'a str,
    /// The tags of the project, as far as the secrets have some.
    pub(super) labels: &'a Labels,
}

impl<'a> Frame<'a> {
    pub(super) fn of(place: &'a Place, labels: &'a Labels) -> Self {
        Self {
            access: &place.access,
            environment: &place.environment,
            path: place.path.as_str(),
            labels,
        }
    }

    /// A secret as every route answers it.
    pub(super) fn secret(&self, row: SecretRow, payload: Payload, show: Show) -> Secret {
        let tags = self.labels.shown(&payload.tags);
        let (secret_value, secret_value_hidden) = mask(payload.value, show);
        Secret {
            id: row.id,
            underscore_id: row.id,
            workspace: self.access.id(),
            environment: self.environment.to_owned(),
            secret_path: Some(self.path.to_owned()),
            version: row.version,
            r#type: type_of(row.owner_id).to_owned(),
            secret_key: row.name,
            secret_value,
            secret_value_hidden,
            secret_comment: payload.comment,
            secret_reminder_note: row.reminder_note,
            secret_reminder_repeat_days: row.reminder_days,
            skip_multiline_encoding: row.skip_multiline_encoding,
            created_at: Some(Timestamp(row.created_at)),
            updated_at: Some(Timestamp(row.updated_at)),
            actor: Some(actor(row.actor_kind, row.actor_id, row.actor_name)),
            is_rotated_secret: false,
            rotation_id: None,
            tags: Some(tags),
            secret_metadata: Some(payload.metadata),
        }
    }
}

/// Who wrote a version.
pub(super) fn actor(kind: String, id: Option<Uuid>, name: Option<String>) -> SecretActor {
    SecretActor { actor_id: id, actor_type: Some(kind), name, membership_id: None, group_id: None }
}

/// What the wire calls a secret of this owner.
pub(super) fn type_of(owner: Uuid) -> &'static str {
    if owner == SHARED { "shared" } else { "personal" }
}

/// The value or what stands in for it, and whether it is hidden.
pub(super) fn mask(value: SecretValue, show: Show) -> (SecretValue, bool) {
    match show {
        Show::Value => (value, false),
        Show::Mask => (HIDDEN_VALUE.into(), true),
    }
}
