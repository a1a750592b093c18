//! One type per kind of id, so that a project id cannot be passed where an environment id belongs.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// The id as a plain UUID.
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }

        #[cfg(feature = "sqlx")]
        impl<DB: sqlx::Database> sqlx::Type<DB> for $name
        where
            Uuid: sqlx::Type<DB>,
        {
            fn type_info() -> DB::TypeInfo {
                <Uuid as sqlx::Type<DB>>::type_info()
            }

            fn compatible(ty: &DB::TypeInfo) -> bool {
                <Uuid as sqlx::Type<DB>>::compatible(ty)
            }
        }

        #[cfg(feature = "sqlx")]
        impl<'q, DB: sqlx::Database> sqlx::Encode<'q, DB> for $name
        where
            Uuid: sqlx::Encode<'q, DB>,
        {
            fn encode_by_ref(
                &self,
                buffer: &mut DB::ArgumentBuffer,
            ) -> Result<sqlx::encode::IsNull, sqlx::error::BoxDynError> {
                self.0.encode_by_ref(buffer)
            }
        }

        #[cfg(feature = "sqlx")]
        impl<'r, DB: sqlx::Database> sqlx::Decode<'r, DB> for $name
        where
            Uuid: sqlx::Decode<'r, DB>,
        {
            fn decode(value: DB::ValueRef<'r>) -> Result<Self, sqlx::error::BoxDynError> {
                Uuid::decode(value).map(Self)
            }
        }
    )+};
}

ids! {
    /// An organization or sub-organization: the tenant that every row belongs to.
    OrganizationId,
    /// A person's account.
    UserId,
    /// A machine identity.
    IdentityId,
    /// A project (also called workspace on older routes).
    ProjectId,
    /// An environment of a project.
    EnvironmentId,
    /// A folder of an environment; every environment has one root folder.
    FolderId,
    /// A secret; stays the same over all its versions.
    SecretId,
    /// An import of the secrets of one folder into another.
    SecretImportId,
    /// A membership of a user or identity in an organization or project.
    MembershipId,
    /// One role of a membership.
    MembershipRoleId,
    /// An auth method's configuration on an identity.
    AuthMethodId,
    /// A client secret of universal auth.
    ClientSecretId,
    /// An identity access token (`jti` and `identityAccessTokenId` of its claims).
    TokenId,
    /// A user session (`tokenVersionId` of its claims).
    SessionId,
    /// An organization's identity provider.
    ProviderId,
    /// A passkey of a person.
    PasskeyId,
    /// A role of a project.
    RoleId,
    /// A service token.
    ServiceTokenId,
    /// A tag of a project.
    TagId,
    /// A record of the audit log.
    AuditId,
}
