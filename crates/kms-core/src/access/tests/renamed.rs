//! Attack T4: what may be renamed is decided alike before and after.

use super::generate::{ACTIONS, Dice, ENVIRONMENTS, NAMES, TAGS, rules};
use crate::access::{Attributes, Renamed, RuleSet, Subject};

/// What is let through changes no answer, whatever the rules are.
#[test]
fn t4_what_may_be_renamed_is_decided_alike() {
    let paths = ["", "/a", "/b", "/b/c"];
    let mut alike = 0;
    for seed in 0..20_000 {
        let dice = &mut Dice::new(seed);
        let set = RuleSet::new(rules(dice, false));
        let from = dice.of(&["/a", "/blue", "/a/b", "/ab"]);
        let to = dice.of(&["/a", "/blue", "/a/b", "/ab", "/z"]);
        let (one, two) = (dice.of(&ENVIRONMENTS), dice.of(&ENVIRONMENTS));
        let tag = TAGS[0].to_owned();
        let renames = [
            Renamed::Folder { environment: one, from, to },
            Renamed::Environment { from: one, to: two },
            Renamed::Tag { from: TAGS[0], to: None },
        ];
        for renamed in renames {
            if set.require_alike(&renamed).is_err() {
                continue;
            }
            alike += 1;
            for (path, (name, action)) in paths
                .iter()
                .flat_map(|path| NAMES.into_iter().zip(ACTIONS).map(move |it| (path, it)))
            {
                let (path_before, path_after) = (format!("{from}{path}"), format!("{to}{path}"));
                let before = Attributes {
                    environment: Some(one),
                    secret_path: Some(&path_before),
                    secret_name: Some(name),
                    secret_tags: std::slice::from_ref(&tag),
                    identity_id: None,
                };
                let after = match renamed {
                    Renamed::Folder { .. } => {
                        Attributes { secret_path: Some(&path_after), ..before }
                    }
                    Renamed::Environment { .. } => Attributes { environment: Some(two), ..before },
                    Renamed::Tag { .. } => Attributes { secret_tags: &[], ..before },
                };
                let ask = |at| set.allows(action, Subject::Secrets, at);
                assert_eq!(ask(&before), ask(&after), "{seed}: {renamed:?} {path_before}");
            }
        }
    }
    assert!(alike > 10_000, "{alike}");
}
