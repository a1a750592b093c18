//! C3: patterns of principals, held against a slow matcher that is obviously right.

use super::*;
use crate::testing::Dice;

/// Whether a text matches, `*` being any characters, by trying everything.
fn slow(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern, text) {
        ([], []) => true,
        ([b'*', rest @ ..], _) => (0..=text.len()).any(|taken| slow(rest, &text[taken..])),
        ([c, rest @ ..], [d, text @ ..]) => c == d && slow(rest, text),
        _ => false,
    }
}

/// The names that the contract gives a principal: as it is, and as the role that it has.
fn names(arn: &str) -> Vec<String> {
    let colons: Vec<&str> = arn.split(':').collect();
    let &["arn", partition, service, "", account, resource] = &colons[..] else { return vec![] };
    let slashes: Vec<&str> = resource.split('/').collect();
    if slashes.len() < 2 || slashes.iter().any(|part| part.is_empty()) {
        return vec![];
    }
    let (kind, last) = (slashes[0], slashes[slashes.len() - 1]);
    let role = |name| format!("arn:{partition}:iam::{account}:role/{name}");
    match (service, kind, slashes.len()) {
        ("iam", "user", _) => vec![format!("arn:{partition}:iam::{account}:user/{last}")],
        ("iam", "role", _) => vec![role(last)],
        ("iam", "instance-profile", _) => {
            vec![format!("arn:{partition}:iam::{account}:instance-profile/{last}"), role(last)]
        }
        ("sts", "assumed-role", 3) => {
            let name = slashes[1];
            vec![format!("arn:{partition}:sts::{account}:assumed-role/{name}"), role(name)]
        }
        _ => vec![],
    }
}

/// Whether the contract lets a pattern be saved, with a whole account.
fn may_be_saved(pattern: &str) -> bool {
    let colons: Vec<&str> = pattern.split(':').collect();
    let &["arn", partition, service, "", account, resource] = &colons[..] else { return false };
    let (kind, name) = resource.split_once('/').unwrap_or((resource, "-"));
    matches!(partition, "aws" | "aws-cn")
        && matches!(service, "iam" | "sts")
        && account.len() == 12
        && account.chars().all(|c| c.is_ascii_digit())
        && !name.is_empty()
        && (resource == "*"
            || matches!(kind, "user" | "role" | "assumed-role") && resource.contains('/'))
}

#[test]
fn c3_a_hundred_thousand_patterns_admit_what_a_slow_matcher_admits() {
    let mut dice = Dice::new(3);
    let (mut admitted, mut saved) = (0, 0);
    for _ in 0..100_000 {
        let account = dice.pick(&[ACCOUNT, ACCOUNT, ACCOUNT, "123456789013", "12345678901"]);
        let service = dice.pick(&["iam", "iam", "sts"]);
        let kind = dice.pick(&["role", "role", "assumed-role", "user", "instance-profile", "root"]);
        let name = dice.text(&["a", "b", "ab", "/", "a"], 5);
        let partition = dice.pick(&["aws", "aws", "aws", "aws-cn"]);
        let arn = format!("arn:{partition}:{service}::{account}:{kind}/{name}");
        let limit =
            dice.pick(&["123456789012", "123456789012", "123456789013", "1234567890*", "*"]);
        let service = dice.pick(&["iam", "iam", "sts", "*"]);
        let kind = dice.pick(&["role/", "role/", "assumed-role/", "user/", "*", "", "r"]);
        let name = dice.text(&["a", "b", "ab", "*", "/", "*a"], 4);
        let partition = dice.pick(&["aws", "aws", "aws", "aws-cn", "*"]);
        let pattern = format!("arn:{partition}:{service}::{limit}:{kind}{name}");
        let read = ArnPattern::read(&pattern);
        assert_eq!(read.is_some(), may_be_saved(&pattern), "{pattern}");
        saved += usize::from(read.is_some());
        let principal = Arn::read(&arn).ok();
        let admits = read.zip(principal).is_some_and(|(pattern, arn)| pattern.admits(&arn));
        let expected = may_be_saved(&pattern)
            && names(&arn).iter().any(|name| slow(pattern.as_bytes(), name.as_bytes()));
        assert_eq!(admits, expected, "`{pattern}` {arn}");
        admitted += usize::from(admits);
    }
    assert!(saved > 10_000 && admitted > 100, "{saved} {admitted}");
}
