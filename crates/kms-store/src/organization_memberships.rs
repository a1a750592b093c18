//! Changing memberships in organizations (rows and other reads are in [`crate::organizations`]).

use kms_api::{MembershipId, OrganizationId};
use uuid::Uuid;

use crate::{
    Source, StoreError, Tx,
    organizations::{OrganizationMembershipRow, membership_columns},
};

const FIND: &str = concat!(
    "SELECT ",
    membership_columns!(),
    " FROM organization_memberships m
    WHERE m.org_id = $1 AND m.id = $2 AND m.principal_kind = $3"
);
const IN_TREE: &str = concat!(
    "SELECT ",
    membership_columns!(),
    " FROM organization_memberships m JOIN organizations o ON o.id = m.org_id
    WHERE (o.id = $1 OR o.root_id = $1) AND m.principal_id = $2 AND m.principal_kind = $3"
);
const DELETE: &str = "DELETE FROM organization_memberships WHERE org_id = $1 AND id = $2";
const DELETE_FROM_PROJECTS: &str = "DELETE FROM project_memberships
    WHERE org_id = $1 AND principal_id = $2 AND principal_kind = $3";

const UPDATE: &str = "UPDATE organization_memberships SET role = $3, status = $4, is_active = $5,
        updated_at = $6, mac = $7
    WHERE org_id = $1 AND id = $2";
const SET_LAST_LOGIN: &str = "UPDATE organization_memberships SET last_login_method = $2,
        last_login_at = $3
    WHERE id = $1";

/// A membership of a kind of principal, in whatever state.
pub async fn find(
    source: impl Source,
    org: OrganizationId,
    id: MembershipId,
    kind: &str,
) -> Result<Option<OrganizationMembershipRow>, StoreError> {
    source.fetch_optional(FIND, (org, id, kind)).await
}

/// The memberships of a principal in a root organization and in those below it.
pub async fn in_tree(
    source: impl Source,
    root: OrganizationId,
    principal: Uuid,
    kind: &str,
) -> Result<Vec<OrganizationMembershipRow>, StoreError> {
    source.fetch_all(IN_TREE, (root, principal, kind)).await
}

/// Ends a membership, and those in the projects of that organization.
pub async fn delete(tx: &mut Tx, row: &OrganizationMembershipRow) -> Result<bool, StoreError> {
    if tx.execute(DELETE, (row.org_id, row.id)).await? != 1 {
        return Ok(false);
    }
    let params = (row.org_id, row.principal_id, row.principal_kind.as_str());
    tx.execute(DELETE_FROM_PROJECTS, params).await?;
    Ok(true)
}

/// Writes role and state of a membership.
pub async fn update(tx: &mut Tx, row: &OrganizationMembershipRow) -> Result<bool, StoreError> {
    let params = (
        row.org_id,
        row.id,
        row.role.as_str(),
        row.status.as_str(),
        row.is_active,
        row.updated_at,
        row.mac.as_slice(),
    );
    Ok(tx.execute(UPDATE, params).await? == 1)
}

/// Notes a login.
pub async fn set_last_login(
    tx: &mut Tx,
    id: MembershipId,
    method: &str,
    at: i64,
) -> Result<(), StoreError> {
    tx.execute(SET_LAST_LOGIN, (id, method, at)).await?;
    Ok(())
}
