//! What JSON must look like before any of it is believed (attacks D1 and T8).

use std::{collections::HashSet, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::issues;
use crate::ApiError;

/// Arrays and objects within each other, at most.
const DEPTH: usize = 64;
/// Values and names, at most.
const TOKENS: usize = 100_000;

/// The fields that are sealed before they are stored; the database's texts cannot hold a null
/// character, so no other field may.
const SEALED: [&str; 1] = ["secretValue"];

/// Accepts one JSON object whose names are unique at every depth, within the limits.
pub(super) fn check(body: &[u8]) -> Result<(), ApiError> {
    let mut guard = Guard::default();
    let mut reader = serde_json::Deserializer::from_slice(body);
    let read = Check { guard: &mut guard, depth: 0 }.deserialize(&mut reader);
    let read = read.and_then(|()| reader.end());
    match (guard.fault, read) {
        (Some(Fault::Duplicate), _) => Err(issues::duplicate(guard.path)),
        (Some(Fault::TooMuch), _) => {
            Err(ApiError::Malformed("The JSON is nested too deep or has too many parts"))
        }
        (Some(Fault::NullCharacter), _) => Err(issues::null_character(guard.path)),
        (Some(Fault::NotAnObject), _) => Err(issues::not_an_object()),
        (None, Err(_)) => Err(ApiError::Malformed("The body is not valid JSON")),
        (None, Ok(())) => Ok(()),
    }
}

#[derive(Default)]
struct Guard {
    tokens: usize,
    path: Vec<Value>,
    fault: Option<Fault>,
}

enum Fault {
    Duplicate,
    TooMuch,
    NotAnObject,
    NullCharacter,
}

impl Guard {
    /// Ends the reading; the text is never shown.
    fn stop<E: Error>(&mut self, fault: Fault) -> E {
        self.fault = Some(fault);
        E::custom("refused")
    }

    fn count<E: Error>(&mut self, depth: usize) -> Result<(), E> {
        self.tokens += 1;
        if self.tokens > TOKENS || depth > DEPTH {
            return Err(self.stop(Fault::TooMuch));
        }
        Ok(())
    }
}

struct Check<'g> {
    guard: &'g mut Guard,
    depth: usize,
}

impl Check<'_> {
    fn value<E: Error>(self) -> Result<(), E> {
        if self.depth == 0 { Err(self.guard.stop(Fault::NotAnObject)) } else { Ok(()) }
    }
}

impl<'de> DeserializeSeed<'de> for Check<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        self.guard.count(self.depth)?;
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Check<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.value()
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        self.value()
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        self.value()
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        self.value()
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        self.value()
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        let sealed = self.guard.path.last().is_some_and(|field| SEALED.iter().any(|s| field == s));
        if text.contains('\0') && !sealed {
            return Err(self.guard.stop(Fault::NullCharacter));
        }
        self.value()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Self { guard, depth } = self;
        Check { guard: &mut *guard, depth }.value()?;
        let mut index = 0_usize;
        loop {
            guard.path.push(index.into());
            let item = items.next_element_seed(Check { guard: &mut *guard, depth: depth + 1 })?;
            guard.path.pop();
            if item.is_none() {
                return Ok(());
            }
            index += 1;
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let Self { guard, depth } = self;
        let mut seen = HashSet::new();
        while let Some(name) = fields.next_key::<String>()? {
            guard.count(depth)?;
            guard.path.push(name.as_str().into());
            if !seen.insert(name) {
                return Err(guard.stop(Fault::Duplicate));
            }
            fields.next_value_seed(Check { guard: &mut *guard, depth: depth + 1 })?;
            guard.path.pop();
        }
        Ok(())
    }
}
