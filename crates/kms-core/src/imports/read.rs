//! Imports as they are, and what they bring in.

use kms_api::secret_imports::{
    ImportPlace, ImportResponse, ImportedSecretsResponse, ImportsResponse,
};
use kms_store::{folders, secret_imports};

use super::{no_import, parse_id, require, view};
use crate::{Caller, Core, Result, access::Action, place::Place, text::SecretPath};

impl Core {
    /// Lists the imports of a folder by position.
    pub async fn list_imports(
        &self,
        caller: &Caller,
        query: &ImportPlace,
    ) -> Result<ImportsResponse> {
        let place = self.importing(caller, query).await?;
        require(&place, Action::Read)?;
        let rows = secret_imports::in_folder(&self.store, &place.stored()).await?;
        if rows.is_empty() {
            self.require_folder(&place).await?;
        }
        Ok(ImportsResponse {
            message: "Successfully fetched secret imports".to_owned(),
            secret_imports: rows.into_iter().map(view).collect(),
        })
    }

    /// Shows an import by its id. One in a project that the caller is not in answers like one that
    /// does not exist.
    pub async fn get_import(&self, caller: &Caller, id: &str) -> Result<ImportResponse> {
        let id = parse_id(id)?;
        let found = secret_imports::find(&self.store, caller.organization, id).await?;
        let row = found.ok_or_else(|| no_import(id))?;
        let not_found = no_import(id).to_string();
        let access = self.project_behind(caller, row.project_id, not_found).await?;
        let environment = row.env_slug.clone();
        let path = SecretPath::parse("path", Some(&row.path))?;
        require(&Place { access, environment, path }, Action::Read)?;
        Ok(ImportResponse { message: None, secret_import: view(row) })
    }

    /// Shows what the imports of a folder bring in, values as they are stored.
    pub async fn list_imported_secrets(
        &self,
        caller: &Caller,
        query: &ImportPlace,
    ) -> Result<ImportedSecretsResponse> {
        let place = self.importing(caller, query).await?;
        require(&place, Action::Read)?;
        self.require_folder(&place).await?;
        let secrets = self.imported(&place, &[place.path.as_str().to_owned()]).await?;
        let count: usize = secrets.iter().map(|import| import.secrets.len()).sum();
        let event = place.event("get-imported-secrets").details([
            ("numberOfImports", secrets.len().into()),
            ("numberOfSecrets", count.into()),
        ]);
        self.log_read(caller, &event).await?;
        Ok(ImportedSecretsResponse { secrets })
    }

    async fn require_folder(&self, place: &Place) -> Result<()> {
        let found = folders::find_at(&self.store, &place.stored()).await?;
        found.map(|_| ()).ok_or_else(|| place.not_found())
    }
}
