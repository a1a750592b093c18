//! What is kept about access tokens: named tokens, revocations, uses. Logins leave nothing here.

use kms_api::{IdentityId, OrganizationId, TokenId};

use crate::{Source, StoreError, Tx, record};

record! {
    /// A named token of token auth.
    #[derive(Clone, Debug)]
    pub struct TokenRow {
        /// Its id.
        pub id: TokenId,
        /// The identity's home organization.
        pub org_id: OrganizationId,
        /// The identity.
        pub identity_id: IdentityId,
        /// What it is for.
        pub name: Option<String>,
        /// Seconds it lives.
        pub ttl: i64,
        /// Seconds since issue after which renewal ends; 0 for never.
        pub max_ttl: i64,
        /// How often it may be used; 0 for without a limit.
        pub uses_limit: i64,
        /// Whether it was revoked.
        pub revoked: bool,
        /// Microseconds since the epoch.
        pub last_used_at: Option<i64>,
        /// Microseconds since the epoch.
        pub last_renewed_at: Option<i64>,
        /// Microseconds since the epoch.
        pub created_at: i64,
        /// Microseconds since the epoch.
        pub updated_at: i64,
        /// What is left of the limit, once it was used.
        pub remaining: Option<i64>,
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT t.id, t.org_id, t.identity_id, t.name, t.ttl, t.max_ttl, t.uses_limit,
                t.revoked, t.last_used_at, t.last_renewed_at, t.created_at, t.updated_at,
                u.remaining
            FROM token_auth_tokens t LEFT JOIN token_uses u ON u.token_id = t.id ",
            $rest
        )
    };
}

const FIND: &str = select!("WHERE t.org_id = $1 AND t.id = $2");
const LIST: &str = select!(
    "WHERE t.org_id = $1 AND t.identity_id = $2
    ORDER BY t.created_at DESC, t.id DESC LIMIT $3 OFFSET $4"
);
const INSERT: &str = "INSERT INTO token_auth_tokens (id, org_id, identity_id, name, ttl, max_ttl,
        uses_limit, revoked, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
const RENAME: &str = "UPDATE token_auth_tokens SET name = $3, updated_at = $4
    WHERE org_id = $1 AND id = $2";
const MARK_REVOKED: &str = "UPDATE token_auth_tokens SET revoked = TRUE, updated_at = $2
    WHERE id = $1";
const MARK_RENEWED: &str = "UPDATE token_auth_tokens SET last_renewed_at = $2 WHERE id = $1";
const DELETE_OF_IDENTITY: &str = "DELETE FROM token_auth_tokens
    WHERE org_id = $1 AND identity_id = $2";
const REVOKE: &str = "INSERT INTO revoked_tokens (token_id, org_id, identity_id, expires_at)
    VALUES ($1, $2, $3, $4) ON CONFLICT (token_id) DO NOTHING";
const TAKE_USE: &str = "INSERT INTO token_uses (token_id, org_id, remaining, expires_at)
    VALUES ($1, $2, $3 - 1, $4)
    ON CONFLICT (token_id) DO UPDATE SET remaining = token_uses.remaining - 1,
        expires_at = CASE WHEN token_uses.expires_at < $4 THEN $4 ELSE token_uses.expires_at END
    WHERE token_uses.remaining > 0";
const KEEP_USES: &str = "INSERT INTO token_uses (token_id, org_id, remaining, expires_at)
    VALUES ($1, $2, $3, $4)
    ON CONFLICT (token_id) DO UPDATE SET
        expires_at = CASE WHEN token_uses.expires_at < $4 THEN $4 ELSE token_uses.expires_at END
    WHERE token_uses.remaining > 0";
const SWEEP_REVOKED: &str = "DELETE FROM revoked_tokens WHERE expires_at <= $1";
const SWEEP_USES: &str = "DELETE FROM token_uses WHERE expires_at <= $1";

/// A named token.
pub async fn find(
    source: impl Source,
    org: OrganizationId,
    id: TokenId,
) -> Result<Option<TokenRow>, StoreError> {
    source.fetch_optional(FIND, (org, id)).await
}

/// A page of the named tokens of an identity, newest first.
pub async fn list(
    source: impl Source,
    org: OrganizationId,
    identity: IdentityId,
    limit: i64,
    offset: i64,
) -> Result<Vec<TokenRow>, StoreError> {
    source.fetch_all(LIST, (org, identity, limit, offset)).await
}

/// Adds a named token.
pub async fn insert(tx: &mut Tx, row: &TokenRow) -> Result<(), StoreError> {
    let params = (
        row.id,
        row.org_id,
        row.identity_id,
        row.name.as_deref(),
        row.ttl,
        row.max_ttl,
        row.uses_limit,
        row.revoked,
        row.created_at,
        row.updated_at,
    );
    tx.execute(INSERT, params).await?;
    Ok(())
}

/// Renames a named token.
pub async fn rename(
    tx: &mut Tx,
    org: OrganizationId,
    id: TokenId,
    name: Option<&str>,
    now: i64,
) -> Result<bool, StoreError> {
    Ok(tx.execute(RENAME, (org, id, name, now)).await? == 1)
}

/// Removes the named tokens of an identity.
pub async fn delete_of_identity(
    tx: &mut Tx,
    org: OrganizationId,
    identity: IdentityId,
) -> Result<(), StoreError> {
    tx.execute(DELETE_OF_IDENTITY, (org, identity)).await?;
    Ok(())
}

/// Revokes a token, named or not, and keeps that until `expires_at`, in microseconds.
pub async fn revoke(
    tx: &mut Tx,
    org: OrganizationId,
    identity: IdentityId,
    id: TokenId,
    expires_at: i64,
    now: i64,
) -> Result<(), StoreError> {
    tx.execute(REVOKE, (id, org, identity, expires_at)).await?;
    tx.execute(MARK_REVOKED, (id, now)).await?;
    Ok(())
}

/// Notes that a token was renewed, if it is a named one.
pub async fn mark_renewed(tx: &mut Tx, id: TokenId, now: i64) -> Result<(), StoreError> {
    tx.execute(MARK_RENEWED, (id, now)).await?;
    Ok(())
}

/// Takes one of the uses of a token that has `limit` of them; false when there is none left.
///
/// One statement that also makes the counter, so that a login leaves no row behind. The counter
/// is kept until `expires_at`, in microseconds, at least.
pub async fn take_use(
    tx: &mut Tx,
    org: OrganizationId,
    id: TokenId,
    limit: i64,
    expires_at: i64,
) -> Result<bool, StoreError> {
    Ok(tx.execute(TAKE_USE, (id, org, limit, expires_at)).await? == 1)
}

/// Keeps the counter of a token that is being renewed for longer; false when no use is left.
pub async fn keep_uses(
    tx: &mut Tx,
    org: OrganizationId,
    id: TokenId,
    limit: i64,
    expires_at: i64,
) -> Result<bool, StoreError> {
    Ok(tx.execute(KEEP_USES, (id, org, limit, expires_at)).await? == 1)
}

/// Removes what is kept about tokens that have expired.
pub async fn sweep(tx: &mut Tx, now: i64) -> Result<u64, StoreError> {
    Ok(tx.execute(SWEEP_REVOKED, (now,)).await? + tx.execute(SWEEP_USES, (now,)).await?)
}
