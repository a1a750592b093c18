//! `NAME="value"` lines for `EnvironmentFile=` of systemd.
//!
//! Between double quotes a backslash takes the meaning from `"`, `\\`, `` ` `` and `$`; newlines stay
//! real (systemd.exec(5), `EnvironmentFile=`). Refused is what systemd drops: names that are none, and
//! values with control characters other than tab and newline.

use secrecy::zeroize::Zeroizing;

use super::{Pair, Refusal, buffer, names, refuse};

pub(super) fn write(pairs: &[Pair<'_>]) -> Result<Zeroizing<String>, Vec<Refusal>> {
    let is_dropped = |c: char| c.is_ascii_control() && c != '\t' && c != '\n';
    refuse(pairs, |pair| {
        if !names::is_identifier(pair.name) {
            Some(names::NO_IDENTIFIER)
        } else if pair.value.contains(is_dropped) {
            Some("its value holds a control character, which systemd drops with the variable")
        } else {
            None
        }
    })?;
    let mut text = buffer(pairs);
    for pair in pairs {
        text.push_str(pair.name);
        text.push_str("=\"");
        for character in pair.value.chars() {
            if matches!(character, '"' | '\\' | '`' | '$') {
                text.push('\\');
            }
            text.push(character);
        }
        text.push_str("\"\n");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r2_what_has_a_meaning_between_quotes_loses_it() {
        let pair = Pair { name: "K", value: "a \"b\" $c \\ `d`\n%e 'f'" };
        let expected = "K=\"a \\\"b\\\" \\$c \\\\ \\`d\\`\n%e 'f'\"\n";
        assert_eq!(write(&[pair]).unwrap().as_str(), expected);
        let dropped = [("A", "\r"), ("B", "\0"), ("C", "\x1b")];
        let refused = write(&dropped.map(|(name, value)| Pair { name, value })).unwrap_err();
        assert_eq!(refused.len(), 3);
    }
}
