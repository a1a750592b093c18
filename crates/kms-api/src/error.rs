//! The one error body.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The body of every answer that is not a success (wire contract, errors).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ErrorBody {
    /// Names the request in the server's log.
    #[serde(default)]
    pub req_id: String,
    /// The HTTP status, repeated.
    pub status_code: u16,
    /// For people; for a validation failure a list of [`Issue`]s.
    pub message: Value,
    /// The error's name. Clients match on the status, not on this.
    pub error: String,
    /// More about the error where there is more to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Value>,
    /// What a program may act on: `{"code": "mfa_invalid"}` or `mfa_expired` where a second factor
    /// was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<Value>,
}

impl ErrorBody {
    /// The message as one text, whichever shape it came in.
    pub fn text(&self) -> String {
        match &self.message {
            Value::String(text) => text.clone(),
            Value::Array(issues) => issues.iter().map(issue_text).collect::<Vec<_>>().join("; "),
            other => other.to_string(),
        }
    }
}

fn issue_text(issue: &Value) -> String {
    let message = issue["message"].as_str().unwrap_or("is not valid");
    let path = issue["path"].as_array().map_or(String::new(), |path| {
        let parts = path.iter().map(|part| match part {
            Value::String(name) => name.clone(),
            other => other.to_string(),
        });
        parts.collect::<Vec<_>>().join(".")
    });
    if path.is_empty() { message.to_owned() } else { format!("`{path}`: {message}") }
}

/// One failed rule of a validation failure (status 422).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Issue {
    /// The kind of failure: `invalid_type`, `too_small`, `too_big`, `invalid_string`, `custom`.
    pub code: String,
    /// Field names and array indices from the body's root to the field.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub path: Vec<Value>,
    /// For people; names the rule, never the value that was sent.
    pub message: String,
}

impl Issue {
    /// An issue with one named field.
    pub fn field(name: &str, message: impl Into<String>) -> Self {
        Self { code: "custom".into(), path: vec![name.into()], message: message.into() }
    }
}
