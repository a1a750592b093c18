//! The identity provider of an organization, by OpenID Connect.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::{OrganizationId, ProviderId, wire};

/// What stands in the place of a client secret that is not shown. Sent back, it changes nothing.
pub const MASKED: &str = "********";

/// `configurationType` of a provider that is found by its discovery document.
pub const BY_DISCOVERY: &str = "discoveryURL";
/// `configurationType` of a provider whose addresses are all named.
pub const BY_HAND: &str = "custom";

/// Which organization's provider to show.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct OidcConfigQuery {
    /// The organization; that of the token where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization_id: Option<OrganizationId>,
}

/// Sets a provider up, or changes what is named of it. An empty text means none.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct WriteOidcConfig {
    /// The organization, a root; that of the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization_id: Option<OrganizationId>,
    /// `discoveryURL` or `custom`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration_type: Option<String>,
    /// Who the provider says that it is; with `discoveryURL` it may be left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Where the discovery document is.
    #[serde(default, rename = "discoveryURL", skip_serializing_if = "Option::is_none")]
    pub discovery_url: Option<String>,
    /// Where browsers are sent; with `discoveryURL` only where it is at another site than the
    /// issuer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_endpoint: Option<String>,
    /// Where the keys are; as above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    /// Where codes are traded for tokens; as above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_endpoint: Option<String>,
    /// Where an address is asked for that the ID token does not hold; as above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub userinfo_endpoint: Option<String>,
    /// Who this server is to the provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The secret that the provider knows this server by.
    #[serde(default, serialize_with = "wire::expose_opt", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub client_secret: Option<SecretString>,
    /// Whether people may sign in by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
    /// The domains of the addresses that it may vouch for, separated by commas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_email_domains: Option<String>,
    /// Always false here: there are no groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manage_group_memberships: Option<bool>,
    /// How it signs: `RS256`, `PS256`, `ES256` or `EdDSA`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwt_signature_algorithm: Option<String>,
    /// Whether people act in the organization only by this provider; `authEnforced` of the
    /// organization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_enforced: Option<bool>,
    /// Whether administrators may log in by themselves all the same, with a second factor;
    /// `bypassOrgAuthEnabled` of the organization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bypass_org_auth_enabled: Option<bool>,
}

/// The provider of an organization.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "as on the wire")]
pub struct OidcConfig {
    /// Its id.
    pub id: ProviderId,
    /// The organization.
    pub org_id: OrganizationId,
    /// `discoveryURL` or `custom`.
    pub configuration_type: String,
    /// Who it says that it is.
    #[serde(default)]
    pub issuer: Option<String>,
    /// Where the discovery document is.
    #[serde(default, rename = "discoveryURL")]
    pub discovery_url: Option<String>,
    /// Where browsers are sent, where that was named.
    #[serde(default)]
    pub authorization_endpoint: Option<String>,
    /// Where the keys are, where that was named.
    #[serde(default)]
    pub jwks_uri: Option<String>,
    /// Where codes are traded for tokens, where that was named.
    #[serde(default)]
    pub token_endpoint: Option<String>,
    /// Where an address is asked for, where that was named.
    #[serde(default)]
    pub userinfo_endpoint: Option<String>,
    /// Who this server is to the provider.
    #[serde(default)]
    pub client_id: String,
    /// [`MASKED`]: the secret itself never comes back.
    #[serde(default)]
    pub client_secret: String,
    /// Whether people may sign in by it.
    pub is_active: bool,
    /// The domains of the addresses that it may vouch for, separated by a comma and a space.
    #[serde(default)]
    pub allowed_email_domains: Option<String>,
    /// Always false here: there are no groups.
    #[serde(default)]
    pub manage_group_memberships: bool,
    /// How it signs.
    #[serde(default)]
    pub jwt_signature_algorithm: String,
    /// Whether people act in the organization only by this provider.
    #[serde(default)]
    pub auth_enforced: bool,
    /// Whether administrators may log in by themselves all the same, with a second factor.
    #[serde(default)]
    pub bypass_org_auth_enabled: bool,
    /// Where the provider must send browsers back to; to be registered there.
    #[serde(default, rename = "redirectURI")]
    pub redirect_uri: String,
}
