//! Everything that must hold for a token to be good, in one query.

use kms_api::{
    AuthMethodId, ClientSecretId, IdentityId, OrganizationId, SessionId, TokenId, UserId,
};
use uuid::Uuid;

use crate::{
    Joined, Source, StoreError,
    auth_methods::{AuthMethodRow, auth_method_columns},
    client_secrets::{ClientSecretRow, client_secret_columns},
    identities::{IdentityRow, identity_columns},
    organizations::{OrganizationMembershipRow, membership_columns},
    record,
    user_sessions::{SessionRow, session_columns},
    users::{UserRow, user_columns},
};

record! {
    /// What stands behind an identity's token.
    #[derive(Clone, Debug)]
    pub struct IdentityCallerRow {
        /// The identity.
        pub identity: IdentityRow,
        /// Its membership in the token's organization.
        pub membership: Joined<OrganizationMembershipRow>,
        /// The auth method that the token came from.
        pub method: Joined<AuthMethodRow>,
        /// The client secret that the token came from.
        pub secret: Joined<ClientSecretRow>,
        /// The token's id, if it was revoked.
        pub revoked: Option<Uuid>,
    }
}

/// What an identity's token says.
#[derive(Clone, Copy, Debug)]
pub struct IdentityToken {
    /// The identity.
    pub identity: IdentityId,
    /// The organization that the token acts in.
    pub organization: OrganizationId,
    /// The auth method that it came from.
    pub method: AuthMethodId,
    /// The token.
    pub token: TokenId,
    /// The client secret that it came from.
    pub secret: Option<ClientSecretId>,
}

record! {
    /// What stands behind a user's token.
    #[derive(Clone)]
    pub struct UserCallerRow {
        /// The user.
        pub user: UserRow,
        /// The session.
        pub session: Joined<SessionRow>,
        /// The user's membership in the token's organization.
        pub membership: Joined<OrganizationMembershipRow>,
    }
}

const IDENTITY: &str = concat!(
    "SELECT ",
    identity_columns!(),
    ", ",
    membership_columns!(),
    ", ",
    auth_method_columns!(),
    ", ",
    client_secret_columns!(),
    ", r.token_id
    FROM identities i
    LEFT JOIN organization_memberships m ON m.org_id = $2
        AND m.principal_id = i.id AND m.principal_kind = 'identity'
    LEFT JOIN identity_auth_methods a ON a.id = $3 AND a.identity_id = i.id
    LEFT JOIN client_secrets c ON c.id = $4 AND c.auth_method_id = a.id
    LEFT JOIN revoked_tokens r ON r.token_id = $5
    WHERE i.id = $1"
);
const USER: &str = concat!(
    "SELECT ",
    user_columns!(),
    ", ",
    session_columns!(),
    ", ",
    membership_columns!(),
    " FROM users u
    LEFT JOIN user_sessions s ON s.id = $2 AND s.user_id = u.id
    LEFT JOIN organization_memberships m ON m.org_id = $3
        AND m.principal_id = u.id AND m.principal_kind = 'user'
    WHERE u.id = $1"
);

/// What stands behind an identity's token; none when the identity is gone.
pub async fn identity(
    source: impl Source,
    token: &IdentityToken,
) -> Result<Option<IdentityCallerRow>, StoreError> {
    let params = (token.identity, token.organization, token.method, token.secret, token.token);
    source.fetch_optional(IDENTITY, params).await
}

/// What stands behind a user's token; none when the user is gone.
pub async fn user(
    source: impl Source,
    user: UserId,
    session: SessionId,
    organization: Option<OrganizationId>,
) -> Result<Option<UserCallerRow>, StoreError> {
    source.fetch_optional(USER, (user, session, organization)).await
}
