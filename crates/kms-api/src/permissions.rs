//! Permission rules as they stand on the wire and in the database (wire contract, rule JSON).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One rule: what may (or, inverted, may not) be done with what.
///
/// Rules are read in order and the last that matches decides; without a match the answer is no.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Rule {
    /// What the rule is about, such as `secrets`.
    pub subject: String,
    /// One action or several.
    pub action: Actions,
    /// True for a rule that forbids.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub inverted: bool,
    /// All must hold: a property is compared with a text, or with an object of operators
    /// (`$eq`, `$ne`, `$in`, `$glob`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub conditions: Option<Map<String, Value>>,
}

/// One action or several.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub enum Actions {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl Actions {
    /// The actions as a slice.
    pub fn as_slice(&self) -> &[String] {
        match self {
            Self::One(action) => std::slice::from_ref(action),
            Self::Many(actions) => actions,
        }
    }
}
