//! Projects: made, read, changed, removed.

mod change;
mod create;
mod read;
mod roles;
#[cfg(test)]
mod tests;

use kms_api::{Timestamp, environments::EnvironmentSummary, projects::Project};
use kms_store::{environments::EnvironmentRow, projects::ProjectRow};

pub(crate) use create::NewProject;

use crate::Error;

/// The one kind of project that there is.
const KIND: &str = "secret-manager";
/// The layout of the store, as clients know it.
const STORE_VERSION: i64 = 3;
/// The longest name, in characters.
const MAX_NAME: usize = 64;
/// The longest description, in characters.
const MAX_DESCRIPTION: usize = 256;

/// What a caller hears about a project.
pub(crate) fn to_wire(row: &ProjectRow, environments: &[EnvironmentRow]) -> Project {
    Project {
        id: row.id,
        underscore_id: row.id,
        name: row.name.clone(),
        description: row.description.clone(),
        r#type: KIND.into(),
        slug: row.slug.clone(),
        org_id: row.org_id,
        auto_capitalization: row.auto_capitalization,
        created_at: Timestamp(row.created_at),
        updated_at: Timestamp(row.updated_at),
        version: STORE_VERSION,
        upgrade_status: None,
        pit_version_limit: row.pit_version_limit,
        audit_logs_retention_days: None,
        has_delete_protection: row.has_delete_protection,
        secret_sharing: row.secret_sharing,
        kms_certificate_key_id: None,
        kms_secret_manager_key_id: None,
        environments: environments.iter().map(summary).collect(),
    }
}

fn summary(row: &EnvironmentRow) -> EnvironmentSummary {
    EnvironmentSummary { id: row.id, name: row.name.clone(), slug: row.slug.clone() }
}

fn slug_taken() -> Error {
    Error::bad_request("Project with slug already exist")
}
