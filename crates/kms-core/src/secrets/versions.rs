//! The history of a secret.

use kms_api::{
    SecretId, Timestamp,
    secrets::{ListVersionsQuery, SecretVersion, SecretVersionsResponse},
};
use kms_store::secrets::{self, SHARED, VersionRow};

use super::{
    Spot, open,
    view::{Show, mask},
};
use crate::{
    Caller, Core, Error, Result,
    access::{Action, Subject},
    place::Place,
    text,
};

/// Versions on one page when nothing is said, and at most.
const PAGE: (i64, i64) = (20, 100);

impl Core {
    /// Lists the versions of a secret, newest first. A version is listed for those who may
    /// describe the secret under the name it has and the one it had then; its value is masked for
    /// those who may not read it under both.
    pub async fn list_secret_versions(
        &self,
        caller: &Caller,
        id: &str,
        query: &ListVersionsQuery,
    ) -> Result<SecretVersionsResponse> {
        let id: SecretId = id.parse().map_err(|_| Error::field("secretId", "must be a UUID"))?;
        let (place, name) = self.locate_secret(caller, id).await?;
        place.access.require(Action::Read, Subject::SecretRollback, &place.attributes())?;
        place.require_secret(Action::DescribeSecret, &name)?;
        let offset = text::number("offset", query.offset.as_deref(), 0, 0, i64::MAX)?;
        let limit = text::number("limit", query.limit.as_deref(), PAGE.0, 1, PAGE.1)?;
        let org = place.access.project.org_id;
        let rows = secrets::versions(&self.store, org, id, limit, offset).await?;
        let current = Show::to_readers(&place, &name);
        let mut secret_versions = Vec::with_capacity(rows.len());
        for row in rows {
            if place.allows_secret(Action::DescribeSecret, &row.name) {
                let show = match current {
                    Show::Value => Show::to_readers(&place, &row.name),
                    Show::Mask => Show::Mask,
                };
                secret_versions.push(version(&place, id, row, show)?);
            }
        }
        let event = place.event("get-secret-versions").key(&name).details([
            ("secretId", id.to_string().into()),
            ("numberOfVersions", secret_versions.len().into()),
        ]);
        self.log_read(caller, &event).await?;
        Ok(SecretVersionsResponse { secret_versions })
    }
}

fn version(place: &Place, secret: SecretId, row: VersionRow, show: Show) -> Result<SecretVersion> {
    let spot = Spot {
        environment: row.env_id,
        folder: row.folder_id,
        secret,
        owner: SHARED,
        version: row.version,
    };
    let payload = open(&place.access, spot, &row.sealed)?;
    let (secret_value, secret_value_hidden) = mask(payload.value, show);
    Ok(SecretVersion {
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
        created_at: Timestamp(row.created_at),
        updated_at: Timestamp(row.created_at),
    })
}

/// An id for a row whose key is a secret and a number: the secret's, with the number mixed in.
fn version_id(secret: SecretId, version: i64) -> uuid::Uuid {
    let mixed = secret.uuid().as_u128() ^ u128::from(version.unsigned_abs());
    uuid::Builder::from_u128(mixed).with_version(uuid::Version::Custom).into_uuid()
}
