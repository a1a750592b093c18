//! Nobody gives more than they hold, or gives back what they may not hold (attack T4).

use kms_api::permissions::{Actions, Rule};

use super::{Action, RuleSet, Subject, rules::Compiled};
use crate::{Error, Result};

impl RuleSet {
    /// Refuses unless everything that `granted` allows, to whomever, is allowed here too.
    ///
    /// Errs on the side of no: it compares rules and does not try questions, so a right that is held
    /// by several rules together may not be recognised. A template in `granted` stands for anything.
    /// Takes time in proportion to both sets: it is asked before a write begins.
    pub fn require_covers(&self, granted: &Self) -> Result<()> {
        let mut comparison = Comparison::new(self, granted);
        let mut missing: Vec<_> = (0..granted.compiled().len())
            .flat_map(|place| comparison.missing(place))
            .map(|(subject, action)| format!("{}:{}", subject.as_str(), action.as_str()))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        missing.sort();
        missing.dedup();
        Err(Error::PermissionBoundary { missing })
    }

    /// What is forbidden here and no longer by `next`, as rules that allow it: whoever lifts a
    /// denial must hold what it withholds. Errs on the side of too much: a denial is kept by itself
    /// or by a wider one, not by several narrower ones.
    #[must_use]
    pub fn lifted_by(&self, next: &Self) -> Self {
        Self::new(self.compiled().iter().filter(|rule| rule.forbids()).filter_map(|denial| {
            let subject = denial.subject()?;
            let is_lifted = |action: &Action| {
                !next.compiled().iter().any(|rule| rule.keeps(denial, *action, subject))
            };
            let actions = asked(denial, subject).filter(is_lifted);
            let actions: Vec<String> = actions.map(|action| action.as_str().into()).collect();
            (!actions.is_empty()).then(|| Rule {
                action: Actions::Many(actions),
                inverted: false,
                ..denial.wire().clone()
            })
        }))
    }
}

/// Rules that are held beside rules that are granted.
struct Comparison<'r> {
    held: &'r [Compiled],
    granted: &'r [Compiled],
    /// For each pair whether what forbids the holder is forbidden by the grant, too, once known.
    theirs: Vec<Option<bool>>,
}

impl<'r> Comparison<'r> {
    fn new(held: &'r RuleSet, granted: &'r RuleSet) -> Self {
        let (held, granted) = (held.compiled(), granted.compiled());
        Self { held, granted, theirs: vec![None; held.len() * granted.len()] }
    }

    /// What a granted rule allows, where none of the later ones decides, and the holder may not.
    fn missing(&mut self, place: usize) -> Vec<(Subject, Action)> {
        let rule = &self.granted[place];
        let Some(subject) = rule.subject().filter(|_| !rule.forbids()) else { return Vec::new() };
        let mut open: Vec<_> = asked(rule, subject).collect();
        let mut missing = Vec::new();
        for (at, held) in self.held.iter().enumerate().rev() {
            let is_about = |action: &Action| held.is_about(*action, subject);
            if !open.iter().any(is_about) {
                continue;
            }
            if !held.forbids() {
                if rule.conditions().imply(held.conditions()) {
                    open.retain(|action| !is_about(action));
                }
            } else if !rule.conditions().exclude(held.conditions()) {
                let later = place + 1..self.granted.len();
                let theirs: Vec<_> = later.filter(|it| self.is_theirs(at, *it)).collect();
                let decided = |action: &Action| {
                    theirs.iter().any(|it| self.granted[*it].is_about(*action, subject))
                };
                let (gone, rest): (Vec<_>, Vec<_>) =
                    open.into_iter().partition(|action| is_about(action) && !decided(action));
                missing.extend(gone);
                open = rest;
            }
        }
        missing.extend(open);
        missing.into_iter().map(|action| (subject, action)).collect()
    }

    /// Whether a granted rule forbids wherever one that is held does.
    fn is_theirs(&mut self, held: usize, granted: usize) -> bool {
        let pair = held * self.granted.len() + granted;
        *self.theirs[pair].get_or_insert_with(|| {
            let (mine, other) = (&self.held[held], &self.granted[granted]);
            other.forbids()
                && other.conditions().are_understood()
                && mine.conditions().imply(other.conditions())
        })
    }
}

/// The actions that a rule is about; `read` of secrets is but an older word for two others.
fn asked(rule: &Compiled, subject: Subject) -> impl Iterator<Item = Action> {
    let counts = move |action: &Action| {
        (*action, subject) != (Action::Read, Subject::Secrets) && rule.is_about(*action, subject)
    };
    Action::ALL.iter().copied().filter(counts)
}

impl Compiled {
    /// Whether this forbids an action wherever `denial` does.
    fn keeps(&self, denial: &Self, action: Action, subject: Subject) -> bool {
        let is_same = self.wire().conditions == denial.wire().conditions;
        self.forbids()
            && self.is_about(action, subject)
            && (is_same || denial.conditions().imply(self.conditions()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn on(rules: &[(bool, Value)]) -> RuleSet {
        RuleSet::new(rules.iter().map(|(inverted, conditions)| {
            let rule = json!({"subject": "secrets", "action": "create", "inverted": inverted,
                "conditions": conditions});
            serde_json::from_value::<Rule>(rule).unwrap()
        }))
    }

    fn covers(held: &[(bool, Value)], granted: &[(bool, Value)]) -> bool {
        on(held).require_covers(&on(granted)).is_ok()
    }

    #[test]
    fn t4_a_conditional_right_covers_a_narrower_grant_and_no_wider_one() {
        let all = (false, json!({}));
        let env = |operand: Value| (false, json!({ "environment": operand }));
        let path = |glob: &str| (false, json!({ "secretPath": { "$glob": glob } }));
        for (held, granted, covered) in [
            (all.clone(), env(json!("dev")), true),
            (env(json!("dev")), all.clone(), false),
            (env(json!({"$in": ["dev", "qa"]})), env(json!("dev")), true),
            (env(json!({"$in": ["dev", "qa"]})), env(json!({"$in": ["qa", "prod"]})), false),
            (env(json!({"$ne": "prod"})), env(json!("dev")), true),
            (env(json!({"$ne": "prod"})), env(json!("prod")), false),
            (env(json!({"$glob": "d*"})), env(json!({"$in": ["dev", "demo"]})), true),
            (env(json!({"$glob": "d*"})), env(json!({"$glob": "de*"})), false),
            (path("/app/**"), path("/app/db/*"), true),
            (path("/app/**"), path("/app/*"), true),
            (path("/app/**"), path("/app"), true),
            (path("/app/**"), path("/app*"), false),
            (path("/app/**"), path("/application/**"), false),
            (path("/**"), path("/app*"), true),
            (path("/app/*"), path("/app/**"), false),
            (path("/app/**"), path("/{{identity.id}}"), false),
            (all.clone(), path("/{{identity.id}}/**"), true),
        ] {
            assert_eq!(
                covers(std::slice::from_ref(&held), std::slice::from_ref(&granted)),
                covered,
                "{held:?} {granted:?}"
            );
        }
    }

    #[test]
    fn t4_what_is_forbidden_covers_only_what_is_elsewhere_or_forbidden_too() {
        let all = (false, json!({}));
        let no_prod = (true, json!({ "environment": "prod" }));
        let dev = (false, json!({ "environment": "dev" }));
        let held = [all.clone(), no_prod.clone()];
        assert!(!covers(&held, std::slice::from_ref(&all)));
        assert!(covers(&held, std::slice::from_ref(&dev)));
        assert!(covers(&held, &held));
        assert!(covers(&held, &[all.clone(), (true, json!({}))]), "nothing is granted");
        let only_some = (true, json!({ "environment": "prod", "secretPath": "/a" }));
        assert!(!covers(&held, &[all.clone(), only_some]));
        let for_some = (true, json!({ "environment": "{{identity.metadata.env}}" }));
        assert!(!covers(&held, &[all.clone(), for_some.clone()]));
        assert!(
            covers(&[(true, json!({})), dev.clone()], std::slice::from_ref(&dev)),
            "the last one decides"
        );
        assert!(!covers(&[dev.clone(), (true, json!({}))], &[dev]));
        // What cannot be said of the holder forbids.
        assert!(!covers(&[all.clone(), for_some], &[all]));
    }

    #[test]
    fn t4_the_older_word_for_reading_secrets_counts_for_both() {
        let rule = |action: Value, inverted: bool| {
            let rule = json!({"subject": "secrets", "action": action, "inverted": inverted});
            serde_json::from_value::<Rule>(rule).unwrap()
        };
        let read = RuleSet::new([rule(json!("read"), false)]);
        let both = RuleSet::new([rule(json!(["describeSecret", "readValue"]), false)]);
        let half = RuleSet::new([rule(json!("read"), false), rule(json!("readValue"), true)]);
        assert!(read.require_covers(&both).is_ok() && both.require_covers(&read).is_ok());
        let Err(Error::PermissionBoundary { missing }) = half.require_covers(&read) else {
            panic!("covered");
        };
        assert_eq!(missing, ["secrets:readValue"]);
        assert!(half.require_covers(&half).is_ok());
    }

    #[test]
    fn t4_a_denial_is_lifted_unless_it_or_a_wider_one_stays() {
        let all = (false, json!({}));
        let no = |conditions: Value| (true, conditions);
        let prod = no(json!({"environment": "prod"}));
        let own = no(json!({"environment": "{{identity.metadata.env}}"}));
        let lifted = |before: &[(bool, Value)], after: &[(bool, Value)]| {
            let lifted = on(before).lifted_by(&on(after));
            lifted.wire().map(|rule| json!(rule.conditions)).collect::<Vec<_>>()
        };
        for (before, after, conditions) in [
            (vec![prod.clone()], vec![], vec![json!({"environment": "prod"})]),
            (vec![all.clone(), prod.clone()], vec![prod.clone(), all.clone()], vec![]),
            (vec![prod.clone()], vec![no(json!({"environment": {"$in": ["qa", "prod"]}}))], vec![]),
            (vec![prod.clone()], vec![no(json!({}))], vec![]),
            (
                vec![prod.clone()],
                vec![no(json!({"environment": "prod", "secretPath": "/a"}))],
                vec![json!({"environment": "prod"})],
            ),
            (vec![own.clone()], vec![own.clone()], vec![]),
            (vec![own.clone()], vec![prod.clone()], vec![own.1.clone()]),
            (vec![no(json!({}))], vec![prod.clone()], vec![json!({})]),
            (vec![all.clone()], vec![], vec![]),
        ] {
            let (before, after) = (&before, &after);
            assert_eq!(lifted(before, after), conditions, "{before:?} {after:?}");
        }
        let of = |action: Value, inverted: bool| {
            let rule = json!({"subject": "secrets", "action": action, "inverted": inverted});
            RuleSet::new([serde_json::from_value::<Rule>(rule).unwrap()])
        };
        let lifted = of(json!(["read", "edit"]), true).lifted_by(&of(json!("readValue"), true));
        assert!(of(json!(["describeSecret", "edit"]), false).require_covers(&lifted).is_ok());
        assert!(of(json!("describeSecret"), false).require_covers(&lifted).is_err());
    }
}
