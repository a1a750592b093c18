//! What was recorded.

use std::collections::BTreeMap;

use http::Method;
use serde::Deserialize;
use serde_json::{Map, Value};

/// One request, and what the older server said to it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Exchange {
    /// Its number, by which the table of differences names it.
    pub(crate) n: u32,
    /// Method and template of the path.
    pub(crate) endpoint: String,
    /// What case it is.
    pub(crate) label: String,
    /// Who asked.
    #[serde(rename = "as")]
    #[expect(dead_code, reason = "for whoever reads the fixture")]
    actor: String,
    /// Path and query.
    pub(crate) path: String,
    /// The header, as it is.
    pub(crate) authorization: Option<String>,
    /// More headers.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    /// Of the body, when it is not JSON.
    pub(crate) media_type: Option<String>,
    /// JSON, or text that is sent as it is.
    pub(crate) body: Option<Value>,
    /// Blanks after the body.
    #[serde(default)]
    pub(crate) padding: usize,
    /// Seconds that pass before it.
    #[serde(default)]
    pub(crate) waits: i64,
    /// How many seconds later than everything else it is sent.
    #[serde(default)]
    pub(crate) later: i64,
    /// The status of the answer.
    pub(crate) status: u16,
    /// Names for parts of the answer, which later requests use in double braces.
    #[serde(default)]
    pub(crate) binds: BTreeMap<String, String>,
    /// The values of the answer that do not depend on ids, times and chance, by their pointers.
    #[serde(default)]
    pub(crate) says: BTreeMap<String, Value>,
}

impl Exchange {
    /// The method.
    pub(crate) fn method(&self) -> Method {
        self.endpoint.split(' ').next().unwrap().parse().unwrap()
    }

    /// Whether it was a success.
    pub(crate) fn succeeded(&self) -> bool {
        self.status == 200
    }
}

/// All exchanges, in order.
pub(crate) fn exchanges() -> Vec<Exchange> {
    serde_json::from_str(include_str!("exchanges.json")).unwrap()
}

/// The shape of the successes of every endpoint (see [`crate::shape`]).
pub(crate) fn shapes() -> Map<String, Value> {
    serde_json::from_str(include_str!("shapes.json")).unwrap()
}
