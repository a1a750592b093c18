//! Secrets, or whole folders, that are in another folder too.

use std::collections::BTreeMap;

use kms_api::{
    secrets::{BatchResponse, Secret},
    transfers::DuplicateSecrets,
};
use kms_store::{
    StoreError, Tx,
    secrets::{self, SHARED, SecretRow},
};

use super::{Arrivals, Ends, Landing, MAX_BATCH, about, checked_ids, require_readable, take_over};
use crate::{
    Caller, Core, Error, Result,
    access::Action,
    place::Place,
    secrets::{
        MAX_WRITTEN, Opened, Payload,
        create::Target,
        sign, too_large_a_write,
        update::write_versions,
        view::{Frame, Show},
    },
    text::SecretPath,
};

/// Secrets of a folder by where they go, below the destination in the order in which every writer
/// enters folders.
type Copies = BTreeMap<SecretPath, (Place, Vec<Opened>)>;

impl Core {
    /// Copies secrets of a folder into another folder of the project; without ids, all that is in
    /// it and below it, folders too. All or none, each as a secret of its own without a history.
    pub async fn duplicate_secrets(
        &self,
        caller: &Caller,
        body: &DuplicateSecrets,
    ) -> Result<BatchResponse> {
        let Ends { source, destination } = self.ends(caller, &body.ways).await?;
        let mut tx = self.store.begin().await?;
        self.hold_also(&mut tx, &destination).await?;
        let copies = match body.secret_ids.as_deref() {
            Some(sent) => {
                let leaving = self.leaving(&mut tx, &source, &checked_ids(sent)?).await?;
                Copies::from([(destination.path.clone(), (source.clone(), leaving))])
            }
            None => everything(&mut tx, &source, &destination).await?,
        };
        let labels = self.all_labels(&mut tx, &source.access).await?;
        let (mut answer, mut events) = (Vec::new(), Vec::new());
        for (path, (from, leaving)) in copies {
            require_readable(&from, &labels, &leaving)?;
            let place = destination.with_path(path);
            let (folder, made) = self.make_path(&mut tx, &place).await?;
            events.extend(made);
            if leaving.is_empty() {
                continue;
            }
            self.enter_also(&mut tx, &place).await?;
            let should_overwrite = body.ways.should_overwrite;
            let landing = Landing { place: &place, folder, labels: &labels, should_overwrite };
            let arrivals = self.land(&mut tx, &landing, leaving).await?;
            let (secrets, rows) = self.copy(caller, &mut tx, &landing, arrivals).await?;
            answer.extend(secrets);
            events.push(about("duplicate-secrets", &from, &place, &rows));
        }
        self.leave(tx, caller, &destination, events).await?;
        Ok(BatchResponse { secrets: answer })
    }

    async fn copy(
        &self,
        caller: &Caller,
        tx: &mut Tx,
        landing: &Landing<'_>,
        arrivals: Arrivals,
    ) -> Result<(Vec<Secret>, Vec<SecretRow>)> {
        let access = &landing.place.access;
        let (mut new, mut changed, mut answer) = (Vec::new(), Vec::new(), Vec::new());
        for Opened { row: from, payload } in arrivals.new {
            let folder = (landing.folder.env_id, landing.folder.id);
            let target = Target { folder, owner: SHARED };
            let mut row = self.blank_row(target, from.name.clone());
            take_over(&mut row, &from);
            sign(&mut row, caller);
            self.seal(access, &mut row, &payload)?;
            answer.push(shown(landing, &row, payload));
            new.push(row);
        }
        for (there, Opened { row: from, payload }) in arrivals.over {
            let mut row = there.row;
            take_over(&mut row, &from);
            self.advance(caller, access, &mut row, &payload)?;
            answer.push(shown(landing, &row, payload));
            changed.push(row);
        }
        if new.iter().map(|row| row.sealed.len()).sum::<usize>() > MAX_WRITTEN {
            return Err(too_large_a_write());
        }
        match secrets::insert(tx, access.project.org_id, access.id(), &new).await {
            Err(StoreError::Duplicate) => return Err(Error::bad_request("Secret already exists")),
            done => done?,
        }
        write_versions(tx, access, &changed).await?;
        new.extend(changed);
        Ok((answer, new))
    }
}

fn shown(landing: &Landing<'_>, row: &SecretRow, payload: Payload) -> Secret {
    let tags = landing.labels.slugs(&payload.tags);
    let show = Show::to_readers(landing.place, &row.name, &tags);
    Frame::of(landing.place, landing.labels).secret(row.clone(), payload, show)
}

/// What is in a folder and below it, empty folders too.
async fn everything(tx: &mut Tx, source: &Place, destination: &Place) -> Result<Copies> {
    let size = secrets::measure(&mut *tx, &source.stored()).await?;
    let most = i64::try_from(MAX_BATCH).unwrap_or(i64::MAX);
    if size.secrets > most || size.folders > most {
        let message = format!("The folder holds more than {MAX_BATCH} secrets or folders");
        return Err(Error::bad_request(message));
    }
    if usize::try_from(size.bytes).is_ok_and(|bytes| bytes > MAX_WRITTEN) {
        return Err(too_large_a_write());
    }
    let rows = secrets::list(&mut *tx, &source.stored(), true).await?;
    if rows.is_empty() {
        return Err(source.not_found());
    }
    let mut copies = Copies::new();
    for row in rows {
        let (path, secret) = row.split();
        let path = SecretPath::parse("sourceSecretPath", Some(&path))?;
        let below = path.as_str().strip_prefix(source.path.as_str()).unwrap_or_default();
        let mut target = destination.path.clone();
        for name in below.split('/').filter(|name| !name.is_empty()) {
            target = target.join(name);
        }
        let target = SecretPath::parse("destinationSecretPath", Some(target.as_str()))?;
        let place = source.with_path(path);
        if place.path != source.path {
            source.with_path(place.path.parent()).require_folders(Action::Read)?;
        }
        let (_, opened) = copies.entry(target).or_insert_with(|| (place, Vec::new()));
        if let Some(secret) = secret {
            opened.push(Opened::open(&source.access, secret)?);
        }
    }
    Ok(copies)
}
