//! What the rows that let a person act are authenticated by.

use kms_crypto::{RowKey, RowMac};
use kms_store::{
    authorization_codes::AuthorizationCodeRow, device_logins::DeviceLoginRow, passkeys::PasskeyRow,
    user_sessions::SessionRow, users::UserRow,
};

/// The authentication of a user's row.
///
/// What came later is covered where it differs from what every account was given then, so that
/// rows of before keep theirs. No two rows share an encoding: the number of fields differs.
pub(crate) fn user_mac(key: &RowKey, row: &UserRow) -> RowMac {
    let mac = key
        .mac("users")
        .uuid(row.id.uuid())
        .text(&row.username)
        .text(&row.email)
        .opt_text(row.password_hash.as_deref())
        .flag(row.super_admin);
    let as_given = row.is_accepted
        && !row.is_email_verified
        && row.epoch == 0
        && !row.is_mfa_enabled
        && row.selected_mfa_method.is_none();
    if as_given {
        return mac;
    }
    mac.flag(row.is_accepted)
        .flag(row.is_email_verified)
        .int(row.epoch)
        .flag(row.is_mfa_enabled)
        .opt_text(row.selected_mfa_method.as_deref())
}

/// The authentication of a session's row; the provider is covered where there is one, so that
/// rows of before keep theirs.
pub(crate) fn session_mac(key: &RowKey, row: &SessionRow) -> RowMac {
    let mac = key
        .mac("user_sessions")
        .uuid(row.id.uuid())
        .uuid(row.user_id.uuid())
        .int(row.user_epoch)
        .text(&row.auth_method)
        .int(row.access_version)
        .int(row.refresh_version)
        .opt_uuid(row.refresh_used)
        .int(row.refresh_floor)
        .opt_uuid(row.org_id.map(kms_api::OrganizationId::uuid))
        .int(row.login_at)
        .int(row.expires_at);
    match row.provider_id {
        Some(provider) => mac.uuid(provider.uuid()),
        None => mac,
    }
}

/// The authentication of a passkey's row. Its name is its owner's word and grants nothing.
pub(crate) fn passkey_mac(key: &RowKey, row: &PasskeyRow) -> RowMac {
    key.mac("passkeys")
        .uuid(row.id.uuid())
        .uuid(row.user_id.uuid())
        .bytes(&row.credential_id)
        .text(&row.credential)
}

/// The authentication of an authorization code's row.
pub(crate) fn authorization_code_mac(key: &RowKey, row: &AuthorizationCodeRow) -> RowMac {
    key.mac("authorization_codes")
        .bytes(&row.code_hash)
        .text(&row.client_id)
        .text(&row.redirect_uri)
        .text(&row.challenge)
        .uuid(row.user_id.uuid())
        .uuid(row.session_id.uuid())
        .uuid(row.root_id.uuid())
        .opt_uuid(row.sub_id.map(kms_api::OrganizationId::uuid))
        .opt_text(row.factor.as_deref())
        .int(row.expires_at)
        .opt_uuid(row.made_session_id.map(kms_api::SessionId::uuid))
}

/// The authentication of a device login's row: what asks, and what was answered. How often it asked
/// since decides nothing.
pub(crate) fn device_login_mac(key: &RowKey, row: &DeviceLoginRow) -> RowMac {
    let approval = row.approval.0.as_ref();
    key.mac("device_logins")
        .uuid(row.id)
        .bytes(&row.device_hash)
        .bytes(&row.user_hash)
        .opt_text(row.host.as_deref())
        .opt_text(row.ip.as_deref())
        .opt_text(row.user_agent.as_deref())
        .opt_uuid(row.org_id.map(kms_api::OrganizationId::uuid))
        .int(row.asked_at)
        .int(row.expires_at)
        .text(&row.state)
        .opt_uuid(approval.map(|approval| approval.user_id.uuid()))
        .opt_uuid(approval.map(|approval| approval.session_id.uuid()))
        .opt_uuid(approval.map(|approval| approval.root_id.uuid()))
        .opt_uuid(approval.and_then(|approval| approval.sub_id).map(kms_api::OrganizationId::uuid))
        .opt_text(approval.and_then(|approval| approval.factor.as_deref()))
}
