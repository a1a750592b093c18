//! One secret.

use kms_api::{
    SecretId,
    secrets::{GetSecretQuery, ProjectRef, SecretResponse},
};
use kms_store::secrets::{self, SecretRow};

use super::{
    Answer, Kind,
    answer::{Asked, Made, Question},
    no_secret,
    view::{Frame, Show},
    wanted_name,
};
use crate::{Actor, Caller, Core, Error, Result, access::Action, place::Place, text};

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
        require_read(&place, name, show)?;
        if kind == Kind::Personal {
            return Err(no_secret(&place, name));
        }
        let value = show == Show::Value;
        let asked = Asked::One { name: name.to_owned(), version, value };
        let question = Question::new(&place, asked);
        self.answer(caller, question, self.make_one(&place, name, version, show)).await
    }

    /// Reads one secret by its id, as a finished answer of [`SecretResponse`].
    pub async fn get_secret_by_id(&self, caller: &Caller, id: &str) -> Result<Answer> {
        let id: SecretId = id.parse().map_err(|_| Error::field("secretId", "must be a UUID"))?;
        let (place, name) = self.locate_secret(caller, id).await?;
        let query = GetSecretQuery {
            project: ProjectRef::id(place.access.id()),
            environment: Some(place.environment),
            secret_path: Some(place.path.as_str().to_owned()),
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

    async fn make_one(
        &self,
        place: &Place,
        name: &str,
        version: Option<i64>,
        show: Show,
    ) -> Result<Made<SecretResponse>> {
        let found = secrets::find(&self.store, &place.stored(), name).await?;
        let (_, row) = found.ok_or_else(|| place.not_found())?.split();
        let mut row = row.ok_or_else(|| no_secret(place, name))?;
        if let Some(version) = version.filter(|version| *version != row.version) {
            row = self.former(place, row, version).await?;
            // The rules may speak about the name that the secret had then.
            require_read(place, &row.name, show)?;
        }
        let event = place.event("get-secret").key(&row.name).details([
            ("secretId", row.id.to_string().into()),
            ("secretVersion", row.version.into()),
        ]);
        let secret = Frame::of(place).open(row, show)?;
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
fn require_read(place: &Place, name: &str, show: Show) -> Result<()> {
    place.require_secret(Action::DescribeSecret, name)?;
    if show == Show::Value {
        place.require_secret(Action::ReadValue, name)?;
    }
    Ok(())
}
