//! The conditions of a rule: what they accept, and how those of two rules relate.

use kms_api::permissions::Rule;
use kms_auth::glob::{Pattern, Stars, is_line_end};
use serde_json::Value;

use super::{Attributes, templates};

/// No path is longer, in characters.
const LONGEST: usize = 4_096;

/// What a condition is about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Property {
    Environment,
    SecretPath,
    SecretName,
    SecretTags,
    IdentityId,
    /// A property that we do not know.
    Unknown,
}

/// One operator with its operand.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Condition {
    Equal(String),
    NotEqual(String),
    In(Vec<String>),
    Glob(Glob),
    /// An operator or operand that we do not understand, or a template that stands for nothing: a
    /// rule that allows never matches, one that forbids always does.
    Unknown,
}

/// A pattern.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Glob {
    /// Its text as far as it is literal.
    head: String,
    shape: Shape,
}

#[derive(Clone, Debug, PartialEq)]
enum Shape {
    /// `/a/**`: the folder and all below it.
    Below(String),
    Pattern(Pattern),
}

/// Conditions of which all must hold.
#[derive(Clone, Debug, Default)]
pub(super) struct Conditions(Vec<(Property, Condition)>);

impl Property {
    pub(super) fn parse(name: &str) -> Self {
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

impl Conditions {
    pub(super) fn of(rule: &Rule) -> Self {
        let mut conditions = Vec::new();
        for (name, operand) in rule.conditions.iter().flatten() {
            let property = Property::parse(name);
            match operand {
                Value::Object(operators) => {
                    for (operator, operand) in operators {
                        conditions.push((property, Condition::parse(property, operator, operand)));
                    }
                }
                operand => conditions.push((property, Condition::parse(property, "$eq", operand))),
            }
        }
        // What is cheap to compare is asked first.
        conditions.sort_by_key(|(_, condition)| matches!(condition, Condition::Glob(_)));
        Self(conditions)
    }

    /// Whether a rule matches whatever is asked about.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether all of them hold; `unknown` is the answer where that cannot be said.
    pub(super) fn hold(&self, attributes: &Attributes<'_>, unknown: bool) -> bool {
        self.0.iter().all(|each| holds(each, attributes, unknown))
    }

    /// As [`Self::hold`], with the tags that it takes.
    pub(super) fn hold_but_for_tags(&self, attributes: &Attributes<'_>, unknown: bool) -> bool {
        let mut others = self.0.iter().filter(|each| !is_of_tags(each));
        others.all(|each| holds(each, attributes, unknown))
    }

    /// Whether it depends on tags if they hold.
    pub(super) fn speak_of_tags(&self) -> bool {
        self.0.iter().any(is_of_tags)
    }

    /// Whether it can always be said if they hold.
    pub(super) fn are_understood(&self) -> bool {
        let known = |(property, condition): &(Property, Condition)| {
            *property != Property::Unknown && *condition != Condition::Unknown
        };
        self.0.iter().all(known)
    }

    /// Whether each takes two environments alike.
    pub(super) fn take_environments_alike(&self, one: &str, two: &str) -> bool {
        self.about(Property::Environment).all(|condition| {
            let takes = |slug| condition.accepts(Property::Environment, Some(slug));
            takes(one) == takes(two)
        })
    }

    /// Whether each takes a secret alike that has either tags.
    pub(super) fn take_tags_alike(&self, one: &[String], two: &[String]) -> bool {
        let mut conditions = self.about(Property::SecretTags);
        conditions.all(|condition| condition.accepts_tags(one) == condition.accepts_tags(two))
    }

    /// Whether each takes a folder, and all below it, like what it becomes in an environment. Errs
    /// on the side of no.
    pub(super) fn take_folders_alike(&self, environment: &str, from: &str, to: &str) -> bool {
        let never = |condition: &Condition| {
            condition.accepts(Property::Environment, Some(environment)) == Some(false)
        };
        self.about(Property::Environment).any(never)
            || self
                .about(Property::SecretPath)
                .all(|condition| condition.takes_folders_alike(from, to))
    }

    fn about(&self, property: Property) -> impl Iterator<Item = &Condition> {
        self.0.iter().filter(move |(about, _)| *about == property).map(|(_, condition)| condition)
    }

    /// Whether `other` holds wherever these hold. Errs on the side of no.
    pub(super) fn imply(&self, other: &Self) -> bool {
        other.0.iter().all(|(property, wanted)| {
            let mut mine = self.0.iter().filter(|(mine, _)| mine == property);
            mine.any(|(_, given)| given.implies(*property, wanted))
        })
    }

    /// Whether these and `other` never hold together. Errs on the side of no.
    pub(super) fn exclude(&self, other: &Self) -> bool {
        self.0.iter().any(|(property, one)| {
            let mut theirs = other.0.iter().filter(|(theirs, _)| theirs == property);
            *property != Property::Unknown && theirs.any(|(_, two)| one.excludes(*property, two))
        })
    }
}

impl Condition {
    fn parse(property: Property, operator: &str, operand: &Value) -> Self {
        let text = |text: &Value| {
            let text = text.as_str().filter(|text| !templates::is_template(text));
            text.map(str::to_owned)
        };
        let parsed = match (operator, operand) {
            ("$eq", operand) => text(operand).map(Self::Equal),
            ("$ne", operand) => text(operand).map(Self::NotEqual),
            ("$in", Value::Array(texts)) => {
                texts.iter().map(text).collect::<Option<_>>().map(Self::In)
            }
            ("$glob", operand) => text(operand).and_then(|text| Self::glob(property, &text)),
            _ => None,
        };
        parsed.unwrap_or(Self::Unknown)
    }

    fn glob(property: Property, text: &str) -> Option<Self> {
        let is_path = property == Property::SecretPath;
        if is_literal(text) {
            let folder = text.strip_suffix('/').filter(|folder| is_path && !folder.is_empty());
            return Some(Self::Equal(folder.unwrap_or(text).to_owned()));
        }
        let text = if is_path && text == "**" { "/**" } else { text };
        let below = text.strip_suffix("/**").filter(|folder| is_path && is_literal(folder));
        let shape = match below {
            Some(folder) => Shape::Below(folder.to_owned()),
            None => Shape::Pattern(Pattern::parse(text).ok()?),
        };
        let head = text.find(is_special).map_or(text, |end| &text[..end]);
        Some(Self::Glob(Glob { head: head.to_owned(), shape }))
    }

    /// Whether a value is accepted; nothing where that cannot be said.
    fn accepts(&self, property: Property, value: Option<&str>) -> Option<bool> {
        if *self == Self::Unknown {
            return None;
        }
        let Some(value) = value else { return Some(false) };
        match self {
            Self::Equal(text) => Some(text == value),
            Self::NotEqual(text) => Some(text != value),
            Self::In(texts) => Some(texts.iter().any(|text| text == value)),
            // Names of before may have what no pattern matches.
            Self::Glob(_) if value.contains(is_line_end) => None,
            Self::Glob(glob) => Some(glob.accepts(property, value)),
            Self::Unknown => None,
        }
    }

    /// Whether the tags of a secret are accepted: one of them by most operators, all by `$ne`.
    fn accepts_tags(&self, tags: &[String]) -> Option<bool> {
        match self {
            Self::Unknown => None,
            Self::NotEqual(text) => Some(tags.iter().all(|tag| tag != text)),
            _ => {
                let accepts = |tag: &String| self.accepts(Property::SecretTags, Some(tag));
                tags.iter().try_fold(false, |any, tag| Some(any || accepts(tag)?))
            }
        }
    }

    /// The texts that are accepted, where they can be listed.
    fn texts(&self) -> Option<&[String]> {
        match self {
            Self::Equal(text) => Some(std::slice::from_ref(text)),
            Self::In(texts) => Some(texts),
            _ => None,
        }
    }

    fn takes_folders_alike(&self, from: &str, to: &str) -> bool {
        let is_apart = |text: &String| !is_in(text, from) && !is_in(text, to);
        match self {
            Self::Unknown => true,
            Self::Equal(text) | Self::NotEqual(text) => is_apart(text),
            Self::In(texts) => texts.iter().all(is_apart),
            Self::Glob(glob) => {
                glob.takes_all(from).is_some() && glob.takes_all(from) == glob.takes_all(to)
            }
        }
    }

    fn implies(&self, property: Property, other: &Self) -> bool {
        if property == Property::Unknown || *self == Self::Unknown || *other == Self::Unknown {
            return false;
        }
        if self == other {
            return true;
        }
        let of_tags = property == Property::SecretTags;
        match (self, other) {
            // That one tag is accepted says nothing about the others.
            (_, Self::NotEqual(_)) if of_tags => false,
            (Self::Equal(_) | Self::In(_), _) => self
                .texts()
                .into_iter()
                .flatten()
                .all(|text| other.accepts(property, Some(text)) == Some(true)),
            (Self::Glob(mine), Self::Glob(theirs)) => mine.is_within(property, theirs),
            (Self::Glob(mine), Self::NotEqual(text)) => !mine.accepts(property, text),
            _ => false,
        }
    }

    fn excludes(&self, property: Property, other: &Self) -> bool {
        // A secret may have tags of either kind.
        if property == Property::SecretTags {
            return false;
        }
        let refuses = |one: &Self, text: &String| one.accepts(property, Some(text)) == Some(false);
        match (self, other) {
            (Self::Unknown, _) | (_, Self::Unknown) => false,
            (Self::Glob(one), Self::Glob(two)) => {
                let (one, two) = (one.stem(property), two.stem(property));
                !one.starts_with(two) && !two.starts_with(one)
            }
            _ => match (self.texts(), other.texts()) {
                (Some(texts), _) => texts.iter().all(|text| refuses(other, text)),
                (None, Some(texts)) => texts.iter().all(|text| refuses(self, text)),
                (None, None) => false,
            },
        }
    }
}

fn holds(
    (property, condition): &(Property, Condition),
    attributes: &Attributes<'_>,
    unknown: bool,
) -> bool {
    let value = match property {
        Property::SecretTags => {
            return condition.accepts_tags(attributes.secret_tags).unwrap_or(unknown);
        }
        Property::Environment => attributes.environment,
        Property::SecretPath => attributes.secret_path,
        Property::SecretName => attributes.secret_name,
        Property::IdentityId => attributes.identity_id,
        Property::Unknown => return unknown,
    };
    condition.accepts(*property, value).unwrap_or(unknown)
}

/// Whether a condition is about tags and some can meet it.
fn is_of_tags((property, condition): &(Property, Condition)) -> bool {
    *property == Property::SecretTags && *condition != Condition::Unknown
}

impl Glob {
    /// A folder is matched with and without a slash at its end, so that `/app/**` is `/app` and
    /// all below it.
    fn accepts(&self, property: Property, value: &str) -> bool {
        match &self.shape {
            Shape::Below(folder) => is_in(value, folder),
            Shape::Pattern(pattern) => {
                let matches = |text| pattern.matches_up_to(text, Stars::Stop, LONGEST);
                matches(value) || property == Property::SecretPath && matches(&format!("{value}/"))
            }
        }
    }

    /// What everything that is accepted starts with, a folder without the slash at its end.
    fn stem(&self, property: Property) -> &str {
        let folder = self.head.strip_suffix('/').filter(|_| property == Property::SecretPath);
        folder.unwrap_or(&self.head)
    }

    /// Whether a folder and everything that can be below it is accepted, or nothing of it; neither
    /// where that is not plain.
    fn takes_all(&self, folder: &str) -> Option<bool> {
        match &self.shape {
            Shape::Below(top) if is_in(folder, top) => Some(true),
            Shape::Below(top) => (!is_in(top, folder)).then_some(false),
            Shape::Pattern(_) => {
                let stem = self.stem(Property::SecretPath);
                (!stem.starts_with(folder) && !folder.starts_with(stem)).then_some(false)
            }
        }
    }

    fn is_within(&self, property: Property, other: &Self) -> bool {
        let Shape::Below(folder) = &other.shape else { return self == other };
        // Past the slash the head is inside of the folder, whatever follows.
        let inside = self.head.strip_prefix(folder.as_str());
        property == Property::SecretPath && inside.is_some_and(|rest| rest.starts_with('/'))
    }
}

/// Whether a path is a folder or below it.
fn is_in(path: &str, folder: &str) -> bool {
    let rest = path.strip_prefix(folder);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn is_special(character: char) -> bool {
    "*?[]{}()!+@|\\".contains(character)
}

/// Whether a pattern matches itself alone.
pub(crate) fn is_literal(pattern: &str) -> bool {
    !pattern.contains(is_special)
}
