//! The forms in which a value is looked for: as it is, line by line, and as programs encode it.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE},
};
use secrecy::zeroize::Zeroizing;

/// Bytes of the shortest value, line or encoded piece that is looked for: shorter ones are in every
/// output.
pub const SHORTEST: usize = 4;

/// Columns at which tools break base64: MIME and PEM.
const COLUMNS: [usize; 2] = [76, 64];

pub(super) type Form = Zeroizing<Vec<u8>>;

/// Adds all forms of a value, or only those of the text itself.
pub(super) fn add(value: &str, encoded: bool, forms: &mut Vec<Form>) {
    push(forms, value.as_bytes());
    for line in lines(value) {
        push(forms, line.as_bytes());
    }
    if !encoded {
        return;
    }
    for text in std::iter::once(value).chain(lines(value)) {
        base64(text.as_bytes(), forms);
        percent(text.as_bytes(), forms);
        hexadecimal(text.as_bytes(), forms);
        json(text, forms);
    }
}

/// The lines of a value, without what a terminal, a shell or an editor puts around them or takes
/// away; none where that is the value itself.
fn lines(value: &str) -> impl Iterator<Item = &str> {
    let lines = value.lines().map(str::trim).filter(|line| line.len() >= SHORTEST);
    lines.filter(move |line| line.len() != value.len())
}

fn push(forms: &mut Vec<Form>, form: &[u8]) {
    if form.len() >= SHORTEST {
        forms.push(Zeroizing::new(form.to_vec()));
    }
}

/// What is in every base64 text that has these bytes in it, wherever they begin; and the text of
/// the bytes alone, to its last character.
fn base64(bytes: &[u8], forms: &mut Vec<Form>) {
    for engine in [&STANDARD, &URL_SAFE] {
        for before in 0..3 {
            let mut whole = Zeroizing::new(vec![0; before]);
            whole.extend_from_slice(bytes);
            let text = Zeroizing::new(engine.encode(&*whole));
            // Characters that carry bits of these bytes alone: six bits each.
            let (first, end) = ((before * 8).div_ceil(6), whole.len() * 8 / 6);
            push(forms, &text.as_bytes()[first.min(end)..end]);
        }
        let alone = Zeroizing::new(engine.encode(bytes));
        push(forms, alone.as_bytes());
        push(forms, alone.trim_end_matches('=').as_bytes());
        for columns in COLUMNS {
            if alone.len() > columns {
                alone.as_bytes().chunks(columns).for_each(|line| push(forms, line));
            }
        }
    }
}

/// As URLs and forms carry it: what stays as it is differs from one encoder to the next.
fn percent(bytes: &[u8], forms: &mut Vec<Form>) {
    for kept in [b"-._~".as_slice(), b"-_.!~*'()", b"*-._", b"-_./~", b""] {
        for lower in [false, true] {
            for blank in ["%20", "+"] {
                let mut text = Zeroizing::new(Vec::with_capacity(bytes.len() * 3));
                for &byte in bytes {
                    match byte {
                        b' ' => text.extend_from_slice(blank.as_bytes()),
                        _ if byte.is_ascii_alphanumeric() || kept.contains(&byte) => {
                            text.push(byte);
                        }
                        _ => text.extend_from_slice(&escape(b"%", byte, lower)),
                    }
                }
                push(forms, &text);
            }
        }
    }
}

fn hexadecimal(bytes: &[u8], forms: &mut Vec<Form>) {
    for lower in [false, true] {
        let mut text = Zeroizing::new(Vec::with_capacity(bytes.len() * 2));
        for &byte in bytes {
            text.extend_from_slice(&escape(b"", byte, lower));
        }
        push(forms, &text);
    }
}

fn escape(before: &[u8], byte: u8, lower: bool) -> Vec<u8> {
    let digits = if lower { b"0123456789abcdef" } else { b"0123456789ABCDEF" };
    let mut text = before.to_vec();
    text.extend([digits[usize::from(byte >> 4)], digits[usize::from(byte & 15)]]);
    text
}

/// As JSON strings carry it: plainly, in ASCII alone, with slashes escaped, and as Go and PHP do.
fn json(value: &str, forms: &mut Vec<Form>) {
    for (ascii, html, slash) in [
        (false, false, false),
        (true, false, false),
        (false, false, true),
        (true, false, true),
        (false, true, false),
    ] {
        for lower in [true, false] {
            let mut text = Zeroizing::new(String::with_capacity(value.len() * 2));
            for character in value.chars() {
                match character {
                    '"' => text.push_str("\\\""),
                    '\\' => text.push_str("\\\\"),
                    '\n' => text.push_str("\\n"),
                    '\r' => text.push_str("\\r"),
                    '\t' => text.push_str("\\t"),
                    '\u{8}' => text.push_str("\\b"),
                    '\u{c}' => text.push_str("\\f"),
                    '/' if slash => text.push_str("\\/"),
                    '<' | '>' | '&' | '\u{2028}' | '\u{2029}' if html => {
                        unicode(character, lower, &mut text);
                    }
                    _ if character < ' ' || (ascii && !character.is_ascii()) => {
                        unicode(character, lower, &mut text);
                    }
                    _ => text.push(character),
                }
            }
            push(forms, text.as_bytes());
        }
    }
}

fn unicode(character: char, lower: bool, text: &mut String) {
    let mut units = [0; 2];
    for unit in character.encode_utf16(&mut units) {
        let escaped = if lower { format!("\\u{unit:04x}") } else { format!("\\u{unit:04X}") };
        text.push_str(&escaped);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forms(value: &str) -> Vec<String> {
        let mut forms = Vec::new();
        add(value, true, &mut forms);
        forms.iter().map(|form| String::from_utf8(form.to_vec()).unwrap()).collect()
    }

    fn has(value: &str, expected: &[&str]) {
        let forms = forms(value);
        for form in expected {
            assert!(forms.iter().any(|known| known == form), "{form} in {forms:?}");
        }
    }

    #[test]
    fn base64_is_known_at_any_alignment_and_alone() {
        has("secret", &["secret", "c2VjcmV0", "NlY3Jld", "zZWNyZX"]);
        has("secrets", &["c2VjcmV0cw==", "c2VjcmV0cw", "c2VjcmV0c"]);
        for before in ["", "a", "ab", "abc"] {
            for after in ["", "x", "xy", "xyz"] {
                let text = STANDARD.encode(format!("{before}a longer value{after}"));
                let found = forms("a longer value").into_iter().any(|form| text.contains(&form));
                assert!(found, "{before} {after}");
            }
        }
        has("??>>??", &["Pz8+Pj8/", "Pz8-Pj8_"]);
    }

    #[test]
    fn urls_hexadecimal_and_json_are_known_as_programs_write_them() {
        has("a b/c", &["a%20b%2Fc", "a+b%2Fc", "a%20b%2fc", "a%20b/c"]);
        has("a=b&c", &["613d622663", "613D622663", "a=b\\u0026c"]);
        has("say \"\u{e9}/\"\n", &["say \\\"\u{e9}/\\\"\\n", "say \\\"\\u00e9\\/\\\"\\n"]);
    }

    #[test]
    fn lines_of_a_value_are_known_one_by_one() {
        has("-----BEGIN-----\r\n  abcdef\nxy\n", &["-----BEGIN-----", "abcdef"]);
        assert!(!forms("-----BEGIN-----\r\n  abcdef\nxy\n").contains(&"xy".to_owned()));
    }

    #[test]
    fn what_is_around_a_value_may_be_missing_in_any_form() {
        has(" a b/c\n", &["a b/c", "a%20b%2Fc", "6120622f63", "a b\\/c", "YSBiL2M="]);
    }

    #[test]
    fn what_is_short_is_not_looked_for_in_any_form() {
        assert!(forms("abcd").iter().all(|form| form.len() >= SHORTEST));
    }
}
