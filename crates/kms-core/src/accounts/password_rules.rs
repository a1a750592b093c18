//! Which passwords people may choose: long enough, and none that everybody tries first (NIST
//! 800-63B). No rules about what they are composed of.

use secrecy::{ExposeSecret as _, SecretString};
use unicode_normalization::UnicodeNormalization as _;

use crate::{Error, Result, passwords::check_password};

/// What is tried first, one a line, in lower case.
const COMMON: &str = include_str!("common_passwords.txt");

/// Refuses a password that is too short, too long, common, or what the account is called.
///
/// `about` is what a stranger knows: the address, the organization's name.
pub(crate) fn check_new_password(
    field: &str,
    password: &SecretString,
    about: &[&str],
) -> Result<()> {
    check_password(field, password)?;
    let folded = folded(password.expose_secret());
    let mut characters = folded.chars();
    let first = characters.next();
    if characters.all(|character| Some(character) == first)
        || COMMON.lines().any(|common| common == folded)
    {
        return Err(Error::field(field, "is one of the most common passwords; choose another"));
    }
    for name in about {
        let name = self::folded(name);
        let mailbox = name.split('@').next().unwrap_or_default();
        if folded == name || folded == mailbox {
            return Err(Error::field(field, "must not be your address or organization"));
        }
    }
    Ok(())
}

fn folded(text: &str) -> String {
    text.trim().nfkc().collect::<String>().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_everybody_tries_first_is_refused_in_any_case() {
        for text in ["password", "PassWord", "12345678", "ｐassword1", "aaaaaaaa", " qwertyuiop "]
        {
            let password = SecretString::from(text);
            assert!(check_new_password("password", &password, &[]).is_err(), "{text}");
        }
        for text in ["Acme Rockets", "acme rockets", "ada.lovelace@example.test", "ada.lovelace"] {
            let password = SecretString::from(text);
            let about = ["ada.lovelace@example.test", "Acme Rockets"];
            assert!(check_new_password("password", &password, &about).is_err(), "{text}");
            assert!(check_new_password("password", &password, &[]).is_ok(), "{text}");
        }
    }

    #[test]
    fn no_rule_asks_for_digits_or_signs() {
        for text in ["correct horse battery", "nachtigall", "日本語のパスワード"] {
            let password = SecretString::from(text);
            assert!(check_new_password("password", &password, &["a@b.test"]).is_ok(), "{text}");
        }
    }

    #[test]
    fn the_list_is_in_the_form_that_is_looked_for() {
        let mut seen = std::collections::HashSet::new();
        for common in COMMON.lines() {
            assert_eq!(common, folded(common));
            assert!(common.chars().count() >= 8, "{common} is too short to be chosen at all");
            assert!(seen.insert(common), "{common} is there twice");
        }
        assert!(seen.len() >= 100);
    }
}
