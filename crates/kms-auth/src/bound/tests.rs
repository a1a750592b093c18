//! J8: rules about claims, held against an oracle that tries everything.

use serde_json::{Map, json};

use super::*;
use crate::testing::Dice;

/// Whether a text matches: `*` and `?` alone, by trying everything. `before` is what the pattern
/// and `behind` what the text has in front.
fn slow(pattern: &[u8], text: &[u8], before: u8, behind: u8, stars: Stars) -> bool {
    let crosses = stars == Stars::Cross;
    match (pattern, text) {
        ([], []) => true,
        ([b'*', rest @ ..], _) => {
            let begins = match text {
                [] | [b'.', ..] => false,
                [b'/', ..] => crosses,
                _ => true,
            };
            let goes_on = !matches!(text, [] | [b'/' | b'.'] | [b'/', ..] | [b'.', b'/', ..]);
            if before == b'/' && !begins || before == b'.' && !goes_on {
                return false;
            }
            (0..=text.len()).any(|taken| {
                let (taken, left) = text.split_at(taken);
                let mut last = behind;
                let fits = taken.iter().all(|c| {
                    let dotted = last == b'/' && *c == b'.';
                    last = *c;
                    if crosses { !dotted } else { *c != b'/' }
                });
                // A segment that goes on with a dot is not entered either.
                let enters = crosses && taken.last() == Some(&b'/') && left.first() == Some(&b'.');
                fits && !enters && slow(rest, left, b'*', last, stars)
            })
        }
        ([b'?', rest @ ..], [c, left @ ..]) => {
            let takes = *c != b'/' && !(before == b'/' && *c == b'.');
            takes && slow(rest, left, b'?', *c, stars)
        }
        ([a, rest @ ..], [c, left @ ..]) => a == c && slow(rest, left, *a, *c, stars),
        _ => false,
    }
}

/// A claim by its path, the longest name first.
fn find<'c>(claims: &'c Map<String, Value>, parts: &[&str]) -> Option<&'c Value> {
    let known =
        (1..=parts.len()).rev().find(|count| claims.contains_key(&parts[..*count].join(".")));
    let (name, rest) = parts.split_at(known?);
    let value = &claims[&name.join(".")];
    if rest.is_empty() { Some(value) } else { find(value.as_object()?, rest) }
}

/// What the contract says about a claim and its alternatives.
fn oracle(claims: &Map<String, Value>, path: &str, alternatives: &[String], stars: Stars) -> bool {
    let parts: Vec<&str> = path.split('.').collect();
    let is = |text: &str| {
        let keeps = |rule: &String| {
            rule == text
                || !text.is_empty() && slow(rule.as_bytes(), text.as_bytes(), b'/', b'/', stars)
        };
        alternatives.iter().any(keeps)
    };
    match find(claims, &parts) {
        Some(Value::String(text)) => !text.is_empty() && is(text),
        Some(Value::Array(values)) => {
            values.iter().any(|value| matches!(value, Value::String(text) if is(text)))
        }
        Some(Value::Bool(true)) => alternatives.contains(&"true".to_owned()),
        Some(Value::Number(number)) => {
            let text = number.to_string();
            text != "0" && alternatives.iter().any(|rule| rule.trim_start_matches('0') == text)
        }
        _ => false,
    }
}

const TEXT: [&str; 8] = ["a", "a", "a", "b", "1", "/", ".", "true"];

fn value(dice: &mut Dice, depth: usize) -> Value {
    match dice.below(if depth == 0 { 6 } else { 9 }) {
        0 => dice.pick(&[json!(true), json!(false), json!(null)].each_ref()).clone(),
        1 => dice.pick(&[json!(1), json!(0), json!(11), json!(1.5), json!(-1)].each_ref()).clone(),
        2..6 => dice.text(&TEXT, 4).into(),
        6 => (0..dice.below(3)).map(|_| value(dice, depth - 1)).collect(),
        _ => object(dice, depth - 1).into(),
    }
}

fn object(dice: &mut Dice, depth: usize) -> Map<String, Value> {
    let names = ["a", "b", "a.b", "b.a", "a.b.a"];
    (0..4).map(|_| (dice.pick(&names).to_owned(), value(dice, depth))).collect()
}

fn rule(dice: &mut Dice) -> String {
    let mut rule = String::new();
    for _ in 0..=dice.below(3) {
        let part = dice.pick(&["a", "b", "1", "/", ".", "*", "*", "?", "true", "0"]);
        // What begins so, or has several stars in a row, is not for this oracle.
        let known = !(rule.ends_with('*') && part == "*" || rule == "." && part == "/");
        rule.push_str(if known { part } else { "b" });
    }
    rule
}

/// A rule that a text may well keep: the text, less a few characters.
fn blurred(dice: &mut Dice, text: &str) -> String {
    let mut rule = String::new();
    for c in text.chars() {
        match dice.below(6) {
            0 if !rule.ends_with('*') => rule.push('*'),
            1 => rule.push('?'),
            _ => rule.push(c),
        }
    }
    if rule.is_empty() || rule.starts_with("./") { "a".into() } else { rule }
}

#[test]
fn j8_a_hundred_thousand_rules_admit_what_an_oracle_admits() {
    let mut dice = Dice::new(8);
    let mut admitted = 0;
    for _ in 0..100_000 {
        let claims = object(&mut dice, 2);
        let path = dice.pick(&["a", "b", "a.b", "a.b.a", "b.a", "b.b", "a.a", "c"]);
        let mut alternatives: Vec<String> = (0..=dice.below(3)).map(|_| rule(&mut dice)).collect();
        let parts: Vec<&str> = path.split('.').collect();
        if let (0, Some(Value::String(text))) = (dice.below(2), find(&claims, &parts)) {
            alternatives.push(blurred(&mut dice, text));
        }
        let stars = dice.pick(&[Stars::Stop, Stars::Cross]);
        let separator = dice.pick(&[", ", ",", " , "]);
        let rules = [(path.to_owned(), alternatives.join(separator))];
        let rules = stored(BTreeMap::from(rules));
        let bound = Bound { audiences: "", subject: "", claims: &rules, stars };
        let expected = oracle(&claims, path, &alternatives, stars);
        let claims = Claims::of(claims);
        let admits = bound.require_claims(&claims, |_| String::new()).is_ok();
        assert_eq!(admits, expected, "{path} {alternatives:?} {stars:?} {claims:?}");
        admitted += usize::from(admits);
    }
    assert!((7_000..60_000).contains(&admitted), "{admitted}");
}
