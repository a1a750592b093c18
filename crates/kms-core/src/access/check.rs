//! Rules as they are sent: each is read in full before any is kept.

use std::fmt::Write as _;

use kms_api::{
    error::Issue,
    permissions::{Actions, Rule},
};
use kms_auth::glob::Pattern;
use serde_json::{Map, Value};

use super::{Action, Subject, templates, vocabulary::IN_PROJECTS};
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

/// Bytes of the patterns of a rule.
pub(super) fn patterns(rule: &Rule) -> usize {
    let operands = rule.conditions.iter().flat_map(Map::values);
    let patterns = operands.filter_map(|operand| operand["$glob"].as_str());
    patterns.map(str::len).sum()
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
                    check_operand(&inside(&path, *operator), operator, operand)?;
                }
            }
            Value::String(_) if operators.contains(&"$eq") => {
                check_operand(&path, "$eq", operand)?;
            }
            _ => {
                let rule = listed("must be an object with one of", operators.iter().copied());
                return Err(broken(&path, rule));
            }
        }
    }
    Ok(())
}

fn check_operand(path: Path<'_>, operator: &str, operand: &Value) -> Result<()> {
    match (operator, operand) {
        ("$in", Value::Array(texts)) => {
            if texts.is_empty() || texts.len() > MAX_TEXTS {
                return Err(broken(path, format!("must have 1 to {MAX_TEXTS} texts")));
            }
            for (index, text) in texts.iter().enumerate() {
                check_text(&inside(path, index), text)?;
            }
            Ok(())
        }
        ("$in", _) => Err(broken(path, "must be a list of texts")),
        ("$glob", Value::String(pattern)) => {
            check_text(path, operand)?;
            // A template stands for a text, which a pattern may hold anywhere.
            Pattern::parse(&templates::filled(pattern, templates::ADDRESS))
                .map(drop)
                .map_err(|bad| broken(path, lower(&bad.to_string())))
        }
        _ => check_text(path, operand),
    }
}

fn check_text(path: Path<'_>, text: &Value) -> Result<()> {
    let text = text.as_str().ok_or_else(|| broken(path, "must be a text"))?;
    if text.is_empty() || text.chars().count() > MAX_TEXT || text.chars().any(char::is_control) {
        let rule = format!("must have 1 to {MAX_TEXT} characters, no control characters");
        return Err(broken(path, rule));
    }
    templates::check(text).map_err(|rule| broken(path, rule))
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
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(rules: &Value) -> String {
        let Err(Error::Validation(issues)) = check("permissions", rules.as_array().unwrap()) else {
            panic!("{rules} is let through");
        };
        json!(issues[0].path).to_string()
    }

    #[test]
    fn what_is_broken_is_named_by_its_path() {
        let on = |conditions: Value| {
            json!([{"subject": "tags", "action": "read"},
                {"subject": "secrets", "action": "read", "conditions": conditions}])
        };
        let at = |rest: &str| format!("[\"permissions\",1{rest}]");
        for (conditions, path) in [
            (json!("x"), ",\"conditions\""),
            (json!({"planet": "x"}), ",\"conditions\""),
            (json!({"environment": 7}), ",\"conditions\",\"environment\""),
            (json!({"environment": ""}), ",\"conditions\",\"environment\""),
            (json!({"environment": {}}), ",\"conditions\",\"environment\""),
            (json!({"environment": {"$re": "x"}}), ",\"conditions\",\"environment\""),
            (json!({"environment": {"$ne": 1}}), ",\"conditions\",\"environment\",\"$ne\""),
            (json!({"environment": {"$in": "x"}}), ",\"conditions\",\"environment\",\"$in\""),
            (json!({"environment": {"$in": []}}), ",\"conditions\",\"environment\",\"$in\""),
            (
                json!({"environment": {"$in": ["a", 1]}}),
                ",\"conditions\",\"environment\",\"$in\",1",
            ),
            (json!({"secretPath": {"$glob": "!x"}}), ",\"conditions\",\"secretPath\",\"$glob\""),
            (
                json!({"secretPath": {"$glob": "/[a-{{identity.id}}]"}}),
                ",\"conditions\",\"secretPath\",\"$glob\"",
            ),
            (json!({"secretPath": "{{identity.x}}"}), ",\"conditions\",\"secretPath\""),
            (json!({"secretPath": "a".repeat(513)}), ",\"conditions\",\"secretPath\""),
            (json!({"secretTags": "x"}), ",\"conditions\",\"secretTags\""),
            (json!({"secretTags": {"$eq": "x"}}), ",\"conditions\",\"secretTags\""),
            (json!({"identityId": "x"}), ",\"conditions\""),
        ] {
            assert_eq!(refused(&on(conditions.clone())), at(path), "{conditions}");
        }
        for (rule, path) in [
            (json!({"subject": "planets", "action": "read"}), ",\"subject\""),
            (json!({"subject": 7, "action": "read"}), ",\"subject\""),
            (json!({"action": "read"}), ",\"subject\""),
            (json!({"subject": "sso", "action": "read"}), ",\"subject\""),
            (json!({"subject": "tags"}), ",\"action\""),
            (json!({"subject": "tags", "action": []}), ",\"action\""),
            (json!({"subject": "tags", "action": "readValue"}), ",\"action\""),
            (json!({"subject": "tags", "action": ["read", "fly"]}), ",\"action\",1"),
            (json!({"subject": "tags", "action": "read", "inverted": "yes"}), ",\"inverted\""),
            (
                json!({"subject": "tags", "action": "read", "conditions": {"environment": "x"}}),
                ",\"conditions\"",
            ),
            (json!("tags"), ""),
            (json!(["read"]), ""),
            (json!(["read", "tags", 0, "x"]), ""),
        ] {
            let rules = json!([{"subject": "tags", "action": "read"}, rule]);
            assert_eq!(refused(&rules), at(path), "{rule}");
        }
        let many = vec![json!({"subject": "tags", "action": "read"}); MAX_RULES + 1];
        assert_eq!(refused(&many.into()), "[\"permissions\"]");
        let text = "a".repeat(MAX_TEXT);
        let long = json!({"subject": "secrets", "action": "read",
            "conditions": {"secretName": {"$in": vec![text; 30]}}});
        assert_eq!(refused(&vec![long; 5].into()), "[\"permissions\"]");
    }

    #[test]
    fn h10_the_patterns_of_a_role_have_a_length_together() {
        let rules = |count: usize| {
            let pattern = format!("{}*", "*a".repeat(255));
            let rule = json!({"subject": "secrets", "action": "read",
                "conditions": {"secretName": {"$glob": pattern}}});
            vec![rule; count].into()
        };
        let eight: Value = rules(8);
        assert_eq!(check("permissions", eight.as_array().unwrap()).unwrap().len(), 8);
        assert_eq!(refused(&rules(9)), "[\"permissions\"]");
    }

    #[test]
    fn rules_of_every_form_of_the_contract_are_read() {
        let sent = json!([
            {"subject": "secrets", "action": ["readValue", "readValue"], "inverted": true,
             "conditions": {"environment": {"$in": ["a", "{{identity.metadata.env}}"]},
                "secretPath": {"$glob": "/u/{{ identity.id }}/**", "$ne": "/u/x"},
                "secretTags": {"$in": ["x"]}, "secretName": "A"}},
            {"subject": "workspace", "action": "edit", "conditions": null, "inverted": null},
            {"subject": "tags", "action": "read", "conditions": {}, "unknown": 1},
            ["read,edit", "secret-folders", {"environment": "dev"}, 1],
            ["read", "role"],
        ]);
        let rules = check("permissions", sent.as_array().unwrap()).unwrap();
        let wire = json!([
            {"subject": "secrets", "action": ["readValue"], "inverted": true,
             "conditions": sent[0]["conditions"]},
            {"subject": "project", "action": "edit"},
            {"subject": "tags", "action": "read"},
            {"subject": "secret-folders", "action": ["read", "edit"], "inverted": true,
             "conditions": {"environment": "dev"}},
            {"subject": "role", "action": ["read"]},
        ]);
        assert_eq!(json!(rules), wire);
    }

    #[test]
    fn d6_no_refusal_repeats_what_was_sent() {
        for rule in [
            json!({"subject": "canary", "action": "read"}),
            json!({"subject": "secrets", "action": "canary"}),
            json!({"subject": "secrets", "action": "read", "conditions": {"canary": "x"}}),
            json!({"subject": "secrets", "action": "read",
                "conditions": {"environment": {"canary": "x"}}}),
            json!({"subject": "secrets", "action": "read",
                "conditions": {"environment": "{{canary}}"}}),
            json!({"subject": "secrets", "action": "read",
                "conditions": {"secretPath": {"$glob": "!canary"}}}),
        ] {
            let error = check("permissions", &[rule]).unwrap_err();
            assert!(!format!("{error:?}").contains("canary"), "{error:?}");
        }
    }
}
