//! Secrets: what is in a folder, read and written under the caller's rules.
//!
//! A secret's value, comment, metadata and tags are one sealed blob (`payload`), bound to where the
//! secret is and to its version; its name, flags and times are not secret, and the server proves to
//! itself that it wrote them (`authentic`). Reads end in an
//! [`Answer`] of finished bytes, which the embedded server may remember (`answer`). Start at
//! `list` for reading and at `create` for writing.
//!
//! Every write takes the folder's row first ([`kms_store::folders::touch_at`]), so that writers of
//! one folder follow each other on every engine and a version is never written twice.

mod answer;
mod authentic;
mod batch;
mod by_id;
mod create;
mod delete;
mod expanded;
mod fields;
mod get;
mod imported;
mod list;
mod payload;
mod point_in_time;
mod references;
mod renames;
mod rollback;
mod tagging;
#[cfg(test)]
mod tests;
mod transfer;
mod update;
mod versions;
mod view;
mod watch;

use std::time::Duration;

use kms_api::{EnvironmentId, FolderId, SecretId, TagId};
use kms_crypto::ValueKind;
use kms_store::secrets::{SHARED, SecretRow};
use tokio::sync::SemaphorePermit;
use uuid::Uuid;

pub use answer::Answer;
pub(crate) use answer::Answers;
pub use fields::{MAX_COMMENT, MAX_METADATA, MAX_METADATA_KEY, MAX_METADATA_VALUE, MAX_VALUE};
use payload::Payload;

pub use batch::MAX_BATCH;
pub use references::{MAX_ADDED, MAX_EXPANDED};
pub use watch::{Told, Watch};

use crate::{Caller, Core, Error, Result, access::ProjectAccess, place::Place, text};

/// Bytes that one request may write, sealed: every other write waits for it.
pub const MAX_WRITTEN: usize = 32 * 1024 * 1024;

/// How long somebody waits for a turn to read all secrets of a project.
const TURN_WITHIN: Duration = Duration::from_secs(10);

/// Shared by all who may read the folder, or one user's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Shared,
    Personal,
}

impl Kind {
    fn parse(text: Option<&str>) -> Result<Self> {
        match text {
            None | Some("shared") => Ok(Self::Shared),
            Some("personal") => Ok(Self::Personal),
            Some(_) => Err(Error::field("type", "must be `shared` or `personal`")),
        }
    }
}

/// Which version of the wire contract a read is answered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Skin {
    V3,
    V4,
}

/// Whose secret is written: the user's own, or everybody's ([`SHARED`]).
fn owner_of(caller: &Caller, kind: Kind) -> Result<Uuid> {
    match (kind, caller.actor.user()) {
        (Kind::Shared, _) => Ok(SHARED),
        (Kind::Personal, None) => Err(Error::bad_request("Must be user to create personal secret")),
        (Kind::Personal, Some(user)) => Ok(user.id.uuid()),
    }
}

/// Whose overrides a caller has: a user's own, nobody's for a machine.
fn overrides_of(caller: &Caller) -> Uuid {
    caller.actor.user().map_or(SHARED, |user| user.id.uuid())
}

/// A name as it is looked for: names that could not be created any more are still found.
fn wanted_name(name: &str) -> Result<&str> {
    let name = name.trim();
    if name.is_empty() || name.len() > text::MAX_SECRET_NAME || name.chars().any(char::is_control) {
        let rule = format!("must have 1 to {} bytes, no control characters", text::MAX_SECRET_NAME);
        return Err(Error::field("secretName", rule));
    }
    Ok(name)
}

/// A name as it is created, under the project's rule about capitals.
fn new_name(access: &ProjectAccess, field: &str, name: &str) -> Result<String> {
    let name = text::secret_name(field, name)?;
    if access.project.auto_capitalization && name.chars().any(char::is_lowercase) {
        return Err(Error::bad_request(
            "Secret name must be in UPPERCASE per project requirements",
        ));
    }
    Ok(name)
}

impl Core {
    /// A turn to read all secrets of a project. Never waited for inside a write, which those who
    /// hold one may be waiting for.
    async fn whole_project(&self) -> Result<SemaphorePermit<'_>> {
        let turn = tokio::time::timeout(TURN_WITHIN, self.whole_projects.acquire()).await;
        turn.ok().and_then(std::result::Result::ok).ok_or(Error::Unavailable(
            "Too many requests read whole projects at this moment; try again",
        ))
    }
}

/// A request would hold up all other writes for too long (attack R7).
fn too_large_a_write() -> Error {
    Error::bad_request(format!(
        "The request writes more than {MAX_WRITTEN} bytes of secrets at once; send it in parts"
    ))
}

/// Who writes: kind, id and name.
fn sign(row: &mut SecretRow, caller: &Caller) {
    caller.actor.kind().clone_into(&mut row.actor_kind);
    row.actor_id = Some(caller.actor.id());
    row.actor_name = Some(caller.actor.name().to_owned());
}

/// Where one version of a secret is sealed to.
#[derive(Clone, Copy)]
struct Spot {
    environment: EnvironmentId,
    folder: FolderId,
    secret: SecretId,
    owner: Uuid,
    version: i64,
    /// Whether the row beside it carries a MAC; what is written today does.
    authenticated: bool,
}

impl Spot {
    fn of(row: &SecretRow) -> Self {
        Self {
            environment: row.env_id,
            folder: row.folder_id,
            secret: row.id,
            owner: row.owner_id,
            version: row.version,
            authenticated: !row.mac.is_empty(),
        }
    }

    fn coordinates(&self, access: &ProjectAccess) -> kms_crypto::Coordinates {
        let kind = match self.owner {
            SHARED => ValueKind::SharedSecret,
            owner => ValueKind::PersonalSecret { owner },
        };
        kms_crypto::Coordinates {
            organization: access.project.org_id.uuid(),
            project: access.id().uuid(),
            environment: self.environment.uuid(),
            folder: self.folder.uuid(),
            secret: self.secret.uuid(),
            kind,
            version: self.version,
            authenticated: self.authenticated,
        }
    }
}

/// Opens what was sealed at a spot; anything else does not open.
fn open(access: &ProjectAccess, spot: Spot, sealed: &[u8]) -> Result<Payload> {
    let plain = kms_crypto::open(&access.key, &spot.coordinates(access), sealed)?;
    Ok(Payload::decode(&plain)?)
}

/// A secret with what is sealed of it.
#[derive(Clone)]
struct Opened {
    row: SecretRow,
    payload: Payload,
}

impl Opened {
    fn open(access: &ProjectAccess, row: SecretRow) -> Result<Self> {
        authentic::check_secret(access, &row)?;
        let payload = open(access, Spot::of(&row), &row.sealed)?;
        Ok(Self { row, payload })
    }

    /// Opens all of these.
    fn all(access: &ProjectAccess, rows: Vec<SecretRow>) -> Result<Vec<Self>> {
        rows.into_iter().map(|row| Self::open(access, row)).collect()
    }

    fn tags(&self) -> &[TagId] {
        &self.payload.tags
    }

    /// Whether it is somebody's override.
    fn is_override(&self) -> bool {
        self.row.owner_id != SHARED
    }
}

impl Core {
    /// Seals what a row is to hold, at the row's version. The last thing that is done with a row
    /// before it is written: nothing in it may change after that.
    fn seal(&self, access: &ProjectAccess, row: &mut SecretRow, payload: &Payload) -> Result<()> {
        authentic::sign(access, row);
        let at = Spot::of(row).coordinates(access);
        row.sealed = kms_crypto::seal(&access.key, &at, &payload.encode(), self.entropy())?;
        Ok(())
    }
}

/// There is no such secret, or none that could be told from one that does not exist.
fn no_secret(place: &Place, name: &str) -> Error {
    // The name may be anything that was sent; only what could be created is repeated.
    match text::secret_name("secretName", name) {
        Ok(name) => Error::not_found(format!(
            "Secret with name '{name}' not found in path '{}'",
            place.path
        )),
        Err(_) => Error::not_found("Secret not found"),
    }
}
