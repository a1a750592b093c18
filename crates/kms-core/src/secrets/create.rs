//! A new secret.

use kms_api::{
    EnvironmentId, FolderId,
    secrets::{CreateSecret, SecretResponse},
};
use kms_store::{
    StoreError, Tx, folders,
    secrets::{self, PlacedRow, SHARED, SecretRow},
};
use uuid::Uuid;

use super::{
    Kind, Payload,
    fields::Fields,
    new_name, owner_of, sign,
    view::{Frame, Show, type_of},
};
use crate::{Caller, Core, Error, Result, access::Action, audit::Event, place::Place};

impl Core {
    /// Creates a secret; its answer never hides the value, which the caller knows.
    pub async fn create_secret(
        &self,
        caller: &Caller,
        name: &str,
        body: &CreateSecret,
    ) -> Result<SecretResponse> {
        let (environment, path) = (body.environment.as_deref(), body.secret_path.as_deref());
        let place = self.place(caller, &body.project, environment, ("secretPath", path)).await?;
        let name = new_name(&place.access, "secretName", name)?;
        place.require_possible(Action::Create, &name)?;
        let owner = owner_of(caller, Kind::parse(body.r#type.as_deref())?)?;
        let fields = Fields::check_new(&[], &body.fields)?;
        let tagged = std::iter::once(fields.tags());
        let labels = self.labels(&self.store, &place.access, tagged).await?;
        labels.require(fields.tags())?;
        place.require_secret(Action::Create, &name, &labels.slugs(fields.tags()))?;
        self.check_references(&self.store, &place, &fields.values()).await?;
        let mut tx = self.enter(&place).await?;
        let found = secrets::find(&mut tx, &place.stored(), &name).await?;
        let mut found = found.ok_or_else(|| place.not_found())?;
        if owner != SHARED {
            require_overridden(&found)?;
            let own = secrets::find_of(&mut tx, &place.stored(), &name, owner).await?;
            found = own.ok_or_else(|| place.not_found())?;
        }
        if found.id.is_some() {
            return Err(Error::bad_request("Secret already exists"));
        }
        let target = Target { folder: (found.env_id, found.folder_id), owner };
        let (row, payload) = self.new_secret(caller, &place, target, name, fields)?;
        let (org, project) = (place.access.project.org_id, place.access.id());
        match secrets::insert(&mut tx, org, project, std::slice::from_ref(&row)).await {
            Err(StoreError::Duplicate) => {
                return Err(Error::bad_request("Secret already exists"));
            }
            done => done?,
        }
        let event = about(&place, "create-secret", &row);
        self.leave(tx, caller, &place, [event]).await?;
        let secret = Frame::of(&place, &labels).secret(row, payload, Show::Value);
        Ok(SecretResponse { secret })
    }

    /// Starts a write in a folder, which must exist: other writers there wait until it ends.
    pub(crate) async fn enter(&self, place: &Place) -> Result<Tx> {
        let mut tx = self.store.begin().await?;
        self.enter_also(&mut tx, place).await?;
        Ok(tx)
    }

    /// Goes on in one more folder.
    pub(super) async fn enter_also(&self, tx: &mut Tx, place: &Place) -> Result<()> {
        if folders::touch_at(tx, &place.stored(), self.now().micros()).await? {
            return Ok(());
        }
        Err(place.not_found())
    }

    /// Ends a write: with its records, or not at all.
    pub(crate) async fn leave(
        &self,
        mut tx: Tx,
        caller: &Caller,
        place: &Place,
        events: impl IntoIterator<Item = Event>,
    ) -> Result<()> {
        self.touches_project(&mut tx, place.access.id());
        for event in events {
            tx.audit(self.record(caller, &event));
        }
        Ok(tx.commit().await?)
    }

    /// The first version of a secret.
    pub(super) fn new_secret(
        &self,
        caller: &Caller,
        place: &Place,
        target: Target,
        name: String,
        fields: Fields,
    ) -> Result<(SecretRow, Payload)> {
        let mut row = self.blank_row(target, name);
        let mut payload = Payload::default();
        fields.apply(&mut row, &mut payload);
        sign(&mut row, caller);
        self.seal(&place.access, &mut row, &payload)?;
        Ok((row, payload))
    }

    /// A secret that holds nothing yet.
    pub(super) fn blank_row(
        &self,
        Target { folder: (env_id, folder_id), owner: owner_id }: Target,
        name: String,
    ) -> SecretRow {
        let now = self.now().micros();
        SecretRow {
            env_id,
            folder_id,
            id: self.new_id(),
            name,
            owner_id,
            version: 1,
            sealed: Vec::new(),
            skip_multiline_encoding: None,
            reminder_note: None,
            reminder_days: None,
            actor_kind: String::new(),
            actor_id: None,
            actor_name: None,
            created_at: now,
            updated_at: now,
            mac: Vec::new(),
            version_mac: Vec::new(),
        }
    }
}

/// Where a new secret comes.
#[derive(Clone, Copy)]
pub(super) struct Target {
    pub(super) folder: (EnvironmentId, FolderId),
    /// See [`SecretRow::owner_id`].
    pub(super) owner: Uuid,
}

/// There is something to override.
fn require_overridden(shared: &PlacedRow) -> Result<()> {
    if shared.id.is_some() {
        return Ok(());
    }
    Err(Error::bad_request(
        "Failed to create personal secret override for no corresponding shared secret",
    ))
}

/// What the log is told about a write of one secret.
pub(super) fn about(place: &Place, kind: &'static str, row: &SecretRow) -> Event {
    place.event(kind).key(&row.name).details([
        ("secretId", row.id.to_string().into()),
        ("secretVersion", row.version.into()),
        ("secretType", type_of(row.owner_id).into()),
    ])
}
