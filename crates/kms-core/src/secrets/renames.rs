//! References follow a secret that gets another name.
//!
//! References stand in sealed values, so all of the project are opened and read through: work in
//! proportion to the project, at a rename alone. What follows is written with the rename, whoever
//! may edit it: its meaning does not change.
//!
//! They are read twice. First without keeping anybody from writing, which finds the folders that
//! have to be entered; then, with these folders and the project held, once more, where only what
//! changed in between is opened. So whoever refers to the old name and was written before the
//! rename follows it, and whoever is written after it refers to a name that is gone.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use kms_api::{SecretId, SecretValue};
use kms_store::{
    Tx, folders,
    secrets::{self, FoundRow, NamedRow, SecretRow},
};

use super::{
    MAX_VALUE, MAX_WRITTEN, Opened, batch,
    references::scan::{Reference, has_references, references, rewrite},
    update::write_versions,
};
use crate::{Caller, Core, Error, Result, audit::Event, place::Place, text::SecretPath};

/// Secrets opened at one go, before others get their turn on the thread.
const TURN: usize = 256;
/// Times that a rename begins anew because what refers to its secrets went elsewhere.
const ATTEMPTS: usize = 5;

/// A secret by its environment, path and name.
pub(super) type Key = (String, String, String);

/// A folder by its environment and path, ordered as every writer enters folders.
type Spot = (String, SecretPath);

/// What a write does with names.
#[derive(Default)]
pub(super) struct Naming {
    /// The new name by the old place and name.
    pub(super) names: BTreeMap<Key, String>,
    /// The secrets that the write changes anyway.
    pub(super) changed: HashSet<Key>,
    /// The folders that it is about.
    pub(super) spots: BTreeSet<Spot>,
}

/// The secrets of a project that get other names, and those that refer to them.
#[derive(Default)]
pub(super) struct Renames {
    /// The new name by the old place and name.
    names: BTreeMap<Key, String>,
    /// What the project holds, if there is a new name.
    scan: Scan,
    /// The values of those that refer to them and are not renamed themselves, by where they stand
    /// in the scan.
    followers: BTreeMap<usize, SecretValue>,
}

/// The secrets of a project, read through for references.
#[derive(Default)]
struct Scan {
    /// All of them.
    there: HashSet<Key>,
    /// Those that refer to something.
    referring: Vec<(Key, Opened)>,
    /// Versions that refer to nothing.
    plain: HashSet<(SecretId, i64)>,
}

impl Scan {
    /// Whether this is still what the project holds.
    fn is_of(&self, rows: &[NamedRow], changed: &HashSet<Key>) -> bool {
        let referring = self.referring.iter().map(|(_, opened)| &opened.row);
        let known: HashSet<_> = referring.map(|row| (row.id, row.version)).collect();
        rows.len() == self.there.len()
            && rows.iter().all(|row| {
                let key = (row.environment.clone(), row.path.clone(), row.name.clone());
                let version = (row.id, row.version);
                self.there.contains(&key)
                    && (changed.contains(&key)
                        || known.contains(&version)
                        || self.plain.contains(&version))
            })
    }
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
        let target = reference.target().filter(|_| !self.scan.there.contains(&local))?;
        let key = (target.environment.to_owned(), target.path, target.key.to_owned());
        let name = self.names.get(&key).filter(|name| is_spelled(name) && !name.contains('.'))?;
        let before = reference.text.strip_suffix(target.key)?;
        Some(format!("{before}{name}"))
    }

    /// Who follows, by what was read of the project.
    fn of(names: &BTreeMap<Key, String>, scan: Scan) -> Result<Self> {
        let mut renames = Self { names: names.clone(), scan, followers: BTreeMap::new() };
        // What is not there gets no other name.
        renames.names.retain(|key, _| renames.scan.there.contains(key));
        let (mut followers, mut bytes) = (BTreeMap::new(), 0);
        for (index, ((environment, path, _), opened)) in renames.scan.referring.iter().enumerate() {
            let value = renames.follow(environment, path, &opened.payload.value)?;
            if value.expose() != opened.payload.value.expose() {
                bytes += value.expose().len();
                if bytes > MAX_WRITTEN {
                    return Err(super::too_large_a_write());
                }
                followers.insert(index, value);
            }
        }
        renames.followers = followers;
        Ok(renames)
    }

    /// The folders of those that follow.
    fn spots(&self) -> Result<BTreeSet<Spot>> {
        let spot = |index: &usize| {
            let ((environment, path, _), _) = &self.scan.referring[*index];
            Ok((environment.clone(), SecretPath::parse("path", Some(path))?))
        };
        self.followers.keys().map(spot).collect()
    }
}

/// Whether a reference can hold a name.
fn is_spelled(name: &str) -> bool {
    let text = format!("${{{name}}}");
    references(&text).next().is_some_and(|reference| reference.text == name)
}

impl Core {
    /// Starts a write that may give other names: with its folders entered, and those of whoever
    /// refers to what gets another name.
    pub(super) async fn enter_naming(
        &self,
        place: &Place,
        naming: &Naming,
    ) -> Result<(Tx, Renames)> {
        if naming.names.is_empty() {
            let mut tx = self.store.begin().await?;
            return match self.enter_all(&mut tx, place, &naming.spots).await? {
                Some((absent, _)) => Err(absent.not_found()),
                None => Ok((tx, Renames::default())),
            };
        }
        let _turn = self.whole_project().await?;
        let (org, project) = (place.access.project.org_id, place.access.id());
        let mut before = Scan::default();
        for attempt in 1..=ATTEMPTS {
            let rows = secrets::list_project(&self.store, org, project).await?;
            let scan = self.scan(place, naming, rows, before).await?;
            let renames = Renames::of(&naming.names, scan)?;
            let mut spots = renames.spots()?;
            spots.extend(naming.spots.iter().cloned());
            let mut tx = self.store.begin().await?;
            match self.enter_all(&mut tx, place, &spots).await? {
                Some((absent, spot)) if naming.spots.contains(spot) => {
                    return Err(absent.not_found());
                }
                // The folder of one that follows got another name.
                Some(_) => {
                    before = renames.scan;
                    continue;
                }
                None => {}
            }
            self.hold_project(&mut tx, project).await?;
            // Everybody else's writes wait from here on, so that values are read again only where
            // they keep changing.
            let there = secrets::names_of_project(&mut tx, org, project).await?;
            if renames.scan.is_of(&there, &naming.changed) {
                return Ok((tx, renames));
            }
            if attempt < ATTEMPTS {
                before = renames.scan;
                continue;
            }
            let rows = secrets::list_project(&mut tx, org, project).await?;
            let scan = self.scan(place, naming, rows, renames.scan).await?;
            let renames = Renames::of(&naming.names, scan)?;
            if renames.spots()?.is_subset(&spots) {
                return Ok((tx, renames));
            }
            before = renames.scan;
        }
        Err(Error::Unavailable("What refers to the secret keeps changing; try again"))
    }

    /// Reads the secrets of a project through; `before` is what was read of them earlier.
    async fn scan(
        &self,
        place: &Place,
        naming: &Naming,
        rows: Vec<FoundRow>,
        before: Scan,
    ) -> Result<Scan> {
        let Scan { referring, plain, .. } = before;
        let known = referring.into_iter();
        let mut known: HashMap<_, _> = known
            .map(|(_, opened)| ((opened.row.id, opened.row.version), opened.payload))
            .collect();
        let (mut scan, mut opened_now) = (Scan::default(), 0);
        for FoundRow { placed, environment } in rows {
            let (path, Some(row)) = placed.split() else { continue };
            let key = (environment, path, row.name.clone());
            scan.there.insert(key.clone());
            let version = (row.id, row.version);
            if naming.changed.contains(&key) {
                continue;
            }
            if plain.contains(&version) {
                scan.plain.insert(version);
                continue;
            }
            let opened = if let Some(payload) = known.remove(&version) {
                Opened { row, payload }
            } else {
                opened_now += 1;
                if opened_now % TURN == 0 {
                    tokio::task::yield_now().await;
                }
                Opened::open(&place.access, row)?
            };
            if has_references(opened.payload.value.expose()) {
                scan.referring.push((key, opened));
            } else {
                scan.plain.insert(version);
            }
        }
        Ok(scan)
    }

    /// Enters folders for a write, in the one order of all writers; says which is not there.
    async fn enter_all<'s>(
        &self,
        tx: &mut Tx,
        place: &Place,
        spots: &'s BTreeSet<Spot>,
    ) -> Result<Option<(Place, &'s Spot)>> {
        let now = self.now().micros();
        for spot in spots {
            let (environment, path) = spot.clone();
            let place = Place { environment, path, ..place.clone() };
            if !folders::touch_at(tx, &place.stored(), now).await? {
                return Ok(Some((place, spot)));
            }
        }
        Ok(None)
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
        let mut values = renames.followers;
        let referring = renames.scan.referring.into_iter().enumerate();
        for (index, ((environment, path, _), opened)) in referring {
            let Some(value) = values.remove(&index) else { continue };
            let path = SecretPath::parse("path", Some(&path))?;
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
