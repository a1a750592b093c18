//! `kms secrets imports`.

use kms_api::{
    SecretImportId,
    secret_imports::{CreateImport, Import, ImportChange, ImportPlace, ImportSource, UpdateImport},
    secrets::ProjectRef,
};
use kms_client::Client;
use serde::Serialize;

use super::{
    Common,
    diff::Side,
    rows::{Form, Structured},
};
use crate::{Context, error::CliError, selection::Place, ui};

/// Work with the imports of a folder: what it shows of other folders
#[derive(Debug, clap::Subcommand)]
pub(super) enum Imports {
    /// List the imports of the folder; where two have a name, the later one wins
    #[command(visible_alias = "get")]
    List,
    /// Import the secrets of another folder, after the imports that are there
    Add(SourceArg),
    /// Remove an import; the secrets at its source stay
    Remove(SourceArg),
    /// Give an import another position
    Move(MoveArgs),
}

#[derive(clap::Args, Debug)]
pub(super) struct SourceArg {
    /// Environment and folder that are imported [default folder: the one of `--path`]
    #[arg(value_name = "ENV[:PATH]")]
    source: String,
}

#[derive(clap::Args, Debug)]
pub(super) struct MoveArgs {
    #[command(flatten)]
    source: SourceArg,

    /// Position counted from 1; the others make room
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
    position: i64,
}

/// One import in an answer.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    id: SecretImportId,
    position: i64,
    environment: String,
    secret_path: String,
}

impl From<Import> for Row {
    fn from(import: Import) -> Self {
        let Import { id, position, import_env, import_path, .. } = import;
        Self { id, position, environment: import_env.slug, secret_path: import_path }
    }
}

pub(super) async fn run(
    command: Imports,
    common: &Common,
    context: &Context,
) -> Result<(), CliError> {
    common.read.refuse("secrets imports")?;
    common.refuse_plain("secrets imports")?;
    let structured = Form::decide(common, context)?.structured()?;
    let place = Place::resolve(&common.place, context)?;
    let at = At { client: context.settings.client()?, path: place.path()?, place: &place };
    match command {
        Imports::List => {
            let rows = at.list().await?.into_iter().map(Row::from).collect();
            list(rows, structured, context)
        }
        Imports::Add(args) => {
            let source = args.parse(&place)?;
            let body = CreateImport { place: at.wire(), import: source, is_replication: None };
            let answer = at.client.create_import(&body).await;
            let made = answer.map_err(|error| at.explain("add an import to", error))?;
            at.report("Added", made.secret_import, structured, context)
        }
        Imports::Remove(args) => {
            let id = at.find(&args.parse(&place)?).await?;
            let answer = at.client.delete_import(id, &at.wire()).await;
            let gone = answer.map_err(|error| at.explain("remove an import from", error))?;
            at.report("Removed", gone.secret_import, structured, context)
        }
        Imports::Move(args) => {
            let id = at.find(&args.source.parse(&place)?).await?;
            let import = ImportChange { position: Some(args.position), ..ImportChange::default() };
            let body = UpdateImport { place: at.wire(), import };
            let answer = at.client.update_import(id, &body).await;
            let moved = answer.map_err(|error| at.explain("move an import of", error))?;
            at.report("Moved", moved.secret_import, structured, context)
        }
    }
}

impl SourceArg {
    fn parse(&self, place: &Place) -> Result<ImportSource, CliError> {
        let source = Side::parse(&self.source, place)?.place;
        let path = source.path()?.to_owned();
        Ok(ImportSource { environment: source.environment, path })
    }
}

/// The folder that imports.
struct At<'a> {
    client: Client,
    place: &'a Place,
    path: &'a str,
}

impl At<'_> {
    fn wire(&self) -> ImportPlace {
        ImportPlace {
            project: ProjectRef::id(&self.place.project),
            environment: Some(self.place.environment.clone()),
            path: Some(self.path.to_owned()),
        }
    }

    async fn list(&self) -> Result<Vec<Import>, CliError> {
        let answer = self.client.list_imports(&self.wire()).await;
        Ok(answer.map_err(|error| self.explain("list the imports of", error))?.secret_imports)
    }

    async fn find(&self, source: &ImportSource) -> Result<SecretImportId, CliError> {
        let is_it = |import: &Import| {
            import.import_env.slug == source.environment
                && import.import_path.trim_matches('/') == source.path.trim_matches('/')
        };
        let found = self.list().await?.into_iter().find(is_it);
        found.map(|import| import.id).ok_or_else(|| {
            CliError::failed(format!(
                "`{}` of `{}` does not import `{}` of `{}`",
                self.path, self.place.environment, source.path, source.environment
            ))
            .hint("what it imports: `kms secrets imports list`")
        })
    }

    fn explain(&self, doing: &str, error: kms_client::Error) -> CliError {
        self.place.explain(doing, self.path, error)
    }

    fn report(
        &self,
        done: &str,
        import: Import,
        structured: Option<Structured>,
        context: &Context,
    ) -> Result<(), CliError> {
        let row = Row::from(import);
        if let Some(structured) = structured {
            return structured.print(&row, context);
        }
        context.ui.notice(&format!(
            "{done} the import of `{}` of `{}`, position {}, in `{}` of `{}`",
            row.secret_path, row.environment, row.position, self.path, self.place.environment
        ));
        Ok(())
    }
}

fn list(rows: Vec<Row>, structured: Option<Structured>, context: &Context) -> Result<(), CliError> {
    if let Some(structured) = structured {
        return structured.print(&rows, context);
    }
    let cells = rows.into_iter().map(|row| {
        let path = ui::escape_line(&row.secret_path);
        vec![row.position.to_string(), row.environment, path, row.id.to_string()]
    });
    context.ui.table(&["position", "environment", "path", "import id"], cells.collect())
}
