//! Other names for folders. What is below moves along; nothing is sealed anew, since values are
//! bound to the ids of folders. Rules know folders and secrets by their paths, so nobody renames one
//! about which their own rules would decide otherwise then, and whoever renames one must be allowed
//! to read all that is in it and below it.

use std::collections::HashSet;

use kms_api::folders::{BatchFolders, FolderBody, FolderPlace, FolderResponse, FoldersResponse};
use kms_store::{
    StoreError, Tx,
    folders::{self, FolderRow},
    secret_imports,
};

use super::{check_description, child, path_of, view};
use crate::{
    Caller, Core, Error, Result,
    access::{Action, Renamed},
    audit::Event,
    place::Place,
    text::check_folder_name,
};

/// Folders in one batch at most.
const MAX_BATCH: usize = 100;

impl Core {
    /// Renames a folder, named by its id or its present name in the parent.
    pub async fn update_folder(
        &self,
        caller: &Caller,
        id_or_name: &str,
        body: &FolderBody,
    ) -> Result<FolderResponse> {
        let parent = self.parent(caller, &body.place).await?;
        let to = To::check(&body.name, body.description.as_deref())?;
        parent.require_folders(Action::Edit)?;
        let mut tx = self.hold(&parent).await?;
        let (row, event) = self.rename_folder(&mut tx, &parent, id_or_name, to).await?;
        self.release(tx, caller, &parent, vec![event]).await?;
        Ok(FolderResponse { folder: view(row) })
    }

    /// Renames all of these folders, or none.
    pub async fn update_folders(
        &self,
        caller: &Caller,
        body: &BatchFolders,
    ) -> Result<FoldersResponse> {
        if !(1..=MAX_BATCH).contains(&body.folders.len()) {
            return Err(Error::field("folders", format!("must have 1 to {MAX_BATCH} elements")));
        }
        let ids: HashSet<_> = body.folders.iter().map(|folder| folder.id.to_string()).collect();
        if ids.len() < body.folders.len() {
            return Err(Error::field("folders", "must not name a folder twice"));
        }
        let mut wanted = Vec::with_capacity(body.folders.len());
        for folder in &body.folders {
            let sent = FolderPlace {
                project: body.project.clone(),
                environment: Some(folder.environment.clone()),
                path: folder.path.clone(),
                directory: None,
            };
            let parent = self.parent(caller, &sent).await?;
            let to = To::check(&folder.name, folder.description.as_deref())?;
            parent.require_folders(Action::Edit)?;
            wanted.push((parent, folder.id.to_string(), to));
        }
        // Environments are held in one order by everybody.
        wanted.sort_by(|(one, ..), (other, ..)| one.environment.cmp(&other.environment));
        let Some((first, ..)) = wanted.first() else {
            return Err(Error::field("folders", "must have an element"));
        };
        let place = first.clone();
        let mut tx = self.hold(&place).await?;
        let (mut answer, mut events) = (Vec::new(), Vec::new());
        for (parent, id, to) in wanted {
            self.hold_also(&mut tx, &parent).await?;
            let (row, event) = self.rename_folder(&mut tx, &parent, &id, to).await?;
            answer.push(view(row));
            events.push(event);
        }
        self.release(tx, caller, &place, events).await?;
        Ok(FoldersResponse { folders: answer })
    }

    async fn rename_folder(
        &self,
        tx: &mut Tx,
        parent: &Place,
        id_or_name: &str,
        to: To<'_>,
    ) -> Result<(FolderRow, Event)> {
        let mut row = child(tx, parent, id_or_name).await?;
        let path = parent.path.join(to.name);
        if to.description.is_some() {
            row.description = to.description.map(str::to_owned);
        }
        if row.path != path.as_str() {
            let (environment, from, to) = (&*parent.environment, &*row.path, path.as_str());
            let renamed = Renamed::Folder { environment, from, to };
            parent.access.rules.require_alike(&renamed)?;
        }
        let rename = folders::Rename {
            name: to.name,
            description: row.description.as_deref(),
            old_path: &row.path,
            new_path: path.as_str(),
        };
        let now = self.now().micros();
        match folders::rename(tx, parent.access.project.org_id, row.id, &rename, now).await {
            Err(StoreError::Duplicate) => {
                let message = "Folder with this name already exists in the same path";
                return Err(Error::bad_request(message));
            }
            done => done?,
        };
        if row.path != path.as_str() {
            let old = parent.with_path(path_of(&row)?);
            self.require_carried(tx, &old, path.as_str()).await?;
            let (org, paths) = (parent.access.project.org_id, (&*row.path, path.as_str()));
            match secret_imports::follow(tx, org, row.env_id, paths).await {
                Err(StoreError::Duplicate) => {
                    return Err(Error::Unavailable("Its imports changed meanwhile; try again"));
                }
                done => done?,
            }
        }
        let old = std::mem::replace(&mut row.name, to.name.to_owned());
        path.as_str().clone_into(&mut row.path);
        row.version += 1;
        row.updated_at = now;
        let event = parent.event("update-folder").details([
            ("folderId", row.id.to_string().into()),
            ("oldFolderName", old.into()),
            ("newFolderName", row.name.as_str().into()),
            ("folderPath", row.path.as_str().into()),
        ]);
        Ok((row, event))
    }
}

/// What a folder is to be called.
#[derive(Clone, Copy)]
struct To<'b> {
    name: &'b str,
    description: Option<&'b str>,
}

impl<'b> To<'b> {
    fn check(name: &'b str, description: Option<&'b str>) -> Result<Self> {
        let name = name.trim();
        check_folder_name("name", name)?;
        check_description(description)?;
        Ok(Self { name, description })
    }
}
