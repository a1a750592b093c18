//! Service tokens: `st.ID.SECRET`, good for some folders of one project.
//!
//! A token belongs to its project and outlives its maker's membership; it never allows more than its
//! maker might when it was made. Start at `make` for making one and at `show` for what happens when
//! one is shown.

mod make;
mod show;
#[cfg(test)]
mod tests;

use kms_api::{
    Timestamp,
    service_tokens::{Permission, Scope, ServiceTokenData},
};
use kms_store::service_tokens::ServiceTokenRow;

pub(crate) use show::{KnownService, invalid};

use crate::{Error, Result};

/// What the hash of a secret part is for.
const HASHED_AS: &str = "service-token";

/// The scopes and permissions of a genuine row.
fn granted(row: &ServiceTokenRow) -> Result<(Vec<Scope>, Vec<Permission>)> {
    let internal = |error| Error::Internal(Box::new(error));
    let scopes = serde_json::from_str(&row.scopes).map_err(internal)?;
    Ok((scopes, serde_json::from_str(&row.permissions).map_err(internal)?))
}

fn to_wire(row: &ServiceTokenRow) -> Result<ServiceTokenData> {
    let (scopes, permissions) = granted(row)?;
    Ok(ServiceTokenData {
        id: row.id,
        underscore_id: Some(row.id),
        name: row.name.clone(),
        project_id: row.project_id,
        workspace: Some(row.project_id),
        scopes,
        permissions,
        created_by: row.created_by,
        user: Some(row.created_by),
        last_used: row.last_used_at.map(Timestamp),
        expires_at: row.expires_at.map(Timestamp),
        created_at: Timestamp(row.created_at),
        updated_at: Timestamp(row.updated_at),
    })
}
