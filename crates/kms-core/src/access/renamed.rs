//! What rules name things by may be changed by people who hold no right to change rules: the slugs
//! of environments and tags, the paths of folders. Nobody turns their own rules aside that way, or
//! onto something else (attack T4).

use super::{RuleSet, conditions::Conditions};
use crate::{Error, Result};

/// Something that is to be called otherwise.
#[derive(Clone, Copy, Debug)]
pub enum Renamed<'a> {
    /// An environment gets another slug.
    Environment {
        /// The present slug.
        from: &'a str,
        /// The next one.
        to: &'a str,
    },
    /// A tag gets another slug, or is taken off all secrets.
    Tag {
        /// The present slug.
        from: &'a str,
        /// The next one; none where the tag is removed.
        to: Option<&'a str>,
    },
    /// A folder gets another path, and all below it along with it.
    Folder {
        /// The slug of its environment.
        environment: &'a str,
        /// The present path; not the root.
        from: &'a str,
        /// The next one.
        to: &'a str,
    },
}

impl RuleSet {
    /// Refuses where a rule of the caller's decides otherwise about what has the new name. Errs on
    /// the side of no, for folders that patterns may hold.
    pub fn require_alike(&self, renamed: &Renamed<'_>) -> Result<()> {
        if self.compiled().iter().all(|rule| is_alike(rule.conditions(), renamed)) {
            return Ok(());
        }
        let what = match renamed {
            Renamed::Environment { .. } => "environment",
            Renamed::Tag { .. } => "tag",
            Renamed::Folder { .. } => "folder",
        };
        Err(Error::forbidden(format!(
            "A rule of one of your roles would decide otherwise about this {what}; let somebody \
             change it whose roles have no such rule"
        )))
    }
}

fn is_alike(conditions: &Conditions, renamed: &Renamed<'_>) -> bool {
    match *renamed {
        Renamed::Environment { from, to } => conditions.take_environments_alike(from, to),
        Renamed::Tag { from, to } => {
            let tags = |tag: Option<&str>| tag.map(str::to_owned).into_iter().collect::<Vec<_>>();
            conditions.take_tags_alike(&tags(Some(from)), &tags(to))
        }
        Renamed::Folder { environment, from, to } => {
            conditions.take_folders_alike(environment, from, to)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn set(conditions: &Value) -> RuleSet {
        let rule = json!({"subject": "secrets", "action": "read", "inverted": true,
            "conditions": conditions});
        RuleSet::new([serde_json::from_value(rule).unwrap()])
    }

    #[test]
    fn t4_what_a_rule_would_decide_otherwise_about_keeps_its_name() {
        let environment = |from, to| Renamed::Environment { from, to };
        let tag = |from, to| Renamed::Tag { from, to };
        let folder = |from, to| Renamed::Folder { environment: "dev", from, to };
        let prod = json!({"environment": "prod"});
        let below = json!({"secretPath": {"$glob": "/a/**"}});
        let locked = json!({"secretTags": {"$in": ["locked"]}});
        for (conditions, renamed, alike) in [
            (&json!({}), environment("prod", "x"), true),
            (&prod, environment("prod", "x"), false),
            (&prod, environment("x", "prod"), false),
            (&prod, environment("dev", "qa"), true),
            (&json!({"environment": {"$glob": "p*"}}), environment("prod", "pre"), true),
            (&json!({"environment": {"$ne": "dev"}}), environment("dev", "x"), false),
            (&json!({"environment": {"$ne": "dev"}}), environment("qa", "x"), true),
            (&below, environment("prod", "x"), true),
            (&locked, tag("locked", Some("x")), false),
            (&locked, tag("x", Some("locked")), false),
            (&locked, tag("locked", None), false),
            (&locked, tag("x", None), true),
            (&locked, tag("x", Some("y")), true),
            (&below, folder("/a", "/b"), false),
            (&below, folder("/b", "/a"), false),
            (&below, folder("/a/b", "/a/c"), true),
            (&below, folder("/b", "/c"), true),
            (&below, folder("/ab", "/ac"), true),
            (&json!({"secretPath": "/a/b/c"}), folder("/a", "/x"), false),
            (&json!({"secretPath": "/a/b/c"}), folder("/x", "/a"), false),
            (&json!({"secretPath": "/a/b/c"}), folder("/a/b/d", "/x"), true),
            (&json!({"secretPath": {"$glob": "/a/*/c"}}), folder("/a/b", "/a/d"), false),
            (&json!({"secretPath": {"$glob": "/a/*/c"}}), folder("/b", "/d"), true),
            (&json!({"secretPath": {"$glob": "/**/db"}}), folder("/b", "/d"), false),
            (&json!({"secretPath": "/a", "environment": "prod"}), folder("/a", "/b"), true),
            (&json!({"secretPath": "/a", "environment": "dev"}), folder("/a", "/b"), false),
        ] {
            let found = set(conditions).require_alike(&renamed);
            assert_eq!(found.is_ok(), alike, "{conditions} {renamed:?}");
            assert!(alike || matches!(found, Err(Error::Forbidden { .. })));
        }
    }
}
