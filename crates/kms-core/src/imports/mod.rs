//! Imports: a folder shows the secrets of other folders, of its own environment or another.
//!
//! What an import brings in is read by `secrets` (`secrets/imported.rs`), under the reader's rules
//! for the source, every time. Here imports are made, ordered and removed. A write holds the row of
//! the folder that imports, as writes of its secrets do, so positions never clash.

mod read;
#[cfg(test)]
mod tests;
mod write;

use kms_api::{
    EnvironmentId, SecretImportId, Timestamp,
    secret_imports::{Import, ImportEnvironment, ImportPlace},
};
use kms_store::{
    Tx,
    secret_imports::{self, ImportRow},
};

use crate::{
    Caller, Core, Error, Result,
    access::{Action, Subject},
    audit::Event,
    place::Place,
};

/// Imports of one folder at most.
const MAX_IMPORTS: usize = 100;

impl Core {
    /// The folder that imports.
    async fn importing(&self, caller: &Caller, sent: &ImportPlace) -> Result<Place> {
        let (environment, path) = (sent.environment.as_deref(), sent.path.as_deref());
        self.place(caller, &sent.project, environment, ("path", path)).await
    }
}

fn require(place: &Place, action: Action) -> Result<()> {
    place.access.require(action, Subject::SecretImports, &place.attributes())
}

fn parse_id(id: &str) -> Result<SecretImportId> {
    id.parse().map_err(|_| Error::field("secretImportId", "must be a UUID"))
}

/// The import of a folder that a request names.
async fn of_folder(tx: &mut Tx, place: &Place, id: SecretImportId) -> Result<ImportRow> {
    let rows = secret_imports::in_folder(tx, &place.stored()).await?;
    rows.into_iter().find(|row| row.id == id).ok_or_else(|| no_import(id))
}

fn no_import(id: SecretImportId) -> Error {
    Error::not_found(format!("Secret import with ID '{id}' not found"))
}

/// What the log is told about a change of an import.
fn about(place: &Place, kind: &'static str, row: &ImportRow) -> Event {
    place.event(kind).details([
        ("secretImportId", row.id.to_string().into()),
        ("importFromEnvironment", row.source_env_slug.as_str().into()),
        ("importFromSecretPath", row.source_path.as_str().into()),
        ("position", row.position.into()),
    ])
}

/// An environment as imports tell it.
pub(crate) fn environment_of(id: EnvironmentId, name: &str, slug: &str) -> ImportEnvironment {
    ImportEnvironment { id, name: name.to_owned(), slug: slug.to_owned() }
}

/// An import as every route answers it.
fn view(row: ImportRow) -> Import {
    let source = environment_of(row.source_env_id, &row.source_env_name, &row.source_env_slug);
    Import {
        id: row.id,
        version: row.version,
        import_path: row.source_path,
        import_env: source,
        position: row.position,
        folder_id: Some(row.folder_id),
        is_replication: false,
        is_replication_success: None,
        replication_status: None,
        last_replicated: None,
        is_reserved: Some(false),
        created_at: Timestamp(row.created_at),
        updated_at: Timestamp(row.updated_at),
        environment: Some(environment_of(row.env_id, &row.env_name, &row.env_slug)),
        project_id: Some(row.project_id),
        secret_path: Some(row.path),
    }
}
