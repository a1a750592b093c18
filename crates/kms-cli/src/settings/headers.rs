//! `INFISICAL_CUSTOM_HEADERS`: `Name=value` words, separated by blanks. Blanks after `=` are
//! skipped; a value runs to the next blank or stands in `"` or `'`, inside of which a backslash
//! keeps the next quote from ending it (and stays in the value).

use secrecy::SecretString;

use crate::error::CliError;

/// Reads the headers. Errors name the place, never what stands there: values are credentials.
pub(super) fn parse(text: &str) -> Result<Vec<(String, SecretString)>, CliError> {
    let mut headers = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let number = headers.len() + 1;
        let end = rest
            .find(|c: char| c == '=' || c.is_whitespace())
            .filter(|end| rest[*end..].starts_with('='))
            .ok_or_else(|| CliError::usage(format!("header {number} has no `=`")))?;
        let name = &rest[..end];
        let (value, after) = value(rest[end + 1..].trim_start())
            .ok_or_else(|| CliError::usage(format!("header {number} has an open quote")))?;
        headers.push((name.to_owned(), value.into()));
        rest = after.trim_start();
    }
    Ok(headers)
}

/// Splits off a value; `None` when its quote never ends.
fn value(text: &str) -> Option<(&str, &str)> {
    let Some(quote) = text.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
        let end = text.find(char::is_whitespace).unwrap_or(text.len());
        return Some(text.split_at(end));
    };
    let inner = &text[1..];
    let mut escaped = false;
    for (at, c) in inner.char_indices() {
        if c == quote && !escaped {
            return Some((&inner[..at], &inner[at + 1..]));
        }
        escaped = c == '\\' && !escaped;
    }
    None
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn parsed(text: &str) -> Vec<(String, String)> {
        let headers = parse(text).unwrap().into_iter();
        headers.map(|(name, value)| (name, value.expose_secret().to_owned())).collect()
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.into(), value.into())
    }

    #[test]
    fn words_quotes_and_blanks_are_read_as_the_compatible_cli_does() {
        assert_eq!(
            parsed("A=1  B= 2\nC=\"x y\" D='it\\'s' E=a=b"),
            [
                pair("A", "1"),
                pair("B", "2"),
                pair("C", "x y"),
                pair("D", "it\\'s"),
                pair("E", "a=b"),
            ]
        );
        assert!(parsed("  ").is_empty());
    }

    #[test]
    fn d6_a_malformed_header_is_named_by_its_place_only() {
        for text in ["A=1 canary", "canary", "A=\"canary"] {
            let error = parse(text).unwrap_err();
            assert!(error.chain().all(|line| !line.contains("canary")), "{text}");
        }
    }
}
