//! `kms secrets` without a further command.

use kms_api::secrets::Secret;

use super::{
    Common,
    rows::{self, Form, Row},
};
use crate::{
    Context,
    error::CliError,
    selection::{self, Place},
};

pub(super) async fn run(common: &Common, context: &Context) -> Result<(), CliError> {
    let form = Form::decide(common, context)?;
    let (reader, place) = Place::to_read(&common.place, &common.read, None, context).await?;
    let mut secrets = selection::fetch(&reader, &place, &common.read).await?;
    secrets.sort_by(|a, b| a.secret_key.as_bytes().cmp(b.secret_key.as_bytes()));
    let several = common.read.is_recursive() || place.paths.len() > 1;
    let rows = || -> Vec<Row> { secrets.iter().map(|secret| row(secret, several)).collect() };
    match form {
        Form::Structured(structured) => structured.print(&rows(), context),
        Form::Dotenv => rows::print_dotenv(&rows(), context),
        Form::Table if common.plain => rows::print_plain(&rows(), context),
        Form::Table => table(&secrets, several, context),
    }
}

fn row(secret: &Secret, several: bool) -> Row {
    Row { secret_path: several.then(|| secret.secret_path.clone()).flatten(), ..Row::from(secret) }
}

fn table(secrets: &[Secret], several: bool, context: &Context) -> Result<(), CliError> {
    let mut headers = vec!["secret name", "secret value", "secret type"];
    if several {
        headers.push("secret path");
    }
    let cells = |secret: &Secret| {
        let mut cells = vec![
            secret.secret_key.clone(),
            secret.secret_value.expose().to_owned(),
            secret.r#type.clone(),
        ];
        if several {
            cells.push(secret.secret_path.clone().unwrap_or_default());
        }
        cells
    };
    context.ui.table(&headers, secrets.iter().map(cells).collect())
}
