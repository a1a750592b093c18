//! Expansion against another reading of the same rules: slow, simple, and written without a look
//! at the real one, on generated projects with cycles, gaps, empty values and references that only
//! come about by expanding.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::{
    At, Home,
    expand::{Budget, Found, Lookup, expand},
    scan::Reference,
};
use crate::testbed::Bed;

/// Environment, path and name; value.
type Project = BTreeMap<(String, String, String), String>;

/// The oracle: what a secret's value is with its references expanded.
fn oracle(project: &Project, secret: &(String, String, String)) -> String {
    let mut text = project[secret].clone();
    let mut given_up = BTreeSet::new();
    for pass in 0..11 {
        let mut left = BTreeSet::new();
        let skip = if pass == 0 { BTreeSet::new() } else { given_up.clone() };
        let next = unfold(project, &text, std::slice::from_ref(secret), &skip, &mut left);
        given_up.append(&mut left);
        if next == text {
            break;
        }
        text = next;
        if parts(&text).iter().all(|(is_reference, part)| !is_reference || given_up.contains(part))
        {
            break;
        }
    }
    text
}

/// A value with what its references lead to, `chain` being the secrets on the way to it.
fn unfold(
    project: &Project,
    value: &str,
    chain: &[(String, String, String)],
    skip: &BTreeSet<String>,
    left: &mut BTreeSet<String>,
) -> String {
    let (environment, path, _) = chain.last().unwrap();
    let mut text = String::new();
    for (is_reference, part) in parts(value) {
        let target = is_reference.then(|| meant(project, environment, path, &part)).flatten();
        match target {
            _ if !is_reference => text += &part,
            Some(target) if !skip.contains(&part) => {
                let raw = &project[&target];
                if chain.len() > 10 || chain.contains(&target) {
                    left.extend(parts(raw).into_iter().filter(|(is, _)| *is).map(|(_, part)| part));
                    text += raw;
                } else {
                    let chain = [chain, &[target]].concat();
                    text += &unfold(project, raw, &chain, &BTreeSet::new(), left);
                }
            }
            _ => {
                text.extend(["${", &part, "}"]);
                left.insert(part);
            }
        }
    }
    text
}

/// The secret that is meant, if it exists.
fn meant(
    project: &Project,
    environment: &str,
    path: &str,
    reference: &str,
) -> Option<(String, String, String)> {
    let here = (environment.to_owned(), path.to_owned(), reference.to_owned());
    if project.contains_key(&here) {
        return Some(here);
    }
    let names: Vec<&str> = reference.split('.').collect();
    let [environment, folders @ .., key] = names.as_slice() else { return None };
    if names.contains(&"") {
        return None;
    }
    let there = ((*environment).to_owned(), format!("/{}", folders.join("/")), (*key).to_owned());
    project.contains_key(&there).then_some(there)
}

/// Texts and references, in order.
fn parts(value: &str) -> Vec<(bool, String)> {
    let mut parts = vec![(false, String::new())];
    let mut rest = value;
    while let Some(first) = rest.chars().next() {
        let reference = rest.strip_prefix("${").and_then(|rest| rest.split_once('}'));
        let reference = reference.filter(|(name, _)| {
            let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.@".contains(c);
            !name.is_empty() && name.chars().all(allowed)
        });
        if let Some((name, after)) = reference {
            parts.push((true, name.to_owned()));
            parts.push((false, String::new()));
            rest = after;
        } else {
            parts.last_mut().unwrap().1.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    parts
}

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    fn pick<'t>(&mut self, texts: &[&'t str]) -> &'t str {
        texts[self.roll(texts.len())]
    }

    fn value(&mut self) -> String {
        let pieces = [
            "",
            "x",
            "-",
            "${A}",
            "${B}",
            "${C}",
            "${dev.A}",
            "${dev.a.B}",
            "${prod.C}",
            "${prod.a.A}",
            "${NONE}",
            "${dev.none.A}",
            "${none.A}",
            "${dev.a.NONE}",
            "${p.q}",
            "${dev.${A}.B}",
            "${dev.a.${C}}",
            "${",
            "}",
            "${A",
            "a",
            "A",
            ".",
            "${}",
            "${dev..A}",
        ];
        let count = self.roll(4);
        (0..count).map(|_| self.pick(&pieces)).collect()
    }

    fn project(&mut self) -> Project {
        let mut project = Project::new();
        for environment in ["dev", "prod"] {
            for path in ["/", "/a"] {
                for name in ["A", "B", "C", "p.q"] {
                    if self.roll(5) > 0 {
                        let key = (environment.to_owned(), path.to_owned(), name.to_owned());
                        project.insert(key, self.value());
                    }
                }
            }
        }
        project
    }
}

impl Lookup for Project {
    fn find(&self, from: Home<'_>, reference: &Reference<'_>) -> Found<'_> {
        let Some(target) = meant(self, from.environment, from.path, reference.text) else {
            return Found::Missing;
        };
        let ((environment, path, name), value) = self.get_key_value(&target).unwrap();
        Found::Value(At::new(environment, path, name), value)
    }
}

#[test]
fn expansion_is_what_the_oracle_says() {
    let mut dice = Dice(1);
    let (mut changed, mut literal) = (0, 0);
    for _ in 0..20_000 {
        let project = dice.project();
        for (secret, value) in &project {
            let (environment, path, name) = secret;
            let at = At::new(environment, path, name);
            let Ok(expanded) = expand(&project, at, value, &mut Budget::new()) else {
                panic!("{secret:?} of {project:?} is too much");
            };
            assert_eq!(expanded.text, oracle(&project, secret), "{secret:?} of {project:?}");
            changed += usize::from(expanded.text != *value);
            literal += usize::from(expanded.text.contains("${"));
        }
    }
    assert!(changed > 50_000 && literal > 10_000, "{changed} {literal}");
}

/// The same through the whole of a list, where everything has to be looked up.
#[tokio::test]
async fn lists_are_what_the_oracle_says() {
    let bed = Bed::remembering(0).await;
    bed.folder("/a").await;
    let folder = json!({ "projectId": bed.project, "environment": "prod", "name": "a" });
    bed.core.create_folder(&bed.admin, &serde_json::from_value(folder).unwrap()).await.unwrap();
    let mut dice = Dice(2);
    for _ in 0..40 {
        let project = dice.project();
        bed.run("DELETE FROM secrets", ()).await;
        for (environment, path) in [("dev", "/"), ("dev", "/a"), ("prod", "/"), ("prod", "/a")] {
            let here = project.iter().filter(|((env, at, _), _)| env == environment && at == path);
            let secrets: Vec<_> = here
                .map(|((_, _, name), value)| json!({ "secretKey": name, "secretValue": value }))
                .collect();
            if secrets.is_empty() {
                continue;
            }
            let body = json!({ "projectId": bed.project, "environment": environment,
                "secretPath": path, "secrets": secrets });
            bed.core
                .create_secrets(&bed.admin, &serde_json::from_value(body).unwrap())
                .await
                .unwrap();
        }
        for recursive in [true, false] {
            for secret in bed.list_as(&bed.admin, &bed.all("/", recursive)).await.unwrap() {
                let key = (secret.environment, secret.secret_path.unwrap(), secret.secret_key);
                let expected = oracle(&project, &key);
                assert_eq!(secret.secret_value.expose(), expected, "{key:?} of {project:?}");
                if let ("/", "A") = (&*key.1, &*key.2) {
                    assert_eq!(bed.value(&key.1, &key.2).await, expected);
                }
            }
        }
    }
}
