//! What is appended to the file `$GITHUB_ENV`, by which later steps of a GitHub Actions job get
//! variables.
//!
//! `NAME<<DELIMITER`, the value, `DELIMITER` (GitHub documentation, "Setting an environment variable",
//! multiline strings). The delimiter is random for each value, so that no value can end itself and
//! begin another variable (attack R1). Refused: names that the runner refuses or keeps, NUL, and a
//! carriage return at the end of a value, which would become part of the line's end.

use secrecy::zeroize::Zeroizing;
use uuid::Uuid;

use super::{Pair, Refusal, buffer, names, refuse};

pub(super) fn write(pairs: &[Pair<'_>]) -> Result<Zeroizing<String>, Vec<Refusal>> {
    refuse(pairs, |pair| {
        let upper = pair.name.to_ascii_uppercase();
        if !names::is_identifier(pair.name) {
            Some(names::NO_IDENTIFIER)
        } else if upper.starts_with("GITHUB_") || upper.starts_with("RUNNER_") {
            Some("is a name that the runner keeps to itself")
        } else if upper == "NODE_OPTIONS" {
            Some("is a name that the runner refuses")
        } else if pair.value.contains('\0') {
            Some("its value holds a NUL character")
        } else if pair.value.ends_with('\r') {
            Some("its value ends with a carriage return, which the runner drops")
        } else {
            None
        }
    })?;
    let mut text = buffer(pairs);
    for pair in pairs {
        let delimiter = format!("kms-{}", Uuid::new_v4().simple());
        text.push_str(pair.name);
        text.push_str("<<");
        text.push_str(&delimiter);
        text.push('\n');
        text.push_str(pair.value);
        text.push('\n');
        text.push_str(&delimiter);
        text.push('\n');
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r1_a_value_cannot_know_the_delimiter_that_ends_it() {
        let pairs = [Pair { name: "A", value: "x" }, Pair { name: "B", value: "x" }];
        let text = write(&pairs).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 6);
        let delimiter = lines[0].strip_prefix("A<<").unwrap();
        assert_eq!((lines[1], lines[2]), ("x", delimiter));
        assert!(delimiter.len() > 32 && lines[5] != delimiter, "another one for each");
        for name in ["GITHUB_ENV", "runner_temp", "NODE_OPTIONS", "A B"] {
            assert!(write(&[Pair { name, value: "" }]).is_err(), "{name}");
        }
    }
}
