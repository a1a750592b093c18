//! What an assignment changes.

use std::collections::{BTreeSet, HashMap};

use kms_api::{
    TagId,
    secrets::{Secret, SecretFields},
};

use crate::input::Assignment;

/// The words of the compatible client, and one more for comments.
pub(super) const CREATED: &str = "SECRET CREATED";
const MODIFIED: &str = "SECRET VALUE MODIFIED";
const TAGS_MODIFIED: &str = "SECRET TAGS MODIFIED";
const COMMENT_MODIFIED: &str = "SECRET COMMENT MODIFIED";
const UNCHANGED: &str = "SECRET VALUE UNCHANGED";

/// What is set beside the value; `None` leaves it as it is.
#[derive(Debug, Default)]
pub(super) struct Marks {
    pub(super) comment: Option<String>,
    /// Slugs and ids.
    pub(super) tags: Option<Vec<(String, TagId)>>,
}

/// What is to be done about an assignment.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) assignment: Assignment,
    pub(super) operation: &'static str,
}

impl Change {
    /// Compares with what is stored.
    pub(super) fn new(
        assignment: Assignment,
        existing: &HashMap<String, Secret>,
        marks: &Marks,
    ) -> Self {
        let operation = match existing.get(&assignment.name) {
            None => CREATED,
            Some(secret) if !has_value(secret, &assignment) => MODIFIED,
            Some(secret) if !has_tags(secret, marks) => TAGS_MODIFIED,
            Some(secret) if !has_comment(secret, marks) => COMMENT_MODIFIED,
            Some(_) => UNCHANGED,
        };
        Self { assignment, operation }
    }

    /// Whether there is already a secret that is to change.
    pub(super) fn is_update(&self) -> bool {
        ![CREATED, UNCHANGED].contains(&self.operation)
    }

    /// What goes to the server: a value only where it is another.
    pub(super) fn fields(&self, marks: &Marks) -> SecretFields {
        let is_new_value = [CREATED, MODIFIED].contains(&self.operation);
        SecretFields {
            secret_value: is_new_value.then(|| self.assignment.value.clone()),
            secret_comment: marks.comment.clone(),
            tag_ids: marks.tags.as_ref().map(|tags| tags.iter().map(|(_, id)| *id).collect()),
            ..SecretFields::default()
        }
    }
}

fn has_value(secret: &Secret, assignment: &Assignment) -> bool {
    !secret.secret_value_hidden && secret.secret_value.expose() == assignment.value.expose()
}

fn has_tags(secret: &Secret, marks: &Marks) -> bool {
    let Some(wanted) = &marks.tags else { return true };
    let wanted: BTreeSet<&str> = wanted.iter().map(|(slug, _)| slug.as_str()).collect();
    let present: BTreeSet<&str> =
        secret.tags.iter().flatten().map(|tag| tag.slug.as_str()).collect();
    wanted == present
}

/// Servers trim comments.
fn has_comment(secret: &Secret, marks: &Marks) -> bool {
    marks.comment.as_ref().is_none_or(|wanted| wanted.trim() == secret.secret_comment.trim())
}
