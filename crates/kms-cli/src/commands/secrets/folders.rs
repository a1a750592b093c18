//! `kms secrets folders`.

use kms_api::{
    FolderId,
    folders::{DeleteFolder, Folder, FolderBody, FolderPlace, ListFoldersQuery},
    secrets::ProjectRef,
    wire::WireBool,
};
use serde::Serialize;

use super::{
    Common,
    rows::{Form, Structured},
    tree,
};
use crate::{Context, error::CliError, selection::Place, ui};

/// Work with folders
#[derive(Debug, clap::Subcommand)]
pub(super) enum Folders {
    /// List the folders of a folder
    #[command(visible_alias = "list")]
    Get(GetArgs),
    /// Create a folder
    Create(NameArg),
    /// Delete a folder with everything in it
    Delete(NameArg),
}

#[derive(clap::Args, Debug)]
pub(super) struct GetArgs {
    /// Draw all folders below as a tree
    #[arg(long)]
    tree: bool,
}

#[derive(clap::Args, Debug)]
pub(super) struct NameArg {
    /// Name of the folder in `--path`
    #[arg(long, short, value_name = "NAME")]
    name: String,
}

/// One folder in an answer.
#[expect(clippy::struct_field_names, reason = "these are the names on the wire")]
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    folder_name: String,
    folder_path: String,
    folder_id: FolderId,
}

impl Row {
    fn new(folder: &Folder, parent: &str) -> Self {
        let below = folder.relative_path.as_deref().unwrap_or(&folder.name);
        let parent = parent.trim_end_matches('/');
        Self {
            folder_name: folder.name.clone(),
            folder_path: format!("{parent}/{}", below.trim_start_matches('/')),
            folder_id: folder.id,
        }
    }
}

pub(super) async fn run(
    command: Folders,
    common: &Common,
    context: &Context,
) -> Result<(), CliError> {
    let structured = Form::decide(common, context)?.structured()?;
    if !matches!(command, Folders::Get(_)) {
        common.read.refuse("secrets folders")?;
    }
    common.read.refuse_copies("secrets folders")?;
    let place = Place::resolve(&common.place, context)?;
    let at = At { place: &place, path: place.path()? };
    match command {
        Folders::Get(args) if args.tree => at.tree(structured, context).await,
        Folders::Get(_) => at.get(common.read.is_recursive(), structured, context).await,
        Folders::Create(args) => at.create(args.name, structured, context).await,
        Folders::Delete(args) => at.delete(&args.name, structured, context).await,
    }
}

/// The folder in which to work.
struct At<'a> {
    place: &'a Place,
    path: &'a str,
}

impl At<'_> {
    fn wire(&self) -> FolderPlace {
        FolderPlace {
            project: ProjectRef::id(&self.place.project),
            environment: Some(self.place.environment.clone()),
            path: Some(self.path.to_owned()),
            ..FolderPlace::default()
        }
    }

    async fn list(&self, recursive: bool, context: &Context) -> Result<Vec<Folder>, CliError> {
        let query = ListFoldersQuery {
            place: self.wire(),
            recursive: Some(WireBool(recursive)),
            ..ListFoldersQuery::default()
        };
        let answer = context.settings.client()?.list_folders(&query).await;
        let answer =
            answer.map_err(|error| self.place.explain("list the folders of", self.path, error))?;
        Ok(answer.folders)
    }

    async fn tree(
        &self,
        structured: Option<Structured>,
        context: &Context,
    ) -> Result<(), CliError> {
        if structured.is_some() {
            return Err(CliError::usage("a tree has no other format")
                .hint("`--recursive` lists the same folders in every format"));
        }
        let folders = self.list(true, context).await?;
        let paths =
            folders.iter().map(|folder| folder.relative_path.as_deref().unwrap_or(&folder.name));
        context.ui.raw(tree::draw(self.path, paths).as_bytes())
    }

    async fn get(
        &self,
        recursive: bool,
        structured: Option<Structured>,
        context: &Context,
    ) -> Result<(), CliError> {
        let folders = self.list(recursive, context).await?;
        let rows: Vec<Row> = folders.iter().map(|folder| Row::new(folder, self.path)).collect();
        if let Some(structured) = structured {
            return structured.print(&rows, context);
        }
        let cells = rows
            .into_iter()
            .map(|row| [row.folder_name, row.folder_path, row.folder_id.to_string()])
            .map(|cells| cells.iter().map(|cell| ui::escape_line(cell)).collect::<Vec<_>>());
        context.ui.table(&["folder name", "path", "folder id"], cells.collect())
    }

    async fn create(
        &self,
        name: String,
        structured: Option<Structured>,
        context: &Context,
    ) -> Result<(), CliError> {
        let body = FolderBody { place: self.wire(), name, description: None };
        let answer = context.settings.client()?.create_folder(&body).await;
        let answer =
            answer.map_err(|error| self.place.explain("create a folder in", self.path, error))?;
        self.report("Created", &answer.folder, structured, context)
    }

    async fn delete(
        &self,
        name: &str,
        structured: Option<Structured>,
        context: &Context,
    ) -> Result<(), CliError> {
        let body = DeleteFolder { place: self.wire(), force_delete: None };
        let answer = context.settings.client()?.delete_folder(name, &body).await;
        let answer =
            answer.map_err(|error| self.place.explain("delete a folder of", self.path, error))?;
        self.report("Deleted", &answer.folder, structured, context)
    }

    fn report(
        &self,
        done: &str,
        folder: &Folder,
        structured: Option<Structured>,
        context: &Context,
    ) -> Result<(), CliError> {
        let row = Row::new(folder, self.path);
        if let Some(structured) = structured {
            return structured.print(&row, context);
        }
        context.ui.notice(&format!(
            "{done} the folder `{}` of `{}`",
            row.folder_path, self.place.environment
        ));
        Ok(())
    }
}
