//! References as they stand in a value: pure text, nothing is looked up here.
//!
//! `${KEY}` is a secret of the same folder, `${env.KEY}` one of an environment's root folder,
//! `${env.a.b.KEY}` one of its folder `/a/b`. Anything else is text, and there is no way to write
//! a reference that is not one.

use std::{borrow::Cow, ops::Range};

/// What a reference starts with.
const OPEN: &str = "${";

/// A reference in a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::secrets) struct Reference<'v> {
    /// Where it stands in the value, with `${` and `}`.
    pub(in crate::secrets) span: Range<usize>,
    /// What stands between `${` and `}`.
    pub(in crate::secrets) text: &'v str,
}

/// What a reference names by environment and folder.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::secrets) struct Target<'v> {
    /// The environment's slug.
    pub(in crate::secrets) environment: &'v str,
    /// The folder's absolute path.
    pub(in crate::secrets) path: String,
    /// The secret's name.
    pub(in crate::secrets) key: &'v str,
}

impl<'v> Reference<'v> {
    /// The target by environment and folder; none for a name alone, for what speaks of another
    /// project (`${@…}`), and for what leaves a part out.
    pub(in crate::secrets) fn target(&self) -> Option<Target<'v>> {
        let (environment, rest) = self.text.split_once('.')?;
        let (folders, key) = rest.rsplit_once('.').unwrap_or(("", rest));
        let complete = !environment.is_empty()
            && !environment.starts_with('@')
            && !key.is_empty()
            && (!folders.is_empty() || !rest.contains('.'))
            && !(folders.starts_with('.') || folders.ends_with('.') || folders.contains(".."));
        complete.then(|| Target {
            environment,
            path: format!("/{}", folders.replace('.', "/")),
            key,
        })
    }
}

/// The references of a value, first to last. They never overlap.
pub(in crate::secrets) fn references(value: &str) -> impl Iterator<Item = Reference<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let start = at + value.get(at..)?.find(OPEN)?;
            let inside = start + OPEN.len();
            let rest = value.get(inside..)?;
            let length = rest.bytes().take_while(|byte| may_stand(*byte)).count();
            // What ends it may itself begin a reference.
            at = inside + length;
            if length > 0 && rest.as_bytes().get(length) == Some(&b'}') {
                at += 1;
                return Some(Reference { span: start..at, text: value.get(inside..at - 1)? });
            }
        }
    })
}

/// Whether there is any reference in a value.
pub(in crate::secrets) fn has_references(value: &str) -> bool {
    references(value).next().is_some()
}

/// The value with other references in the place of some: `change` is asked about each and gives
/// what shall stand between `${` and `}`. Without a change, the value itself.
pub(in crate::secrets) fn rewrite<'v>(
    value: &'v str,
    mut change: impl FnMut(&Reference<'v>) -> Option<String>,
) -> Cow<'v, str> {
    let mut changed = String::new();
    let mut copied = 0;
    for reference in references(value) {
        if let Some(text) = change(&reference) {
            changed.push_str(&value[copied..reference.span.start]);
            changed.extend([OPEN, &text, "}"]);
            copied = reference.span.end;
        }
    }
    if copied == 0 {
        return Cow::Borrowed(value);
    }
    changed.push_str(&value[copied..]);
    Cow::Owned(changed)
}

fn may_stand(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'@')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(value: &str) -> Vec<&str> {
        references(value).map(|reference| reference.text).collect()
    }

    #[test]
    fn references_are_found_and_nothing_else() {
        for (value, found) in [
            ("", &[][..]),
            ("plain $A {A} $ {A}", &[]),
            ("${A}", &["A"]),
            ("x${A}y${b-2_.c@d}z", &["A", "b-2_.c@d"]),
            ("$${A}}", &["A"]),
            ("${${A}}", &["A"]),
            ("${dev.a.${dev.B}.C}", &["dev.B"]),
            ("${}${ A}${A }${A:-x}${Ä}${A", &[]),
            ("${A${B}", &["B"]),
            ("ü${A}ü${B}", &["A", "B"]),
            ("${", &[]),
        ] {
            assert_eq!(texts(value), found, "{value:?}");
            for reference in references(value) {
                let whole = format!("${{{}}}", reference.text);
                assert_eq!(value[reference.span.clone()], whole);
            }
        }
    }

    #[test]
    fn targets_are_environment_folders_and_key() {
        let target = |text: &'static str| Reference { span: 0..0, text }.target();
        for (text, environment, path, key) in [
            ("dev.KEY", "dev", "/", "KEY"),
            ("dev.a.KEY", "dev", "/a", "KEY"),
            ("prod-1.a.b_2.K-1", "prod-1", "/a/b_2", "K-1"),
        ] {
            assert_eq!(target(text), Some(Target { environment, path: path.into(), key }));
        }
        for text in ["KEY", ".KEY", "dev.", "dev..KEY", "dev.a..KEY", "dev..a.KEY", "@other.dev.A"]
        {
            assert_eq!(target(text), None, "{text}");
        }
    }

    #[test]
    fn rewriting_changes_what_is_asked_for_and_nothing_else() {
        let to_new =
            |reference: &Reference<'_>| (reference.text == "OLD").then(|| "NEW.longer".to_owned());
        for (value, changed) in [
            ("a${OLD}b${KEEP}c${OLD}", "a${NEW.longer}b${KEEP}c${NEW.longer}"),
            ("${OLD", "${OLD"),
            ("${${OLD}}", "${${NEW.longer}}"),
            ("OLD", "OLD"),
        ] {
            assert_eq!(rewrite(value, to_new), changed);
        }
        assert!(matches!(rewrite("${KEEP}", to_new), Cow::Borrowed("${KEEP}")));
        let all = |reference: &Reference<'_>| Some(reference.text.to_owned());
        assert_eq!(rewrite("x${A}${dev.B}y", all), "x${A}${dev.B}y");
    }

    #[test]
    fn r7_a_long_text_of_beginnings_is_read_once() {
        let text = "${a".repeat(1_000_000);
        assert_eq!(references(&text).count(), 0);
        assert_eq!(references(&"${".repeat(1_000_000)).count(), 0);
    }
}
