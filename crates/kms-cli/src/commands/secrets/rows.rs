//! The forms in which these commands answer.

use kms_api::{SecretValue, secrets::Secret};
use secrecy::zeroize::Zeroizing;
use serde::Serialize;

use super::Common;
use crate::{Context, error::CliError, selection};

/// What a table shows in the place of a value that may not be read.
pub(super) const HIDDEN: &str = "*hidden*";

/// How to answer; decided before anything is read or changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Table,
    Structured(Structured),
    /// Unquoted `NAME=VALUE` lines.
    Dotenv,
}

/// How to answer a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Structured {
    /// On one line.
    Json,
    Yaml,
}

impl Form {
    /// Reads `-o` or `--output`.
    pub(super) fn decide(common: &Common, context: &Context) -> Result<Self, CliError> {
        let given = common.format.as_deref();
        match given.or(context.settings.output.as_deref()) {
            None | Some("table") => Ok(Self::Table),
            Some("json") => Ok(Self::Structured(Structured::Json)),
            Some("yaml") => Ok(Self::Structured(Structured::Yaml)),
            Some("dotenv") => Ok(Self::Dotenv),
            Some(other) => Err(CliError::usage(format!("unknown output format `{other}`"))
                .hint("use `--output json`, `yaml`, `dotenv` or `table`")),
        }
    }

    /// For answers that are not names and values: `None` is the form for people.
    pub(super) fn structured(self) -> Result<Option<Structured>, CliError> {
        match self {
            Self::Table => Ok(None),
            Self::Structured(structured) => Ok(Some(structured)),
            Self::Dotenv => Err(CliError::usage("`--output dotenv` has no meaning here")
                .hint("use `--output json` or `yaml`")),
        }
    }
}

impl Structured {
    /// Writes a list or an object.
    pub(super) fn print(self, value: &impl Serialize, context: &Context) -> Result<(), CliError> {
        match self {
            Self::Json => {
                let text = serde_json::to_string(value).map_err(CliError::internal)? + "\n";
                context.ui.json_text(&Zeroizing::new(text))
            }
            Self::Yaml => {
                let text = serde_saphyr::to_string(value).map_err(CliError::internal)?;
                context.ui.text(&Zeroizing::new(text))
            }
        }
    }
}

/// One secret in an answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Row {
    pub(super) secret_key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) secret_value: Option<SecretValue>,
    /// Says that the value is only the text that stands for one that may not be read.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) secret_value_hidden: bool,
    /// Only where secrets of several folders are listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) secret_path: Option<String>,
    /// Only where something was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) operation: Option<&'static str>,
}

impl Row {
    /// Without a value.
    pub(super) fn named(name: String) -> Self {
        Self {
            secret_key: name,
            secret_value: None,
            secret_value_hidden: false,
            secret_path: None,
            operation: None,
        }
    }

    pub(super) fn new(name: &str, value: SecretValue) -> Self {
        Self {
            secret_key: name.to_owned(),
            secret_value: Some(value),
            secret_value_hidden: false,
            secret_path: None,
            operation: None,
        }
    }
}

/// A value as a table shows it.
pub(super) fn shown(secret: &Secret) -> &str {
    if selection::is_hidden(secret) { HIDDEN } else { secret.secret_value.expose() }
}

impl From<&Secret> for Row {
    fn from(secret: &Secret) -> Self {
        Self {
            secret_value_hidden: selection::is_hidden(secret),
            ..Self::new(&secret.secret_key, secret.secret_value.clone())
        }
    }
}

/// Writes `NAME=VALUE` lines, which cannot carry a name or a value of several lines: it would look
/// like further names.
pub(super) fn print_dotenv(rows: &[Row], context: &Context) -> Result<(), CliError> {
    refuse_names(rows)?;
    let broken = with_line_breaks(rows);
    if !broken.is_empty() {
        return Err(CliError::failed(format!(
            "`NAME=VALUE` lines cannot carry values of several lines: {}",
            broken.join(", ")
        ))
        .hint("use `--output json`, or `kms export`, which quotes"));
    }
    context.ui.text(&lines(rows))
}

/// Writes `NAME=VALUE` lines as they come, and warns about values of several lines.
pub(super) fn print_plain(rows: &[Row], context: &Context) -> Result<(), CliError> {
    refuse_names(rows)?;
    let broken = with_line_breaks(rows);
    if !broken.is_empty() {
        context.ui.warn(&format!(
            "these values have several lines, so lines are not names and values any more: {}; \
             `kms export` quotes",
            broken.join(", ")
        ));
    }
    context.ui.text(&lines(rows))
}

/// No server of the contract stores such a name; one that sends it wants another line read (L11).
fn refuse_names(rows: &[Row]) -> Result<(), CliError> {
    let breaks = |row: &&Row| row.secret_key.contains(char::is_control);
    match rows.iter().find(breaks) {
        Some(row) => Err(CliError::failed(format!(
            "`NAME=VALUE` lines cannot carry the name `{}`",
            row.secret_key
        ))
        .hint("use `--output json`, and ask who made it")),
        None => Ok(()),
    }
}

fn with_line_breaks(rows: &[Row]) -> Vec<String> {
    let is_broken = |row: &&Row| {
        let value = row.secret_value.as_ref();
        value.is_some_and(|value| value.expose().contains(['\n', '\r']))
    };
    let broken = rows.iter().filter(is_broken);
    broken.map(|row| format!("`{}`", row.secret_key)).collect()
}

fn lines(rows: &[Row]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::new());
    for row in rows {
        text.push_str(&row.secret_key);
        text.push('=');
        if let Some(value) = &row.secret_value {
            text.push_str(value.expose());
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_hold_only_what_the_answer_is_about() {
        let row = Row::new("A", "<1>".into());
        let text = serde_json::to_string(&[row]).unwrap();
        assert_eq!(text, r#"[{"secretKey":"A","secretValue":"<1>"}]"#);
    }

    #[test]
    fn values_of_several_lines_are_found() {
        let rows = [Row::new("A", "1".into()), Row::new("B", "1\n2".into())];
        assert_eq!(with_line_breaks(&rows), ["`B`"]);
        assert_eq!(lines(&rows[..1]).as_str(), "A=1\n");
    }

    #[test]
    fn l11_a_name_that_would_be_two_lines_is_refused() {
        assert!(refuse_names(&[Row::new("A", "1".into())]).is_ok());
        for name in ["A\nB", "A\rB", "A\u{1b}[2J"] {
            assert!(refuse_names(&[Row::new(name, "1".into())]).is_err(), "{name:?}");
        }
    }
}
