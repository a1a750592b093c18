//! Reading the fields of a JSON object, and refusing what is none of them: a field that is misspelt
//! would otherwise choose nothing in silence.

use serde_json::{Map, Value};

/// Fields that begin so are anybody's: editors (`$schema`) and other programs.
const FREE: [&str; 2] = ["$", "x-"];

/// An object and where it stands.
pub(super) struct Fields<'a> {
    map: &'a Map<String, Value>,
    /// What stands before the name of a field in a message.
    prefix: String,
}

impl<'a> Fields<'a> {
    /// The fields of the file.
    pub(super) fn of_file(map: &'a Map<String, Value>) -> Self {
        Self { map, prefix: String::new() }
    }

    /// The fields of an object in it, whose place is `at`.
    pub(super) fn of(value: &'a Value, at: &str) -> Result<Self, String> {
        let map = value.as_object().ok_or_else(|| format!("`{at}` must be an object"))?;
        Ok(Self { map, prefix: format!("{at}.") })
    }

    /// Refuses every field but these.
    pub(super) fn allow(&self, known: &[&str]) -> Result<(), String> {
        let is_known = |name: &str| known.contains(&name) || is_free(name);
        match self.map.keys().find(|name| !is_known(name)) {
            Some(other) => Err(format!(
                "`{}` is not known; allowed are `{}`, and what begins with `x-`",
                self.full(other),
                known.join("`, `")
            )),
            None => Ok(()),
        }
    }

    /// The value of a field, if it is there and not null.
    pub(super) fn value(&self, name: &str) -> Option<&'a Value> {
        self.map.get(name).filter(|value| !value.is_null())
    }

    /// A text; an empty one counts as absent.
    pub(super) fn text(&self, name: &str) -> Result<Option<String>, String> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) => {
                Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty()))
            }
            Some(_) => Err(format!("`{}` must be a text", self.full(name))),
        }
    }

    /// A text that means something, such as an id.
    pub(super) fn parsed<T: std::str::FromStr>(
        &self,
        name: &str,
        what: &str,
    ) -> Result<Option<T>, String> {
        let parsed = self.text(name)?.map(|text| text.parse());
        parsed.transpose().map_err(|_| format!("`{}` must be {what}", self.full(name)))
    }

    /// Yes or no.
    pub(super) fn switch(&self, name: &str) -> Result<Option<bool>, String> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Bool(is_on)) => Ok(Some(*is_on)),
            Some(_) => Err(format!("`{}` must be `true` or `false`", self.full(name))),
        }
    }

    fn full(&self, name: &str) -> String {
        format!("{}{}", self.prefix, name.escape_debug())
    }
}

/// Whether a field is left to others.
pub(super) fn is_free(name: &str) -> bool {
    FREE.iter().any(|prefix| name.starts_with(prefix))
}
