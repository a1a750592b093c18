//! What a validation failure says: which field, which rule, never the value.

use kms_api::error::Issue;
use serde::{Deserializer, de::DeserializeOwned};
use serde_json::{Map, Value};
use serde_path_to_error::{Path, Segment};

use crate::ApiError;

/// A field that was sent twice.
pub(super) fn duplicate(path: Vec<Value>) -> ApiError {
    refuse(Issue { code: "custom".into(), path, message: "Sent more than once".into() })
}

/// A text that not every database can hold.
pub(super) fn null_character(path: Vec<Value>) -> ApiError {
    let message = "Must not hold a null character".into();
    refuse(Issue { code: "invalid_string".into(), path, message })
}

/// A body that is JSON, but not an object.
pub(super) fn not_an_object() -> ApiError {
    let message = "Expected an object".into();
    refuse(Issue { code: "invalid_type".into(), path: Vec::new(), message })
}

/// Reads a JSON object.
pub(super) fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    read(&mut serde_json::Deserializer::from_slice(body)).map_err(|failed| {
        let fields: Map<String, Value> = serde_json::from_slice(body).unwrap_or_default();
        let names = fields.keys().map(String::as_str);
        refuse(failed.issue(names, |left_out| {
            let mut fields = fields.clone();
            fields.remove(left_out);
            read::<T, _>(Value::Object(fields)).err()
        }))
    })
}

/// Reads the pairs of a form or query.
pub(super) fn form<T: DeserializeOwned>(pairs: &[(String, String)]) -> Result<T, ApiError> {
    let read = |left_out: Option<&str>| {
        let kept = pairs.iter().filter(|(name, _)| Some(name.as_str()) != left_out);
        let text = form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).finish();
        let pairs = form_urlencoded::parse(text.as_bytes());
        self::read::<T, _>(serde_urlencoded::Deserializer::new(pairs))
    };
    read(None).map_err(|failed| {
        let names = pairs.iter().map(|(name, _)| name.as_str());
        refuse(failed.issue(names, |left_out| read(Some(left_out)).err()))
    })
}

fn refuse(issue: Issue) -> ApiError {
    ApiError::validation(vec![issue])
}

/// Where reading failed, and what serde says about it; that text may hold the value.
struct Failed {
    path: Vec<Value>,
    text: String,
}

fn read<'de, T: DeserializeOwned, D: Deserializer<'de>>(reader: D) -> Result<T, Failed> {
    serde_path_to_error::deserialize(reader).map_err(|error| {
        let mut text = error.inner().to_string();
        // `serde_json` ends with where it stopped reading.
        text.truncate(text.rfind(" at line ").unwrap_or(text.len()));
        Failed { path: segments(error.path()), text }
    })
}

fn segments(path: &Path) -> Vec<Value> {
    let known = path.iter().filter_map(|segment| match segment {
        Segment::Seq { index } => Some((*index).into()),
        Segment::Map { key } => Some(key.as_str().into()),
        Segment::Enum { variant } => Some(variant.as_str().into()),
        Segment::Unknown => None,
    });
    known.collect()
}

impl Failed {
    /// The issue to answer. Flattened structs lose the path: then the field is found by leaving
    /// out one after the other.
    fn issue<'n>(
        self,
        names: impl Iterator<Item = &'n str>,
        retry: impl Fn(&str) -> Option<Self>,
    ) -> Issue {
        let mut path = self.path;
        if let Some(missing) = quoted_after(&self.text, "missing field `") {
            path.push(missing.into());
            return Issue { code: "invalid_type".into(), path, message: "Required".into() };
        }
        if path.is_empty() {
            let culprit = |name: &&str| retry(name).is_none_or(|other| other.text != self.text);
            path.extend(names.take(MOST_FIELDS).find(culprit).map(Value::from));
        }
        let (code, message) = rule(&self.text);
        Issue { code: code.into(), path, message }
    }
}

/// More fields than any body has: beyond that the search for the culprit ends.
const MOST_FIELDS: usize = 64;

/// Says which rule was broken, from the parts of serde's text that come from our own types.
fn rule(text: &str) -> (&'static str, String) {
    let about_value = ["invalid type: ", "invalid value: ", "invalid length ", "unknown variant "]
        .iter()
        .any(|start| text.starts_with(start));
    if about_value && let Some(at) = text.rfind(", expected ") {
        return ("invalid_type", format!("Expected {}", &text[at + ", expected ".len()..]));
    }
    if let Some(expected) = text.strip_prefix("expected ") {
        return ("invalid_type", format!("Expected {expected}"));
    }
    if text.starts_with("UUID parsing failed") {
        return ("invalid_string", "Invalid uuid".into());
    }
    ("custom", "Not valid".into())
}

fn quoted_after<'t>(text: &'t str, start: &str) -> Option<&'t str> {
    text.strip_prefix(start)?.split('`').next()
}
