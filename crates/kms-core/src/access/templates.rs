//! What rules can say about whoever is asking: `{{identity.id}}` and its relatives (wire contract,
//! rule JSON).
//!
//! A template stands for a text of the caller's: never for a pattern, whatever the text holds. One
//! that stands for nothing makes a rule that allows match nothing and a rule that forbids match
//! everything.

use std::borrow::Cow;

use kms_api::permissions::Rule;
use kms_auth::glob;
use serde_json::{Map, Value};
use uuid::Uuid;

const OPEN: &str = "{{";
const CLOSE: &str = "}}";

/// What is known about a caller.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The user's or identity's id.
    pub id: String,
    /// The name to log in with, or the identity's name.
    pub username: String,
    /// Keys and values of the identity.
    pub metadata: Vec<(String, String)>,
    /// What the login method learnt (claim `identityAuth`).
    pub auth: Map<String, Value>,
    /// Tells callers with other [`Self::auth`] apart; nil for those without.
    pub print: Uuid,
}

/// What stands for a value where a pattern is read before anybody asks: an address, so that a
/// pattern is refused that takes plain letters alone.
pub(super) const ADDRESS: &str = "x\\@x";

/// A text with another one in the place of each template.
pub(super) fn filled(text: &str, value: &str) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(OPEN) {
        let Some((_, after)) = after.split_once(CLOSE) else { break };
        filled.push_str(before);
        filled.push_str(value);
        rest = after;
    }
    filled.push_str(rest);
    filled
}

impl Facts {
    /// What a template stands for.
    fn value(&self, name: &str) -> Option<Cow<'_, str>> {
        match name.strip_prefix("identity.")? {
            "id" => Some(self.id.as_str().into()),
            "username" => Some(self.username.as_str().into()),
            name => match name.split_once('.')? {
                ("metadata", key) => {
                    let found = self.metadata.iter().find(|(known, _)| known == key);
                    found.map(|(_, value)| value.as_str().into())
                }
                ("auth", path) => text_at(&self.auth, path),
                _ => None,
            },
        }
        .filter(|text: &Cow<'_, str>| !text.is_empty())
    }

    /// A rule as it is for this caller. A template that stands for nothing stays.
    pub(super) fn render(&self, rule: &Rule) -> Rule {
        let Some(conditions) = &rule.conditions else { return rule.clone() };
        let conditions = conditions.iter().map(|(property, operand)| {
            let operand = match operand {
                Value::Object(operators) => {
                    let render = |(operator, operand): (&String, &Value)| {
                        let rendered = self.operand(operator, operand, rule.inverted);
                        (operator.clone(), rendered)
                    };
                    Value::Object(operators.iter().map(render).collect())
                }
                operand => self.operand("$eq", operand, rule.inverted),
            };
            (property.clone(), operand)
        });
        Rule { conditions: Some(conditions.collect()), ..rule.clone() }
    }

    fn operand(&self, operator: &str, operand: &Value, inverted: bool) -> Value {
        let is_pattern = operator == "$glob";
        let whole = |text: &String| self.text(text, is_pattern).unwrap_or_else(|| text.clone());
        match operand {
            Value::String(text) => whole(text).into(),
            // Of several texts the others still count for a rule that allows.
            Value::Array(texts) => texts
                .iter()
                .filter_map(|text| match text {
                    Value::String(text) if inverted => Some(whole(text).into()),
                    Value::String(text) => self.text(text, is_pattern).map(Value::String),
                    other => Some(other.clone()),
                })
                .collect(),
            other => other.clone(),
        }
    }

    /// A text with everything in the place of its templates. None if one stands for nothing, or
    /// for what a pattern cannot hold as a text: a `\`, a comma or slash where there are groups, a
    /// slash beside a star.
    fn text(&self, text: &str, is_pattern: bool) -> Option<String> {
        let mut rendered = String::new();
        let mut rest = text;
        let has_groups = is_pattern && filled(text, "").contains(['{', '(']);
        while let Some((before, after)) = rest.split_once(OPEN) {
            let (name, after) = after.split_once(CLOSE)?;
            rendered.push_str(before);
            let value = self.value(name.trim())?;
            if is_pattern {
                let changes = has_groups && value.contains([',', '/'])
                    || value.starts_with('/') && rendered.ends_with('*')
                    || value.ends_with('/') && after.starts_with('*');
                if changes {
                    return None;
                }
                rendered.push_str(&glob::literal(&value)?);
            } else {
                rendered.push_str(&value);
            }
            rest = after;
        }
        rendered.push_str(rest);
        Some(rendered)
    }
}

/// The text at a path of keys; a key may itself hold dots, as names of claims do.
fn text_at<'a>(map: &'a Map<String, Value>, path: &str) -> Option<Cow<'a, str>> {
    if let Some(value) = map.get(path) {
        return match value {
            Value::String(text) => Some(text.as_str().into()),
            Value::Number(number) => Some(number.to_string().into()),
            Value::Bool(flag) => Some(flag.to_string().into()),
            _ => None,
        };
    }
    let mut dots = path.match_indices('.').map(|(at, _)| at);
    dots.find_map(|at| match map.get(&path[..at])? {
        Value::Object(inner) => text_at(inner, &path[at + 1..]),
        _ => None,
    })
}

/// Whether a text has a template.
pub(super) fn is_template(text: &str) -> bool {
    text.contains(OPEN)
}

/// Whether every template of a text is one that there is.
pub(super) fn check(text: &str) -> Result<(), &'static str> {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once(OPEN) {
        let (name, after) = after.split_once(CLOSE).ok_or("has a `{{` without a `}}`")?;
        let name = name.trim().strip_prefix("identity.").unwrap_or_default();
        let parts: Vec<_> = name.splitn(3, '.').collect();
        let known = match parts.as_slice() {
            ["id" | "username"] => true,
            ["metadata", key, ..] => !key.is_empty(),
            ["auth", method, rest] => !method.is_empty() && !rest.is_empty(),
            _ => false,
        };
        if !known {
            return Err("has a template that is none of `identity.id`, `identity.username`, \
                        `identity.metadata.KEY` and `identity.auth.METHOD.KEY`");
        }
        rest = after;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn facts() -> Facts {
        let auth = json!({
            "oidc": { "claims": { "sub": "repo:a/b", "https://x.test/team": "blue", "n": 7 } },
            "kubernetes": { "namespace": "prod", "name": "app" },
        });
        Facts {
            id: "7".into(),
            username: "ci".into(),
            metadata: vec![("team".into(), "a*".into()), ("a.b".into(), "dotted".into())],
            auth: auth.as_object().unwrap().clone(),
            print: Uuid::nil(),
        }
    }

    #[test]
    fn a_template_stands_for_what_is_known() {
        let text = |text| facts().text(text, false);
        for (given, rendered) in [
            ("/users/{{identity.id}}", "/users/7"),
            ("{{ identity.username }}-{{identity.id}}", "ci-7"),
            ("{{identity.metadata.team}}", "a*"),
            ("{{identity.metadata.a.b}}", "dotted"),
            ("{{identity.auth.oidc.claims.sub}}", "repo:a/b"),
            ("{{identity.auth.oidc.claims.https://x.test/team}}", "blue"),
            ("{{identity.auth.oidc.claims.n}}", "7"),
            ("{{identity.auth.kubernetes.namespace}}", "prod"),
            ("plain", "plain"),
        ] {
            assert_eq!(text(given).as_deref(), Some(rendered), "{given}");
        }
        for given in [
            "{{identity.metadata.none}}",
            "{{identity.auth.oidc.claims}}",
            "{{identity.auth.aws.arn}}",
            "{{identity.secret}}",
            "{{identity.id",
        ] {
            assert_eq!(text(given), None, "{given}");
        }
    }

    #[test]
    fn t4_a_value_is_never_read_as_a_pattern() {
        let pattern = facts().text("/t/{{identity.metadata.team}}/**", true).unwrap();
        assert_eq!(pattern, "/t/a\\*/**");
        let of = |value: &str, pattern: &str| {
            let facts = Facts { id: value.into(), ..Facts::default() };
            facts.text(pattern, true)
        };
        for (value, pattern, rendered) in [
            ("0190a6e2-7b1c-7def", "/p/{{identity.id}}", Some("/p/0190a6e2-7b1c-7def")),
            ("ada.b+c@x.test", "{{identity.id}}*", Some("ada.b\\+c\\@x.test*")),
            ("a_b:c, d", "{{identity.id}}", Some("a_b:c, d")),
            ("a,b", "/{x,{{identity.id}}}", None),
            ("a/b", "/!({{identity.id}})", None),
            ("a/b", "/x/{{identity.id}}/**", Some("/x/a/b/**")),
            ("a/", "/{{identity.id}}**", None),
            ("/a", "/**{{identity.id}}", None),
            ("a\\b", "{{identity.id}}", None),
            ("a\u{2028}", "{{identity.id}}", None),
        ] {
            assert_eq!(of(value, pattern).as_deref(), rendered, "{value} in {pattern}");
        }
    }

    #[test]
    fn templates_outside_the_contract_are_told_apart() {
        for good in ["", "a}}", "{{identity.id}}{{identity.metadata.k.l}}", "{{identity.auth.a.b}}"]
        {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in ["{{", "{{id}}", "{{identity}}", "{{identity.metadata}}", "{{identity.auth.a}}"]
        {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
