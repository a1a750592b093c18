//! Points in time as pages show them.

use kms_api::Timestamp;

/// A point in time, for programs and for people.
pub(crate) struct Time {
    /// As the API has it.
    pub(crate) exact: Timestamp,
    /// In UTC, to the minute.
    pub(crate) text: String,
}

impl Time {
    pub(crate) fn of(exact: Timestamp) -> Self {
        let text = exact.to_string();
        Self { exact, text: text.get(..16).unwrap_or(&text).replace('T', " ") }
    }
}
