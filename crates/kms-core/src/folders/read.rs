//! Folders as they are.

use kms_api::{
    FolderId,
    folders::{Folder, FolderPlace, FolderResponse, FoldersResponse, ListFoldersQuery},
    secrets::ProjectRef,
};
use kms_store::folders::{self, FolderRow};

use super::{full_view, no_environment, path_of, view};
use crate::{
    Caller, Core, Error, Result,
    access::Action,
    place::{Place, no_folder},
    text::{MAX_PATH_DEPTH, SecretPath},
};

impl Core {
    /// Lists the folders in a folder, or all below it, by path; none below a path that is not
    /// there. Those in a folder whose folders the caller may not read are left out.
    pub async fn list_folders(
        &self,
        caller: &Caller,
        query: &ListFoldersQuery,
    ) -> Result<FoldersResponse> {
        let parent = self.parent(caller, &query.place).await?;
        parent.require_folders(Action::Read)?;
        let recursive = query.recursive.is_some_and(|flag| flag.0);
        let depth = if recursive { i64::try_from(MAX_PATH_DEPTH).unwrap_or(i64::MAX) } else { 1 };
        let mut rows = folders::list(&self.store, &parent.stored(), depth).await?;
        if rows.is_empty() {
            self.require_environment(&parent).await?;
        }
        rows.retain(|row| row.path != parent.path.as_str());
        rows.sort_unstable_by(|one, other| one.path.cmp(&other.path));
        let mut listed = Vec::with_capacity(rows.len());
        for row in rows {
            let since = query.last_secret_modified.map(kms_api::Timestamp::micros);
            let modified = since.is_none_or(|since| row.last_secret_modified >= Some(since));
            if modified && parent_of(&parent, &row)?.require_folders(Action::Read).is_ok() {
                listed.push(in_list(&parent, row, recursive));
            }
        }
        Ok(FoldersResponse { folders: listed })
    }

    /// Shows a folder by its id. One in a project that the caller is not in answers like one that
    /// does not exist.
    pub async fn get_folder(&self, caller: &Caller, id: &str) -> Result<FolderResponse> {
        let id: FolderId = id.parse().map_err(|_| Error::field("folderId", "must be a UUID"))?;
        let row = folders::find(&self.store, caller.organization, id).await?;
        let row = row.ok_or_else(|| Error::not_found(no_folder(id)))?;
        let access = self.project_behind(caller, row.project_id, no_folder(id)).await?;
        let environment = row.env_slug.clone();
        let place = Place { access, environment, path: path_of(&row)? };
        parent_of(&place, &row)?.require_folders(Action::Read)?;
        Ok(FolderResponse { folder: full_view(row) })
    }

    /// Shows the folder at a path.
    pub async fn get_folder_at(
        &self,
        caller: &Caller,
        project: &str,
        environment: &str,
        path: &str,
    ) -> Result<FolderResponse> {
        let sent = FolderPlace {
            project: ProjectRef::id(project),
            environment: Some(environment.to_owned()),
            path: Some(path.to_owned()),
            directory: None,
        };
        let place = self.parent(caller, &sent).await?;
        above(&place).require_folders(Action::Read)?;
        let row = folders::find_at(&self.store, &place.stored()).await?;
        let row = row.ok_or_else(|| place.not_found())?;
        Ok(FolderResponse { folder: full_view(row) })
    }

    async fn require_environment(&self, place: &Place) -> Result<()> {
        let root = place.with_path(SecretPath::root());
        let found = folders::find_at(&self.store, &root.stored()).await?;
        found.map(|_| ()).ok_or_else(|| no_environment(place))
    }
}

/// Where rules are asked about a folder that is in the same environment as `place`.
fn parent_of(place: &Place, row: &FolderRow) -> Result<Place> {
    Ok(above(&place.with_path(path_of(row)?)))
}

/// The folder that a folder is in; the root folder is asked about itself.
fn above(place: &Place) -> Place {
    let path = place.path.parent();
    place.with_path(path)
}

fn in_list(parent: &Place, row: FolderRow, recursive: bool) -> Folder {
    let below = if parent.path.is_root() { "" } else { parent.path.as_str() };
    let relative_path = row.path.strip_prefix(below).filter(|_| recursive).map(str::to_owned);
    Folder { relative_path, ..view(row) }
}
