//! The next versions of many secrets.

use std::collections::{BTreeMap, HashMap, HashSet};

use kms_api::secrets::{BatchBody, BatchItem, BatchResponse, Secret};
use kms_store::{StoreError, Tx, folders::FolderRow, secrets};

use super::{about, check_size, in_element, known_name, look_up, prefix, require_once, told};
use crate::{
    Caller, Core, Error, Result,
    access::Action,
    audit::Event,
    place::Place,
    secrets::{
        Opened,
        create::Target,
        fields::Fields,
        new_name,
        renames::{Naming, Renames},
        update::{Change, checked_new_name, write_versions},
        view::{Frame, Show},
    },
    tags::Labels,
    text::SecretPath,
};

/// What happens about a name that is not there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Fail,
    Create,
    Skip,
}

impl Mode {
    fn parse(text: Option<&str>) -> Result<Self> {
        match text {
            None | Some("failOnNotFound") => Ok(Self::Fail),
            Some("upsert") => Ok(Self::Create),
            Some("ignore") => Ok(Self::Skip),
            Some(_) => Err(Error::field("mode", "must be `failOnNotFound`, `upsert` or `ignore`")),
        }
    }
}

/// One element, checked.
struct Wanted<'b> {
    index: usize,
    item: &'b BatchItem,
    name: &'b str,
    new_name: Option<String>,
    fields: Fields,
}

/// Where elements of one folder are changed and added.
#[derive(Clone, Copy)]
struct Group<'a> {
    place: &'a Place,
    folder: &'a FolderRow,
    labels: &'a Labels,
    renames: &'a Renames,
}

/// Elements by folder, in the order in which every writer enters folders.
type Groups<'b> = BTreeMap<SecretPath, (Place, Vec<Wanted<'b>>)>;

impl Core {
    /// Changes all of these secrets, or none. An element may name a folder of its own; what
    /// happens about missing names is the body's `mode`.
    pub async fn update_secrets(&self, caller: &Caller, body: &BatchBody) -> Result<BatchResponse> {
        let place = self.batch_place(caller, body).await?;
        let mode = Mode::parse(body.mode.as_deref())?;
        check_size(&body.secrets)?;
        let groups = check(&place, mode, &body.secrets)?;
        for (place, wanted) in groups.values() {
            let values: Vec<_> = wanted.iter().flat_map(|one| one.fields.values()).collect();
            self.check_references(&self.store, place, &values).await?;
        }
        let (mut tx, renames) = self.enter_naming(&place, &naming(&place, &groups)).await?;
        let (mut answer, mut events) = (Vec::new(), Vec::new());
        let mut labels = Labels::default();
        for (place, wanted) in groups.into_values() {
            let names: Vec<_> = wanted.iter().map(|wanted| wanted.name).collect();
            let (folder, found) = look_up(&mut tx, &place, &names).await?;
            let found = Opened::all(&place.access, found)?;
            let sent = wanted.iter().map(|wanted| wanted.fields.tags());
            let tagged = found.iter().map(Opened::tags).chain(sent);
            self.labels_also(&mut labels, &mut tx, &place.access, tagged).await?;
            let found: HashMap<_, _> =
                found.into_iter().map(|opened| (opened.row.name.clone(), opened)).collect();
            let (known, new): (Vec<_>, Vec<_>) =
                wanted.into_iter().partition(|wanted| found.contains_key(wanted.name));
            let new = match mode {
                Mode::Fail if !new.is_empty() => return Err(missing(&place, &new)),
                Mode::Fail | Mode::Skip => Vec::new(),
                Mode::Create => new,
            };
            let (folder, labels, renames) = (&folder, &labels, &renames);
            let group = Group { place: &place, folder, labels, renames };
            let changed = self.change(caller, &mut tx, group, known, found).await?;
            let created = self.add(caller, &mut tx, group, new).await?;
            for (secrets, event) in [changed, created].into_iter().flatten() {
                answer.extend(secrets);
                events.push(event);
            }
        }
        events.extend(self.write_followers(caller, &mut tx, &place, renames).await?);
        self.leave(tx, caller, &place, events).await?;
        Ok(BatchResponse { secrets: answer })
    }

    async fn change(
        &self,
        caller: &Caller,
        tx: &mut Tx,
        Group { place, labels, renames, .. }: Group<'_>,
        wanted: Vec<Wanted<'_>>,
        mut found: HashMap<String, Opened>,
    ) -> Result<Option<(Vec<Secret>, Event)>> {
        let (mut rows, mut answer) = (Vec::new(), Vec::new());
        for Wanted { name, new_name, fields, .. } in wanted {
            let Some(opened) = found.remove(name) else { continue };
            let change = Change { place, labels, renames, new_name, fields };
            let (row, secret) = self.next_version(caller, opened, change)?;
            if row.name != name {
                self.rename_overrides(tx, &place.access, name, &row).await?;
            }
            rows.push(row);
            answer.push(secret);
        }
        if rows.is_empty() {
            return Ok(None);
        }
        write_versions(tx, &place.access, &rows).await?;
        Ok(Some((answer, about(place, "update-secrets", &rows))))
    }

    async fn add(
        &self,
        caller: &Caller,
        tx: &mut Tx,
        Group { place, folder, labels, .. }: Group<'_>,
        wanted: Vec<Wanted<'_>>,
    ) -> Result<Option<(Vec<Secret>, Event)>> {
        let (mut rows, mut answer) = (Vec::new(), Vec::new());
        for Wanted { index, item, .. } in wanted {
            let prefix = prefix(index);
            let name = new_name(&place.access, "secretKey", &item.secret_key);
            let name = in_element(&prefix, name)?;
            let fields = Fields::check_new(&prefix, &item.fields)?;
            labels.require(fields.tags())?;
            place.require_secret(Action::Create, &name, &labels.slugs(fields.tags()))?;
            let target = Target { folder: (folder.env_id, folder.id), owner: secrets::SHARED };
            let (row, payload) = self.new_secret(caller, place, target, name, fields)?;
            answer.push(Frame::of(place, labels).secret(row.clone(), payload, Show::Value));
            rows.push(row);
        }
        if rows.is_empty() {
            return Ok(None);
        }
        let (org, project) = (place.access.project.org_id, place.access.id());
        match secrets::insert(tx, org, project, &rows).await {
            Err(StoreError::Duplicate) => return Err(Error::bad_request("Secret already exists")),
            done => done?,
        }
        Ok(Some((answer, about(place, "create-secrets", &rows))))
    }
}

/// Checks every element before anything is written.
fn check<'b>(place: &Place, mode: Mode, items: &'b [BatchItem]) -> Result<Groups<'b>> {
    let mut groups = Groups::new();
    let mut keys = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let prefix = prefix(index);
        let path = match item.secret_path.as_deref() {
            None => place.path.clone(),
            path => in_element(&prefix, SecretPath::parse("secretPath", path))?,
        };
        let name = known_name(index, item)?;
        keys.push((path.clone(), name));
        let at = || (place.with_path(path.clone()), Vec::new());
        let (place, wanted) = groups.entry(path.clone()).or_insert_with(at);
        // Which of the two a missing name would take shows when it is looked for.
        if mode != Mode::Create || !place.may_allow_secret(Action::Create, name) {
            place.require_possible(Action::Edit, name)?;
        }
        let new_name = checked_new_name(place, name, item.new_secret_name.as_deref());
        let new_name = in_element(&prefix, new_name)?;
        let fields = Fields::check(&prefix, &item.fields)?;
        wanted.push(Wanted { index, item, name, new_name, fields });
    }
    require_once(keys.iter())?;
    for (_, wanted) in groups.values() {
        require_apart(wanted)?;
    }
    Ok(groups)
}

/// Refuses a name that another element gives up: which of the two comes first would decide whose
/// overrides become whose.
fn require_apart(wanted: &[Wanted<'_>]) -> Result<()> {
    let given_up = wanted.iter().filter(|each| each.new_name.is_some()).map(|each| each.name);
    let given_up: HashSet<_> = given_up.collect();
    let taken = |each: &&Wanted<'_>| {
        each.new_name.as_deref().is_some_and(|new| new != each.name && given_up.contains(new))
    };
    match wanted.iter().find(taken) {
        None => Ok(()),
        Some(each) => in_element(
            &prefix(each.index),
            Err(Error::bad_request("Secret with the new name already exists")),
        ),
    }
}

/// What the elements do with names.
fn naming(place: &Place, groups: &Groups<'_>) -> Naming {
    let mut naming = Naming::default();
    for (path, (_, wanted)) in groups {
        naming.spots.insert((place.environment.clone(), path.clone()));
        for each in wanted {
            let path = path.as_str().to_owned();
            let key = (place.environment.clone(), path, each.name.to_owned());
            naming.names.extend(each.new_name.clone().map(|new| (key.clone(), new)));
            naming.changed.insert(key);
        }
    }
    naming
}

fn missing(place: &Place, wanted: &[Wanted<'_>]) -> Error {
    let names = || told(wanted.iter().map(|wanted| wanted.name));
    let absent =
        || Error::not_found(format!("Secret does not exist: {} in path {}", names(), place.path));
    let first = wanted.first().map_or("", |wanted| wanted.name);
    place.missing(Action::Edit, first, absent)
}
