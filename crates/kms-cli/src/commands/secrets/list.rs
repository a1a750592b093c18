//! `kms secrets` without a further command.

use kms_api::secrets::Secret;

use super::{
    Common,
    rows::{self, Form, Row},
};
use crate::{
    Context,
    error::CliError,
    selection::{self, Selection},
    ui,
};

pub(super) async fn run(common: &Common, context: &Context) -> Result<(), CliError> {
    let view = View::decide(common, context)?;
    let (reader, selection) = Selection::to_read(&common.place, &common.read, context).await?;
    view.print(selection.fetch(&reader).await?, selection.is_several(), context)
}

/// How a list is printed.
pub(super) struct View {
    form: Form,
    plain: bool,
}

impl View {
    pub(super) fn decide(common: &Common, context: &Context) -> Result<Self, CliError> {
        Ok(Self { form: Form::decide(common, context)?, plain: common.plain })
    }

    /// Prints secrets by name; their folders too, where there may be several.
    pub(super) fn print(
        &self,
        mut secrets: Vec<Secret>,
        several: bool,
        context: &Context,
    ) -> Result<(), CliError> {
        secrets.sort_by(|a, b| {
            (a.secret_key.as_bytes(), &a.secret_path)
                .cmp(&(b.secret_key.as_bytes(), &b.secret_path))
        });
        let rows = || -> Vec<Row> { secrets.iter().map(|secret| row(secret, several)).collect() };
        match self.form {
            Form::Structured(structured) => structured.print(&rows(), context),
            Form::Dotenv => {
                selection::require_values(&secrets)?;
                rows::print_dotenv(&rows(), context)
            }
            Form::Table if self.plain => {
                selection::require_values(&secrets)?;
                rows::print_plain(&rows(), context)
            }
            Form::Table => table(&secrets, several, context),
        }
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
            ui::escape_line(&secret.secret_key),
            rows::shown(secret).to_owned(),
            secret.r#type.clone(),
        ];
        if several {
            cells.push(secret.secret_path.clone().unwrap_or_default());
        }
        cells
    };
    context.ui.table(&headers, secrets.iter().map(cells).collect())
}
