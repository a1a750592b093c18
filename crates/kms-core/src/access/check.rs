//! Rules as they are sent: each is read in full before any is kept.

use std::fmt::Write as _;

use kms_api::{
    error::Issue,
    permissions::{Actions, Rule},
};
use kms_auth::glob::Pattern;
use serde_json::{Map, Value};

use super::{
    Action, Subject,
    reach::{unreachable_pattern, unreachable_text},
    templates,
    vocabulary::IN_PROJECTS,
};
use crate::{Error, Result};

/// Rules of one role, at most.
pub const MAX_RULES: usize = 100;
/// Bytes of JSON that they take, at most.
pub const MAX_BYTES: usize = 64 * 1024;
/// Texts of one `$in`, at most.
pub const MAX_TEXTS: usize = 100;
/// The longest text of a condition, in characters.
pub const MAX_TEXT: usize = 512;
/// Bytes of the patterns of one role together, at most: each costs time in proportion to its length,
/// for every secret of a list.
pub const MAX_PATTERNS: usize = 4_096;

/// Where a rule that was sent is broken.
type Path<'p> = &'p [Value];

/// Reads the rules of a project's role. They may be packed: `[actions, subject, conditions,
/// inverted]`.
pub(crate) fn check(field: &str, sent: &[Value]) -> Result<Vec<Rule>> {
    if sent.len() > MAX_RULES {
        return Err(Error::field(field, format!("must have at most {MAX_RULES} rules")));
    }
    let mut rules = Vec::with_capacity(sent.len());
    for (index, rule) in sent.iter().enumerate() {
        let path = [field.into(), index.into()];
        rules.push(match rule {
            Value::Array(packed) => rule_of(&path, &unpack(&path, packed)?)?,
            Value::Object(fields) => rule_of(&path, fields)?,
            _ => return Err(broken(&path, "must be an object")),
        });
    }
    let bytes = serde_json::to_string(&rules).map_or(usize::MAX, |text| text.len());
    if bytes > MAX_BYTES {
        return Err(Error::field(field, format!("must take at most {MAX_BYTES} bytes")));
    }
    if rules.iter().map(patterns).sum::<usize>() > MAX_PATTERNS {
        let rule = format!("must have patterns (`$glob`) of at most {MAX_PATTERNS} bytes together");
        return Err(Error::field(field, rule));
    }
    Ok(rules)
}

/// How much more a byte counts in a pattern that repeats a group: what that matches is looked for
/// again behind each of its ends.
const REPEATED: usize = 32;

/// Bytes of the patterns of a rule, by what they cost.
pub(super) fn patterns(rule: &Rule) -> usize {
    let operands = rule.conditions.iter().flat_map(Map::values);
    let patterns = operands.filter_map(|operand| operand["$glob"].as_str());
    let repeats = |pattern: &str| pattern.contains("*(") || pattern.contains("+(");
    patterns.map(|text| text.len() * if repeats(text) { REPEATED } else { 1 }).sum()
}

fn broken(path: Path<'_>, rule: impl Into<String>) -> Error {
    let issue = Issue { code: "custom".into(), path: path.to_vec(), message: rule.into() };
    Error::Validation(vec![issue])
}

/// A path one step further.
fn inside(path: Path<'_>, step: impl Into<Value>) -> Vec<Value> {
    let mut path = path.to_vec();
    path.push(step.into());
    path
}

/// The fields of a rule in the packed form of the contract.
fn unpack(path: Path<'_>, packed: &[Value]) -> Result<Map<String, Value>> {
    let text = |at: usize| packed.get(at).and_then(Value::as_str);
    let (Some(actions), Some(subject)) = (text(0), text(1)) else {
        return Err(broken(path, "must have actions and a subject"));
    };
    let actions: Vec<_> = actions.split(',').map(Value::from).collect();
    let mut fields = Map::new();
    fields.insert("action".into(), actions.into());
    fields.insert("subject".into(), subject.into());
    if let Some(conditions) = packed.get(2).filter(|part| **part != 0) {
        fields.insert("conditions".into(), conditions.clone());
    }
    if let Some(inverted) = packed.get(3) {
        let inverted = inverted.as_i64().ok_or_else(|| broken(path, "must end in 0 or 1"))? != 0;
        fields.insert("inverted".into(), inverted.into());
    }
    Ok(fields)
}

fn rule_of(path: Path<'_>, fields: &Map<String, Value>) -> Result<Rule> {
    let at = inside(path, "subject");
    let subject = fields.get("subject").and_then(Value::as_str);
    let subject = subject.ok_or_else(|| broken(&at, "must be a text"))?;
    let subject = if subject == "workspace" { Subject::Project.as_str() } else { subject };
    let known = IN_PROJECTS.iter().find(|(known, _)| known.as_str() == subject);
    let (subject, actions) = known.ok_or_else(|| {
        broken(&at, listed("must be one of", IN_PROJECTS.iter().map(|(known, _)| known.as_str())))
    })?;
    let inverted = match fields.get("inverted") {
        None | Some(Value::Null) => false,
        Some(Value::Bool(inverted)) => *inverted,
        Some(_) => return Err(broken(&inside(path, "inverted"), "must be true or false")),
    };
    Ok(Rule {
        subject: subject.as_str().into(),
        action: actions_of(&inside(path, "action"), fields.get("action"), actions)?,
        inverted,
        conditions: match fields.get("conditions") {
            None | Some(Value::Null) => None,
            Some(Value::Object(conditions)) => {
                let at = inside(path, "conditions");
                check_conditions(&at, *subject, conditions)?;
                Some(conditions.clone()).filter(|conditions| !conditions.is_empty())
            }
            Some(_) => return Err(broken(&inside(path, "conditions"), "must be an object")),
        },
    })
}

fn actions_of(path: Path<'_>, sent: Option<&Value>, known: &[Action]) -> Result<Actions> {
    let check = |path: Path<'_>, action: &Value| {
        let known = known.iter().map(|action| action.as_str());
        let found = known.clone().find(|known| action.as_str() == Some(known));
        found.map(str::to_owned).ok_or_else(|| broken(path, listed("must be one of", known)))
    };
    match sent {
        Some(Value::Array(actions)) if !actions.is_empty() => {
            let mut checked = Vec::new();
            for (index, action) in actions.iter().enumerate() {
                let action = check(&inside(path, index), action)?;
                if !checked.contains(&action) {
                    checked.push(action);
                }
            }
            Ok(Actions::Many(checked))
        }
        Some(Value::Array(_)) | None => Err(broken(path, "must name an action at least")),
        Some(action) => Ok(Actions::One(check(path, action)?)),
    }
}

/// What conditions on a subject can be about, and with which operators.
fn properties(subject: Subject) -> &'static [(&'static str, &'static [&'static str])] {
    const TEXT: &[&str] = &["$eq", "$ne", "$in", "$glob"];
    const PLACE: &[(&str, &[&str])] = &[("environment", TEXT), ("secretPath", TEXT)];
    match subject {
        Subject::Secrets => &[
            ("environment", TEXT),
            ("secretPath", TEXT),
            ("secretName", TEXT),
            ("secretTags", &["$in"]),
        ],
        Subject::SecretFolders | Subject::SecretImports => PLACE,
        Subject::Identity => &[("identityId", &["$eq", "$ne", "$in"])],
        _ => &[],
    }
}

fn check_conditions(
    path: Path<'_>,
    subject: Subject,
    conditions: &Map<String, Value>,
) -> Result<()> {
    let known = properties(subject);
    for (property, operand) in conditions {
        let Some((property, operators)) = known.iter().find(|(known, _)| known == property) else {
            // The name of the property may be anything, and is not repeated.
            return Err(broken(
                path,
                match known {
                    [] => "has no properties for this subject".to_owned(),
                    known => listed("can be about", known.iter().map(|(property, _)| *property)),
                },
            ));
        };
        let path = inside(path, *property);
        match operand {
            Value::Object(sent) if !sent.is_empty() => {
                for (operator, operand) in sent {
                    let known = operators.iter().find(|known| *known == operator);
                    let operator = known.ok_or_else(|| {
                        broken(&path, listed("can be compared by", operators.iter().copied()))
                    })?;
                    check_operand(&inside(&path, *operator), (property, operator), operand)?;
                }
            }
            Value::String(_) if operators.contains(&"$eq") => {
                check_operand(&path, (property, "$eq"), operand)?;
            }
            _ => {
                let rule = listed("must be an object with one of", operators.iter().copied());
                return Err(broken(&path, rule));
            }
        }
    }
    Ok(())
}

fn check_operand(
    path: Path<'_>,
    (property, operator): (&str, &str),
    operand: &Value,
) -> Result<()> {
    let check_equal = |path: Path<'_>, text: &Value| {
        let text = check_text(path, text)?;
        unreachable_text(property, text).map_or(Ok(()), |rule| Err(broken(path, rule)))
    };
    match (operator, operand) {
        ("$in", Value::Array(texts)) => {
            if texts.is_empty() || texts.len() > MAX_TEXTS {
                return Err(broken(path, format!("must have 1 to {MAX_TEXTS} texts")));
            }
            for (index, text) in texts.iter().enumerate() {
                check_equal(&inside(path, index), text)?;
            }
            Ok(())
        }
        ("$in", _) => Err(broken(path, "must be a list of texts")),
        ("$glob", Value::String(pattern)) => {
            check_text(path, operand)?;
            // A template stands for a text, which a pattern may hold anywhere.
            Pattern::parse(&templates::filled(pattern, templates::ADDRESS))
                .map_err(|bad| broken(path, lower(&bad.to_string())))?;
            unreachable_pattern(property, pattern).map_or(Ok(()), |rule| Err(broken(path, rule)))
        }
        _ => check_equal(path, operand),
    }
}

fn check_text<'t>(path: Path<'_>, text: &'t Value) -> Result<&'t str> {
    let text = text.as_str().ok_or_else(|| broken(path, "must be a text"))?;
    if text.is_empty() || text.chars().count() > MAX_TEXT || text.chars().any(char::is_control) {
        let rule = format!("must have 1 to {MAX_TEXT} characters, no control characters");
        return Err(broken(path, rule));
    }
    templates::check(text).map_err(|rule| broken(path, rule))?;
    Ok(text)
}

fn listed<'w>(rule: &str, words: impl Iterator<Item = &'w str>) -> String {
    let mut text = rule.to_owned();
    for (index, word) in words.enumerate() {
        let before = if index == 0 { " " } else { ", " };
        // Writing into a text does not fail.
        let _ = write!(text, "{before}`{word}`");
    }
    text
}

fn lower(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(chars).collect()
}

#[cfg(test)]
mod tests;
