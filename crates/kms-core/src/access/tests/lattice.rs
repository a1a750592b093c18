//! Attack T4: what is said to be covered never allows more, to anybody.

use std::sync::Arc;

use kms_api::permissions::Rule;

use super::generate::{ACTIONS, Dice, ENVIRONMENTS, NAMES, PATHS, TAGS, facts, rule, rules};
use crate::access::{Action, Attributes, Facts, RuleSet, Subject};

const PAIRS: u64 = 12_000;

fn of(rules: &[Rule]) -> RuleSet {
    RuleSet::new(rules.iter().cloned())
}

/// Everything that can be asked of the few words.
fn everything(mut ask: impl FnMut(Subject, Action, &Attributes<'_>)) {
    let tags: Vec<String> = TAGS.iter().map(|&tag| tag.into()).collect();
    for environment in ENVIRONMENTS {
        for path in PATHS {
            for (name, tags) in [
                (NAMES[0], &tags[..0]),
                (NAMES[1], &tags[..1]),
                (NAMES[2], &tags[..]),
                (NAMES[0], &tags[1..]),
                (NAMES[3], &tags[..0]),
            ] {
                let attributes = Attributes {
                    environment: Some(environment),
                    secret_path: Some(path),
                    secret_name: Some(name),
                    secret_tags: tags,
                    identity_id: None,
                };
                for action in ACTIONS {
                    ask(Subject::Secrets, action, &attributes);
                }
            }
        }
    }
}

/// Something that the granted set allows and the held one does not.
fn excess(held: &RuleSet, granted: &RuleSet) -> Option<String> {
    let mut found = None;
    everything(|subject, action, attributes| {
        let more = granted.allows(action, subject, attributes)
            && !held.allows(action, subject, attributes);
        if more && found.is_none() {
            found = Some(format!("{action:?} {attributes:?}"));
        }
    });
    found
}

#[test]
fn t4_a_role_that_is_covered_allows_nobody_more_than_its_giver() {
    let (mut covered, mut narrower) = (0, 0);
    for seed in 0..PAIRS {
        let dice = &mut Dice::new(seed);
        let (mut held, granted) = (rules(dice, true), rules(dice, true));
        if dice.one_in(2) {
            // Two sets of nothing in common are rarely covered.
            held.splice(0..0, granted.iter().filter(|rule| !rule.inverted).cloned());
        }
        let giver = RuleSet::of_roles(vec![Arc::new(of(&held))], &facts(dice));
        let role = Arc::new(of(&granted));
        if giver.require_covers(&role).is_err() {
            continue;
        }
        covered += 1;
        for _ in 0..2 {
            let whoever = facts(dice);
            let taken = RuleSet::of_roles(vec![Arc::clone(&role)], &whoever);
            let excess = excess(&giver, &taken);
            assert_eq!(excess, None, "{seed}: {whoever:?}\n{held:#?}\n{granted:#?}");
            narrower += u32::from(granted.iter().any(|rule| !rule.inverted));
        }
    }
    assert!(covered > 1_000 && narrower > 1_000, "{covered} {narrower}");
}

#[test]
fn t4_covering_is_an_order() {
    for seed in 0..PAIRS {
        let dice = &mut Dice::new(seed + PAIRS);
        let set = rules(dice, false);
        assert!(of(&set).require_covers(&of(&set)).is_ok(), "{seed}: itself {set:#?}");
        assert!(of(&set).require_covers(&RuleSet::default()).is_ok());
        let other = rules(dice, false);
        if of(&set).require_covers(&of(&other)).is_err() {
            continue;
        }
        // Whoever holds more covers as much; whoever is given less is covered, too.
        let (mut more, mut less) = (set.clone(), other.clone());
        let allowing = Rule { inverted: false, ..rule(dice, false) };
        more.push(allowing);
        less.push(Rule { inverted: true, ..rule(dice, false) });
        assert!(of(&more).require_covers(&of(&other)).is_ok(), "{seed}: more");
        assert!(of(&set).require_covers(&of(&less)).is_ok(), "{seed}: less");
    }
}

/// Roles are compared one by one; together they must not allow more than that.
#[test]
fn t4_roles_that_are_covered_are_covered_together() {
    let mut checked = 0;
    for seed in 0..PAIRS {
        let dice = &mut Dice::new(seed + 2 * PAIRS);
        let (one, two) = (rules(dice, false), rules(dice, false));
        let mut held = [one.clone(), two.clone()].concat();
        held.retain(|rule| !rule.inverted || dice.one_in(4));
        let (giver, one, two) = (of(&held), of(&one), of(&two));
        if giver.require_covers(&one).is_ok() && giver.require_covers(&two).is_ok() {
            let both = RuleSet::of_roles(vec![Arc::new(one), Arc::new(two)], &Facts::default());
            assert_eq!(excess(&giver, &both), None, "{seed}: {held:#?}");
            checked += 1;
        }
    }
    assert!(checked > 500, "{checked}");
}
