//! `set -gx NAME 'value'` lines for `source` in fish.
//!
//! Between single quotes fish reads `\\` and `\'` as escapes and everything else as it stands (fish
//! manual, "Quotes"). Newlines stay real. Refused: NUL, and names that are none or that fish keeps
//! to itself ("Special variables").

use secrecy::zeroize::Zeroizing;

use super::{Pair, Refusal, buffer, names, refuse};

/// Read-only or computed in fish.
const OWNED: [&str; 15] = [
    "FISH_VERSION",
    "PWD",
    "SHLVL",
    "_",
    "argv",
    "fish_kill_signal",
    "fish_killring",
    "fish_pid",
    "history",
    "hostname",
    "pipestatus",
    "status",
    "status_generation",
    "umask",
    "version",
];

pub(super) fn write(pairs: &[Pair<'_>]) -> Result<Zeroizing<String>, Vec<Refusal>> {
    refuse(pairs, |pair| {
        if !names::is_identifier(pair.name) {
            Some(names::NO_IDENTIFIER)
        } else if OWNED.contains(&pair.name) {
            Some("is a variable that fish keeps to itself")
        } else if pair.value.contains('\0') {
            Some("its value holds a NUL character")
        } else {
            None
        }
    })?;
    let mut text = buffer(pairs);
    for pair in pairs {
        text.push_str("set -gx ");
        text.push_str(pair.name);
        text.push_str(" '");
        for character in pair.value.chars() {
            if matches!(character, '\'' | '\\') {
                text.push('\\');
            }
            text.push(character);
        }
        text.push_str("'\n");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r1_a_quote_in_a_value_cannot_end_the_quoting() {
        let pair = Pair { name: "K", value: "'; touch x; \\'" };
        assert_eq!(write(&[pair]).unwrap().as_str(), "set -gx K '\\'; touch x; \\\\\\''\n");
        let owned = Pair { name: "status", value: "" };
        assert_eq!(write(&[owned]).unwrap_err()[0].name, "status");
    }
}
