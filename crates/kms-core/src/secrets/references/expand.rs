//! Values in the place of references: pure text over what a [`Lookup`] finds.
//!
//! A reference means what it means where it stands: one in a value that was put in is looked up
//! from that value's own folder. A chain is followed for [`MAX_DEPTH`] steps and never to a secret
//! that it came through; what stays is literal, as is a reference to nothing.

use std::collections::HashSet;

use super::{
    At, Home,
    scan::{Reference, references},
};

/// Steps from one secret to the next that are followed.
pub(super) const MAX_DEPTH: usize = 10;
/// How often a finished value is read again for references that came about by putting values in.
pub(super) const MAX_PASSES: usize = 10;
/// The longest value with its references expanded, in bytes.
pub const MAX_EXPANDED: usize = 1024 * 1024;
/// Bytes of all expanded values of one answer.
pub const MAX_ADDED: usize = 32 * 1024 * 1024;
/// References that are followed for one answer.
const MAX_STEPS: usize = 500_000;
/// Looks at references for one answer, those of values included that have to wait for others or
/// that nothing comes of.
const MAX_WORK: usize = 8 * MAX_STEPS;
/// Bytes that are copied in the time of one such look, about.
const BYTES_OF_A_LOOK: usize = 256;
/// Secrets in one tree.
const MAX_NODES: usize = 10_000;

/// What is behind a reference.
pub(super) enum Found<'k> {
    /// A secret and its value as it is stored.
    Value(At<'k>, &'k str),
    /// Nothing.
    Missing,
    /// Something that has to be looked up first.
    Unknown,
    /// What the caller may not read.
    Denied,
}

/// Where references are looked up.
pub(super) trait Lookup {
    /// What a reference in a value of this folder leads to.
    fn find(&self, from: Home<'_>, reference: &Reference<'_>) -> Found<'_>;
}

/// Why a value cannot be expanded.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The text of a reference to what the caller may not read, and where it stands.
    Denied(String),
    /// It would take more than an answer may take.
    TooMuch,
}

/// What may still be spent on an answer.
#[derive(Clone, Copy)]
pub(super) struct Budget {
    steps: usize,
    bytes: usize,
    /// Looks that are left, see [`MAX_WORK`].
    work: usize,
}

impl Budget {
    pub(super) fn new() -> Self {
        Self { steps: MAX_STEPS, bytes: MAX_ADDED, work: MAX_WORK }
    }

    /// For a tree, whose every secret is written out.
    pub(super) fn of_tree() -> Self {
        Self { steps: MAX_NODES, bytes: MAX_ADDED, work: MAX_WORK }
    }

    /// One reference more.
    pub(super) fn step(&mut self) -> Result<(), Stop> {
        self.steps = self.steps.checked_sub(1).ok_or(Stop::TooMuch)?;
        Ok(())
    }

    /// So many bytes more.
    pub(super) fn take(&mut self, bytes: usize) -> Result<(), Stop> {
        self.bytes = self.bytes.checked_sub(bytes).ok_or(Stop::TooMuch)?;
        self.look(bytes / BYTES_OF_A_LOOK)
    }

    /// So many looks more.
    fn look(&mut self, count: usize) -> Result<(), Stop> {
        self.work = self.work.checked_sub(count).ok_or(Stop::TooMuch)?;
        Ok(())
    }

    /// Pays for the work of an attempt that nothing came of, and for nothing else of it.
    pub(super) fn pay_for(&mut self, attempt: Self) {
        self.work = attempt.work;
    }

    /// How many looks were paid for since an earlier state.
    pub(super) fn worked_since(&self, before: Self) -> usize {
        before.work.saturating_sub(self.work)
    }
}

/// A value with its references expanded as far as they are known.
pub(super) struct Expanded {
    pub(super) text: String,
    /// Whether nothing had to be looked up first.
    pub(super) complete: bool,
}

/// Expands the references of a secret's value.
pub(super) fn expand(
    lookup: &impl Lookup,
    root: At<'_>,
    value: &str,
    budget: &mut Budget,
) -> Result<Expanded, Stop> {
    let mut run = Run {
        lookup,
        budget,
        chain: vec![root],
        kept: HashSet::new(),
        kept_before: HashSet::new(),
        complete: true,
    };
    let mut text = value.to_owned();
    for _ in 0..=MAX_PASSES {
        let mut next = String::with_capacity(text.len());
        let changed = run.pass(&text, root.home, &mut next)?;
        text = next;
        run.kept_before.extend(run.kept.drain());
        let formed = |reference: Reference<'_>| !run.kept_before.contains(reference.text);
        if !run.complete || !changed || !references(&text).any(formed) {
            break;
        }
    }
    Ok(Expanded { text, complete: run.complete })
}

struct Run<'c, L> {
    lookup: &'c L,
    budget: &'c mut Budget,
    /// The secret whose value is read, and those through which it was come to.
    chain: Vec<At<'c>>,
    /// What was left literal in this pass.
    kept: HashSet<String>,
    /// What was left literal in the passes before, and stays.
    kept_before: HashSet<String>,
    complete: bool,
}

impl<'c, L: Lookup> Run<'c, L> {
    /// Appends a value of a folder with its references expanded; whether there were any.
    fn pass(&mut self, value: &str, home: Home<'c>, out: &mut String) -> Result<bool, Stop> {
        let (mut changed, mut copied) = (false, 0);
        let is_root = self.chain.len() == 1;
        for reference in references(value) {
            if is_root && self.kept_before.contains(reference.text) {
                continue;
            }
            self.budget.look(1)?;
            match self.lookup.find(home, &reference) {
                Found::Value(at, raw) => {
                    self.budget.step()?;
                    self.append(out, &value[copied..reference.span.start])?;
                    self.put(at, raw, out)?;
                    copied = reference.span.end;
                    changed = true;
                }
                Found::Missing => {
                    self.kept.insert(reference.text.to_owned());
                }
                Found::Unknown => self.complete = false,
                Found::Denied => return Err(Stop::Denied(reference.text.to_owned())),
            }
        }
        self.append(out, &value[copied..])?;
        Ok(changed)
    }

    /// Appends what a reference leads to.
    fn put(&mut self, at: At<'c>, raw: &str, out: &mut String) -> Result<(), Stop> {
        if self.chain.len() <= MAX_DEPTH && !self.chain.contains(&at) {
            self.chain.push(at);
            self.pass(raw, at.home, out)?;
            self.chain.pop();
            return Ok(());
        }
        self.kept.extend(references(raw).map(|reference| reference.text.to_owned()));
        self.append(out, raw)
    }

    fn append(&mut self, out: &mut String, text: &str) -> Result<(), Stop> {
        if out.len() + text.len() > MAX_EXPANDED {
            return Err(Stop::TooMuch);
        }
        self.budget.take(text.len())?;
        out.push_str(text);
        Ok(())
    }
}

/// A value of several lines in one, for secrets that are flagged so: in quotes, with `\n` for each
/// line break (the wire contract's reading of `skipMultilineEncoding`).
pub(in crate::secrets) fn multiline(text: String) -> String {
    if text.contains('\n') { format!("\"{}\"", text.replace('\n', "\\n")) } else { text }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    /// Secrets of one environment, by folder and name.
    struct Map(HashMap<(&'static str, &'static str), &'static str>);

    impl Lookup for Map {
        fn find(&self, from: Home<'_>, reference: &Reference<'_>) -> Found<'_> {
            let target = reference.target();
            let path = target.as_ref().map_or(from.path, |target| &target.path);
            let name = target.as_ref().map_or(reference.text, |target| target.key);
            if name == "DENIED" {
                return Found::Denied;
            }
            let found = self.0.iter().find(|((known, key), _)| *known == path && *key == name);
            match found {
                Some(((path, name), value)) => Found::Value(At::new("dev", path, name), value),
                None => Found::Missing,
            }
        }
    }

    fn expanded(secrets: &[(&'static str, &'static str, &'static str)]) -> Result<String, Stop> {
        let lookup =
            Map(secrets.iter().map(|(path, key, value)| ((*path, *key), *value)).collect());
        let (path, name, value) = secrets[0];
        let root = At::new("dev", path, name);
        let expanded = expand(&lookup, root, value, &mut Budget::new())?;
        assert!(expanded.complete);
        Ok(expanded.text)
    }

    #[test]
    fn values_are_put_in_and_what_is_not_there_stays() {
        for (secrets, text) in [
            (&[("/", "A", "x${B}y"), ("/", "B", "1")][..], "x1y"),
            (&[("/", "A", "${B}${B}"), ("/", "B", "1")], "11"),
            (&[("/", "A", "${B}${NO}${dev.a.NO}"), ("/", "B", "")], "${NO}${dev.a.NO}"),
            (&[("/", "A", "${dev.a.B}"), ("/a", "B", "${C}"), ("/a", "C", "in a")], "in a"),
            (&[("/", "A", "${B"), ("/", "B", "1")], "${B"),
        ] {
            assert_eq!(expanded(secrets).unwrap(), text);
        }
    }

    #[test]
    fn a_reference_means_what_it_means_where_it_stands() {
        let secrets = [
            ("/app", "URL", "${dev.db.URL}?${USER}"),
            ("/app", "USER", "app"),
            ("/db", "URL", "pg://${USER}"),
            ("/db", "USER", "db"),
        ];
        assert_eq!(expanded(&secrets).unwrap(), "pg://db?app");
        let missing_there = [("/", "A", "${dev.a.B}${X}"), ("/a", "B", "${X}"), ("/", "X", "1")];
        assert_eq!(expanded(&missing_there).unwrap(), "${X}1");
    }

    #[test]
    fn references_that_come_about_are_expanded_too() {
        let secrets = [
            ("/", "A", "${dev.common.${dev.common.VENDOR}.KEY}"),
            ("/common", "VENDOR", "acme"),
            ("/common/acme", "KEY", "found"),
        ];
        assert_eq!(expanded(&secrets).unwrap(), "found");
        let half = [("/", "A", "${B}B}"), ("/", "B", "x${")];
        assert_eq!(expanded(&half).unwrap(), "xx${");
    }

    #[test]
    fn r7_a_cycle_ends_with_the_reference_left_in() {
        for (secrets, text) in [
            (&[("/", "A", "a${A}")][..], "aa${A}"),
            (&[("/", "A", "a${B}"), ("/", "B", "b${A}")], "aba${B}"),
            (&[("/", "A", "${B}-${B}"), ("/", "B", "b${B}")], "bb${B}-bb${B}"),
        ] {
            assert_eq!(expanded(secrets).unwrap(), text);
        }
    }

    #[test]
    fn r7_a_chain_is_followed_for_ten_steps() {
        let names: Vec<&'static str> =
            (0..14).map(|n| &*Box::leak(format!("K{n}").into_boxed_str())).collect();
        let value = |n: usize| &*Box::leak(format!("{n},${{K{}}}", n + 1).into_boxed_str());
        let secrets: Vec<_> = (0..14).map(|n| ("/", names[n], value(n))).collect();
        assert_eq!(expanded(&secrets).unwrap(), "0,1,2,3,4,5,6,7,8,9,10,11,${K12}");
    }

    #[test]
    fn r7_a_bomb_ends_at_the_limits() {
        let doubled: Vec<_> = (0..11)
            .map(|n| {
                let name = &*Box::leak(format!("K{n}").into_boxed_str());
                let next = format!("${{K{}}}", n + 1).repeat(10);
                ("/", name, &*Box::leak(next.into_boxed_str()))
            })
            .collect();
        let with = |last: &'static str| {
            let mut secrets = doubled.clone();
            secrets.push(("/", "K11", last));
            expanded(&secrets)
        };
        assert_eq!(with("lol"), Err(Stop::TooMuch), "bytes");
        assert_eq!(with(""), Err(Stop::TooMuch), "steps");
        let long = &*Box::leak("x".repeat(600 * 1024).into_boxed_str());
        assert_eq!(expanded(&[("/", "A", "${B}${B}"), ("/", "B", long)]), Err(Stop::TooMuch));
        assert!(expanded(&[("/", "A", "${B}"), ("/", "B", long)]).is_ok());
    }

    #[test]
    fn r7_attempts_that_nothing_comes_of_are_paid_for() {
        let many = |name: &str, count: usize| -> &'static str {
            Box::leak(format!("${{{name}}}").repeat(count).into_boxed_str())
        };
        let denied = format!("{}${{DENIED}}", many("B", 100));
        let secrets = [("/", "B", many("C", 100)), ("/", "C", "")];
        let lookup =
            Map(secrets.iter().map(|(path, key, value)| ((*path, *key), *value)).collect());
        let mut budget = Budget::new();
        for attempt in 0.. {
            let mut left = budget;
            match expand(&lookup, At::new("dev", "/", "A"), &denied, &mut left) {
                Err(Stop::TooMuch) => break,
                ended => assert_eq!(ended.err(), Some(Stop::Denied("DENIED".into()))),
            }
            budget.pay_for(left);
            assert!(attempt < MAX_WORK / 10_000, "it goes on for nothing");
            assert_eq!((budget.steps, budget.bytes), (MAX_STEPS, MAX_ADDED));
        }
    }

    #[test]
    fn r7_what_may_not_be_read_ends_it() {
        let secrets = [("/", "A", "${B}"), ("/", "B", "${DENIED}")];
        assert_eq!(expanded(&secrets), Err(Stop::Denied("DENIED".into())));
    }

    #[test]
    fn several_lines_become_one_in_quotes() {
        assert_eq!(multiline("a\nb\n".into()), r#""a\nb\n""#);
        assert_eq!(multiline("a".into()), "a");
    }
}
