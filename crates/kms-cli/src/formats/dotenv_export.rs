//! `export NAME='value'` lines for `source` in bash, dash and zsh.
//!
//! A value stands between single quotes, where a shell changes nothing; each `'` of its own
//! becomes `'\''`. Newlines stay real. Refused: NUL, which no variable holds; a name that is no
//! variable's name, since it would be read as code or as an option; and a name that a shell keeps
//! to itself (`UID`, `RANDOM`, `path` in zsh), since it would not read back.

use secrecy::zeroize::Zeroizing;

use super::{Pair, Refusal, buffer, names, refuse};

pub(super) fn write(pairs: &[Pair<'_>]) -> Result<Zeroizing<String>, Vec<Refusal>> {
    refuse(pairs, |pair| {
        if !names::is_identifier(pair.name) {
            Some(names::NO_IDENTIFIER)
        } else if names::is_owned_by_a_shell(pair.name) {
            Some("is a variable that a shell keeps to itself")
        } else if pair.value.contains('\0') {
            Some("its value holds a NUL character")
        } else {
            None
        }
    })?;
    let mut text = buffer(pairs);
    for pair in pairs {
        text.push_str("export ");
        text.push_str(pair.name);
        text.push_str("='");
        for character in pair.value.chars() {
            if character == '\'' {
                text.push_str("'\\''");
            } else {
                text.push(character);
            }
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
        let pair = Pair { name: "K", value: "'; touch x; '" };
        let text = write(&[pair]).unwrap();
        assert_eq!(text.as_str(), "export K=''\\''; touch x; '\\'''\n");
    }

    #[test]
    fn every_refused_name_is_named_at_once() {
        let pairs = ["A;id", "B", "UID"].map(|name| Pair { name, value: "v" });
        let refused = write(&pairs).unwrap_err();
        let names: Vec<_> = refused.iter().map(|refusal| &refusal.name).collect();
        assert_eq!(names, ["A;id", "UID"]);
    }
}
