//! References follow a secret that gets another name.
//!
//! References stand in sealed values, so all of the project are opened and read through: one
//! statement, and work in proportion to the project, at a rename alone. What follows is written
//! with the rename, whoever may edit it: its meaning does not change.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use kms_api::SecretValue;
use kms_store::{
    Tx,
    secrets::{self, FoundRow, SecretRow},
};

use super::{
    MAX_VALUE, MAX_WRITTEN, Opened, batch,
    references::scan::{Reference, has_references, references, rewrite},
    update::write_versions,
};
use crate::{Caller, Core, Error, Result, audit::Event, place::Place, text::SecretPath};

/// Secrets opened at one go, before others get their turn on the thread.
const TURN: usize = 256;

/// A secret by its environment, path and name.
pub(super) type Key = (String, String, String);

/// A folder by its environment and path, ordered as every writer enters folders.
type Spot = (String, SecretPath);

/// The secrets of a project that get other names, and those that refer to them.
#[derive(Default)]
pub(super) struct Renames {
    /// The new name by the old place and name.
    names: BTreeMap<Key, String>,
    /// All secrets of the project, if there is a new name.
    there: HashSet<Key>,
    /// Those that refer to them and are not renamed themselves, with the value that they get.
    followers: Vec<Follower>,
}

struct Follower {
    environment: String,
    path: SecretPath,
    opened: Opened,
    value: SecretValue,
}

impl Renames {
    /// The value with its references renamed, if there are such, of a secret in a folder. One that
    /// a longer name makes too long is refused (attack R7).
    pub(super) fn follow(
        &self,
        environment: &str,
        path: &str,
        value: &SecretValue,
    ) -> Result<SecretValue> {
        let changed = rewrite(value.expose(), |reference| self.text(environment, path, reference));
        if changed.len() > MAX_VALUE.max(value.expose().len()) {
            return Err(Error::bad_request(format!(
                "A value that refers to the secret would have more than {MAX_VALUE} bytes under \
                 the new name; choose a shorter one"
            )));
        }
        Ok(SecretValue::from(&*changed))
    }

    /// What a reference becomes; none if it stays. A name that no reference can spell is not
    /// followed: the reference stays as it is, and leads nowhere.
    fn text(&self, environment: &str, path: &str, reference: &Reference<'_>) -> Option<String> {
        let local = (environment.to_owned(), path.to_owned(), reference.text.to_owned());
        if let Some(name) = self.names.get(&local) {
            return Some(name.clone()).filter(|name| is_spelled(name));
        }
        // As in an expansion, a name with dots that exists in the folder is that name.
        let target = reference.target().filter(|_| !self.there.contains(&local))?;
        let key = (target.environment.to_owned(), target.path, target.key.to_owned());
        let name = self.names.get(&key).filter(|name| is_spelled(name) && !name.contains('.'))?;
        let before = reference.text.strip_suffix(target.key)?;
        Some(format!("{before}{name}"))
    }

    /// The folders of those that follow.
    pub(super) fn places(&self) -> BTreeSet<Spot> {
        let place = |each: &Follower| (each.environment.clone(), each.path.clone());
        self.followers.iter().map(place).collect()
    }
}

/// Whether a reference can hold a name.
fn is_spelled(name: &str) -> bool {
    let text = format!("${{{name}}}");
    references(&text).next().is_some_and(|reference| reference.text == name)
}

impl Core {
    /// Finds who refers to the secrets that get other names. `changed` are those that the same
    /// write changes anyway.
    pub(super) async fn renames(
        &self,
        place: &Place,
        names: BTreeMap<Key, String>,
        changed: &HashSet<Key>,
    ) -> Result<Renames> {
        if names.is_empty() {
            return Ok(Renames::default());
        }
        let _turn = self.whole_projects.acquire().await;
        let (org, project) = (place.access.project.org_id, place.access.id());
        let rows = secrets::list_project(&self.store, org, project).await?;
        let mut found = Vec::new();
        let mut renames = Renames { names, ..Renames::default() };
        for (index, FoundRow { placed, environment }) in rows.into_iter().enumerate() {
            if index % TURN == TURN - 1 {
                tokio::task::yield_now().await;
            }
            let (path, Some(row)) = placed.split() else { continue };
            let key = (environment, path, row.name.clone());
            renames.there.insert(key.clone());
            if changed.contains(&key) {
                continue;
            }
            let opened = Opened::open(&place.access, row)?;
            if has_references(opened.payload.value.expose()) {
                found.push((key, opened));
            }
        }
        // What is not there gets no other name.
        renames.names.retain(|key, _| renames.there.contains(key));
        let mut bytes = 0;
        for (index, ((environment, path, _), opened)) in found.into_iter().enumerate() {
            if index % TURN == TURN - 1 {
                tokio::task::yield_now().await;
            }
            let value = renames.follow(&environment, &path, &opened.payload.value)?;
            if value.expose() != opened.payload.value.expose() {
                bytes += value.expose().len();
                if bytes > MAX_WRITTEN {
                    return Err(super::too_large_a_write());
                }
                let path = SecretPath::parse("path", Some(&path))?;
                renames.followers.push(Follower { environment, path, opened, value });
            }
        }
        Ok(renames)
    }

    /// Enters folders for a write, in the one order of all writers.
    pub(super) async fn enter_all(
        &self,
        tx: &mut Tx,
        place: &Place,
        spots: BTreeSet<Spot>,
    ) -> Result<()> {
        for (environment, path) in spots {
            self.enter_also(tx, &Place { environment, path, ..place.clone() }).await?;
        }
        Ok(())
    }

    /// Writes the next versions of all that refer to what got another name; one that changed since
    /// it was read fails the write.
    pub(super) async fn write_followers(
        &self,
        caller: &Caller,
        tx: &mut Tx,
        place: &Place,
        renames: Renames,
    ) -> Result<Vec<Event>> {
        let mut rows: BTreeMap<Spot, Vec<SecretRow>> = BTreeMap::new();
        for Follower { environment, path, opened, value } in renames.followers {
            let Opened { mut row, mut payload } = opened;
            payload.value = value;
            self.advance(caller, &place.access, &mut row, &payload)?;
            rows.entry((environment, path)).or_default().push(row);
        }
        let mut events = Vec::with_capacity(rows.len());
        for ((environment, path), rows) in rows {
            write_versions(tx, &place.access, &rows).await?;
            let at = Place { environment, path, ..place.clone() };
            events.push(batch::about(&at, "update-secret-references", &rows));
        }
        Ok(events)
    }
}
