//! The identity providers of organizations, and whose account a subject of theirs is.

use kms_api::{OrganizationId, ProviderId, UserId};

use crate::{Source, StoreError, Tx, identities::CountRow, record};

record! {
    /// The identity provider of a root organization.
    #[derive(Clone, Debug)]
    pub struct ProviderRow {
        /// Its id.
        pub id: ProviderId,
        /// The organization.
        pub org_id: OrganizationId,
        /// Who it says that it is.
        pub issuer: String,
        /// Who we are to it.
        pub client_id: String,
        /// The secret that it knows us by, sealed under the organization's key.
        pub sealed: Vec<u8>,
        /// Where it is reached and how it signs, as JSON.
        pub config: String,
        /// The domains of the addresses that it may vouch for, as a JSON list.
        pub email_domains: String,
        /// Whether anybody may sign in by it.
        pub is_active: bool,
        /// Microseconds since the epoch.
        pub created_at: i64,
        /// Microseconds since the epoch.
        pub updated_at: i64,
        /// Its authentication.
        pub mac: Vec<u8>,
    }
}

record! {
    /// Whose account a subject of an issuer is, by one provider.
    #[derive(Clone, Debug)]
    pub struct LinkRow {
        /// The provider.
        pub provider_id: ProviderId,
        /// Who says so.
        pub issuer: String,
        /// About whom.
        pub subject: String,
        /// The account.
        pub user_id: UserId,
        /// Microseconds since the epoch.
        pub created_at: i64,
        /// Its authentication.
        pub mac: Vec<u8>,
    }
}

macro_rules! provider {
    ($rest:literal) => {
        concat!(
            "SELECT p.id, p.org_id, p.issuer, p.client_id, p.sealed, p.config, p.email_domains,
                p.is_active, p.created_at, p.updated_at, p.mac FROM identity_providers p ",
            $rest
        )
    };
}

const FIND: &str = provider!("WHERE p.id = $1");
const OF_ORGANIZATION: &str = provider!("WHERE p.org_id = $1");
const BY_DOMAIN: &str = provider!(
    "JOIN identity_provider_domains d ON d.provider_id = p.id
    WHERE d.domain = $1 AND p.is_active = TRUE ORDER BY p.id LIMIT 2"
);
const INSERT: &str =
    "INSERT INTO identity_providers (id, org_id, issuer, client_id, sealed, config,
        email_domains, is_active, created_at, updated_at, mac)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
const UPDATE: &str = "UPDATE identity_providers SET issuer = $3, client_id = $4, sealed = $5,
        config = $6, email_domains = $7, is_active = $8, updated_at = $9, mac = $10
    WHERE org_id = $1 AND id = $2";
const DELETE_DOMAINS: &str = "DELETE FROM identity_provider_domains WHERE provider_id = $1";
const INSERT_DOMAIN: &str =
    "INSERT INTO identity_provider_domains (provider_id, domain) VALUES ($1, $2)";
const LINK: &str = "SELECT provider_id, issuer, subject, user_id, created_at, mac
    FROM identity_provider_links WHERE provider_id = $1 AND issuer = $2 AND subject = $3";
const INSERT_LINK: &str = "INSERT INTO identity_provider_links (provider_id, issuer, subject,
        user_id, created_at, mac)
    VALUES ($1, $2, $3, $4, $5, $6)";
const LINKED_ADMINS: &str = "SELECT COUNT(*) FROM identity_provider_links l
    JOIN identity_providers p ON p.id = l.provider_id AND p.issuer = l.issuer
    JOIN organization_memberships m ON m.org_id = p.org_id AND m.principal_id = l.user_id
        AND m.principal_kind = 'user'
    WHERE p.org_id = $1 AND m.role = 'admin' AND m.status = 'accepted' AND m.is_active = TRUE";

/// A provider, whatever organization it belongs to: for who comes with nothing but its id.
pub async fn find(source: impl Source, id: ProviderId) -> Result<Option<ProviderRow>, StoreError> {
    source.fetch_optional(FIND, (id,)).await
}

/// The provider of a root organization.
pub async fn of_organization(
    source: impl Source,
    org: OrganizationId,
) -> Result<Option<ProviderRow>, StoreError> {
    source.fetch_optional(OF_ORGANIZATION, (org,)).await
}

/// The active providers that may vouch for addresses of a domain; two at most, which is enough to
/// know that the domain names none.
pub async fn by_domain(source: impl Source, domain: &str) -> Result<Vec<ProviderRow>, StoreError> {
    source.fetch_all(BY_DOMAIN, (domain,)).await
}

/// Adds a provider; [`StoreError::Duplicate`] when the organization has one.
pub async fn insert(tx: &mut Tx, row: &ProviderRow, domains: &[String]) -> Result<(), StoreError> {
    let params = (
        row.id,
        row.org_id,
        row.issuer.as_str(),
        row.client_id.as_str(),
        row.sealed.as_slice(),
        row.config.as_str(),
        row.email_domains.as_str(),
        row.is_active,
        row.created_at,
        row.updated_at,
        row.mac.as_slice(),
    );
    tx.execute(INSERT, params).await?;
    insert_domains(tx, row.id, domains).await
}

/// Writes all that may change of a provider; false when it is gone.
pub async fn update(
    tx: &mut Tx,
    row: &ProviderRow,
    domains: &[String],
) -> Result<bool, StoreError> {
    let params = (
        row.org_id,
        row.id,
        row.issuer.as_str(),
        row.client_id.as_str(),
        row.sealed.as_slice(),
        row.config.as_str(),
        row.email_domains.as_str(),
        row.is_active,
        row.updated_at,
        row.mac.as_slice(),
    );
    if tx.execute(UPDATE, params).await? != 1 {
        return Ok(false);
    }
    tx.execute(DELETE_DOMAINS, (row.id,)).await?;
    insert_domains(tx, row.id, domains).await?;
    Ok(true)
}

async fn insert_domains(
    tx: &mut Tx,
    provider: ProviderId,
    domains: &[String],
) -> Result<(), StoreError> {
    for domain in domains {
        tx.execute(INSERT_DOMAIN, (provider, domain.as_str())).await?;
    }
    Ok(())
}

/// Whose account a subject of an issuer is, by a provider.
pub async fn link(
    source: impl Source,
    provider: ProviderId,
    issuer: &str,
    subject: &str,
) -> Result<Option<LinkRow>, StoreError> {
    source.fetch_optional(LINK, (provider, issuer, subject)).await
}

/// Adds a link; [`StoreError::Duplicate`] when the subject is somebody's already.
pub async fn insert_link(tx: &mut Tx, row: &LinkRow) -> Result<(), StoreError> {
    let params = (
        row.provider_id,
        row.issuer.as_str(),
        row.subject.as_str(),
        row.user_id,
        row.created_at,
        row.mac.as_slice(),
    );
    tx.execute(INSERT_LINK, params).await?;
    Ok(())
}

/// How many administrators of an organization its provider, as it is now, is known to know.
pub async fn count_linked_admins(
    source: impl Source,
    org: OrganizationId,
) -> Result<i64, StoreError> {
    let row: Option<CountRow> = source.fetch_optional(LINKED_ADMINS, (org,)).await?;
    Ok(row.map_or(0, |row| row.count))
}
