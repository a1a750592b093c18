//! `$env:NAME = 'value'` lines for PowerShell: `kms export --format=powershell | Invoke-Expression`.
//!
//! Each variable is one line of ASCII, whatever the value: a pipeline hands lines over one by one,
//! and Windows PowerShell reads files in the code page of the machine. What is no printable ASCII is
//! written as the code of its UTF-16 units, so the five characters that PowerShell takes for a
//! single quote (`about_Quoting_Rules`) need no thought. Refused: NUL; an empty value, which removes
//! the variable before PowerShell 7.5; and names that are equal on Windows.

use std::{collections::HashMap, fmt::Write as _};

use secrecy::zeroize::Zeroizing;

use super::{Pair, Refusal, buffer, names, refuse};

pub(super) fn write(pairs: &[Pair<'_>]) -> Result<Zeroizing<String>, Vec<Refusal>> {
    let mut spellings: HashMap<String, usize> = HashMap::new();
    for pair in pairs {
        *spellings.entry(pair.name.to_ascii_uppercase()).or_default() += 1;
    }
    refuse(pairs, |pair| {
        if !names::is_identifier(pair.name) {
            Some(names::NO_IDENTIFIER)
        } else if spellings[&pair.name.to_ascii_uppercase()] > 1 {
            Some("is one name with another on Windows, where capitals do not count")
        } else if pair.value.contains('\0') {
            Some("its value holds a NUL character")
        } else if pair.value.is_empty() {
            Some("its value is empty, which removes a variable in PowerShell")
        } else {
            None
        }
    })?;
    let mut text = buffer(pairs);
    for pair in pairs {
        let _ = write!(text, "$env:{} = '", pair.name);
        push(&mut text, pair.value);
        text.push_str("'\n");
    }
    Ok(text)
}

/// Writes a value inside single quotes.
fn push(text: &mut String, value: &str) {
    for character in value.chars() {
        match character {
            '\'' => text.push_str("''"),
            ' '..='~' => text.push(character),
            other => {
                for unit in other.encode_utf16(&mut [0; 2]) {
                    let _ = write!(text, "' + [char]{unit:#06x} + '");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r1_no_character_ends_the_quoting() {
        let pair = Pair { name: "K", value: "a'$(id)\u{2019}; \"\n😀" };
        let expected = "$env:K = 'a''$(id)' + [char]0x2019 + '; \"' + [char]0x000a + '' + \
                        [char]0xd83d + '' + [char]0xde00 + ''\n";
        assert_eq!(write(&[pair]).unwrap().as_str(), expected);
    }

    #[test]
    fn what_powershell_would_lose_is_refused() {
        let pairs = [("A", "1"), ("B", ""), ("a", "2"), ("C-D", "3")];
        let refused = write(&pairs.map(|(name, value)| Pair { name, value })).unwrap_err();
        let names: Vec<_> = refused.iter().map(|refusal| refusal.name.as_str()).collect();
        assert_eq!(names, ["A", "B", "a", "C-D"]);
    }
}
