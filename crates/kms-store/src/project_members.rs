//! Memberships in projects as they are listed: with who the member is.

use kms_api::{IdentityId, MembershipId, OrganizationId, ProjectId, UserId};
use uuid::Uuid;

use crate::{Source, StoreError, identities::CountRow, record};

record! {
    /// An identity's membership in a project.
    #[derive(Clone, Debug)]
    pub struct IdentityMemberRow {
        /// The membership.
        pub id: MembershipId,
        /// The identity.
        pub identity_id: IdentityId,
        /// Microseconds since the epoch.
        pub created_at: i64,
        /// Microseconds since the epoch.
        pub updated_at: i64,
        /// The identity's name.
        pub name: String,
        /// Whether a delete of the identity is refused.
        pub has_delete_protection: bool,
        /// The organization that owns the identity.
        pub identity_org_id: OrganizationId,
        /// The method that it last logged in with here.
        pub last_login_method: Option<String>,
        /// When it last logged in here, in microseconds.
        pub last_login_at: Option<i64>,
    }
}

record! {
    /// A user's membership in a project.
    #[derive(Clone, Debug)]
    pub struct UserMemberRow {
        /// The membership.
        pub id: MembershipId,
        /// The user.
        pub user_id: UserId,
        /// Microseconds since the epoch.
        pub created_at: i64,
        /// Microseconds since the epoch.
        pub updated_at: i64,
        /// The user's name to log in with.
        pub username: String,
        /// The user's e-mail address.
        pub email: String,
        /// The user's first name; none until an invitation to the organization was accepted.
        pub first_name: Option<String>,
        /// The user's last name, likewise.
        pub last_name: Option<String>,
    }
}

record! {
    /// An auth method that an identity has.
    #[derive(Clone, Debug)]
    pub struct AttachedMethodRow {
        /// The identity.
        pub identity_id: IdentityId,
        /// The method's name.
        pub method: String,
    }
}

macro_rules! identities {
    ($columns:literal, $rest:literal) => {
        concat!(
            "SELECT ",
            $columns,
            " FROM project_memberships m
            JOIN identities i ON i.id = m.principal_id
            LEFT JOIN organization_memberships o ON o.principal_id = i.id
                AND o.principal_kind = 'identity' AND o.org_id = m.org_id
            WHERE m.org_id = $1 AND m.project_id = $2 AND m.principal_kind = 'identity' ",
            $rest
        )
    };
}

macro_rules! identity_rows {
    ($rest:literal) => {
        identities!(
            "m.id, i.id, m.created_at, m.updated_at, i.name, i.has_delete_protection, i.org_id,
                o.last_login_method, o.last_login_at",
            $rest
        )
    };
}

const IDENTITY: &str = identity_rows!("AND m.principal_id = $3");
const IDENTITIES: &str = identity_rows!(
    "AND ($3 IS NULL OR LOWER(i.name) LIKE $3 ESCAPE '!')
    ORDER BY m.created_at, m.id LIMIT $4 OFFSET $5"
);
const COUNT_IDENTITIES: &str =
    identities!("COUNT(*)", "AND ($3 IS NULL OR LOWER(i.name) LIKE $3 ESCAPE '!')");
const METHODS: &str = "SELECT a.identity_id, a.method FROM identity_auth_methods a
    JOIN project_memberships m ON m.principal_id = a.identity_id
    WHERE m.org_id = $1 AND m.project_id = $2 AND m.principal_kind = 'identity'
        AND ($3 IS NULL OR a.identity_id = $3)
    ORDER BY a.created_at, a.id";
macro_rules! users {
    ($rest:literal) => {
        concat!(
            "SELECT m.id, u.id, m.created_at, m.updated_at, u.username, u.email,
                CASE WHEN q.status = 'accepted' THEN u.first_name END,
                CASE WHEN q.status = 'accepted' THEN u.last_name END
            FROM project_memberships m JOIN users u ON u.id = m.principal_id
            LEFT JOIN organization_memberships q ON q.org_id = m.org_id
                AND q.principal_id = u.id AND q.principal_kind = 'user'
            WHERE m.org_id = $1 AND m.project_id = $2 AND m.principal_kind = 'user' ",
            $rest
        )
    };
}

const USERS: &str = users!("ORDER BY m.created_at, m.id");
const USER: &str = users!("AND m.id = $3");
const USER_BY_NAME: &str = users!("AND u.username = $3");

/// An identity's membership in a project.
pub async fn identity(
    source: impl Source,
    org: OrganizationId,
    project: ProjectId,
    identity: Uuid,
) -> Result<Option<IdentityMemberRow>, StoreError> {
    source.fetch_optional(IDENTITY, (org, project, identity)).await
}

/// What a list of identities is narrowed to.
#[derive(Clone, Debug)]
pub struct IdentityFilter {
    /// Part of the name; letters of ASCII count alike in both cases.
    pub name: Option<String>,
    /// Rows to pass over.
    pub offset: i64,
    /// Rows to answer.
    pub limit: i64,
}

impl IdentityFilter {
    /// The name as a pattern with `!` before what `LIKE` would not take literally.
    fn pattern(&self) -> Option<String> {
        let name = self.name.as_ref()?.to_ascii_lowercase();
        let literal = name.replace('!', "!!").replace('%', "!%").replace('_', "!_");
        Some(format!("%{literal}%"))
    }
}

/// One page of the identities that are members of a project.
pub async fn identities(
    source: impl Source,
    org: OrganizationId,
    project: ProjectId,
    filter: &IdentityFilter,
) -> Result<Vec<IdentityMemberRow>, StoreError> {
    let params = (org, project, filter.pattern(), filter.limit, filter.offset);
    source.fetch_all(IDENTITIES, params).await
}

/// How many identities are members of a project under a filter's name.
pub async fn count_identities(
    source: impl Source,
    org: OrganizationId,
    project: ProjectId,
    filter: &IdentityFilter,
) -> Result<i64, StoreError> {
    let row: Option<CountRow> =
        source.fetch_optional(COUNT_IDENTITIES, (org, project, filter.pattern())).await?;
    Ok(row.map_or(0, |row| row.count))
}

/// The auth methods of one or all identities in a project, oldest first.
pub async fn methods(
    source: impl Source,
    org: OrganizationId,
    project: ProjectId,
    identity: Option<IdentityId>,
) -> Result<Vec<AttachedMethodRow>, StoreError> {
    source.fetch_all(METHODS, (org, project, identity)).await
}

/// The users that are members of a project.
pub async fn users(
    source: impl Source,
    org: OrganizationId,
    project: ProjectId,
) -> Result<Vec<UserMemberRow>, StoreError> {
    source.fetch_all(USERS, (org, project)).await
}

/// A user's membership in a project.
pub async fn user(
    source: impl Source,
    org: OrganizationId,
    project: ProjectId,
    id: MembershipId,
) -> Result<Option<UserMemberRow>, StoreError> {
    source.fetch_optional(USER, (org, project, id)).await
}

/// The membership in a project of the user with a name to log in with, in canonical form.
pub async fn user_by_name(
    source: impl Source,
    org: OrganizationId,
    project: ProjectId,
    username: &str,
) -> Result<Option<UserMemberRow>, StoreError> {
    source.fetch_optional(USER_BY_NAME, (org, project, username)).await
}
