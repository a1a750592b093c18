//! Folders: a tree for every environment, from its root folder down.
//!
//! Rules are asked about the environment and the path of the *parent*. Whatever changes the tree
//! holds the environment's folders first ([`kms_store::folders::lock`]), so that no path is made
//! from a parent that is being renamed.

mod create;
mod delete;
mod read;
mod rename;
#[cfg(test)]
mod tests;

use kms_api::{
    FolderId, Timestamp,
    folders::{Folder, FolderEnvironment, FolderPlace},
};
use kms_store::{
    Tx,
    folders::{self, FolderRow},
};

use crate::{
    Caller, Core, Error, Result,
    audit::Event,
    place::Place,
    text::{SecretPath, check_folder_name},
};

/// The longest description, in characters.
const MAX_DESCRIPTION: usize = 256;

impl Core {
    /// The parent folder that a request names.
    async fn parent(&self, caller: &Caller, sent: &FolderPlace) -> Result<Place> {
        let path = match sent.path.as_deref() {
            None => ("directory", sent.directory.as_deref()),
            path => ("path", path),
        };
        self.place(caller, &sent.project, sent.environment.as_deref(), path).await
    }

    /// Starts a change of an environment's folders.
    async fn hold(&self, place: &Place) -> Result<Tx> {
        let mut tx = self.store.begin().await?;
        self.hold_also(&mut tx, place).await?;
        Ok(tx)
    }

    /// Goes on with the folders of one more environment.
    pub(crate) async fn hold_also(&self, tx: &mut Tx, place: &Place) -> Result<()> {
        let org = place.access.project.org_id;
        if folders::lock(tx, org, place.access.id(), &place.environment).await? {
            return Ok(());
        }
        Err(no_environment(place))
    }

    /// Ends a change of an environment's folders: with its records, or not at all.
    async fn release(
        &self,
        mut tx: Tx,
        caller: &Caller,
        place: &Place,
        events: Vec<Event>,
    ) -> Result<()> {
        self.touches_project(&mut tx, place.access.id());
        for event in events {
            tx.audit(self.record(caller, &event));
        }
        Ok(tx.commit().await?)
    }
}

/// The folder in a parent that a request names by its id or its name. The root folder is in no
/// parent, so it is never found here.
async fn child(tx: &mut Tx, parent: &Place, id_or_name: &str) -> Result<FolderRow> {
    let place = parent.stored();
    check_folder_name("folderIdOrName", id_or_name)?;
    if let Ok(id) = id_or_name.parse::<FolderId>() {
        let found = folders::find(&mut *tx, place.org, id).await?;
        let here = |row: &FolderRow| {
            row.project_id == place.project
                && row.env_slug == place.environment
                && row.path == parent.path.join(&row.name).as_str()
        };
        if let Some(row) = found.filter(here) {
            return Ok(row);
        }
    }
    // Also a name may look like an id.
    let path = parent.path.join(id_or_name);
    let found = folders::find_at(tx, &parent.with_path(path).stored()).await?;
    found.ok_or_else(|| Error::not_found(format!("Folder '{id_or_name}' not found")))
}

fn no_environment(place: &Place) -> Error {
    let slug = &place.environment;
    Error::not_found(format!("Environment with slug '{slug}' not found"))
}

/// The path of a stored folder.
fn path_of(row: &FolderRow) -> Result<SecretPath> {
    SecretPath::parse("path", Some(&row.path))
}

/// What the log is told about a change of a folder.
fn about(parent: &Place, kind: &'static str, row: &FolderRow) -> Event {
    parent.event(kind).details([
        ("folderId", row.id.to_string().into()),
        ("folderName", row.name.as_str().into()),
        ("folderPath", row.path.as_str().into()),
    ])
}

/// A folder as every route answers it.
fn view(row: FolderRow) -> Folder {
    Folder {
        id: row.id,
        name: row.name,
        version: row.version,
        created_at: Timestamp(row.created_at),
        updated_at: Timestamp(row.updated_at),
        env_id: row.env_id,
        parent_id: row.parent_id,
        is_reserved: false,
        description: row.description,
        last_secret_modified: row.last_secret_modified.map(Timestamp),
        path: Some(row.path),
        relative_path: None,
        project_id: None,
        environment: None,
    }
}

/// A folder as it is answered on its own.
fn full_view(row: FolderRow) -> Folder {
    let project_id = Some(row.project_id);
    let environment = Some(FolderEnvironment {
        env_id: row.env_id,
        env_name: row.env_name.clone(),
        env_slug: row.env_slug.clone(),
        id: Some(row.env_id),
    });
    Folder { project_id, environment, ..view(row) }
}

fn check_description(description: Option<&str>) -> Result<()> {
    crate::text::note("description", description.unwrap_or_default(), MAX_DESCRIPTION)
}
