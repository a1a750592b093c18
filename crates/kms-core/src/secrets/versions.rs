//! The history of a secret.

use kms_api::{
    SecretId, Timestamp,
    secrets::{ListVersionsQuery, SecretVersion, SecretVersionsResponse},
};
use kms_store::{
    secret_versions::{self, VersionRow},
    secrets::{self, SHARED, SecretRow},
};

use super::{
    Opened, Payload, Spot, authentic,
    by_id::{ATTEMPTS, keeps_changing},
    no_secret, open,
    view::{Show, actor, mask},
};
use crate::{
    Caller, Core, Error, Result,
    access::{Action, Subject},
    place::Place,
    tags::Labels,
    text::{self, SecretPath},
};

/// Versions on one page when nothing is said, and at most.
const PAGE: (i64, i64) = (20, 100);

impl Core {
    /// Lists the versions of a secret, newest first. A version is listed for those who may
    /// describe the secret as it is and as it was then: its name, its tags and where it was. Its
    /// value is masked for those who may not read both.
    pub async fn list_secret_versions(
        &self,
        caller: &Caller,
        id: &str,
        query: &ListVersionsQuery,
    ) -> Result<SecretVersionsResponse> {
        let id: SecretId = id.parse().map_err(|_| Error::field("secretId", "must be a UUID"))?;
        let mut at = self.locate_secret(caller, id).await?;
        for _ in 0..ATTEMPTS {
            let answer = self.list_versions_at(caller, id, &at, query).await;
            match self.went_elsewhere(caller, id, &at, &answer).await? {
                Some(now) => at = now,
                None => return answer,
            }
        }
        Err(keeps_changing())
    }

    async fn list_versions_at(
        &self,
        caller: &Caller,
        id: SecretId,
        (place, name): &(Place, String),
        query: &ListVersionsQuery,
    ) -> Result<SecretVersionsResponse> {
        place.access.require(Action::Read, Subject::SecretRollback, &place.attributes())?;
        place.require_possible(Action::DescribeSecret, name)?;
        let offset = text::number("offset", query.offset.as_deref(), 0, 0, i64::MAX)?;
        let limit = text::number("limit", query.limit.as_deref(), PAGE.0, 1, PAGE.1)?;
        let current = secrets::find(&self.store, &place.stored(), name).await?;
        let current = current.and_then(|row| row.split().1).filter(|row| row.id == id);
        let absent = || no_secret(place, name);
        let current = Opened::open(&place.access, current.ok_or_else(absent)?)?;
        let org = place.access.project.org_id;
        let rows = secret_versions::list(&self.store, org, id, limit, offset).await?;
        let past: Result<Vec<_>> =
            rows.into_iter().map(|row| Past::open(place, &current, row)).collect();
        let past = past?;
        let named = past.iter().map(|past| past.payload.tags.as_slice());
        let named = named.chain([current.tags()]);
        let labels = self.labels(&self.store, &place.access, named).await?;
        let tags = labels.slugs(current.tags());
        place.require_found(Action::DescribeSecret, name, &tags, absent)?;
        let mut secret_versions = Vec::with_capacity(past.len());
        for past in past {
            if let Some(show) = past.shown(place, &current, &labels) {
                secret_versions.push(version(id, past, &labels, show));
            }
        }
        let event = place.event("get-secret-versions").key(name).details([
            ("secretId", id.to_string().into()),
            ("numberOfVersions", secret_versions.len().into()),
        ]);
        self.log_read(caller, &event).await?;
        Ok(SecretVersionsResponse { secret_versions })
    }
}

/// A former version, opened.
pub(super) struct Past {
    pub(super) row: VersionRow,
    pub(super) payload: Payload,
}

impl Past {
    /// Opens a version of a secret where it was written.
    pub(super) fn open(place: &Place, current: &Opened, row: VersionRow) -> Result<Self> {
        let spot = Spot {
            environment: row.env_id,
            folder: row.folder_id,
            secret: current.row.id,
            // Overrides keep no versions.
            owner: SHARED,
            version: row.version,
            authenticated: !row.mac.is_empty(),
        };
        authentic::check_version(&place.access, current.row.id, &row)?;
        let payload = open(&place.access, spot, &row.sealed)?;
        Ok(Self { row, payload })
    }

    /// How much of it is shown: as much as the rules allow both of the secret as it is and of what
    /// it was, where it was. Nothing of what was in a folder that is gone.
    pub(super) fn shown(&self, place: &Place, now: &Opened, labels: &Labels) -> Option<Show> {
        let environment = self.row.environment.clone()?;
        let path = SecretPath::parse("path", Some(self.row.path.as_deref()?)).ok()?;
        let then = Place { environment, path, access: place.access.clone() };
        let now = shown_at(place, &now.row.name, &labels.slugs(now.tags()))?;
        Some(now.and(shown_at(&then, &self.row.name, &labels.slugs(&self.payload.tags))?))
    }

    /// The secret as it was.
    pub(super) fn instead_of(self, current: SecretRow) -> Opened {
        let Self { row: then, payload } = self;
        let row = SecretRow {
            env_id: then.env_id,
            folder_id: then.folder_id,
            name: then.name,
            version: then.version,
            sealed: then.sealed,
            skip_multiline_encoding: then.skip_multiline_encoding,
            actor_kind: then.actor_kind,
            actor_id: then.actor_id,
            actor_name: then.actor_name,
            updated_at: then.created_at,
            mac: then.mac,
            ..current
        };
        Opened { row, payload }
    }
}

/// How much the rules show of a secret.
fn shown_at(place: &Place, name: &str, tags: &[String]) -> Option<Show> {
    let described = place.allows_secret(Action::DescribeSecret, name, tags);
    described.then(|| Show::to_readers(place, name, tags))
}

fn version(secret: SecretId, past: Past, labels: &Labels, show: Show) -> SecretVersion {
    let Past { row, payload } = past;
    let tags = labels.shown(&payload.tags);
    let (secret_value, secret_value_hidden) = mask(payload.value, show);
    SecretVersion {
        id: version_id(secret, row.version),
        secret_id: secret,
        env_id: row.env_id,
        folder_id: row.folder_id,
        version: row.version,
        r#type: "shared".to_owned(),
        secret_key: row.name,
        secret_value,
        secret_value_hidden,
        secret_comment: payload.comment,
        skip_multiline_encoding: row.skip_multiline_encoding,
        tags,
        secret_metadata: payload.metadata,
        actor: Some(actor(row.actor_kind, row.actor_id, row.actor_name)),
        created_at: Timestamp(row.created_at),
        updated_at: Timestamp(row.created_at),
    }
}

/// An id for a row whose key is a secret and a number: the secret's, with the number mixed in.
fn version_id(secret: SecretId, version: i64) -> uuid::Uuid {
    let mixed = secret.uuid().as_u128() ^ u128::from(version.unsigned_abs());
    uuid::Builder::from_u128(mixed).with_version(uuid::Version::Custom).into_uuid()
}
