//! New, changed and removed imports.

use kms_api::secret_imports::{CreateImport, ImportPlace, ImportResponse, UpdateImport};
use kms_store::{
    StoreError, Tx, environments,
    environments::EnvironmentRow,
    folders,
    secret_imports::{self, ImportRow},
};

use super::{MAX_IMPORTS, about, no_import, of_folder, parse_id, require, view};
use crate::{
    Caller, Core, Error, Result,
    access::{Action, Subject},
    place::{Place, check_environment},
    text::SecretPath,
};

impl Core {
    /// Makes the secrets of another folder, which need not exist yet, seen in this one; the new
    /// import comes last. The caller must be allowed to describe secrets at the source.
    pub async fn create_import(
        &self,
        caller: &Caller,
        body: &CreateImport,
    ) -> Result<ImportResponse> {
        let place = self.importing(caller, &body.place).await?;
        require(&place, Action::Create)?;
        if body.is_replication == Some(true) {
            return Err(Error::bad_request("This server has no replicated imports"));
        }
        let environment = check_environment(&body.import.environment)?.to_owned();
        let path = SecretPath::parse("path", Some(&body.import.path))?;
        let source = Place { environment, path, access: place.access.clone() };
        let mut tx = self.enter(&place).await?;
        let found = self.source(&mut tx, &place, &source).await?;
        let folder = folders::find_at(&mut tx, &place.stored()).await?;
        let folder = folder.ok_or_else(|| place.not_found())?;
        let count = secret_imports::in_folder(&mut tx, &place.stored()).await?.len();
        if count >= MAX_IMPORTS {
            let message = format!("A folder has at most {MAX_IMPORTS} imports");
            return Err(Error::bad_request(message));
        }
        let now = self.now().micros();
        let row = ImportRow {
            id: self.new_id(),
            project_id: folder.project_id,
            folder_id: folder.id,
            path: folder.path,
            env_id: folder.env_id,
            env_slug: folder.env_slug,
            env_name: folder.env_name,
            source_env_id: found.id,
            source_env_slug: found.slug,
            source_env_name: found.name,
            source_path: source.path.as_str().to_owned(),
            position: i64::try_from(count).unwrap_or(i64::MAX).saturating_add(1),
            version: 1,
            created_at: now,
            updated_at: now,
        };
        let org = place.access.project.org_id;
        unless_taken(secret_imports::insert(&mut tx, org, &row).await)?;
        let event = about(&place, "create-secret-import", &row);
        self.leave(tx, caller, &place, [event]).await?;
        Ok(answer("Successfully created secret import", row))
    }

    /// Changes source or position of an import of a folder; what is left out stays.
    pub async fn update_import(
        &self,
        caller: &Caller,
        id: &str,
        body: &UpdateImport,
    ) -> Result<ImportResponse> {
        let id = parse_id(id)?;
        let place = self.importing(caller, &body.place).await?;
        require(&place, Action::Edit)?;
        let change = &body.import;
        if change.position.is_some_and(|position| position < 1) {
            return Err(Error::field("position", "must be at least 1"));
        }
        let mut tx = self.enter(&place).await?;
        let mut row = of_folder(&mut tx, &place, id).await?;
        let environment = change.environment.as_deref().unwrap_or(&row.source_env_slug);
        let environment = check_environment(environment)?.to_owned();
        let path = change.path.as_deref().unwrap_or(&row.source_path);
        let path = SecretPath::parse("path", Some(path))?;
        let source = Place { environment, path, access: place.access.clone() };
        let moved =
            source.environment != row.source_env_slug || source.path.as_str() != row.source_path;
        if moved {
            let found = self.source(&mut tx, &place, &source).await?;
            row.source_env_id = found.id;
            row.source_env_slug = found.slug;
            row.source_env_name = found.name;
            source.path.as_str().clone_into(&mut row.source_path);
        }
        if let Some(position) = change.position {
            reorder(&mut tx, &place, &mut row, position).await?;
        }
        row.version += 1;
        row.updated_at = self.now().micros();
        let org = place.access.project.org_id;
        unless_taken(secret_imports::update(&mut tx, org, &row).await)?;
        let event = about(&place, "update-secret-import", &row);
        self.leave(tx, caller, &place, [event]).await?;
        Ok(answer("Successfully updated secret import", row))
    }

    /// Removes an import of a folder.
    pub async fn delete_import(
        &self,
        caller: &Caller,
        id: &str,
        body: &ImportPlace,
    ) -> Result<ImportResponse> {
        let id = parse_id(id)?;
        let place = self.importing(caller, body).await?;
        require(&place, Action::Delete)?;
        let mut tx = self.enter(&place).await?;
        let row = of_folder(&mut tx, &place, id).await?;
        let org = place.access.project.org_id;
        if !secret_imports::delete(&mut tx, org, id).await? {
            return Err(no_import(id));
        }
        let after = (row.position + 1, i64::MAX);
        secret_imports::shift(&mut tx, org, row.folder_id, after, -1).await?;
        let event = about(&place, "delete-secret-import", &row);
        self.leave(tx, caller, &place, [event]).await?;
        Ok(answer("Successfully deleted secret import", row))
    }

    /// The environment of a source, which may be imported here.
    async fn source(&self, tx: &mut Tx, place: &Place, source: &Place) -> Result<EnvironmentRow> {
        source.access.require(Action::DescribeSecret, Subject::Secrets, &source.attributes())?;
        let (org, project) = (place.access.project.org_id, place.access.id());
        let slug = &source.environment;
        let found = environments::find_by_slug(&mut *tx, org, project, slug).await?;
        let found = found
            .ok_or_else(|| Error::not_found(format!("Environment with slug '{slug}' not found")))?;
        let is = |environment: &str, path: &str, other: &Place| {
            environment == other.environment && path == other.path.as_str()
        };
        let back = secret_imports::in_folder(tx, &source.stored()).await?;
        let cyclic = is(&place.environment, place.path.as_str(), source)
            || back.iter().any(|row| is(&row.source_env_slug, &row.source_path, place));
        if cyclic {
            return Err(Error::bad_request("Cyclic import not allowed"));
        }
        Ok(found)
    }
}

/// Puts an import elsewhere in its folder's order; those in between make room.
async fn reorder(tx: &mut Tx, place: &Place, row: &mut ImportRow, position: i64) -> Result<()> {
    let count = secret_imports::in_folder(&mut *tx, &place.stored()).await?.len();
    let position = position.min(i64::try_from(count).unwrap_or(i64::MAX));
    let (between, by) = if position < row.position {
        ((position, row.position - 1), 1)
    } else {
        ((row.position + 1, position), -1)
    };
    let org = place.access.project.org_id;
    secret_imports::shift(tx, org, row.folder_id, between, by).await?;
    row.position = position;
    Ok(())
}

fn unless_taken<T>(written: Result<T, StoreError>) -> Result<T> {
    written.map_err(|error| match error {
        StoreError::Duplicate => Error::bad_request("Secret import already exists"),
        error => error.into(),
    })
}

fn answer(message: &str, row: ImportRow) -> ImportResponse {
    ImportResponse { message: Some(message.to_owned()), secret_import: view(row) }
}
