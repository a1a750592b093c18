//! A flat YAML map of names to scalars; every scalar counts as the text that stands there. The
//! line of an entry is the one in which its value begins.

use std::collections::BTreeMap;

use kms_api::SecretValue;
use serde_saphyr::{DuplicateKeyPolicy, Spanned};

use super::{Entry, LineError};

/// The parser's own messages may quote the text, which is secret, so this stands for them all.
const REASON: &str = "expected a flat map of names to texts";

pub(super) fn parse(text: &str) -> Result<Vec<Entry>, LineError> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let options = serde_saphyr::options! {
        duplicate_keys: DuplicateKeyPolicy::LastWins,
        with_snippet: false,
    };
    let map: BTreeMap<String, Spanned<SecretValue>> =
        serde_saphyr::from_str_with_options(text, options).map_err(|error| {
            let line = error.location().map_or(1, |location| line_of(location.line()));
            (line, REASON.to_owned())
        })?;
    let mut entries: Vec<Entry> = map
        .into_iter()
        .map(|(name, value)| Entry {
            line: line_of(value.referenced.line()),
            name,
            value: value.value,
        })
        .collect();
    entries.sort_by_key(|entry| entry.line);
    Ok(entries)
}

fn line_of(line: u64) -> usize {
    usize::try_from(line).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(usize, String, String)> {
        let entries = parse(text).unwrap();
        entries
            .into_iter()
            .map(|entry| (entry.line, entry.name, entry.value.expose().to_owned()))
            .collect()
    }

    #[test]
    fn scalars_are_taken_as_text_in_the_order_of_the_file() {
        let text = "B: 0x1F\nA: yes\nC: |\n  x\n  y\nD: \"\"\nE: 1.50\n";
        let values: Vec<_> = pairs(text).into_iter().map(|(_, _, value)| value).collect();
        assert_eq!(values, ["0x1F", "yes", "x\ny\n", "", "1.50"]);
    }

    #[test]
    fn the_last_of_two_equal_names_counts() {
        assert_eq!(pairs("A: one\nA: two\n")[0].2, "two");
    }

    #[test]
    fn d6_an_error_names_the_line_and_never_the_text() {
        for text in
            ["A: x\nB:\n  c: canary\n", "A: x\nB: [canary]\n", "A: x\nB: 'canary\n", "- canary"]
        {
            let (line, reason) = parse(text).unwrap_err();
            assert!(line >= 1 && !reason.contains("canary"), "{line} {reason}");
        }
        assert_eq!(parse("A: x\nB:\n  c: 1\n").unwrap_err().0, 3);
    }

    #[test]
    fn an_empty_file_sets_nothing() {
        assert!(pairs("").is_empty());
        assert!(pairs("{}").is_empty());
    }
}
