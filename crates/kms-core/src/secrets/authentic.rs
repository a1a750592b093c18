//! Proof that the server wrote the rows of a secret.
//!
//! What is sealed proves itself, and where it belongs; a MAC over all else in the row keeps a name
//! from being exchanged and a former version from being put in the place of the current one. A
//! secret's row and those of its versions are authenticated as what they are, so that none passes
//! for the other.
//!
//! A row of before rows were authenticated has none. Its value is sealed as that
//! ([`kms_crypto::Coordinates`]), so nobody makes a row of today one of before.

use kms_api::SecretId;
use kms_crypto::RowMac;
use kms_store::{secret_versions::VersionRow, secrets::SecretRow};
use uuid::Uuid;

use crate::{Result, access::ProjectAccess};

/// Authenticates a row that is about to be written, and the version that is written along.
pub(super) fn sign(access: &ProjectAccess, row: &mut SecretRow) {
    row.mac = secret_mac(access, row).finish().to_vec();
    row.version_mac = Version::of(row).mac(access).finish().to_vec();
}

/// Refuses a secret's row that the server did not write.
pub(super) fn check_secret(access: &ProjectAccess, row: &SecretRow) -> Result<()> {
    if row.mac.is_empty() {
        return Ok(());
    }
    Ok(secret_mac(access, row).verify(&row.mac)?)
}

/// Refuses a version's row that the server did not write.
pub(super) fn check_version(
    access: &ProjectAccess,
    secret: SecretId,
    row: &VersionRow,
) -> Result<()> {
    if row.mac.is_empty() {
        return Ok(());
    }
    let version = Version {
        secret,
        number: row.version,
        environment: row.env_id.uuid(),
        folder: row.folder_id.uuid(),
        name: &row.name,
        skip_multiline_encoding: row.skip_multiline_encoding,
        actor_kind: &row.actor_kind,
        actor_id: row.actor_id,
        actor_name: row.actor_name.as_deref(),
        created_at: row.created_at,
    };
    Ok(version.mac(access).verify(&row.mac)?)
}

fn secret_mac(access: &ProjectAccess, row: &SecretRow) -> RowMac {
    let mac = access
        .rows
        .mac("secrets")
        .uuid(row.id.uuid())
        .uuid(access.project.org_id.uuid())
        .uuid(access.id().uuid())
        .uuid(row.env_id.uuid())
        .uuid(row.folder_id.uuid())
        .text(&row.name)
        .uuid(row.owner_id)
        .int(row.version)
        .int(tristate(row.skip_multiline_encoding))
        .opt_text(row.reminder_note.as_deref())
        // No reminder is never one after no days.
        .int(row.reminder_days.unwrap_or_default())
        .text(&row.actor_kind)
        .opt_uuid(row.actor_id)
        .opt_text(row.actor_name.as_deref());
    mac.int(row.created_at).int(row.updated_at)
}

/// What is authenticated of a version.
struct Version<'a> {
    secret: SecretId,
    number: i64,
    environment: Uuid,
    folder: Uuid,
    name: &'a str,
    skip_multiline_encoding: Option<bool>,
    actor_kind: &'a str,
    actor_id: Option<Uuid>,
    actor_name: Option<&'a str>,
    created_at: i64,
}

impl<'a> Version<'a> {
    /// The version that is written along with a secret's row.
    fn of(row: &'a SecretRow) -> Self {
        Self {
            secret: row.id,
            number: row.version,
            environment: row.env_id.uuid(),
            folder: row.folder_id.uuid(),
            name: &row.name,
            skip_multiline_encoding: row.skip_multiline_encoding,
            actor_kind: &row.actor_kind,
            actor_id: row.actor_id,
            actor_name: row.actor_name.as_deref(),
            created_at: row.updated_at,
        }
    }

    fn mac(&self, access: &ProjectAccess) -> RowMac {
        access
            .rows
            .mac("secret_versions")
            .uuid(self.secret.uuid())
            .int(self.number)
            .uuid(access.project.org_id.uuid())
            .uuid(access.id().uuid())
            .uuid(self.environment)
            .uuid(self.folder)
            .text(self.name)
            .int(tristate(self.skip_multiline_encoding))
            .text(self.actor_kind)
            .opt_uuid(self.actor_id)
            .opt_text(self.actor_name)
            .int(self.created_at)
    }
}

/// Yes, no or not said, each another number.
fn tristate(flag: Option<bool>) -> i64 {
    flag.map_or(-1, i64::from)
}
