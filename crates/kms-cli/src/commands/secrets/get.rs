//! `kms secrets get`.

use std::collections::HashMap;

use kms_api::secrets::Secret;
use secrecy::zeroize::Zeroizing;

use super::{
    Common,
    rows::{self, Form, Row},
};
use crate::{
    Context,
    error::CliError,
    selection::{self, Place, Selection, shell_word},
    ui,
};

/// What stands in the place of a secret that does not exist, as in the compatible client.
const NOT_FOUND: &str = "*not found*";

/// Read secrets by name
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Names of the secrets
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
}

pub(super) async fn run(args: &Args, common: &Common, context: &Context) -> Result<(), CliError> {
    let form = Form::decide(common, context)?;
    let (reader, selection) = Selection::to_read(&common.place, &common.read, context).await?;
    let secrets = selection.fetch(&reader).await?;
    let by_name: HashMap<&str, &Secret> =
        secrets.iter().map(|secret| (secret.secret_key.as_str(), secret)).collect();
    let found: Vec<(&str, Option<&Secret>)> = args
        .names
        .iter()
        .map(|name| (name.as_str(), by_name.get(name.as_str()).copied()))
        .collect();
    if common.plain {
        plain(&found, context)?;
    } else {
        print(form, &found, context)?;
    }
    let missing: Vec<&str> =
        found.iter().filter(|(_, secret)| secret.is_none()).map(|(name, _)| *name).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let error = not_found(&missing, &selection);
    Err(match look_alikes(&missing, &secrets) {
        names if names.is_empty() => error,
        names => error.hint(format!("upper and lower case count: there is {}", names.join(", "))),
    })
}

/// Only the values that exist, one on a line.
fn plain(found: &[(&str, Option<&Secret>)], context: &Context) -> Result<(), CliError> {
    let secrets = || found.iter().filter_map(|(_, secret)| *secret);
    selection::require_values(secrets())?;
    let mut text = Zeroizing::new(String::new());
    for secret in secrets() {
        text.push_str(secret.secret_value.expose());
        text.push('\n');
    }
    context.ui.text(&text)
}

fn print(form: Form, found: &[(&str, Option<&Secret>)], context: &Context) -> Result<(), CliError> {
    let row = |(name, secret): &(&str, Option<&Secret>)| match secret {
        Some(secret) => Row::from(*secret),
        None => Row::new(name, NOT_FOUND.into()),
    };
    match form {
        Form::Structured(structured) => {
            let rows: Vec<Row> = found.iter().map(row).collect();
            structured.print(&rows, context)
        }
        Form::Dotenv => {
            let existing = found.iter().filter(|(_, secret)| secret.is_some());
            selection::require_values(found.iter().filter_map(|(_, secret)| *secret))?;
            rows::print_dotenv(&existing.map(row).collect::<Vec<_>>(), context)
        }
        Form::Table => {
            let cells = found.iter().map(|(name, secret)| {
                let value = secret.map_or(NOT_FOUND, rows::shown);
                let kind = secret.map_or(NOT_FOUND, |secret| secret.r#type.as_str());
                vec![ui::escape_line(name), value.to_owned(), kind.to_owned()]
            });
            let headers = ["secret name", "secret value", "secret type"];
            context.ui.table(&headers, cells.collect())
        }
    }
}

fn not_found(missing: &[&str], selection: &Selection) -> CliError {
    let names: Vec<String> = missing.iter().map(|name| format!("`{name}`")).collect();
    let (names, title) = (names.join(", "), selection.title());
    let error = CliError::failed(format!("there is no secret {names} in {title}"));
    let mut hints: Vec<String> = selection.places().map(hint).collect();
    hints.dedup();
    hints.into_iter().fold(error, CliError::hint)
}

fn hint(place: &Place) -> String {
    format!(
        "the names that exist in all folders: `kms secrets --projectId {} --env {} --recursive`",
        shell_word(&place.project),
        shell_word(&place.environment)
    )
}

/// Names that are the same but for upper and lower case.
fn look_alikes(missing: &[&str], secrets: &[Secret]) -> Vec<String> {
    let is_meant = |name: &str| missing.iter().any(|missing| missing.eq_ignore_ascii_case(name));
    let names = secrets.iter().map(|secret| secret.secret_key.as_str());
    names.filter(|name| is_meant(name)).map(|name| format!("`{name}`")).collect()
}
