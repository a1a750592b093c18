//! `NAME='value'` lines.
//!
//! There is no standard; every reader has its own rules. A value is written in the first form of
//! this table that fits it. "All" are bash, dash and zsh (`source`), python-dotenv, the dotenv
//! package of Node.js and docker compose.
//!
//! | value | written | read back by |
//! | --- | --- | --- |
//! | no `'`, no `${`, no carriage return, no two backslashes in a row, no final backslash | `'value'` | all |
//! | `'`, and none of `"`, `\`, `$`, backtick, carriage return | `"value"` | all |
//! | no `'`, no final backslash | `'value'` | shells; the name is reported |
//! | no final backslash | `"value"` with `\` before `"`, `\`, `$`, backtick | shells; the name is reported |
//! | a final backslash, NUL | refused | |
//!
//! The reasons: python-dotenv expands `${…}` and halves `\\` even between single quotes; Node.js
//! never removes a backslash; both take a backslash before the closing quote as an escaped quote
//! and read on into the next lines; all but the shells turn a carriage return into a newline.
//! Other readers agree on less: `node --env-file` knows no escapes at all and takes `\"` for the
//! end. Newlines stay real in every form. A name must be a shell variable's name.

use super::{Pair, Refusal, Rendered, buffer, names, refuse};

/// How a value is quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Single,
    Double,
}

/// The form of a value and whether every reader agrees on it (module table).
fn form_of(value: &str) -> (Form, bool) {
    let has = |pattern: &str| value.contains(pattern);
    if has("'") {
        let agreed = !value.contains(['"', '\\', '$', '`', '\r']);
        (Form::Double, agreed)
    } else {
        let agreed = !(has("${") || has("\\\\") || has("\r"));
        (Form::Single, agreed)
    }
}

pub(super) fn write(pairs: &[Pair<'_>]) -> Result<Rendered, Vec<Refusal>> {
    refuse(pairs, |pair| {
        if !names::is_identifier(pair.name) {
            Some("is not a variable's name (letters, digits and `_`, no digit first)")
        } else if pair.value.contains('\0') {
            Some("its value holds a NUL character")
        } else if pair.value.ends_with('\\') {
            Some("its value ends in a backslash, which readers take for an escaped quote")
        } else {
            None
        }
    })?;
    let mut text = buffer(pairs);
    let mut shell_only = Vec::new();
    for pair in pairs {
        let (form, agreed) = form_of(pair.value);
        text.push_str(pair.name);
        text.push('=');
        match form {
            Form::Single => {
                text.push('\'');
                text.push_str(pair.value);
                text.push('\'');
            }
            Form::Double => push_double_quoted(&mut text, pair.value),
        }
        text.push('\n');
        if !agreed {
            shell_only.push(pair.name.to_owned());
        }
    }
    Ok(Rendered { text, shell_only })
}

fn push_double_quoted(text: &mut String, value: &str) {
    text.push('"');
    for character in value.chars() {
        if matches!(character, '"' | '\\' | '$' | '`') {
            text.push('\\');
        }
        text.push(character);
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(value: &str) -> (String, bool) {
        let rendered = write(&[Pair { name: "K", value }]).unwrap();
        (rendered.text.to_string(), rendered.shell_only.is_empty())
    }

    #[test]
    fn ordinary_values_are_written_as_the_compatible_client_writes_them() {
        for value in ["", "one", "a b", "{\"a\":\"b\\nc\"}", "pa$$word", "#", "é", "a\nb"] {
            assert_eq!(line(value), (format!("K='{value}'\n"), true));
        }
    }

    #[test]
    fn a_single_quote_alone_moves_the_value_into_double_quotes() {
        assert_eq!(line("it's"), ("K=\"it's\"\n".to_owned(), true));
    }

    #[test]
    fn values_without_a_common_form_are_written_for_the_shell_and_reported() {
        assert_eq!(line("${HOME}"), ("K='${HOME}'\n".to_owned(), false));
        assert_eq!(line("\\\\srv"), ("K='\\\\srv'\n".to_owned(), false));
        assert_eq!(line("'\"$`\\x"), ("K=\"'\\\"\\$\\`\\\\x\"\n".to_owned(), false));
    }

    #[test]
    fn r2_what_would_spill_into_other_lines_is_refused_by_name() {
        for value in ["C:\\", "it's\\", "a\0b"] {
            let refused = write(&[Pair { name: "K", value }]).unwrap_err();
            assert_eq!(refused[0].name, "K");
        }
    }
}
