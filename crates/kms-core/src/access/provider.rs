//! What the rows of single sign-on are authenticated by.

use kms_crypto::{RowKey, RowMac};
use kms_store::identity_providers::{LinkRow, ProviderRow};

/// The authentication of an identity provider's row.
pub(crate) fn provider_mac(key: &RowKey, row: &ProviderRow) -> RowMac {
    key.mac("identity_providers")
        .uuid(row.id.uuid())
        .uuid(row.org_id.uuid())
        .text(&row.issuer)
        .text(&row.client_id)
        .bytes(&row.sealed)
        .text(&row.config)
        .text(&row.email_domains)
        .flag(row.is_active)
}

/// The authentication of a link's row.
pub(crate) fn link_mac(key: &RowKey, row: &LinkRow) -> RowMac {
    key.mac("identity_provider_links")
        .uuid(row.provider_id.uuid())
        .text(&row.issuer)
        .text(&row.subject)
        .uuid(row.user_id.uuid())
}
