//! What the rows that let a machine act are authenticated by.

use kms_crypto::{RowKey, RowMac};
use kms_store::{
    auth_methods::AuthMethodRow, client_secrets::ClientSecretRow, identities::IdentityRow,
};

/// The authentication of an identity's row.
pub(crate) fn identity_mac(key: &RowKey, row: &IdentityRow) -> RowMac {
    key.mac("identities")
        .uuid(row.id.uuid())
        .uuid(row.org_id.uuid())
        .int(row.epoch)
        .flag(row.is_instance_admin)
}

/// The authentication of name and metadata of an identity, which rules may refer to.
pub(crate) fn identity_facts_mac(key: &RowKey, row: &IdentityRow) -> RowMac {
    key.mac("identities.facts")
        .uuid(row.id.uuid())
        .uuid(row.org_id.uuid())
        .text(&row.name)
        .opt_text(row.metadata.as_deref())
}

/// The authentication of an auth method's row.
pub(crate) fn auth_method_mac(key: &RowKey, row: &AuthMethodRow) -> RowMac {
    key.mac("identity_auth_methods")
        .uuid(row.id.uuid())
        .uuid(row.org_id.uuid())
        .uuid(row.identity_id.uuid())
        .text(&row.method)
        .opt_uuid(row.client_id)
        .int(row.access_token_ttl)
        .int(row.access_token_max_ttl)
        .int(row.access_token_uses_limit)
        .text(&row.access_token_trusted_ips)
        .text(&row.config)
        .bytes(row.sealed.as_deref().unwrap_or_default())
}

/// The authentication of a client secret's row. Its uses are counted by the database and are not
/// covered, neither is what people call it.
pub(crate) fn client_secret_mac(key: &RowKey, row: &ClientSecretRow) -> RowMac {
    key.mac("client_secrets")
        .uuid(row.id.uuid())
        .uuid(row.org_id.uuid())
        .uuid(row.auth_method_id.uuid())
        .bytes(&row.secret_hash)
        .int(row.uses_limit)
        .int(row.ttl)
        .flag(row.revoked)
        .int(row.created_at)
}
