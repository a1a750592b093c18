//! One secret.

use kms_api::{
    SecretId,
    secrets::{GetSecretQuery, SecretResponse},
    wire::WireBool,
};
use kms_store::{
    secret_versions,
    secrets::{self, SHARED},
};
use serde_json::json;

use super::{
    Answer, Kind, Opened, Skin,
    answer::{Asked, Made, Question, Reach},
    by_id::{ATTEMPTS, keeps_changing},
    expanded::searched_first,
    no_secret, overrides_of,
    references::{Home, Overlay},
    versions::Past,
    view::{Frame, Show},
    wanted_name,
};
use crate::{
    Actor, Caller, Core, Error, Result,
    access::{Action, Subject},
    place::Place,
    tags::Labels,
    text,
};

/// What is wanted of one secret.
struct Wanted<'q> {
    name: &'q str,
    /// The one secret of this name that is meant, if any will not do.
    id: Option<SecretId>,
    version: Option<i64>,
    show: Show,
    kind: Kind,
    reach: Reach,
}

impl Core {
    /// Reads one secret by its name, as a finished answer of [`SecretResponse`].
    ///
    /// A former version is looked for in the history of the secret that has the name now.
    pub async fn get_secret(
        &self,
        caller: &Caller,
        name: &str,
        query: &GetSecretQuery,
    ) -> Result<Answer> {
        self.get_as(Skin::V4, caller, name, query).await
    }

    /// As [`Core::get_secret`], with what v3 does about parameters that are left out.
    pub async fn get_secret_v3(
        &self,
        caller: &Caller,
        name: &str,
        query: &GetSecretQuery,
    ) -> Result<Answer> {
        self.get_as(Skin::V3, caller, name, query).await
    }

    async fn get_as(
        &self,
        skin: Skin,
        caller: &Caller,
        name: &str,
        query: &GetSecretQuery,
    ) -> Result<Answer> {
        let (environment, path) = (query.environment.as_deref(), query.secret_path.as_deref());
        let place =
            self.place_to_read(caller, &query.project, environment, ("secretPath", path)).await?;
        let name = wanted_name(name)?;
        let kind = match &caller.actor {
            // Nothing is a service token's own (wire contract, type).
            Actor::Service(_) => Kind::Shared,
            _ => Kind::parse(query.r#type.as_deref())?,
        };
        let version = match query.version.as_deref() {
            None => None,
            text => Some(text::number("version", text, 0, 0, i64::MAX)?),
        };
        let show = match query.view_secret_value {
            Some(flag) if !flag.0 => Show::Mask,
            _ => Show::Value,
        };
        let is_own = kind == Kind::Personal && caller.actor.user().is_some();
        if !is_own {
            require_possible_read(&place, name, show)?;
        }
        if kind == Kind::Personal && !is_own {
            return Err(no_secret(&place, name));
        }
        let flag = |flag: Option<WireBool>| flag.map_or(skin == Skin::V4, |flag| flag.0);
        let expand = flag(query.expand_secret_references) && show == Show::Value;
        let imports = flag(query.include_imports) && kind == Kind::Shared && version.is_none();
        let owner = if expand || is_own { overrides_of(caller) } else { SHARED };
        let reach = Reach { expand, imports, owner, skin };
        let value = show == Show::Value;
        let (id, personal) = (None, is_own);
        let asked = Asked::One { name: name.to_owned(), id, version, value, personal };
        let question = Question::new(&place, asked, reach);
        let wanted = Wanted { name, id, version, show, kind, reach };
        self.answer(caller, question, self.make_one(&place, &wanted)).await
    }

    /// Reads one secret by its id, as a finished answer of [`SecretResponse`]: as it is stored,
    /// for programs that keep it so.
    pub async fn get_secret_by_id(&self, caller: &Caller, id: &str) -> Result<Answer> {
        let id: SecretId = id.parse().map_err(|_| Error::field("secretId", "must be a UUID"))?;
        let mut at = self.locate_secret(caller, id).await?;
        for _ in 0..ATTEMPTS {
            let answer = self.get_at(caller, id, &at).await;
            match self.went_elsewhere(caller, id, &at, &answer).await? {
                Some(now) => at = now,
                None => return answer,
            }
        }
        Err(keeps_changing())
    }

    async fn get_at(
        &self,
        caller: &Caller,
        id: SecretId,
        (place, name): &(Place, String),
    ) -> Result<Answer> {
        require_possible_read(place, name, Show::Value)?;
        let reach = Reach { expand: false, imports: false, owner: SHARED, skin: Skin::V4 };
        let (version, personal) = (None, false);
        let asked = Asked::One { name: name.clone(), id: Some(id), version, value: true, personal };
        let (show, kind) = (Show::Value, Kind::Shared);
        let wanted = Wanted { name, id: Some(id), version, show, kind, reach };
        let question = Question::new(place, asked, reach);
        self.answer(caller, question, self.make_one(place, &wanted)).await
    }

    async fn make_one(&self, place: &Place, wanted: &Wanted<'_>) -> Result<Made<SecretResponse>> {
        let &Wanted { name, id, version, show, kind, reach } = wanted;
        let is_own = kind == Kind::Personal;
        let owner = if is_own { reach.owner } else { SHARED };
        // Who wrote an override sees it.
        let show = if is_own { Show::Value } else { show };
        let absent = |error| if is_own { error } else { missing(place, name, show, error) };
        let found = secrets::find_of(&self.store, &place.stored(), name, owner).await?;
        let Some(found) = found else { return Err(absent(place.not_found())) };
        let row = found.split().1.filter(|row| id.is_none_or(|id| id == row.id));
        let opened = match row {
            Some(row) => Opened::open(&place.access, row)?,
            None if reach.imports => {
                require_read(place, name, &[], show)?;
                return self.make_imported(place, wanted).await;
            }
            None => return Err(absent(no_secret(place, name))),
        };
        let named = std::iter::once(opened.tags());
        let mut labels = self.labels(&self.store, &place.access, named).await?;
        if !is_own {
            require_read(place, name, &labels.slugs(opened.tags()), show)?;
        }
        let version = version.filter(|version| *version != opened.row.version);
        let Opened { row, payload } = match version {
            None => opened,
            Some(version) => self.former(place, opened, &mut labels, version, show).await?,
        };
        let (id, version) = (row.id, row.version);
        let mut secret = Frame::of(place, &labels).secret(row, payload, show);
        let read = self.expand_one(place, reach, &mut secret, None).await?;
        let event = place.event("get-secret").key(&secret.secret_key).details([
            ("secretId", id.to_string().into()),
            ("secretVersion", version.into()),
            ("secretType", secret.r#type.as_str().into()),
            ("numberOfReferencedSecrets", read.into()),
        ]);
        Ok(Made { body: SecretResponse { secret }, event })
    }

    /// The secret of a name, which the caller must be allowed to read.
    pub(super) async fn find_readable(
        &self,
        place: &Place,
        name: &str,
        show: Show,
    ) -> Result<Opened> {
        require_possible_read(place, name, show)?;
        let found = secrets::find(&self.store, &place.stored(), name).await?;
        let Some(found) = found else { return Err(missing(place, name, show, place.not_found())) };
        let absent = || missing(place, name, show, no_secret(place, name));
        let opened = Opened::open(&place.access, found.split().1.ok_or_else(absent)?)?;
        let named = std::iter::once(opened.tags());
        let labels = self.labels(&self.store, &place.access, named).await?;
        require_read(place, name, &labels.slugs(opened.tags()), show)?;
        Ok(opened)
    }

    /// One secret that the folder only imports, told as the import's.
    async fn make_imported(
        &self,
        place: &Place,
        wanted: &Wanted<'_>,
    ) -> Result<Made<SecretResponse>> {
        let &Wanted { name, show, reach, .. } = wanted;
        let found = self.find_imported(place, name, show).await?;
        let (mut secret, chains, index) = found.ok_or_else(|| no_secret(place, name))?;
        let origin = (secret.environment.clone(), secret.secret_path.clone().unwrap_or_default());
        let first = searched_first(place, &chains);
        let overlay = (reach.skin == Skin::V4)
            .then(|| Overlay { of: Home { environment: &origin.0, path: &origin.1 }, first });
        let read = self.expand_one(place, reach, &mut secret, overlay.as_ref()).await?;
        let event = place.event("get-secret").key(name).details([
            ("secretId", secret.id.to_string().into()),
            ("secretVersion", secret.version.into()),
            ("importedFrom", json!({ "environment": origin.0, "secretPath": origin.1 })),
            ("numberOfReferencedSecrets", read.into()),
        ]);
        let (environment, path) = &chains[index].source;
        environment.clone_into(&mut secret.environment);
        secret.secret_path = Some(path.clone());
        Ok(Made { body: SecretResponse { secret }, event })
    }

    /// A secret as it was in a former version, if all of it may be shown that was asked for.
    async fn former(
        &self,
        place: &Place,
        current: Opened,
        labels: &mut Labels,
        version: i64,
        show: Show,
    ) -> Result<Opened> {
        let (org, id) = (place.access.project.org_id, current.row.id);
        let found = secret_versions::find(&self.store, org, id, version).await?;
        let found = found.ok_or_else(|| no_secret(place, &current.row.name))?;
        let past = Past::open(place, &current, found)?;
        let named = std::iter::once(past.payload.tags.as_slice());
        self.labels_also(labels, &self.store, &place.access, named).await?;
        match past.shown(place, &current, labels) {
            Some(Show::Value) => {}
            Some(Show::Mask) if show == Show::Mask => {}
            Some(Show::Mask) => {
                return Err(place.access.rules.denied(Action::ReadValue, Subject::Secrets));
            }
            None => {
                return Err(place.access.rules.denied(Action::DescribeSecret, Subject::Secrets));
            }
        }
        Ok(past.instead_of(current.row))
    }
}

/// Asked before anything is looked for.
fn require_possible_read(place: &Place, name: &str, show: Show) -> Result<()> {
    place.require_possible(Action::DescribeSecret, name)?;
    match show {
        Show::Value => place.require_possible(Action::ReadValue, name),
        Show::Mask => Ok(()),
    }
}

/// Asked about a secret that is there: one that the caller may not even know of answers like one
/// that is not.
fn require_read(place: &Place, name: &str, tags: &[String], show: Show) -> Result<()> {
    if !place.allows_secret(Action::DescribeSecret, name, tags) {
        return Err(missing(place, name, show, no_secret(place, name)));
    }
    if show == Show::Value {
        place.require_secret(Action::ReadValue, name, tags)?;
    }
    Ok(())
}

/// The error about a secret that is not there: whoever could not read it learns nothing.
fn missing(place: &Place, name: &str, show: Show, absent: Error) -> Error {
    let value = || match show {
        Show::Value => place.missing(Action::ReadValue, name, || absent),
        Show::Mask => absent,
    };
    place.missing(Action::DescribeSecret, name, value)
}
