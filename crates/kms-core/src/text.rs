//! Rules for names, slugs and paths: parsed once at the edge, trusted inside.

use crate::{Error, Result};

/// The longest name of a secret, in bytes.
pub const MAX_SECRET_NAME: usize = 512;
/// The longest name of a folder, in bytes: the deepest path must still fit an index entry.
pub const MAX_FOLDER_NAME: usize = 128;
/// The deepest folder below the root.
pub const MAX_PATH_DEPTH: usize = 20;

/// A canonical absolute path of folders: `/` or `/a/b`, never with a trailing slash.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SecretPath(String);

impl SecretPath {
    /// The root folder.
    pub fn root() -> Self {
        Self("/".into())
    }

    /// Reads a path as clients send it: white space around it and one trailing slash are
    /// forgiven, a missing leading slash is added. Everything else that is not canonical (empty
    /// segments, `.`, `..`, percent signs, other characters) is refused, never repaired, so that
    /// a path has one spelling before anything is decided about it.
    pub fn parse(field: &str, text: Option<&str>) -> Result<Self> {
        let text = text.unwrap_or("/").trim();
        let text = text.strip_prefix('/').unwrap_or(text);
        let text = text.strip_suffix('/').filter(|text| !text.is_empty()).unwrap_or(text);
        if text.is_empty() {
            return Ok(Self::root());
        }
        if text.split('/').count() > MAX_PATH_DEPTH {
            return Err(Error::field(field, format!("is deeper than {MAX_PATH_DEPTH} folders")));
        }
        for segment in text.split('/') {
            check_folder_name(field, segment)?;
        }
        Ok(Self(format!("/{text}")))
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the root folder.
    pub fn is_root(&self) -> bool {
        self.0 == "/"
    }

    /// The path of a folder in this one.
    #[must_use]
    pub fn join(&self, name: &str) -> Self {
        if self.is_root() { Self(format!("/{name}")) } else { Self(format!("{}/{name}", self.0)) }
    }

    /// The folder that this one is in; the root folder is in itself.
    #[must_use]
    pub fn parent(&self) -> Self {
        match self.0.rsplit_once('/') {
            Some((parent, _)) if !parent.is_empty() => Self(parent.into()),
            _ => Self::root(),
        }
    }

    /// The names from the root down.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').filter(|segment| !segment.is_empty())
    }

    /// What the path of every folder below starts with.
    pub fn below(&self) -> String {
        if self.is_root() { "/".into() } else { format!("{}/", self.0) }
    }
}

impl std::fmt::Display for SecretPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A folder's name: letters, digits, `-` and `_` (wire contract, folders).
pub fn check_folder_name(field: &str, name: &str) -> Result<()> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if name.is_empty() || name.len() > MAX_FOLDER_NAME || !name.bytes().all(allowed) {
        let rule = format!(
            "folder names hold 1 to {MAX_FOLDER_NAME} letters, digits, `-` and `_`, nothing else"
        );
        return Err(Error::field(field, rule));
    }
    Ok(())
}

/// Whether a character ends a line or controls a terminal. A name with one is more than it seems,
/// and no pattern of a rule matches it.
fn is_control(character: char) -> bool {
    character.is_control() || kms_auth::glob::is_line_end(character)
}

/// A secret's name as it is created: trimmed, without `:`, `/`, control characters and ends of lines.
pub fn secret_name(field: &str, name: &str) -> Result<String> {
    let name = name.trim();
    if name.is_empty() || name.len() > MAX_SECRET_NAME {
        return Err(Error::field(field, format!("must have 1 to {MAX_SECRET_NAME} bytes")));
    }
    if name.chars().any(|character| matches!(character, ':' | '/') || is_control(character)) {
        let rule = "must not contain `:`, `/`, control characters or ends of lines";
        return Err(Error::field(field, rule));
    }
    Ok(name.to_owned())
}

/// A slug: lower-case letters, digits and single hyphens between them.
pub fn slug(field: &str, text: &str, min: usize, max: usize) -> Result<String> {
    let text = text.trim();
    let shape = !text.is_empty()
        && text.split('-').all(|part| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        });
    if !shape || text.len() < min || text.len() > max {
        let rule = format!(
            "must be a slug of {min} to {max} lower-case letters, digits and single hyphens"
        );
        return Err(Error::field(field, rule));
    }
    Ok(text.to_owned())
}

/// A name for people: trimmed, no control characters or ends of lines, at most `max` characters.
pub fn name(field: &str, text: &str, max: usize) -> Result<String> {
    let text = text.trim();
    let length = text.chars().count();
    if length == 0 || length > max || text.chars().any(is_control) {
        return Err(Error::field(field, format!("must have 1 to {max} printable characters")));
    }
    Ok(text.to_owned())
}

/// A text that may be empty and is kept as it is, at most `max` characters.
pub fn note(field: &str, text: &str, max: usize) -> Result<()> {
    if text.chars().count() > max {
        return Err(Error::field(field, format!("must have at most {max} characters")));
    }
    Ok(())
}

/// A slug made from a name, with a random tail so that it is free.
pub fn slug_from(name: &str, tail: &str) -> String {
    let mut slug = String::new();
    for character in name.chars().flat_map(char::to_lowercase) {
        if character.is_ascii_alphanumeric() {
            slug.push(character);
        } else if !slug.ends_with('-') && !slug.is_empty() {
            slug.push('-');
        }
        if slug.len() >= 28 {
            break;
        }
    }
    let stem = slug.trim_end_matches('-');
    if stem.is_empty() { format!("project-{tail}") } else { format!("{stem}-{tail}") }
}

/// An integer of a query string within bounds.
pub fn number(field: &str, text: Option<&str>, default: i64, min: i64, max: i64) -> Result<i64> {
    let Some(text) = text else { return Ok(default) };
    match text.parse::<i64>() {
        Ok(number) if (min..=max).contains(&number) => Ok(number),
        _ => Err(Error::field(field, format!("must be a whole number from {min} to {max}"))),
    }
}

/// An integer of a body within bounds.
pub fn within(field: &str, number: i64, min: i64, max: i64) -> Result<i64> {
    if (min..=max).contains(&number) {
        return Ok(number);
    }
    Err(Error::field(field, format!("must be from {min} to {max}")))
}

/// What a stranger wrote, fit to be shown to a person who has to decide by it: cut, and with a mark
/// in the place of what is not seen or turns the line around (attack L11).
pub fn shown(text: &str, longest: usize) -> String {
    let is_hidden = |char: char| {
        char.is_control()
            || matches!(char,
                '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}'
                | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e0fff}')
    };
    let marked = |char| if is_hidden(char) { char::REPLACEMENT_CHARACTER } else { char };
    text.trim().chars().take(longest).map(marked).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t2_only_canonical_paths_pass() {
        for (given, canonical) in
            [("/", "/"), ("", "/"), ("/a/", "/a"), ("a/b", "/a/b"), (" /x ", "/x")]
        {
            assert_eq!(SecretPath::parse("path", Some(given)).unwrap().as_str(), canonical);
        }
        for given in ["//", "/a//b", "/a/../b", "/.", "/a/%2e%2e", "/a b", "/a\\b", "/ä", "/a//"] {
            assert!(SecretPath::parse("path", Some(given)).is_err(), "{given}");
        }
    }

    #[test]
    fn t3_no_name_has_an_end_of_a_line() {
        for end in ['\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}', '\0', '\u{9b}']
        {
            let text = format!("A{end}B");
            assert!(secret_name("secretName", &text).is_err(), "{end:?}");
            assert!(name("name", &text, 64).is_err(), "{end:?}");
            assert!(slug("slug", &text, 1, 64).is_err(), "{end:?}");
            assert!(check_folder_name("name", &text).is_err(), "{end:?}");
            assert!(SecretPath::parse("path", Some(&format!("/{text}"))).is_err(), "{end:?}");
        }
        assert_eq!(secret_name("secretName", "Ä b\u{200b}").unwrap(), "Ä b\u{200b}");
    }

    #[test]
    fn slugs_come_out_canonical() {
        assert_eq!(slug_from("My  Project!", "ab12"), "my-project-ab12");
        assert!(slug("slug", "a--b", 1, 64).is_err());
        assert!(slug("slug", "ok-1", 5, 36).is_err());
    }

    #[test]
    fn l11_what_is_shown_hides_nothing_and_is_no_longer_than_asked() {
        assert_eq!(shown(" laptop-7.example ", 64), "laptop-7.example");
        assert_eq!(
            shown("a\u{202e}b\u{7}c\nd\u{200b}e\u{e0041}", 64),
            "a\u{fffd}b\u{fffd}c\u{fffd}d\u{fffd}e\u{fffd}"
        );
        assert_eq!(shown("büro", 3), "bür");
        assert_eq!(shown("", 3), "");
    }
}
