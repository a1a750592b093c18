//! The instance: set-up and configuration.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    IdentityId, OrganizationId, UserId,
    organizations::Organization,
    users::User,
    wire::{self, WireBool},
};

/// Sets up an instance in one call.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Bootstrap {
    /// The first administrator's e-mail address.
    pub email: String,
    /// The first administrator's password.
    #[serde(serialize_with = "wire::expose")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub password: SecretString,
    /// The first organization's name.
    pub organization: String,
    /// The set-up token that the server printed at its first start; not needed from the server's
    /// own machine. May also come as the header `x-kms-setup-token`.
    #[serde(default, serialize_with = "wire::expose_opt", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub setup_token: Option<SecretString>,
}

/// The administrator that was made.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct BootstrapUser {
    /// The user's id.
    pub id: UserId,
    /// The user's name to log in with.
    pub username: String,
    /// The user's e-mail address.
    pub email: String,
    /// The user's first name.
    pub first_name: Option<String>,
    /// The user's last name.
    pub last_name: Option<String>,
    /// True.
    pub super_admin: bool,
}

/// The organization that was made.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BootstrapOrganization {
    /// Its id.
    pub id: OrganizationId,
    /// Its name.
    pub name: String,
    /// Its slug.
    pub slug: String,
}

/// The identity's access token.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BootstrapCredentials {
    /// An access token of token auth.
    pub token: String,
}

impl std::fmt::Debug for BootstrapCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BootstrapCredentials(<redacted>)")
    }
}

/// The instance-admin identity that was made.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BootstrapIdentity {
    /// Its id.
    pub id: IdentityId,
    /// Its name.
    pub name: String,
    /// Its token.
    pub credentials: BootstrapCredentials,
}

/// The answer to a bootstrap.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BootstrapResponse {
    /// For people.
    pub message: String,
    /// The identity.
    pub identity: BootstrapIdentity,
    /// The organization.
    pub organization: BootstrapOrganization,
    /// The administrator.
    pub user: BootstrapUser,
}

/// Makes the first administrator.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct AdminSignUp {
    /// The e-mail address.
    pub email: String,
    /// The password.
    #[serde(serialize_with = "wire::expose")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub password: SecretString,
    /// The first name.
    pub first_name: String,
    /// The last name.
    #[serde(default)]
    pub last_name: Option<String>,
    /// See [`Bootstrap::setup_token`].
    #[serde(default, serialize_with = "wire::expose_opt", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub setup_token: Option<SecretString>,
}

/// The answer to [`AdminSignUp`].
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AdminSignUpResponse {
    /// For people.
    pub message: String,
    /// The administrator.
    pub user: BootstrapUser,
    /// The first organization.
    pub organization: Organization,
    /// The administrator's access token.
    pub token: String,
    /// The same token, for older clients.
    pub new: String,
}

/// What anyone may know about an instance.
#[expect(clippy::struct_excessive_bools, reason = "the contract's body")]
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct InstanceConfig {
    /// Always the same id: an instance has one configuration.
    pub id: Uuid,
    /// Whether the first administrator exists.
    pub initialized: bool,
    /// Whether anyone may sign up.
    pub allow_sign_up: bool,
    /// Comma list of domains that may sign up.
    pub allowed_sign_up_domain: Option<String>,
    /// Names the instance.
    pub instance_id: Uuid,
    /// Whether addresses asserted by SAML are trusted.
    pub trust_saml_emails: bool,
    /// Whether addresses asserted by LDAP are trusted.
    pub trust_ldap_emails: bool,
    /// Whether addresses asserted by OpenID Connect are trusted.
    pub trust_oidc_emails: bool,
    /// The organization that people log in to by default.
    pub default_auth_org_id: Option<OrganizationId>,
    /// Its slug.
    pub default_auth_org_slug: Option<String>,
    /// The allowed login methods; null for all.
    pub enabled_login_methods: Option<Vec<String>>,
    /// False.
    pub is_migration_mode_on: bool,
    /// True: there is no secret scanning.
    pub is_secret_scanning_disabled: bool,
    /// False.
    pub fips_enabled: bool,
}

/// The answer about the instance.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InstanceConfigResponse {
    /// The configuration.
    pub config: InstanceConfig,
}

/// Changes what the instance allows to strangers; what is left out stays.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct UpdateInstanceConfig {
    /// Whether anyone may sign up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_sign_up: Option<bool>,
    /// Comma list of domains that may sign up; null for all.
    #[serde(default, deserialize_with = "wire::present", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub allowed_sign_up_domain: Option<Option<String>>,
}

/// The query of a list of accounts.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ListUsersQuery {
    /// Part of the name to log in with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search_term: Option<String>,
    /// How many to pass over, 0 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<String>,
    /// How many to answer, 1 to 100, 20 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<String>,
    /// Only those who administer the instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<bool>))]
    pub admins_only: Option<WireBool>,
}

/// The answer to a list of accounts.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ManagedUsersResponse {
    /// One page, by name.
    pub users: Vec<User>,
    /// How many there are in all.
    pub total: i64,
}

/// The answer about one account.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ManagedUserResponse {
    /// The account.
    pub user: User,
}
