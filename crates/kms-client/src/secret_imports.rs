//! Imports of secrets (v2).

use kms_api::{
    SecretImportId, routes,
    secret_imports::{
        CreateImport, ImportPlace, ImportResponse, ImportedSecretsResponse, ImportsResponse,
        UpdateImport,
    },
};
use reqwest::Method;

use crate::{Client, Error, http::path};

impl Client {
    /// Lists the imports of a folder by position.
    pub async fn list_imports(&self, query: &ImportPlace) -> Result<ImportsResponse, Error> {
        self.get(routes::SECRET_IMPORTS, query).await
    }

    /// Shows an import.
    pub async fn get_import(&self, import: SecretImportId) -> Result<ImportResponse, Error> {
        self.get(&path(routes::SECRET_IMPORT, &[&import])?, &()).await
    }

    /// Imports the secrets of another folder.
    pub async fn create_import(&self, body: &CreateImport) -> Result<ImportResponse, Error> {
        self.send(Method::POST, routes::SECRET_IMPORTS, body).await
    }

    /// Changes source or position of an import.
    pub async fn update_import(
        &self,
        import: SecretImportId,
        body: &UpdateImport,
    ) -> Result<ImportResponse, Error> {
        self.send(Method::PATCH, &path(routes::SECRET_IMPORT, &[&import])?, body).await
    }

    /// Removes an import.
    pub async fn delete_import(
        &self,
        import: SecretImportId,
        body: &ImportPlace,
    ) -> Result<ImportResponse, Error> {
        self.send(Method::DELETE, &path(routes::SECRET_IMPORT, &[&import])?, body).await
    }

    /// Lists what the imports of a folder bring in, values as they are stored.
    pub async fn list_imported_secrets(
        &self,
        query: &ImportPlace,
    ) -> Result<ImportedSecretsResponse, Error> {
        self.get(routes::SECRET_IMPORTS_SECRETS, query).await
    }
}
