//! Permission rules: read once, asked often.

use globset::{GlobBuilder, GlobMatcher};
use kms_api::permissions::Rule;
use serde_json::Value;

use super::{Action, Subject};
use crate::{Error, Result};

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
}

#[derive(Debug)]
struct Compiled {
    rule: Rule,
    conditions: Vec<(Property, Condition)>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Property {
    Environment,
    SecretPath,
    SecretName,
    SecretTags,
    IdentityId,
    /// A property that we do not know: an allowing rule never matches, a forbidding one always.
    Unknown,
}

#[derive(Debug)]
enum Condition {
    Equal(String),
    NotEqual(String),
    In(Vec<String>),
    Glob(Box<GlobMatcher>),
    /// An operator or operand that we do not understand, treated as [`Property::Unknown`].
    Unknown,
}

impl RuleSet {
    /// Reads rules.
    pub fn new(rules: impl IntoIterator<Item = Rule>) -> Self {
        Self { rules: rules.into_iter().map(Compiled::new).collect() }
    }

    /// Whether an action on a subject is allowed for these attributes.
    pub fn allows(&self, action: Action, subject: Subject, attributes: &Attributes<'_>) -> bool {
        let about = |rule: &&Compiled| rule.is_about(action, subject);
        let decides = |rule: &&Compiled| rule.matches(attributes);
        self.rules.iter().rev().filter(about).find(decides).is_some_and(|rule| !rule.rule.inverted)
    }

    /// Whether an action on a subject is allowed for any attributes at all, so that a list is
    /// worth making. A rule that forbids under conditions cannot say no here.
    pub fn allows_some(&self, action: Action, subject: Subject) -> bool {
        let about = |rule: &&Compiled| rule.is_about(action, subject);
        let decides = |rule: &&Compiled| !rule.rule.inverted || rule.conditions.is_empty();
        self.rules.iter().rev().filter(about).find(decides).is_some_and(|rule| !rule.rule.inverted)
    }

    /// Whether an action would be allowed for these attributes with some tags or other, so that it
    /// is worth finding out which tags a secret has.
    pub fn may_allow(&self, action: Action, subject: Subject, attributes: &Attributes<'_>) -> bool {
        let about = |rule: &&Compiled| rule.is_about(action, subject);
        let decides = |rule: &&Compiled| {
            rule.matches_but_for_tags(attributes) && !(rule.rule.inverted && rule.speaks_of_tags())
        };
        self.rules.iter().rev().filter(about).find(decides).is_some_and(|rule| !rule.rule.inverted)
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

    /// Refuses unless everything that `granted` allows is allowed here too: nobody grants more
    /// than they hold.
    ///
    /// Errs on the side of no: a right that is held under conditions covers only a grant under
    /// the very same conditions, and a right that is partly forbidden covers nothing.
    pub fn require_covers(&self, granted: &Self) -> Result<()> {
        let mut missing = Vec::new();
        for rule in granted.rules.iter().filter(|rule| !rule.rule.inverted) {
            for action in rule.rule.action.as_slice() {
                if !self.covers(action, &rule.rule) {
                    missing.push(format!("{}:{action}", rule.rule.subject));
                }
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        missing.sort();
        missing.dedup();
        Err(Error::PermissionBoundary { missing })
    }

    fn covers(&self, action: &str, granted: &Rule) -> bool {
        let mut covered = false;
        for rule in &self.rules {
            if rule.rule.subject != granted.subject || !grants(&rule.rule, action) {
                continue;
            }
            let whole = rule.conditions.is_empty() || rule.rule.conditions == granted.conditions;
            if rule.rule.inverted {
                covered = false;
            } else if whole {
                covered = true;
            }
        }
        covered
    }

    /// The rules as they are on the wire.
    pub fn wire(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().map(|rule| &rule.rule)
    }
}

/// Whether a rule speaks of an action; the older `read` of secrets means both newer actions.
fn grants(rule: &Rule, action: &str) -> bool {
    let legacy = rule.subject == Subject::Secrets.as_str()
        && matches!(action, "describeSecret" | "readValue");
    rule.action.as_slice().iter().any(|given| given == action || (legacy && given == "read"))
}

impl Compiled {
    fn new(rule: Rule) -> Self {
        let mut conditions = Vec::new();
        for (name, operand) in rule.conditions.iter().flatten() {
            let property = Property::parse(name);
            match operand {
                Value::Object(operators) => {
                    for (operator, operand) in operators {
                        conditions.push((property, Condition::parse(operator, operand)));
                    }
                }
                operand => conditions.push((property, Condition::parse("$eq", operand))),
            }
        }
        Self { rule, conditions }
    }

    fn is_about(&self, action: Action, subject: Subject) -> bool {
        self.rule.subject == subject.as_str() && grants(&self.rule, action.as_str())
    }

    fn matches(&self, attributes: &Attributes<'_>) -> bool {
        self.conditions.iter().all(|each| self.holds(each, attributes))
    }

    fn matches_but_for_tags(&self, attributes: &Attributes<'_>) -> bool {
        let other = |each: &&(Property, Condition)| !is_of_tags(each);
        self.conditions.iter().filter(other).all(|each| self.holds(each, attributes))
    }

    fn speaks_of_tags(&self) -> bool {
        self.conditions.iter().any(is_of_tags)
    }

    fn holds(
        &self,
        (property, condition): &(Property, Condition),
        attributes: &Attributes<'_>,
    ) -> bool {
        if *property == Property::Unknown || matches!(condition, Condition::Unknown) {
            return self.rule.inverted;
        }
        match property {
            Property::SecretTags => condition.accepts_any(attributes.secret_tags),
            Property::Environment => condition.accepts(attributes.environment),
            Property::SecretPath => condition.accepts(attributes.secret_path),
            Property::SecretName => condition.accepts(attributes.secret_name),
            Property::IdentityId => condition.accepts(attributes.identity_id),
            Property::Unknown => false,
        }
    }
}

/// Whether a condition is about tags and can be met by some.
fn is_of_tags((property, condition): &(Property, Condition)) -> bool {
    *property == Property::SecretTags && !matches!(condition, Condition::Unknown)
}

impl Property {
    fn parse(name: &str) -> Self {
        match name {
            "environment" => Self::Environment,
            "secretPath" => Self::SecretPath,
            "secretName" => Self::SecretName,
            "secretTags" => Self::SecretTags,
            "identityId" => Self::IdentityId,
            _ => Self::Unknown,
        }
    }
}

impl Condition {
    fn parse(operator: &str, operand: &Value) -> Self {
        match (operator, operand) {
            ("$eq", Value::String(text)) => Self::Equal(text.clone()),
            ("$ne", Value::String(text)) => Self::NotEqual(text.clone()),
            ("$in", Value::Array(texts)) => {
                let texts: Option<Vec<_>> =
                    texts.iter().map(|text| text.as_str().map(str::to_owned)).collect();
                texts.map_or(Self::Unknown, Self::In)
            }
            ("$glob", Value::String(pattern)) => glob(pattern),
            _ => Self::Unknown,
        }
    }

    fn accepts(&self, value: Option<&str>) -> bool {
        let Some(value) = value else { return false };
        match self {
            Self::Equal(text) => text == value,
            Self::NotEqual(text) => text != value,
            Self::In(texts) => texts.iter().any(|text| text == value),
            Self::Glob(glob) => glob.is_match(value) || glob.is_match(format!("{value}/")),
            Self::Unknown => false,
        }
    }

    fn accepts_any(&self, values: &[String]) -> bool {
        match self {
            Self::NotEqual(text) => values.iter().all(|value| value != text),
            _ => values.iter().any(|value| self.accepts(Some(value))),
        }
    }
}

/// `*` stays within one folder, `**` crosses folders; `/app/**` is `/app` and all below it.
fn glob(pattern: &str) -> Condition {
    let built = GlobBuilder::new(pattern).literal_separator(true).backslash_escape(true).build();
    built.map_or(Condition::Unknown, |glob| Condition::Glob(Box::new(glob.compile_matcher())))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

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
    fn t4_a_conditional_right_covers_only_the_same_grant() {
        let narrow = rules(json!([{"subject": "secrets", "action": ["readValue"],
            "conditions": {"environment": "dev"}}]));
        let wide = rules(json!([{"subject": "secrets", "action": ["readValue"]}]));
        assert!(wide.require_covers(&narrow).is_ok());
        assert!(narrow.require_covers(&narrow).is_ok());
        assert!(narrow.require_covers(&wide).is_err());
    }
}
