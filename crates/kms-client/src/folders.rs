//! Folders (v2).

use kms_api::{
    folders::{DeleteFolder, FolderBody, FolderResponse, FoldersResponse, ListFoldersQuery},
    routes,
};
use reqwest::Method;

use crate::{Client, Error, http::path};

impl Client {
    /// Lists the folders below a path.
    pub async fn list_folders(&self, query: &ListFoldersQuery) -> Result<FoldersResponse, Error> {
        self.get(routes::FOLDERS, query).await
    }

    /// Creates a folder.
    pub async fn create_folder(&self, body: &FolderBody) -> Result<FolderResponse, Error> {
        self.send(Method::POST, routes::FOLDERS, body).await
    }

    /// Renames a folder, which is named by its id or its present name.
    pub async fn update_folder(
        &self,
        id_or_name: &str,
        body: &FolderBody,
    ) -> Result<FolderResponse, Error> {
        self.send(Method::PATCH, &path(routes::FOLDER, &[&id_or_name])?, body).await
    }

    /// Deletes a folder with everything in it; it is named by its id or name.
    pub async fn delete_folder(
        &self,
        id_or_name: &str,
        body: &DeleteFolder,
    ) -> Result<FolderResponse, Error> {
        self.send(Method::DELETE, &path(routes::FOLDER, &[&id_or_name])?, body).await
    }
}
