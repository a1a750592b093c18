//! Many secrets at once: all of them or none, each under the caller's own rules.

mod create;
mod delete;
mod update;

use std::collections::HashSet;

use kms_api::{error::Issue, secrets::BatchItem};
use kms_store::{
    Tx, folders,
    folders::FolderRow,
    secrets::{self, SecretRow},
};
use serde_json::{Value, json};

use super::{fields::Prefix, wanted_name};
use crate::{Core, Error, Result, audit::Event, place::Place, text};

/// Secrets in one batch at most.
pub const MAX_BATCH: usize = 1_000;

/// Where an element of a batch stands in the body.
fn prefix(index: usize) -> [Value; 2] {
    ["secrets".into(), index.into()]
}

fn check_size(items: &[BatchItem]) -> Result<()> {
    if (1..=MAX_BATCH).contains(&items.len()) {
        return Ok(());
    }
    Err(Error::field("secrets", format!("must have 1 to {MAX_BATCH} elements")))
}

/// A rule that `check` found broken, told about the element.
fn in_element<T>(prefix: Prefix<'_>, checked: Result<T>) -> Result<T> {
    checked.map_err(|error| match error {
        Error::Validation(issues) => {
            let inside = |issue: Issue| Issue {
                path: prefix.iter().cloned().chain(issue.path).collect(),
                ..issue
            };
            Error::Validation(issues.into_iter().map(inside).collect())
        }
        other => other,
    })
}

/// Refuses a batch that speaks of one secret twice.
fn require_once<K: std::hash::Hash + Eq>(keys: impl Iterator<Item = K>) -> Result<()> {
    let mut seen = HashSet::new();
    for (index, key) in keys.enumerate() {
        if !seen.insert(key) {
            return Err(super::fields::issue(
                &prefix(index),
                "secretKey",
                "is sent more than once",
            ));
        }
    }
    Ok(())
}

/// The name of an element that must exist already.
fn known_name(index: usize, item: &BatchItem) -> Result<&str> {
    wanted_name(&item.secret_key)
        .map_err(|_| super::fields::issue(&prefix(index), "secretKey", "is not a secret's name"))
}

/// Names for a message: those that could be created, so that nothing else is repeated.
pub(super) fn told<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let names = names.filter(|name| text::secret_name("secretKey", name).is_ok());
    names.collect::<Vec<_>>().join(",")
}

/// What the log is told about a write of many secrets of one folder.
pub(super) fn about(place: &Place, kind: &'static str, rows: &[SecretRow]) -> Event {
    let secrets = rows.iter().map(
        |row| json!({ "secretId": row.id, "secretKey": row.name, "secretVersion": row.version }),
    );
    place
        .event(kind)
        .details([("numberOfSecrets", rows.len().into()), ("secrets", secrets.collect::<Value>())])
}

/// The folder that a write entered, and those of its secrets that have one of the names.
async fn look_up(
    tx: &mut Tx,
    place: &Place,
    names: &[&str],
) -> Result<(FolderRow, Vec<SecretRow>)> {
    let folder = folders::find_at(&mut *tx, &place.stored()).await?;
    let folder = folder.ok_or_else(|| place.not_found())?;
    let found = secrets::find_named(tx, place.access.project.org_id, folder.id, names).await?;
    Ok((folder, found))
}

impl Core {
    /// The place of a batch.
    async fn batch_place(
        &self,
        caller: &crate::Caller,
        body: &kms_api::secrets::BatchBody,
    ) -> Result<Place> {
        let (environment, path) = (body.environment.as_deref(), body.secret_path.as_deref());
        self.place(caller, &body.project, environment, ("secretPath", path)).await
    }
}
