//! A new folder.

use kms_api::{
    OrganizationId,
    folders::{FolderBody, FolderResponse},
};
use kms_store::{
    Tx,
    folders::{self, FolderRow, NewFolder},
};

use super::{about, check_description, no_environment, view};
use crate::{
    Caller, Core, Error, Result,
    access::Action,
    audit::Event,
    place::Place,
    text::{MAX_PATH_DEPTH, SecretPath, check_folder_name},
};

impl Core {
    /// Creates a folder and what is missing above it. One that is there already is answered as it
    /// is.
    pub async fn create_folder(
        &self,
        caller: &Caller,
        body: &FolderBody,
    ) -> Result<FolderResponse> {
        let parent = self.parent(caller, &body.place).await?;
        parent.require_folders(Action::Create)?;
        let name = body.name.trim();
        check_folder_name("name", name)?;
        check_description(body.description.as_deref())?;
        let path = parent.path.join(name);
        if path.segments().count() > MAX_PATH_DEPTH {
            return Err(Error::field("path", format!("is deeper than {MAX_PATH_DEPTH} folders")));
        }
        let mut tx = self.hold(&parent).await?;
        let leaf = parent.with_path(path);
        if let Some(row) = folders::find_at(&mut tx, &leaf.stored()).await? {
            return Ok(FolderResponse { folder: view(row) });
        }
        let (above, mut events) = self.make_path(&mut tx, &parent).await?;
        let org = caller.organization;
        let row =
            self.add_folder(&mut tx, org, &above, &leaf.path, body.description.as_deref()).await?;
        events.push(about(&parent, "create-folder", &row));
        self.release(tx, caller, &parent, events).await?;
        Ok(FolderResponse { folder: view(row) })
    }

    /// The folder at a place, made with what is missing above it, inside [`Core::hold_also`].
    pub(crate) async fn make_path(
        &self,
        tx: &mut Tx,
        place: &Place,
    ) -> Result<(FolderRow, Vec<Event>)> {
        let (mut above, missing) = nearest(tx, place).await?;
        let org = place.access.project.org_id;
        let mut events = Vec::new();
        for path in missing {
            // Each is made under the rules of the folder that it is made in.
            let within = place.with_path(SecretPath::parse("path", Some(&above.path))?);
            within.require_folders(Action::Create)?;
            above = self.add_folder(tx, org, &above, &path, None).await?;
            events.push(about(&within, "create-folder", &above));
        }
        Ok((above, events))
    }

    async fn add_folder(
        &self,
        tx: &mut Tx,
        org: OrganizationId,
        parent: &FolderRow,
        path: &SecretPath,
        description: Option<&str>,
    ) -> Result<FolderRow> {
        let now = self.now().micros();
        let name = path.segments().last().unwrap_or_default();
        let row = FolderRow {
            id: self.new_id(),
            parent_id: Some(parent.id),
            name: name.to_owned(),
            path: path.as_str().to_owned(),
            description: description.map(str::to_owned),
            version: 1,
            last_secret_modified: None,
            created_at: now,
            updated_at: now,
            ..parent.clone()
        };
        let new = NewFolder {
            id: row.id,
            org,
            project: row.project_id,
            environment: row.env_id,
            parent: row.parent_id,
            name: &row.name,
            path: &row.path,
            description,
        };
        folders::insert(tx, &new, now).await?;
        Ok(row)
    }
}

/// The nearest folder that exists at or above a place, and the paths that are missing down to it.
async fn nearest(tx: &mut Tx, place: &Place) -> Result<(FolderRow, Vec<SecretPath>)> {
    let mut missing = Vec::new();
    let mut paths = vec![SecretPath::root()];
    for name in place.path.segments() {
        let next = paths.last().map(|path| path.join(name));
        paths.extend(next);
    }
    while let Some(path) = paths.pop() {
        match folders::find_at(&mut *tx, &place.with_path(path.clone()).stored()).await? {
            Some(row) => {
                missing.reverse();
                return Ok((row, missing));
            }
            None => missing.push(path),
        }
    }
    Err(no_environment(place))
}
