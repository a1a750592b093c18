//! The rules against an implementation that is slow and obvious and shares nothing with them.

use std::sync::Arc;

use kms_api::permissions::Rule;
use serde_json::Value;

use super::generate::{Dice, Question, facts, rules};
use crate::access::{Facts, RuleSet};

/// Sets, each with its own caller and two questions.
const SETS: u64 = 100_000;

#[test]
fn t3_a_hundred_thousand_rule_sets_answer_as_the_contract_reads() {
    let mut allowed = 0;
    for seed in 0..SETS {
        let dice = &mut Dice::new(seed);
        let (rules, facts) = (rules(dice, true), facts(dice));
        let set = RuleSet::of_roles(vec![Arc::new(RuleSet::new(rules.clone()))], &facts);
        for _ in 0..2 {
            let question = Question::roll(dice);
            let answer = set.allows(question.action, question.subject, &question.attributes());
            let expected = obvious(&rules, &facts, &question);
            assert_eq!(answer, expected, "{seed}: {question:?} {facts:?} {rules:#?}");
            allowed += u32::from(answer);
        }
    }
    assert!((20_000..180_000).contains(&allowed), "{allowed}");
}

fn obvious(rules: &[Rule], facts: &Facts, question: &Question) -> bool {
    let mut allowed = false;
    for rule in rules {
        let asked = question.action.as_str();
        let of_secrets = rule.subject == "secrets";
        let speaks = rule.action.as_slice().iter().any(|action| {
            action == asked
                || of_secrets
                    && action == "read"
                    && ["describeSecret", "readValue"].contains(&asked)
        });
        if rule.subject != question.subject.as_str() || !speaks {
            continue;
        }
        let conditions = rule.conditions.iter().flatten();
        let mut holds = true;
        for (property, operand) in conditions {
            let operators = match operand {
                Value::Object(operators) => operators.clone(),
                text => [("$eq".to_owned(), text.clone())].into_iter().collect(),
            };
            for (operator, operand) in operators {
                // Nothing is allowed, and everything forbidden, where it cannot be said.
                let said = says(property, &operator, &operand, facts, question, rule.inverted);
                holds &= said.unwrap_or(rule.inverted);
            }
        }
        if holds {
            allowed = !rule.inverted;
        }
    }
    allowed
}

fn says(
    property: &str,
    operator: &str,
    operand: &Value,
    facts: &Facts,
    question: &Question,
    inverted: bool,
) -> Option<bool> {
    let values: Vec<&str> = match property {
        "environment" => vec![question.environment],
        "secretPath" => vec![question.path],
        "secretName" => question.name.into_iter().collect(),
        "secretTags" => question.tags.iter().map(String::as_str).collect(),
        _ => return None,
    };
    let plain = |text: &[Letter]| text.iter().map(|letter| letter.0).collect::<String>();
    match operator {
        "$eq" => {
            let text = plain(&fill(operand.as_str()?, facts)?);
            Some(values.iter().any(|value| *value == text))
        }
        "$ne" => {
            let text = plain(&fill(operand.as_str()?, facts)?);
            Some(values.iter().any(|value| *value != text))
        }
        "$in" => {
            let mut found = false;
            for text in operand.as_array()? {
                match fill(text.as_str()?, facts) {
                    Some(text) => found |= values.iter().any(|value| *value == plain(&text)),
                    None if inverted => return None,
                    None => {}
                }
            }
            Some(found)
        }
        "$glob" => {
            let pattern = fill(operand.as_str()?, facts)?;
            // A value that no pattern can hold where it stands.
            let groups = pattern.contains(&Letter('{', false));
            let held = |c: char| c != '\\' && !(groups && [',', '/'].contains(&c));
            if pattern.iter().any(|letter| letter.1 && !held(letter.0)) {
                return None;
            }
            let is_path = property == "secretPath";
            Some(values.iter().any(|value| {
                let value = value.to_string();
                let with_slash = format!("{value}/");
                glob(&pattern, &value) || is_path && glob(&pattern, &with_slash)
            }))
        }
        _ => None,
    }
}

/// A character, and whether it stands for itself.
#[derive(Clone, Copy, PartialEq)]
struct Letter(char, bool);

/// A text with what is known in the place of its templates.
fn fill(text: &str, facts: &Facts) -> Option<Vec<Letter>> {
    let Some(start) = text.find("{{") else {
        return Some(text.chars().map(|letter| Letter(letter, false)).collect());
    };
    let end = start + text[start..].find("}}")?;
    let of = |key: &str| facts.metadata.iter().find(|pair| pair.0 == key).map(|pair| &*pair.1);
    let value = match text[start + 2..end].trim() {
        "identity.id" => &facts.id,
        "identity.username" => &facts.username,
        "identity.metadata.team" => of("team")?,
        "identity.metadata.env" => of("env")?,
        "identity.auth.oidc.claims.env" => facts.auth.get("oidc")?["claims"]["env"].as_str()?,
        _ => return None,
    };
    let mut letters: Vec<_> = text[..start].chars().map(|letter| Letter(letter, false)).collect();
    letters.extend(value.chars().map(|letter| Letter(letter, true)));
    letters.extend(fill(&text[end + 2..], facts)?);
    Some(letters)
}

/// A pattern by its alternatives, then letter by letter.
fn glob(pattern: &[Letter], text: &str) -> bool {
    let open = pattern.iter().position(|letter| *letter == Letter('{', false));
    let close = pattern.iter().position(|letter| *letter == Letter('}', false));
    if let (Some(open), Some(close)) = (open, close) {
        let alternatives = pattern[open + 1..close].split(|letter| *letter == Letter(',', false));
        let mut alternatives =
            alternatives.map(|middle| [&pattern[..open], middle, &pattern[close + 1..]].concat());
        return alternatives.any(|pattern| glob(&pattern, text));
    }
    let text: Vec<char> = text.chars().collect();
    matches(pattern, &text, true)
}

/// Whether the rest of a pattern matches the rest of a text; `starts` at the beginning of a segment.
fn matches(pattern: &[Letter], text: &[char], starts: bool) -> bool {
    const STAR: Letter = Letter('*', false);
    match pattern {
        [] => text.is_empty(),
        [STAR, STAR] if starts => true,
        [STAR, STAR, Letter('/', _), rest @ ..] if starts => {
            let mut from = vec![0];
            from.extend(
                text.iter().enumerate().filter(|(_, it)| **it == '/').map(|(at, _)| at + 1),
            );
            from.into_iter().any(|at| matches(rest, &text[at..], true))
        }
        [STAR, rest @ ..] => {
            let most = text.iter().position(|it| *it == '/').unwrap_or(text.len());
            let least = usize::from(starts);
            (least..=most).any(|taken| matches(rest, &text[taken..], starts && taken == 0))
        }
        [Letter('?', false), rest @ ..] => {
            text.first().is_some_and(|it| *it != '/') && matches(rest, &text[1..], false)
        }
        [Letter(letter, _), rest @ ..] => {
            text.first() == Some(letter) && matches(rest, &text[1..], *letter == '/')
        }
    }
}
