//! Writes to memberships in organizations (rows and reads are in [`crate::organizations`]).

use kms_api::MembershipId;

use crate::{StoreError, Tx, organizations::OrganizationMembershipRow};

const UPDATE: &str = "UPDATE organization_memberships SET role = $3, status = $4, is_active = $5,
        updated_at = $6, mac = $7
    WHERE org_id = $1 AND id = $2";
const SET_LAST_LOGIN: &str = "UPDATE organization_memberships SET last_login_method = $2,
        last_login_at = $3
    WHERE id = $1";

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
