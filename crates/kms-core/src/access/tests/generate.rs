//! Rule sets and questions at random, from few words, so that they meet.

use kms_api::permissions::{Actions, Rule};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::access::{Action, Attributes, Facts, Subject};

pub(super) const ENVIRONMENTS: [&str; 4] = ["dev", "prod", "qa", "blue-1"];
pub(super) const PATHS: [&str; 9] =
    ["/", "/a", "/a/b", "/a/b/c", "/ab", "/blue", "/blue-1/a", "/blue/a", PRIVATE];
pub(super) const NAMES: [&str; 4] = ["A", "AB", "B.x", ADDRESS];
pub(super) const TAGS: [&str; 2] = ["x", "y"];
pub(super) const ACTIONS: [Action; 4] =
    [Action::DescribeSecret, Action::ReadValue, Action::Create, Action::Delete];
/// What people and identities are called outside of tests.
const ADDRESS: &str = "ada.b+c@x.test";
const ID: &str = "0190a6e2-7b1c-7def-8a3b-5c6d7e8f9a0b";
const PRIVATE: &str = "/0190a6e2-7b1c-7def-8a3b-5c6d7e8f9a0b";
const PATTERNS: [&str; 11] =
    ["/**", "**", "/a/**", "/a/*", "/*", "/a*", "/a?", "/{a,blue}/**", "/**/b", "/a/", "/a/b"];
const OWN_PATTERNS: [&str; 5] = [
    "/{{identity.metadata.team}}/**",
    "/{{ identity.metadata.team }}",
    "/{ab,{{identity.metadata.team}}}/**",
    "/{{identity.id}}",
    "/{{identity.id}}*",
];
const TEXT_PATTERNS: [&str; 4] = ["A*", "*", "?", "*.x"];
const OWN_TEXT_PATTERNS: [&str; 4] = [
    "{{identity.username}}",
    "{{identity.username}}*",
    "{A,{{identity.username}}}",
    "{{identity.metadata.env}}*",
];
const TEMPLATES: [&str; 3] =
    ["{{identity.metadata.env}}", "{{identity.auth.oidc.claims.env}}", "{{identity.id}}"];
/// Values of which some could be patterns, and some none can hold.
const TEAMS: [&str; 7] = ["blue", "blue-1", "*", "a", "a/b", "a,blue", "a\\b"];
const USERNAMES: [&str; 6] = [ADDRESS, "A", "B.x", "A*", "A,B.x", "A\\"];

/// Numbers that repeat (xorshift).
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(super) fn below(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    pub(super) fn one_in(&mut self, sides: usize) -> bool {
        self.below(sides) == 0
    }

    pub(super) fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

/// A caller about whom some things are known, and others not.
pub(super) fn facts(dice: &mut Dice) -> Facts {
    let id = if dice.one_in(2) { ID } else { dice.of(&ENVIRONMENTS) };
    let username = dice.of(&USERNAMES).into();
    let mut facts = Facts { id: id.into(), username, ..Facts::default() };
    if !dice.one_in(3) {
        let team = dice.of(&TEAMS);
        facts.metadata.push(("team".into(), team.into()));
    }
    if !dice.one_in(3) {
        facts.metadata.push(("env".into(), dice.of(&ENVIRONMENTS).into()));
    }
    if !dice.one_in(3) {
        let auth = json!({ "oidc": { "claims": { "env": dice.of(&ENVIRONMENTS) } } });
        facts.auth = auth.as_object().cloned().unwrap();
        facts.print = Uuid::nil();
    }
    facts
}

pub(super) fn rules(dice: &mut Dice, templates: bool) -> Vec<Rule> {
    (0..=dice.below(4)).map(|_| rule(dice, templates)).collect()
}

pub(super) fn rule(dice: &mut Dice, templates: bool) -> Rule {
    let subject = if dice.one_in(8) { Subject::SecretFolders } else { Subject::Secrets };
    let words = ["read", "describeSecret", "readValue", "create", "delete"];
    let action = if dice.one_in(3) {
        Actions::One(dice.of(&words).into())
    } else {
        Actions::Many((0..=dice.below(2)).map(|_| dice.of(&words).into()).collect())
    };
    let mut conditions = Map::new();
    if dice.one_in(2) {
        conditions.insert(
            "environment".into(),
            on_text(dice, &ENVIRONMENTS, &["d*", "*-1", "*"], templates),
        );
    }
    if dice.one_in(2) {
        conditions.insert("secretPath".into(), on_path(dice, templates));
    }
    if dice.one_in(5) {
        conditions.insert("secretName".into(), on_text(dice, &NAMES, &TEXT_PATTERNS, templates));
    }
    if dice.one_in(5) {
        let tags: Vec<_> = (0..=dice.below(1)).map(|_| dice.of(&TAGS)).collect();
        conditions.insert("secretTags".into(), json!({ "$in": tags }));
    }
    let conditions = Some(conditions).filter(|conditions| !conditions.is_empty());
    Rule { subject: subject.as_str().into(), action, inverted: dice.one_in(3), conditions }
}

fn on_text(dice: &mut Dice, words: &[&str], patterns: &[&str], templates: bool) -> Value {
    let word = |dice: &mut Dice| {
        if templates && dice.one_in(5) { dice.of(&TEMPLATES) } else { dice.of(words) }
    };
    match dice.below(5) {
        0 => word(dice).into(),
        1 => json!({ "$eq": word(dice) }),
        2 => json!({ "$ne": word(dice) }),
        3 => json!({ "$in": [word(dice), word(dice)] }),
        _ if templates && dice.one_in(2) => json!({ "$glob": dice.of(&OWN_TEXT_PATTERNS) }),
        _ => json!({ "$glob": dice.of(patterns) }),
    }
}

fn on_path(dice: &mut Dice, templates: bool) -> Value {
    let own = templates && dice.one_in(3);
    let patterns = if own { &OWN_PATTERNS[..] } else { &PATTERNS[..] };
    match dice.below(6) {
        0 => dice.of(&PATHS).into(),
        1 => json!({ "$ne": dice.of(&PATHS), "$glob": dice.of(patterns) }),
        2 => json!({ "$in": [dice.of(&PATHS), dice.of(&PATHS)] }),
        _ => json!({ "$glob": dice.of(patterns) }),
    }
}

/// What is asked.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) action: Action,
    pub(super) subject: Subject,
    pub(super) environment: &'static str,
    pub(super) path: &'static str,
    pub(super) name: Option<&'static str>,
    pub(super) tags: Vec<String>,
}

impl Question {
    pub(super) fn roll(dice: &mut Dice) -> Self {
        let subject = if dice.one_in(6) { Subject::SecretFolders } else { Subject::Secrets };
        let of_secrets = subject == Subject::Secrets;
        Self {
            action: dice.of(&ACTIONS),
            subject,
            environment: dice.of(&ENVIRONMENTS),
            path: dice.of(&PATHS),
            name: of_secrets.then(|| dice.of(&NAMES)),
            tags: TAGS
                .iter()
                .filter(|_| of_secrets && dice.one_in(2))
                .map(|&it| it.into())
                .collect(),
        }
    }

    pub(super) fn attributes(&self) -> Attributes<'_> {
        Attributes {
            environment: Some(self.environment),
            secret_path: Some(self.path),
            secret_name: self.name,
            secret_tags: &self.tags,
            identity_id: None,
        }
    }
}
