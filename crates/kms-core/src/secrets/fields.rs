//! The parts of a secret that a write may carry, checked.
#![expect(clippy::option_option, reason = "the wire tells `null` from what is left out")]

use kms_api::{
    SecretValue, TagId,
    error::Issue,
    secrets::{SecretFields, SecretMetadata},
};
use kms_store::secrets::SecretRow;
use serde_json::Value;

use super::Payload;
use crate::{Error, Result};

/// The longest value, in bytes.
pub const MAX_VALUE: usize = 512 * 1024;
/// The longest comment, in bytes.
pub const MAX_COMMENT: usize = 64 * 1024;
/// Entries of metadata at most.
pub const MAX_METADATA: usize = 100;
/// The longest key of an entry of metadata, in bytes.
pub const MAX_METADATA_KEY: usize = 255;
/// The longest value of an entry of metadata, in bytes.
pub const MAX_METADATA_VALUE: usize = 4 * 1024;
/// Tags of a secret at most.
const MAX_TAGS: usize = 100;
/// The longest note of a reminder, in characters.
const MAX_NOTE: usize = 1_024;
/// Days between reminders at most.
const MAX_DAYS: i64 = 365;

/// Where in the body a field stands: empty, or `secrets` and an index.
pub(super) type Prefix<'p> = &'p [Value];

/// What a write sets; `None` leaves things as they are.
#[derive(Default)]
pub(super) struct Fields {
    value: Option<SecretValue>,
    comment: Option<String>,
    metadata: Option<Vec<SecretMetadata>>,
    tags: Option<Vec<TagId>>,
    skip_multiline_encoding: Option<Option<bool>>,
    reminder_days: Option<Option<i64>>,
    reminder_note: Option<Option<String>>,
}

impl Fields {
    /// Checks what was sent; every broken rule names its field and never its content.
    pub(super) fn check(prefix: Prefix<'_>, sent: &SecretFields) -> Result<Self> {
        let value = sent.secret_value.as_ref().map(|value| trim_value(value.expose()));
        if value.as_ref().is_some_and(|value| value.expose().len() > MAX_VALUE) {
            let rule = format!("must have at most {MAX_VALUE} bytes");
            return Err(issue(prefix, "secretValue", rule));
        }
        let comment = sent.secret_comment.as_deref().map(|comment| comment.trim().to_owned());
        if comment.as_ref().is_some_and(|comment| comment.len() > MAX_COMMENT) {
            let rule = format!("must have at most {MAX_COMMENT} bytes");
            return Err(issue(prefix, "secretComment", rule));
        }
        Ok(Self {
            value,
            comment,
            metadata: check_metadata(prefix, sent.secret_metadata.as_ref())?,
            tags: check_tags(prefix, sent.tag_ids.as_deref())?,
            skip_multiline_encoding: sent.skip_multiline_encoding,
            reminder_days: check_days(prefix, sent.secret_reminder_repeat_days)?,
            reminder_note: check_note(prefix, sent.secret_reminder_note.as_ref())?,
        })
    }

    /// As [`Fields::check`], for a write that needs a value.
    pub(super) fn check_new(prefix: Prefix<'_>, sent: &SecretFields) -> Result<Self> {
        if sent.secret_value.is_none() {
            return Err(issue(prefix, "secretValue", "Required"));
        }
        Self::check(prefix, sent)
    }

    /// The tags that are set.
    pub(super) fn tags(&self) -> &[TagId] {
        self.tags.as_deref().unwrap_or_default()
    }

    /// A change of the tags and of nothing else.
    pub(super) fn of_tags(tags: Vec<TagId>) -> Self {
        Self { tags: Some(tags), ..Self::default() }
    }

    /// The value, if one is set.
    pub(super) fn values(&self) -> Vec<&SecretValue> {
        self.value.iter().collect()
    }

    /// Applies what is set.
    pub(super) fn apply(self, row: &mut SecretRow, payload: &mut Payload) {
        fn set<T>(place: &mut T, new: Option<T>) {
            if let Some(new) = new {
                *place = new;
            }
        }
        set(&mut payload.value, self.value);
        set(&mut payload.comment, self.comment);
        set(&mut payload.metadata, self.metadata);
        set(&mut payload.tags, self.tags);
        set(&mut row.skip_multiline_encoding, self.skip_multiline_encoding);
        set(&mut row.reminder_days, self.reminder_days);
        set(&mut row.reminder_note, self.reminder_note);
    }
}

/// A broken rule of a field of the body or of one of its elements.
pub(super) fn issue(prefix: Prefix<'_>, field: &str, rule: impl Into<String>) -> Error {
    let mut issue = Issue::field(field, rule);
    issue.path.splice(0..0, prefix.iter().cloned());
    Error::Validation(vec![issue])
}

/// White space around a value goes; if its last character was a newline, one newline stays.
fn trim_value(value: &str) -> SecretValue {
    // What the compatible server's language calls white space, which is not quite what ours does.
    let space = |character: char| {
        (character.is_whitespace() && character != '\u{85}') || character == '\u{feff}'
    };
    let trimmed = value.trim_matches(space);
    if value.ends_with('\n') {
        let mut kept = String::with_capacity(trimmed.len() + 1);
        kept.push_str(trimmed);
        kept.push('\n');
        return kept.into();
    }
    trimmed.into()
}

fn check_metadata(
    prefix: Prefix<'_>,
    sent: Option<&Vec<SecretMetadata>>,
) -> Result<Option<Vec<SecretMetadata>>> {
    let Some(sent) = sent else { return Ok(None) };
    if sent.len() > MAX_METADATA {
        let rule = format!("must have at most {MAX_METADATA} entries");
        return Err(issue(prefix, "secretMetadata", rule));
    }
    for (index, entry) in sent.iter().enumerate() {
        let mut place = prefix.to_vec();
        place.extend(["secretMetadata".into(), index.into()]);
        if entry.key.is_empty() || entry.key.len() > MAX_METADATA_KEY {
            let rule = format!("must have 1 to {MAX_METADATA_KEY} bytes");
            return Err(issue(&place, "key", rule));
        }
        if entry.value.len() > MAX_METADATA_VALUE {
            let rule = format!("must have at most {MAX_METADATA_VALUE} bytes");
            return Err(issue(&place, "value", rule));
        }
    }
    Ok(Some(sent.clone()))
}

/// A tag that is named twice counts once.
fn check_tags(prefix: Prefix<'_>, sent: Option<&[TagId]>) -> Result<Option<Vec<TagId>>> {
    let Some(sent) = sent else { return Ok(None) };
    let mut tags = sent.to_vec();
    tags.sort_unstable();
    tags.dedup();
    if tags.len() > MAX_TAGS {
        return Err(issue(prefix, "tagIds", format!("must have at most {MAX_TAGS} tags")));
    }
    Ok(Some(tags))
}

/// No days and zero days both mean no reminder.
fn check_days(prefix: Prefix<'_>, sent: Option<Option<i64>>) -> Result<Option<Option<i64>>> {
    match sent {
        Some(Some(days)) if !(0..=MAX_DAYS).contains(&days) => {
            let rule = format!("must be from 0 to {MAX_DAYS}");
            Err(issue(prefix, "secretReminderRepeatDays", rule))
        }
        Some(days) => Ok(Some(days.filter(|days| *days > 0))),
        None => Ok(None),
    }
}

fn check_note(prefix: Prefix<'_>, sent: Option<&Option<String>>) -> Result<Option<Option<String>>> {
    let Some(note) = sent else { return Ok(None) };
    if note.as_ref().is_some_and(|note| note.chars().count() > MAX_NOTE) {
        let rule = format!("must have at most {MAX_NOTE} characters");
        return Err(issue(prefix, "secretReminderNote", rule));
    }
    Ok(Some(note.clone().filter(|note| !note.is_empty())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_goes_and_one_final_newline_stays() {
        for (sent, kept) in [
            ("  padded  ", "padded"),
            ("  line1\nline2\n\n", "line1\nline2\n"),
            ("key\r\n", "key\n"),
            ("key\n ", "key"),
            ("\n", "\n"),
            (" ", ""),
            ("", ""),
            ("\u{feff}bom", "bom"),
            ("\u{a0}wide\u{3000}", "wide"),
            ("\u{85}nel\u{85}", "\u{85}nel\u{85}"),
            ("a  b", "a  b"),
        ] {
            assert_eq!(trim_value(sent).expose(), kept, "{sent:?}");
        }
    }
}
