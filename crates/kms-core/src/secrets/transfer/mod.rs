//! Secrets that go to another folder: moved with their history, or copied.
//!
//! What is sealed is bound to its place, so whatever arrives is sealed anew. Whoever carries a
//! secret somewhere must be allowed to read it where it is: others read it where it goes.

mod copying;
mod folder;
mod moving;

use std::collections::HashMap;

use kms_api::{SecretId, transfers::Ways};
use kms_store::{
    Tx,
    folders::{self, FolderRow},
    secrets::{self, SecretRow},
};
use serde_json::{Value, json};

use super::{MAX_BATCH, Opened};
use crate::{
    Caller, Core, Error, Result,
    access::{Action, Subject},
    audit::Event,
    place::{Place, check_environment},
    tags::Labels,
    text::SecretPath,
};

/// From where to where.
struct Ends {
    source: Place,
    destination: Place,
}

/// Where secrets arrive.
struct Landing<'a> {
    place: &'a Place,
    folder: FolderRow,
    labels: &'a Labels,
    should_overwrite: bool,
}

/// What becomes of secrets that arrive.
#[derive(Default)]
struct Arrivals {
    /// Those whose names are free.
    new: Vec<Opened>,
    /// Those that give another version to one of the same name, which is first.
    over: Vec<(Opened, Opened)>,
}

impl Core {
    async fn ends(&self, caller: &Caller, ways: &Ways) -> Result<Ends> {
        let access = self.project_of(caller, &ways.project).await?;
        let end = |field: [&str; 2], environment: &str, path: Option<&str>| -> Result<Place> {
            let slug = check_environment(environment);
            let slug = slug.map_err(|_| Error::field(field[0], "must be a slug"))?.to_owned();
            let path = SecretPath::parse(field[1], path)?;
            Ok(Place { access: access.clone(), environment: slug, path })
        };
        let source = end(
            ["sourceEnvironment", "sourceSecretPath"],
            &ways.source_environment,
            ways.source_secret_path.as_deref(),
        )?;
        let destination = end(
            ["destinationEnvironment", "destinationSecretPath"],
            &ways.destination_environment,
            ways.destination_secret_path.as_deref(),
        )?;
        if source.environment == destination.environment && source.path == destination.path {
            return Err(Error::bad_request("Source and destination are the same folder"));
        }
        Ok(Ends { source, destination })
    }

    /// The secrets of these ids in a folder, all of which must be there, opened.
    async fn leaving(&self, tx: &mut Tx, place: &Place, ids: &[SecretId]) -> Result<Vec<Opened>> {
        let folder = folders::find_at(&mut *tx, &place.stored()).await?;
        let folder = folder.ok_or_else(|| place.not_found())?;
        let org = place.access.project.org_id;
        let rows = secrets::find_by_ids(tx, org, folder.id, ids).await?;
        if rows.len() < ids.len() {
            return Err(absent());
        }
        Opened::all(&place.access, rows)
    }

    /// Sorts secrets by what becomes of them where they arrive, and asks whether that is allowed.
    async fn land(
        &self,
        tx: &mut Tx,
        landing: &Landing<'_>,
        arriving: Vec<Opened>,
    ) -> Result<Arrivals> {
        let Landing { place, folder, labels, should_overwrite } = landing;
        let names: Vec<_> = arriving.iter().map(|opened| opened.row.name.as_str()).collect();
        let org = place.access.project.org_id;
        let rows = secrets::find_named(tx, org, folder.id, &names).await?;
        let arrivals = if *should_overwrite {
            sort(landing, arriving, Opened::all(&place.access, rows)?)?
        } else {
            // Asked about all of them before anybody is told what is there.
            for opened in &arriving {
                let tags = labels.slugs(opened.tags());
                place.require_secret(Action::Create, &opened.row.name, &tags)?;
            }
            if !rows.is_empty() {
                return Err(taken(rows.iter().map(|row| row.name.as_str())));
            }
            Arrivals { new: arriving, over: Vec::new() }
        };
        // What refers to a neighbour has others here.
        let over = arrivals.over.iter().map(|(_, arriving)| arriving);
        let values: Vec<_> =
            arrivals.new.iter().chain(over).map(|opened| &opened.payload.value).collect();
        self.check_references(tx, place, &values).await?;
        Ok(arrivals)
    }
}

/// Tells secrets whose names are free from those that overwrite others.
fn sort(landing: &Landing<'_>, arriving: Vec<Opened>, there: Vec<Opened>) -> Result<Arrivals> {
    let Landing { place, labels, .. } = landing;
    let mut there: HashMap<_, _> =
        there.into_iter().map(|opened| (opened.row.name.clone(), opened)).collect();
    let mut arrivals = Arrivals::default();
    for opened in arriving {
        let name = &opened.row.name;
        let tags = labels.slugs(opened.tags());
        match there.remove(name) {
            None => {
                place.require_secret(Action::Create, name, &tags)?;
                arrivals.new.push(opened);
            }
            Some(other) => {
                require_replaceable(place, name, &labels.slugs(other.tags()), &tags)?;
                arrivals.over.push((other, opened));
            }
        }
    }
    Ok(arrivals)
}

/// Refuses to overwrite a secret that the caller may not edit as it is and as it becomes. One that
/// the caller may not even know of answers as far as it can like one that is not there.
fn require_replaceable(place: &Place, name: &str, old: &[String], new: &[String]) -> Result<()> {
    if place.allows_secret(Action::Edit, name, old) {
        return place.require_secret(Action::Edit, name, new);
    }
    if place.allows_secret(Action::DescribeSecret, name, old) {
        return Err(place.access.rules.denied(Action::Edit, Subject::Secrets));
    }
    place.require_secret(Action::Create, name, new)?;
    Err(taken(std::iter::once(name)))
}

fn taken<'n>(names: impl Iterator<Item = &'n str>) -> Error {
    let names = super::batch::told(names);
    Error::bad_request(format!("Secrets of these names are already at the destination: {names}"))
}

/// Refuses secrets that the caller may not read where they are.
fn require_readable(place: &Place, labels: &Labels, secrets: &[Opened]) -> Result<()> {
    for opened in secrets {
        let (name, tags) = (&opened.row.name, labels.slugs(opened.tags()));
        place.require_found(Action::DescribeSecret, name, &tags, absent)?;
        place.require_secret(Action::ReadValue, name, &tags)?;
    }
    Ok(())
}

/// Ids that a request names, each once.
fn checked_ids(sent: &[SecretId]) -> Result<Vec<SecretId>> {
    if !(1..=MAX_BATCH).contains(&sent.len()) {
        let rule = format!("must have 1 to {MAX_BATCH} elements");
        return Err(Error::field("secretIds", rule));
    }
    let mut ids = sent.to_vec();
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

/// What is kept beside the sealed value goes along with it.
fn take_over(row: &mut SecretRow, from: &SecretRow) {
    row.skip_multiline_encoding = from.skip_multiline_encoding;
    row.reminder_note.clone_from(&from.reminder_note);
    row.reminder_days = from.reminder_days;
}

/// What the log is told about secrets that went somewhere.
fn about(kind: &'static str, source: &Place, destination: &Place, rows: &[SecretRow]) -> Event {
    let secrets = rows.iter().map(
        |row| json!({ "secretId": row.id, "secretKey": row.name, "secretVersion": row.version }),
    );
    source.event(kind).details([
        ("numberOfSecrets", rows.len().into()),
        ("secrets", secrets.collect::<Value>()),
        ("destinationEnvironment", destination.environment.as_str().into()),
        ("destinationSecretPath", destination.path.as_str().into()),
    ])
}

fn absent() -> Error {
    Error::not_found("Some of the secrets were not found in the source folder")
}
