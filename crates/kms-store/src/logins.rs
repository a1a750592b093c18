//! Everything that a machine login has to know, in one query.

use kms_api::{IdentityId, OrganizationId};
use uuid::Uuid;

use crate::{
    Joined, Source, StoreError,
    auth_methods::{AuthMethodRow, auth_method_columns},
    client_secrets::{ClientSecretRow, client_secret_columns},
    identities::{IdentityRow, identity_columns},
    organizations::{
        OrganizationMembershipRow, OrganizationRow, membership_columns, organization_columns,
    },
    record,
};

record! {
    /// Who logs in, and how.
    #[derive(Clone, Debug)]
    pub struct SubjectRow {
        /// The auth method.
        pub method: AuthMethodRow,
        /// The identity.
        pub identity: IdentityRow,
        /// The identity's home organization.
        pub home: OrganizationRow,
        /// The identity's membership in it.
        pub membership: Joined<OrganizationMembershipRow>,
    }
}

record! {
    /// Who logs in with a client id, and the client secret that has the hash asked for.
    #[derive(Clone, Debug)]
    pub struct ClientRow {
        /// Who, and how.
        pub subject: SubjectRow,
        /// The client secret.
        pub secret: Joined<ClientSecretRow>,
        /// Until when the source is locked out, in microseconds; none without failures.
        pub locked_until: Option<i64>,
    }
}

record! {
    /// A sub-organization, and an identity's membership in it.
    #[derive(Clone, Debug)]
    pub struct ScopeRow {
        /// The sub-organization.
        pub organization: OrganizationRow,
        /// The identity's membership in it.
        pub membership: Joined<OrganizationMembershipRow>,
    }
}

macro_rules! subject_columns {
    () => {
        concat!(
            auth_method_columns!(),
            ", ",
            identity_columns!(),
            ", ",
            organization_columns!(),
            ", ",
            membership_columns!()
        )
    };
}

macro_rules! subject_tables {
    () => {
        " FROM identity_auth_methods a
        JOIN identities i ON i.id = a.identity_id
        JOIN organizations o ON o.id = i.org_id
        LEFT JOIN organization_memberships m ON m.org_id = i.org_id
            AND m.principal_id = i.id AND m.principal_kind = 'identity' "
    };
}

const BY_IDENTITY: &str = concat!(
    "SELECT ",
    subject_columns!(),
    subject_tables!(),
    "WHERE a.identity_id = $1 AND a.method = $2"
);
const BY_CLIENT: &str = concat!(
    "SELECT ",
    subject_columns!(),
    ", ",
    client_secret_columns!(),
    ", l.locked_until",
    subject_tables!(),
    "LEFT JOIN client_secrets c ON c.auth_method_id = a.id AND c.secret_hash = $2
    LEFT JOIN login_lockouts l ON l.client_id = a.client_id AND l.source = $3
    WHERE a.client_id = $1"
);
const SCOPE: &str = concat!(
    "SELECT ",
    organization_columns!(),
    ", ",
    membership_columns!(),
    " FROM organizations o
    LEFT JOIN organization_memberships m ON m.org_id = o.id
        AND m.principal_id = $3 AND m.principal_kind = 'identity'
    WHERE o.root_id = $1 AND o.slug = $2"
);

/// Who logs in as an identity by a method.
pub async fn by_identity(
    source: impl Source,
    identity: IdentityId,
    method: &str,
) -> Result<Option<SubjectRow>, StoreError> {
    source.fetch_optional(BY_IDENTITY, (identity, method)).await
}

/// Who logs in with a client id from a source address.
pub async fn by_client(
    source: impl Source,
    client_id: Uuid,
    secret_hash: &[u8],
    address: &str,
) -> Result<Option<ClientRow>, StoreError> {
    source.fetch_optional(BY_CLIENT, (client_id, secret_hash, address)).await
}

/// A sub-organization of a root by its slug, and an identity's membership in it.
pub async fn scope(
    source: impl Source,
    root: OrganizationId,
    slug: &str,
    identity: IdentityId,
) -> Result<Option<ScopeRow>, StoreError> {
    source.fetch_optional(SCOPE, (root, slug, identity)).await
}
