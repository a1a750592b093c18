//! `NAME=value` lines for `docker run --env-file`, which changes nothing in a value.
//!
//! The reader takes a line up to its end (Docker CLI reference, `docker container run`, "--env-file"):
//! no quotes, no escapes. Refused is what a line cannot hold: a newline, a carriage return at its
//! end, which is taken for half of one, a line of 64 KiB, NUL, and a name that would be read as
//! something else.

use secrecy::zeroize::Zeroizing;

use super::{Pair, Refusal, buffer, refuse};

/// Bytes that a line must stay below.
const MAX_LINE: usize = 64 * 1_024;

pub(super) fn write(pairs: &[Pair<'_>]) -> Result<Zeroizing<String>, Vec<Refusal>> {
    refuse(pairs, |pair| {
        if !is_name(pair.name) {
            Some("is not a name here (no blanks, no `=`, no `#` at its start)")
        } else if pair.value.contains('\n') {
            Some("its value has several lines, and this format has no way to write them")
        } else if pair.value.ends_with('\r') {
            Some("its value ends with a carriage return, which the reader drops")
        } else if pair.value.contains('\0') {
            Some("its value holds a NUL character")
        } else if pair.name.len() + 1 + pair.value.len() >= MAX_LINE {
            Some("is longer than the 64 KiB of a line")
        } else {
            None
        }
    })?;
    let mut text = buffer(pairs);
    for pair in pairs {
        text.push_str(pair.name);
        text.push('=');
        text.push_str(pair.value);
        text.push('\n');
    }
    Ok(text)
}

fn is_name(name: &str) -> bool {
    let stays = |c: char| !c.is_whitespace() && !c.is_control() && c != '=' && c != '\u{feff}';
    !name.is_empty() && !name.starts_with('#') && name.chars().all(stays)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_written_as_it_is() {
        let pairs = [("A", " 'x' \"$y\" # z "), ("B.c", "")];
        let text = write(&pairs.map(|(name, value)| Pair { name, value })).unwrap();
        assert_eq!(text.as_str(), "A= 'x' \"$y\" # z \nB.c=\n");
    }

    #[test]
    fn r2_what_a_line_cannot_hold_is_refused_by_name() {
        let long = "x".repeat(MAX_LINE);
        let bad = [
            ("A", "1\n2"),
            ("B", "1\r"),
            ("C", "\0"),
            ("#D", ""),
            ("E F", ""),
            ("G", &*long),
            ("", ""),
            ("H=", ""),
        ];
        let refused = write(&bad.map(|(name, value)| Pair { name, value })).unwrap_err();
        let names: Vec<_> = refused.iter().map(|refusal| refusal.name.as_str()).collect();
        assert_eq!(names, ["A", "B", "C", "#D", "E F", "G", "", "H="]);
    }
}
