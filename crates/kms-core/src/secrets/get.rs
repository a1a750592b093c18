//! One secret.

use kms_api::{
    SecretId,
    secrets::{GetSecretQuery, ProjectRef, SecretResponse},
    wire::WireBool,
};
use kms_store::secrets::{self, SHARED, SecretRow};
use serde_json::json;

use super::{
    Answer, Kind, Skin,
    answer::{Asked, Made, Question, Reach},
    expanded::searched_first,
    no_secret, overrides_of,
    references::{Home, Overlay},
    view::{Frame, Show},
    wanted_name,
};
use crate::{Actor, Caller, Core, Error, Result, access::Action, place::Place, text};

/// What is wanted of one secret.
struct Wanted<'q> {
    name: &'q str,
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
            require_read(&place, name, show)?;
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
        let asked = Asked::One { name: name.to_owned(), version, value, personal: is_own };
        let question = Question::new(&place, asked, reach);
        let wanted = Wanted { name, version, show, kind, reach };
        self.answer(caller, question, self.make_one(&place, &wanted)).await
    }

    /// Reads one secret by its id, as a finished answer of [`SecretResponse`]: as it is stored,
    /// for programs that keep it so.
    pub async fn get_secret_by_id(&self, caller: &Caller, id: &str) -> Result<Answer> {
        let id: SecretId = id.parse().map_err(|_| Error::field("secretId", "must be a UUID"))?;
        let (place, name) = self.locate_secret(caller, id).await?;
        let query = GetSecretQuery {
            project: ProjectRef::id(place.access.id()),
            environment: Some(place.environment),
            secret_path: Some(place.path.as_str().to_owned()),
            expand_secret_references: Some(WireBool(false)),
            ..GetSecretQuery::default()
        };
        self.get_secret(caller, &name, &query).await
    }

    /// Where a secret is that the caller knows by its id, and its name. One in a project that the
    /// caller is not in answers like one that does not exist.
    pub(super) async fn locate_secret(
        &self,
        caller: &Caller,
        id: SecretId,
    ) -> Result<(Place, String)> {
        let not_found = format!("Secret with ID '{id}' not found");
        let found = secrets::locate(&self.store, caller.organization, id).await?;
        let found = found.ok_or_else(|| Error::not_found(not_found.clone()))?;
        let access = self.project_behind(caller, found.project_id, not_found).await?;
        let path = text::SecretPath::parse("secretPath", Some(&found.path))?;
        Ok((Place { access, environment: found.environment, path }, found.name))
    }

    async fn make_one(&self, place: &Place, wanted: &Wanted<'_>) -> Result<Made<SecretResponse>> {
        let &Wanted { name, version, show, kind, reach } = wanted;
        let owner = if kind == Kind::Personal { reach.owner } else { SHARED };
        let found = secrets::find_of(&self.store, &place.stored(), name, owner).await?;
        let (_, row) = found.ok_or_else(|| place.not_found())?.split();
        let mut row = match row {
            Some(row) => row,
            None if reach.imports => return self.make_imported(place, wanted).await,
            None => return Err(no_secret(place, name)),
        };
        if let Some(version) = version.filter(|version| *version != row.version) {
            row = self.former(place, row, version).await?;
            // The rules may speak about the name that the secret had then.
            require_read(place, &row.name, show)?;
        }
        let (id, version) = (row.id, row.version);
        // Who wrote an override sees it.
        let show = if kind == Kind::Personal { Show::Value } else { show };
        let mut secret = Frame::of(place).open(row, show)?;
        let read = self.expand_one(place, reach, &mut secret, None).await?;
        let event = place.event("get-secret").key(&secret.secret_key).details([
            ("secretId", id.to_string().into()),
            ("secretVersion", version.into()),
            ("secretType", secret.r#type.as_str().into()),
            ("numberOfReferencedSecrets", read.into()),
        ]);
        Ok(Made { body: SecretResponse { secret }, event })
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

    /// A secret as it was in a former version.
    async fn former(&self, place: &Place, current: SecretRow, version: i64) -> Result<SecretRow> {
        let org = place.access.project.org_id;
        let found = secrets::find_version(&self.store, org, current.id, version).await?;
        let found = found.ok_or_else(|| no_secret(place, &current.name))?;
        Ok(SecretRow {
            env_id: found.env_id,
            folder_id: found.folder_id,
            name: found.name,
            version: found.version,
            sealed: found.sealed,
            skip_multiline_encoding: found.skip_multiline_encoding,
            actor_kind: found.actor_kind,
            actor_id: found.actor_id,
            actor_name: found.actor_name,
            updated_at: found.created_at,
            ..current
        })
    }
}

/// Asked before anything is looked for: whoever may not read learns nothing about what is there.
pub(super) fn require_read(place: &Place, name: &str, show: Show) -> Result<()> {
    place.require_secret(Action::DescribeSecret, name)?;
    if show == Show::Value {
        place.require_secret(Action::ReadValue, name)?;
    }
    Ok(())
}
