//! `NAME=VALUE` arguments of `secrets set`.

use std::path::PathBuf;

use kms_api::SecretValue;

use super::{InputError, check_name};

/// Where the value of an argument is.
#[derive(Debug)]
pub enum Source {
    /// In the argument.
    Argument(SecretValue),
    /// In a file (`NAME=@FILE`), taken verbatim; `-` is the standard input.
    File(PathBuf),
}

/// Reads an argument: split at the first `=`; `@FILE` names a file, `\@text` is the text `@text`.
///
/// `position` counts from 1 and stands for the argument in errors.
pub fn parse_argument(position: usize, argument: &str) -> Result<(String, Source), InputError> {
    let (name, value) = argument
        .split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .ok_or(InputError::NotAnAssignment { position })?;
    check_name(name).map_err(|reason| InputError::Name { name: name.to_owned(), reason })?;
    let source = match value.strip_prefix('@') {
        Some(path) => Source::File(PathBuf::from(path)),
        None if value.starts_with("\\@") => Source::Argument(value[1..].into()),
        None => Source::Argument(value.into()),
    };
    Ok((name.to_owned(), source))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(argument: &str) -> String {
        match parse_argument(1, argument).unwrap().1 {
            Source::Argument(value) => value.expose().to_owned(),
            Source::File(path) => format!("file {}", path.display()),
        }
    }

    #[test]
    fn the_first_equals_sign_splits_and_an_empty_value_is_a_value() {
        assert_eq!(value("A=b=c"), "b=c");
        assert_eq!(value("A="), "");
        assert_eq!(value("A=<x"), "<x");
    }

    #[test]
    fn an_at_sign_names_a_file_and_a_backslash_keeps_it_literal() {
        assert_eq!(value("A=@/etc/x"), "file /etc/x");
        assert_eq!(value("A=@-"), "file -");
        assert_eq!(value("A=\\@x"), "@x");
        assert_eq!(value("A=\\x"), "\\x");
    }

    #[test]
    fn d6_an_argument_without_a_name_is_refused_without_repeating_it() {
        for argument in ["canary", "=canary"] {
            let text = parse_argument(3, argument).unwrap_err().to_string();
            assert_eq!(text, "argument 3 is not of the form NAME=VALUE");
        }
    }
}
