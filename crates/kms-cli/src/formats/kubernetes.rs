//! A manifest of a Kubernetes `Secret`, for `kubectl apply -f -`.
//!
//! Values are base64 in `data`, which carries every byte. Refused: names that are no keys there, and
//! more than the 1 MiB that a Secret may hold (Kubernetes documentation, "Secrets").

use std::fmt::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::zeroize::Zeroizing;

use super::{Pair, Refusal, buffer, refuse};

/// Bytes of all values at most.
const MAX_BYTES: usize = 1_024 * 1_024;
/// Characters of a key at most.
const MAX_KEY: usize = 253;

/// What the Secret is called.
#[derive(Clone, Copy, Debug)]
pub struct Object<'a> {
    /// Its name, a [`name`].
    pub name: &'a str,
    /// Its namespace; that of whoever applies it when left out.
    pub namespace: Option<&'a str>,
}

/// A name of an object: lower-case letters, digits, `-` and `.` (RFC 1123 subdomain).
pub fn name(text: &str) -> Result<String, String> {
    let is_part = |part: &str| {
        let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        !part.is_empty()
            && part.chars().all(known)
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    if text.len() <= MAX_KEY && text.split('.').all(is_part) {
        return Ok(text.to_owned());
    }
    Err("expected lower-case letters, digits, `-` and `.`".into())
}

pub(super) fn write(
    pairs: &[Pair<'_>],
    object: Object<'_>,
) -> Result<Zeroizing<String>, Vec<Refusal>> {
    let mut bytes = 0_usize;
    let ends: Vec<_> = pairs
        .iter()
        .map(|pair| {
            bytes = bytes.saturating_add(pair.value.len());
            (pair.name, bytes)
        })
        .collect();
    let fits = |name: &str| ends.iter().any(|(known, end)| *known == name && *end <= MAX_BYTES);
    refuse(pairs, |pair| {
        let is_key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let reserved = matches!(pair.name, "." | "..") || pair.name.starts_with("..");
        if pair.name.is_empty() || pair.name.len() > MAX_KEY || !pair.name.chars().all(is_key) {
            Some("is not a key there (letters, digits, `-`, `_` and `.`, at most 253)")
        } else if reserved {
            Some("is not a key there: it starts with two dots")
        } else if !fits(pair.name) {
            Some("is more than fits into the 1 MiB of one Secret; leave others out with `--path`")
        } else {
            None
        }
    })?;
    let mut text = buffer(pairs);
    text.push_str("apiVersion: v1\nkind: Secret\nmetadata:\n");
    // Quoted, since a name may be digits alone.
    let _ = writeln!(text, "  name: \"{}\"", object.name);
    if let Some(namespace) = object.namespace {
        let _ = writeln!(text, "  namespace: \"{namespace}\"");
    }
    text.push_str("type: Opaque\n");
    text.push_str(if pairs.is_empty() { "data: {}\n" } else { "data:\n" });
    for pair in pairs {
        text.push_str("  \"");
        text.push_str(pair.name);
        text.push_str("\": \"");
        STANDARD.encode_string(pair.value, &mut text);
        text.push_str("\"\n");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OBJECT: Object<'_> = Object { name: "app", namespace: Some("web") };

    #[test]
    fn a_secret_is_named_and_holds_base64() {
        let text = write(&[Pair { name: "A.b", value: "1\n" }], OBJECT).unwrap();
        let expected = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: \"app\"\n  namespace: \
                        \"web\"\ntype: Opaque\ndata:\n  \"A.b\": \"MQo=\"\n";
        assert_eq!(text.as_str(), expected);
    }

    #[test]
    fn r2_what_a_secret_cannot_hold_is_refused() {
        let large = "x".repeat(MAX_BYTES);
        let pairs = [("A", &*large), ("B", "x"), ("C D", ""), ("..", "")];
        let refused = write(&pairs.map(|(name, value)| Pair { name, value }), OBJECT).unwrap_err();
        let names: Vec<_> = refused.iter().map(|refusal| refusal.name.as_str()).collect();
        assert_eq!(names, ["B", "C D", ".."]);
        assert!(name("app.web-1").is_ok());
        for bad in ["", "App", "a b", "-a", "a-", "a..b", "a\"", "a\nb"] {
            assert!(name(bad).is_err(), "{bad:?}");
        }
    }
}
