//! The end of a folder.

use kms_api::folders::{DeleteFolder, FolderResponse};
use kms_store::folders;

use super::{about, child, view};
use crate::{Caller, Core, Result, access::Action};

impl Core {
    /// Deletes a folder, named by its id or its name in the parent, with all that is in it.
    pub async fn delete_folder(
        &self,
        caller: &Caller,
        id_or_name: &str,
        body: &DeleteFolder,
    ) -> Result<FolderResponse> {
        let parent = self.parent(caller, &body.place).await?;
        parent.require_folders(Action::Delete)?;
        let mut tx = self.hold(&parent).await?;
        let row = child(&mut tx, &parent, id_or_name).await?;
        folders::delete(&mut tx, parent.access.project.org_id, row.id).await?;
        let event = about(&parent, "delete-folder", &row);
        self.release(tx, caller, &parent, vec![event]).await?;
        Ok(FolderResponse { folder: view(row) })
    }
}
