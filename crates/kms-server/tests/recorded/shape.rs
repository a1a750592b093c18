//! The shape of answers: which fields, of which types.
//!
//! A recorded shape is JSON itself: an object's fields (`?` after the name of one that some answers
//! lack), an array's one element, and for anything else the names of its types between bars.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// The shape of all of our answers at one place.
#[derive(Default)]
pub(crate) struct Seen {
    times: usize,
    objects: usize,
    types: BTreeSet<&'static str>,
    fields: BTreeMap<String, Seen>,
    elements: Option<Box<Seen>>,
}

/// How a shape can differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Difference {
    /// Recorded and not ours.
    Missing,
    /// Ours and not recorded.
    Extra,
    /// Of a type that was not recorded.
    Type,
}

impl Seen {
    /// Adds an answer.
    pub(crate) fn add(&mut self, answer: &Value) {
        self.times += 1;
        self.types.insert(type_of(answer));
        match answer {
            Value::Object(fields) => {
                self.objects += 1;
                for (name, value) in fields {
                    self.fields.entry(name.clone()).or_default().add(value);
                }
            }
            Value::Array(elements) => {
                for element in elements {
                    self.elements.get_or_insert_default().add(element);
                }
            }
            _ => {}
        }
    }

    /// How it differs from the recorded shape; each difference with its place.
    pub(crate) fn compare(&self, recorded: &Value) -> BTreeSet<(Difference, String)> {
        let mut found = BTreeSet::new();
        self.compare_at("", recorded, &mut found);
        found
    }

    fn compare_at(&self, at: &str, recorded: &Value, found: &mut BTreeSet<(Difference, String)>) {
        let known = types_of(recorded);
        for ours in self.types.iter().filter(|ours| !known.contains(*ours)) {
            found.insert((Difference::Type, format!("{at}: {} -> {ours}", known.join("|"))));
        }
        match recorded {
            Value::Object(fields) => self.compare_fields(at, fields, found),
            Value::Array(elements) => {
                // A list that was recorded empty says nothing about its elements.
                let Some(element) = elements.first() else { return };
                match &self.elements {
                    Some(ours) => ours.compare_at(&format!("{at}[]"), element, found),
                    None => drop(found.insert((Difference::Missing, format!("{at}[]")))),
                }
            }
            _ => {}
        }
    }

    fn compare_fields(
        &self,
        at: &str,
        recorded: &serde_json::Map<String, Value>,
        found: &mut BTreeSet<(Difference, String)>,
    ) {
        let place = |name: &str| if at.is_empty() { name.into() } else { format!("{at}.{name}") };
        for (name, shape) in recorded {
            let (name, always) = name.strip_suffix('?').map_or((&name[..], true), |n| (n, false));
            let ours = self.fields.get(name);
            if ours.is_none_or(|ours| always && ours.times < self.objects) {
                found.insert((Difference::Missing, place(name)));
            }
            if let Some(ours) = ours {
                ours.compare_at(&place(name), shape, found);
            }
        }
        let is_recorded =
            |name: &str| recorded.contains_key(name) || recorded.contains_key(&format!("{name}?"));
        for name in self.fields.keys().filter(|name| !is_recorded(name)) {
            found.insert((Difference::Extra, place(name)));
        }
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn types_of(recorded: &Value) -> Vec<&str> {
    match recorded {
        Value::String(types) => types.split('|').collect(),
        other => vec![type_of(other)],
    }
}

#[test]
fn shapes_differ_by_missing_extra_and_other_types() {
    use serde_json::json;

    let recorded = json!({"id": "string", "at?": "null|string", "list": [{"x": "integer"}]});
    let mut seen = Seen::default();
    seen.add(&json!({"id": "a", "at": null, "list": [{"x": 1}]}));
    assert_eq!(seen.compare(&recorded), BTreeSet::new());
    seen.add(&json!({"id": null, "list": [{"x": 1, "y": 2}, {}]}));
    let expected = [
        (Difference::Missing, "list[].x".to_owned()),
        (Difference::Extra, "list[].y".to_owned()),
        (Difference::Type, "id: string -> null".to_owned()),
    ];
    assert_eq!(seen.compare(&recorded), expected.into());
}

#[test]
fn a_list_that_was_never_filled_is_missing_its_elements() {
    use serde_json::json;

    let mut seen = Seen::default();
    seen.add(&json!({"list": []}));
    let expected = [(Difference::Missing, "list[]".to_owned())];
    assert_eq!(seen.compare(&json!({"list": ["string"]})), expected.into());
    assert_eq!(seen.compare(&json!({"list": []})), BTreeSet::new());
}
