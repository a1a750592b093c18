//! Permission rules: read once, asked often.

use std::sync::Arc;

use kms_api::permissions::Rule;

use super::{Action, Facts, Subject, conditions::Conditions, templates};
use crate::{Error, Result};

/// Secrets that rules without patterns are asked about at one go.
const TURN: usize = 256;
/// Bytes of patterns that take about as long as everything else that is done to show a secret.
const PATTERN: usize = 64;

/// What a question is about; what is left out is not known or does not apply.
#[derive(Clone, Copy, Debug, Default)]
pub struct Attributes<'a> {
    /// The environment's slug.
    pub environment: Option<&'a str>,
    /// The folder.
    pub secret_path: Option<&'a str>,
    /// The secret's name.
    pub secret_name: Option<&'a str>,
    /// The slugs of the secret's tags.
    pub secret_tags: &'a [String],
    /// The identity's id.
    pub identity_id: Option<&'a str>,
}

/// The rules of a caller's roles, in order; the last that matches decides.
#[derive(Debug, Default)]
pub struct RuleSet {
    rules: Vec<Compiled>,
    /// Bytes of their patterns.
    patterns: usize,
}

/// What it takes to ask rules: of all roles that a project made and a membership holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weight {
    /// How many there are.
    pub rules: usize,
    /// Bytes of their patterns.
    pub patterns: usize,
}

impl Weight {
    /// What one membership bears.
    pub const MOST: Self = Self { rules: 500, patterns: 8_192 };

    /// The weight of rules.
    pub fn of<'r>(rules: impl Iterator<Item = &'r Rule>) -> Self {
        rules.fold(Self::default(), |weight, rule| {
            weight.and(Self { rules: 1, patterns: super::check::patterns(rule) })
        })
    }

    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { rules: self.rules + other.rules, patterns: self.patterns + other.patterns }
    }

    /// Whether this is more than another in either way.
    pub fn exceeds(self, other: Self) -> bool {
        self.rules > other.rules || self.patterns > other.patterns
    }
}

/// A rule that was read.
#[derive(Debug)]
pub(super) struct Compiled {
    rule: Rule,
    subject: Option<Subject>,
    /// A bit for each action.
    actions: u32,
    conditions: Conditions,
}

impl RuleSet {
    /// Reads rules.
    pub fn new(rules: impl IntoIterator<Item = Rule>) -> Self {
        let rules: Vec<_> = rules.into_iter().map(Compiled::new).collect();
        let patterns = Weight::of(rules.iter().map(Compiled::wire)).patterns;
        Self { rules, patterns }
    }

    /// About how many secrets the rules are asked at one go, before others get their turn on the
    /// thread: the longer the patterns, the fewer.
    pub(crate) fn turn(&self) -> usize {
        (TURN * PATTERN / (PATTERN + self.patterns)).max(1)
    }

    /// The rules of several roles, in order, as they were made: for nobody in particular.
    pub fn joined<'r>(roles: impl IntoIterator<Item = &'r Arc<Self>>) -> Self {
        Self::new(roles.into_iter().flat_map(|role| role.wire()).cloned())
    }

    /// The rules of several roles, in order, as they are for a caller.
    pub fn of_roles(mut roles: Vec<Arc<Self>>, facts: &Facts) -> Arc<Self> {
        if let [role] = roles.as_mut_slice()
            && !role.rules.iter().any(Compiled::has_templates)
        {
            return std::mem::take(role);
        }
        let all = roles.iter().flat_map(|role| &role.rules);
        Arc::new(Self::new(all.map(|rule| facts.render(&rule.rule))))
    }

    /// Whether an action on a subject is allowed for these attributes.
    pub fn allows(&self, action: Action, subject: Subject, attributes: &Attributes<'_>) -> bool {
        let mut about = self.rules.iter().rev().filter(|rule| rule.is_about(action, subject));
        about.find(|rule| rule.matches(attributes)).is_some_and(|rule| !rule.forbids())
    }

    /// Whether an action on a subject is allowed for any attributes at all, so that a list is
    /// worth making. A rule that forbids under conditions cannot say no here.
    pub fn allows_some(&self, action: Action, subject: Subject) -> bool {
        let mut about = self.rules.iter().rev().filter(|rule| rule.is_about(action, subject));
        let decides = |rule: &&Compiled| !rule.forbids() || rule.conditions.is_empty();
        about.find(decides).is_some_and(|rule| !rule.forbids())
    }

    /// Whether an action on a subject is allowed for any attributes whatsoever, as far as that can
    /// be said without looking at conditions.
    pub fn allows_all(&self, action: Action, subject: Subject) -> bool {
        let mut about = self.rules.iter().rev().filter(|rule| rule.is_about(action, subject));
        let decides = |rule: &&Compiled| rule.forbids() || rule.conditions.is_empty();
        about.find(decides).is_some_and(|rule| !rule.forbids())
    }

    /// Whether an action would be allowed for these attributes with some tags or other, so that it
    /// is worth finding out which tags a secret has.
    pub fn may_allow(&self, action: Action, subject: Subject, attributes: &Attributes<'_>) -> bool {
        let mut about = self.rules.iter().rev().filter(|rule| rule.is_about(action, subject));
        let decides = |rule: &&Compiled| {
            let depends = rule.forbids() && rule.conditions.speak_of_tags();
            rule.matches_but_for_tags(attributes) && !depends
        };
        about.find(decides).is_some_and(|rule| !rule.forbids())
    }

    /// Asks [`RuleSet::allows`] and turns a no into the error of the contract.
    pub fn require(
        &self,
        action: Action,
        subject: Subject,
        attributes: &Attributes<'_>,
    ) -> Result<()> {
        if self.allows(action, subject, attributes) {
            return Ok(());
        }
        Err(self.denied(action, subject))
    }

    /// Asks [`RuleSet::allows_some`] and turns a no into the error of the contract.
    pub fn require_some(&self, action: Action, subject: Subject) -> Result<()> {
        if self.allows_some(action, subject) {
            return Ok(());
        }
        Err(self.denied(action, subject))
    }

    /// The error of the contract for a no.
    pub fn denied(&self, action: Action, subject: Subject) -> Error {
        let about = self.rules.iter().filter(|rule| rule.is_about(action, subject));
        Error::PermissionDenied {
            action: action.as_str(),
            subject: subject.as_str(),
            rules: about.map(|rule| rule.rule.clone()).collect(),
        }
    }

    /// The rules as they are on the wire.
    pub fn wire(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().map(|rule| &rule.rule)
    }

    /// The rules, the first one first.
    pub(super) fn compiled(&self) -> &[Compiled] {
        &self.rules
    }
}

impl Compiled {
    fn new(rule: Rule) -> Self {
        let subject = Subject::parse(&rule.subject);
        let actions = rule.action.as_slice().iter().filter_map(|action| Action::parse(action));
        let mut actions = actions.fold(0, |actions, action| actions | bit(action));
        // The older word for both.
        if subject == Some(Subject::Secrets) && actions & bit(Action::Read) != 0 {
            actions |= bit(Action::DescribeSecret) | bit(Action::ReadValue);
        }
        let conditions = Conditions::of(&rule);
        Self { rule, subject, actions, conditions }
    }

    pub(super) fn is_about(&self, action: Action, subject: Subject) -> bool {
        self.subject == Some(subject) && self.actions & bit(action) != 0
    }

    /// The rule as it is on the wire.
    pub(super) fn wire(&self) -> &Rule {
        &self.rule
    }

    /// What it is about.
    pub(super) fn subject(&self) -> Option<Subject> {
        self.subject
    }

    pub(super) fn conditions(&self) -> &Conditions {
        &self.conditions
    }

    pub(super) fn forbids(&self) -> bool {
        self.rule.inverted
    }

    /// Where it cannot be said whether a rule matches, nothing is allowed.
    fn matches(&self, attributes: &Attributes<'_>) -> bool {
        self.conditions.hold(attributes, self.rule.inverted)
    }

    fn has_templates(&self) -> bool {
        let conditions = self.rule.conditions.iter().flatten();
        conditions.map(|(_, operand)| operand.to_string()).any(|text| templates::is_template(&text))
    }

    fn matches_but_for_tags(&self, attributes: &Attributes<'_>) -> bool {
        self.conditions.hold_but_for_tags(attributes, self.rule.inverted)
    }
}

fn bit(action: Action) -> u32 {
    1 << (action as u32)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn rules(rules: Value) -> RuleSet {
        RuleSet::new(serde_json::from_value::<Vec<Rule>>(rules).unwrap())
    }

    fn at<'a>(environment: &'a str, path: &'a str) -> Attributes<'a> {
        Attributes {
            environment: Some(environment),
            secret_path: Some(path),
            ..Attributes::default()
        }
    }

    #[test]
    fn nothing_is_allowed_that_no_rule_allows() {
        let none = RuleSet::default();
        assert!(!none.allows(Action::Read, Subject::Secrets, &at("dev", "/")));
        assert!(!none.allows_some(Action::Read, Subject::Secrets));
    }

    #[test]
    fn all_is_allowed_where_nothing_could_forbid_it() {
        let read = json!({"subject": "secrets", "action": "readValue"});
        let mut dev = read.clone();
        dev["conditions"] = json!({"environment": "dev"});
        let mut not_dev = dev.clone();
        not_dev["inverted"] = true.into();
        for (rules, all) in [
            (json!([]), false),
            (json!([dev]), false),
            (json!([read]), true),
            (json!([not_dev, read]), true),
            (json!([read, dev]), true),
            (json!([read, not_dev]), false),
            (json!([read, not_dev, dev]), false),
        ] {
            let set = self::rules(rules.clone());
            assert_eq!(set.allows_all(Action::ReadValue, Subject::Secrets), all, "{rules}");
            assert!(!set.allows_all(Action::Edit, Subject::Secrets), "{rules}");
        }
    }

    #[test]
    fn t3_the_last_matching_rule_decides() {
        let set = rules(json!([
            {"subject": "secrets", "action": "read"},
            {"subject": "secrets", "action": "read", "inverted": true,
             "conditions": {"environment": "prod"}},
            {"subject": "secrets", "action": ["readValue"],
             "conditions": {"environment": "prod", "secretPath": {"$glob": "/open/**"}}},
        ]));
        let ask = |action, env, path| set.allows(action, Subject::Secrets, &at(env, path));
        assert!(ask(Action::ReadValue, "dev", "/"));
        assert!(!ask(Action::ReadValue, "prod", "/"));
        assert!(ask(Action::ReadValue, "prod", "/open/x"));
        assert!(ask(Action::ReadValue, "prod", "/open"));
        assert!(!ask(Action::DescribeSecret, "prod", "/open/x"));
    }

    #[test]
    fn t3_a_pattern_of_folders_is_read_as_the_contract_has_it() {
        for (pattern, path, matches) in [
            ("/app/*", "/app/x", true),
            ("/app/*", "/app", false),
            ("/app/*", "/app/x/y", false),
            ("/app/**", "/app", true),
            ("/app/**", "/app/x/y", true),
            ("/app/**", "/application", false),
            ("/**", "/", true),
            ("/**", "/a/b", true),
            ("**", "/a/b", true),
            ("/*", "/", false),
            ("/*", "/a", true),
            ("/", "/", true),
            ("/", "/a", false),
            ("/app/", "/app", true),
            ("/{a,b}/**", "/b/x", true),
            ("/**/db", "/a/b/db", true),
            // As the compatible server's matcher has it.
            ("/**/db", "/db", false),
            ("/a\\*", "/ab", false),
        ] {
            let set = rules(json!([{"subject": "secrets", "action": "create",
                "conditions": {"secretPath": {"$glob": pattern}}}]));
            let allowed = set.allows(Action::Create, Subject::Secrets, &at("dev", path));
            assert_eq!(allowed, matches, "{pattern} {path}");
        }
    }

    #[test]
    fn an_operator_that_is_not_understood_never_allows_and_always_forbids() {
        let set = rules(json!([
            {"subject": "secrets", "action": "create", "conditions": {"environment": {"$re": "."}}},
            {"subject": "secrets", "action": "delete"},
            {"subject": "secrets", "action": "delete", "inverted": true,
             "conditions": {"planet": "mars"}},
        ]));
        assert!(!set.allows(Action::Create, Subject::Secrets, &at("dev", "/")));
        assert!(!set.allows(Action::Delete, Subject::Secrets, &at("dev", "/")));
    }

    #[test]
    fn t3_what_depends_on_tags_may_be_allowed_and_what_does_not_is_decided() {
        let set = rules(json!([
            {"subject": "secrets", "action": "edit"},
            {"subject": "secrets", "action": "edit", "inverted": true,
             "conditions": {"secretTags": {"$in": ["locked"]}}},
            {"subject": "secrets", "action": "edit", "inverted": true,
             "conditions": {"environment": "prod"}},
            {"subject": "secrets", "action": "delete",
             "conditions": {"secretTags": {"$in": ["loose"]}, "environment": "dev"}},
            {"subject": "secrets", "action": "create", "conditions": {"secretTags": {"$re": "."}}},
        ]));
        let tagged = |action, environment, tags: &[&str]| {
            let tags: Vec<_> = tags.iter().map(|tag| (*tag).to_owned()).collect();
            let attributes = Attributes { secret_tags: &tags, ..at(environment, "/") };
            set.allows(action, Subject::Secrets, &attributes)
        };
        let may =
            |action, environment| set.may_allow(action, Subject::Secrets, &at(environment, "/"));
        assert!(may(Action::Edit, "dev") && !may(Action::Edit, "prod"));
        assert!(tagged(Action::Edit, "dev", &[]) && !tagged(Action::Edit, "dev", &["a", "locked"]));
        assert!(may(Action::Delete, "dev") && !may(Action::Delete, "prod"));
        assert!(tagged(Action::Delete, "dev", &["a", "loose"]));
        assert!(!tagged(Action::Delete, "dev", &[]) && !tagged(Action::Delete, "prod", &["loose"]));
        assert!(!may(Action::Create, "dev") && !may(Action::Read, "dev"));
    }

    #[test]
    fn a_template_that_stands_for_nothing_never_allows_and_always_forbids() {
        let own = json!({"secretPath": {"$glob": "/{{identity.metadata.team}}/**"}});
        let role = Arc::new(rules(json!([
            {"subject": "secrets", "action": "create", "conditions": own},
            {"subject": "secrets", "action": "delete"},
            {"subject": "secrets", "action": "delete", "inverted": true, "conditions": own},
            {"subject": "secrets", "action": "edit", "conditions":
                {"environment": {"$in": ["dev", "{{identity.metadata.team}}"]}}},
        ])));
        let ask = |facts: &Facts, action, path| {
            let set = RuleSet::of_roles(vec![Arc::clone(&role)], facts);
            set.allows(action, Subject::Secrets, &at("dev", path))
        };
        let nobody = Facts::default();
        assert!(!ask(&nobody, Action::Create, "/blue"));
        assert!(!ask(&nobody, Action::Delete, "/blue"));
        assert!(ask(&nobody, Action::Edit, "/"), "the other texts still count");
        let blue = Facts { metadata: vec![("team".into(), "blue".into())], ..Facts::default() };
        assert!(ask(&blue, Action::Create, "/blue/x"));
        assert!(!ask(&blue, Action::Create, "/red"));
        assert!(!ask(&blue, Action::Delete, "/blue"));
        assert!(ask(&blue, Action::Delete, "/red"));
        let all = Facts { metadata: vec![("team".into(), "**".into())], ..Facts::default() };
        assert!(!ask(&all, Action::Create, "/red"), "T4: a value is no pattern");
        assert!(ask(&all, Action::Create, "/**"));
    }

    /// Nothing makes such names any more; what is there is not out of a denial's reach.
    #[test]
    fn t3_a_name_that_no_pattern_matches_is_forbidden_and_not_allowed() {
        let named = json!({"secretName": {"$glob": "A*"}});
        let set = rules(json!([
            {"subject": "secrets", "action": "create", "conditions": named},
            {"subject": "secrets", "action": "delete"},
            {"subject": "secrets", "action": "delete", "inverted": true, "conditions": named},
        ]));
        for (name, answers) in
            [("AB", [true, false]), ("B", [false, true]), ("A\u{2028}", [false; 2])]
        {
            let attributes = Attributes { secret_name: Some(name), ..at("dev", "/") };
            let ask = |action| set.allows(action, Subject::Secrets, &attributes);
            assert_eq!([Action::Create, Action::Delete].map(ask), answers, "{name:?}");
        }
    }

    /// Ids, addresses and names as they are, not plain letters.
    #[test]
    fn t3_t4_a_template_in_a_pattern_stands_for_every_value() {
        let private = json!({"secretPath": {"$glob": "/private/{{identity.id}}"}});
        let below = json!({"secretPath": {"$glob": "/{a,{{identity.metadata.team}}}/**"}});
        let named = json!({"secretName": {"$glob": "{{identity.username}}*"}});
        let set = |facts: &Facts, conditions: &Value| {
            let role = Arc::new(rules(json!([
                {"subject": "secrets", "action": "create", "conditions": conditions},
                {"subject": "secrets", "action": "delete"},
                {"subject": "secrets", "action": "delete", "inverted": true,
                 "conditions": conditions},
            ])));
            RuleSet::of_roles(vec![role], facts)
        };
        let ask = |set: &RuleSet, path: &str, name: &str| {
            let attributes = Attributes { secret_name: Some(name), ..at("dev", path) };
            [Action::Create, Action::Delete]
                .map(|action| set.allows(action, Subject::Secrets, &attributes))
        };
        let facts = |id: &str, team: &str, username: &str| Facts {
            id: id.into(),
            username: username.into(),
            metadata: vec![("team".into(), team.into())],
            ..Facts::default()
        };
        let (matches, differs) = ([true, false], [false, true]);
        let id = "0190a6e2-7b1c-7def-8a3b-5c6d7e8f9a0b";
        let ada = facts(id, "blue-1_x", "ada.b+c@x.test");
        for (conditions, path, name, answer) in [
            (&private, format!("/private/{id}"), "A", matches),
            (&private, "/private/x".into(), "A", differs),
            (&below, "/blue-1_x/y".into(), "A", matches),
            (&below, "/blue-2/y".into(), "A", differs),
            (&named, "/".into(), "ada.b+c@x.test KEY", matches),
            (&named, "/".into(), "adaxb+c@x.test", differs),
        ] {
            assert_eq!(ask(&set(&ada, conditions), &path, name), answer, "{conditions} {path}");
        }
        // What a pattern cannot hold: nothing is allowed, everything is forbidden.
        let odd = facts(id, "blue,red", "a\\b");
        assert_eq!(ask(&set(&odd, &below), "/red", "A"), [false, false]);
        assert_eq!(ask(&set(&odd, &named), "/", "a\\b"), [false, false]);
    }
}
