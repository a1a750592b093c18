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
    selection::{self, Place, shell_word},
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
    let (reader, place) = Place::to_read(&common.place, &common.read, None, context).await?;
    let secrets = selection::fetch(&reader, &place, &common.read).await?;
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
    if missing.is_empty() { Ok(()) } else { Err(not_found(&missing, &place)) }
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
    rows::print_text(&text, context)
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
            rows::print_dotenv(&existing.map(row).collect::<Vec<_>>(), context)
        }
        Form::Table => {
            let cells = found.iter().map(|(name, secret)| {
                let value = secret.map_or(NOT_FOUND, |secret| secret.secret_value.expose());
                let kind = secret.map_or(NOT_FOUND, |secret| secret.r#type.as_str());
                [*name, value, kind].map(str::to_owned).to_vec()
            });
            let headers = ["secret name", "secret value", "secret type"];
            context.ui.table(&headers, cells.collect())
        }
    }
}

fn not_found(missing: &[&str], place: &Place) -> CliError {
    let names: Vec<String> = missing.iter().map(|name| format!("`{name}`")).collect();
    CliError::failed(format!(
        "there is no secret {} in `{}` of `{}`",
        names.join(", "),
        place.paths.join("`, `"),
        place.environment
    ))
    .hint(format!(
        "the names that exist in all folders: `kms secrets --projectId {} --env {} --recursive`",
        shell_word(&place.project),
        shell_word(&place.environment)
    ))
}
