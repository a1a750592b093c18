//! What the rows that grant rights in an organization are authenticated by.

use kms_api::OrganizationId;
use kms_crypto::{RowKey, RowMac};
use kms_store::organizations::{OrganizationMembershipRow, OrganizationRow};

/// The state of a member who takes part.
pub(crate) const ACCEPTED: &str = "accepted";

/// The authentication of an organization's row: where it belongs, and what it decides.
///
/// What came later is covered, by its name, where it differs from what every organization was given
/// then, so that rows of before keep theirs.
pub(crate) fn organization_mac(key: &RowKey, row: &OrganizationRow) -> RowMac {
    let mac = key
        .mac("organizations")
        .uuid(row.id.uuid())
        .opt_uuid(row.parent_id.map(OrganizationId::uuid))
        .opt_uuid(row.root_id.map(OrganizationId::uuid))
        .text(&row.default_role)
        .flag(row.enforce_mfa)
        .opt_text(row.selected_mfa_method.as_deref())
        .opt_text(row.user_token_expiration.as_deref());
    let mac = if row.auth_enforced || row.bypass_org_auth {
        mac.text("auth_enforced").flag(row.auth_enforced).flag(row.bypass_org_auth)
    } else {
        mac
    };
    if row.device_login { mac } else { mac.text("device_login").flag(false) }
}

/// The authentication of an organization membership's row.
pub(crate) fn organization_membership_mac(key: &RowKey, row: &OrganizationMembershipRow) -> RowMac {
    key.mac("organization_memberships")
        .uuid(row.id.uuid())
        .uuid(row.org_id.uuid())
        .text(&row.principal_kind)
        .uuid(row.principal_id)
        .text(&row.role)
        .text(&row.status)
        .flag(row.is_active)
}

/// Whether a membership lets its principal act in an organization: genuine, accepted, active.
///
/// Fails when the row was changed by somebody else than the server.
pub(crate) fn is_acting_member(
    key: &RowKey,
    organization: OrganizationId,
    row: &OrganizationMembershipRow,
) -> crate::Result<bool> {
    organization_membership_mac(key, row).verify(&row.mac)?;
    Ok(row.org_id == organization && row.status == ACCEPTED && row.is_active)
}
