//! The instance itself: its identity, its keys, whether it is set up.

use std::path::Path;

use sqlx::{ConnectOptions as _, Connection as _, sqlite::SqliteConnectOptions};
use uuid::Uuid;

use crate::{Source, StoreError, Tx, record, store::DATABASE_FILE};

record! {
    /// The instance.
    #[derive(Clone, Debug)]
    pub struct InstanceRow {
        /// Names it.
        pub instance_id: Uuid,
        /// The root key that its keys are wrapped with.
        pub root_fingerprint: String,
        /// Whether the first administrator exists.
        pub initialized: bool,
        /// Hash of the set-up token, until it was used.
        pub setup_token_hash: Option<Vec<u8>>,
    }
}

record! {
    /// A key of the instance.
    #[derive(Clone)]
    pub struct InstanceKeyRow {
        /// What it is for.
        pub purpose: String,
        /// Counts from 1.
        pub version: i64,
        /// The key, wrapped by the root key.
        pub wrapped: Vec<u8>,
    }
}

record! {
    /// What the instance allows to strangers.
    #[derive(Clone, Debug)]
    pub struct SettingsRow {
        /// Whether anyone may sign up.
        pub allow_sign_up: bool,
        /// The domains whose addresses may sign up, separated by commas; none for all.
        pub allowed_sign_up_domain: Option<String>,
        /// Microseconds since the epoch.
        pub updated_at: i64,
        /// Its authentication.
        pub mac: Vec<u8>,
    }
}

const SETTINGS: &str = "SELECT allow_sign_up, allowed_sign_up_domain, updated_at, mac
    FROM instance_settings WHERE id = 1";
const PUT_SETTINGS: &str = "INSERT INTO instance_settings (id, allow_sign_up,
        allowed_sign_up_domain, updated_at, mac)
    VALUES (1, $1, $2, $3, $4)
    ON CONFLICT (id) DO UPDATE SET allow_sign_up = $1, allowed_sign_up_domain = $2,
        updated_at = $3, mac = $4";
const FIND: &str = "SELECT instance_id, root_fingerprint, initialized, setup_token_hash
    FROM instance WHERE id = 1";
/// SQLite alone: whether the first start came as far as the schema.
const MADE: &str = "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = 'instance'";
const FINGERPRINT: &str = "SELECT root_fingerprint FROM instance WHERE id = 1";
const INSERT: &str = "INSERT INTO instance (id, instance_id, root_fingerprint, initialized,
        setup_token_hash, created_at)
    VALUES (1, $1, $2, $3, $4, $5) ON CONFLICT (id) DO NOTHING";
const KEYS: &str = "SELECT purpose, version, wrapped FROM instance_keys ORDER BY purpose, version";
const INSERT_KEY: &str = "INSERT INTO instance_keys (purpose, version, wrapped, created_at)
    VALUES ($1, $2, $3, $4)";
const ADD_SEEDS_KEY: &str = "INSERT INTO instance_keys (purpose, version, wrapped, created_at)
    SELECT $1, 1, $2, $3 WHERE NOT EXISTS (SELECT 1 FROM user_totp)
    ON CONFLICT (purpose, version) DO NOTHING";
const ADD_KEY: &str = "INSERT INTO instance_keys (purpose, version, wrapped, created_at)
    VALUES ($1, 1, $2, $3) ON CONFLICT (purpose, version) DO NOTHING";
const SET_SETUP_TOKEN: &str = "UPDATE instance SET setup_token_hash = $1
    WHERE id = 1 AND initialized = FALSE";
const INITIALIZE: &str = "UPDATE instance SET initialized = TRUE, setup_token_hash = NULL
    WHERE id = 1 AND initialized = FALSE";

/// The instance, once it was made.
pub async fn find(source: impl Source) -> Result<Option<InstanceRow>, StoreError> {
    source.fetch_optional(FIND, ()).await
}

/// The root key that the embedded database in a directory was made with, if there is one. Changes
/// nothing, not even the schema, so that it can be asked before a wrong key does harm.
pub async fn root_fingerprint(directory: &Path) -> Result<Option<String>, StoreError> {
    let file = directory.join(DATABASE_FILE);
    if !file.exists() {
        return Ok(None);
    }
    let options = SqliteConnectOptions::new().filename(file).read_only(true);
    let mut connection = options.disable_statement_logging().connect().await?;
    let found = match sqlx::query_scalar(MADE).fetch_one(&mut connection).await? {
        0_i64 => None,
        _ => sqlx::query_scalar(FINGERPRINT).fetch_optional(&mut connection).await?,
    };
    connection.close().await?;
    Ok(found)
}

/// Makes the instance; false if somebody else was first.
pub async fn insert(tx: &mut Tx, row: &InstanceRow, now: i64) -> Result<bool, StoreError> {
    let params = (
        row.instance_id,
        row.root_fingerprint.as_str(),
        row.initialized,
        row.setup_token_hash.as_deref(),
        now,
    );
    Ok(tx.execute(INSERT, params).await? == 1)
}

/// All keys.
pub async fn keys(source: impl Source) -> Result<Vec<InstanceKeyRow>, StoreError> {
    source.fetch_all(KEYS, ()).await
}

/// Adds a key.
pub async fn insert_key(
    tx: &mut Tx,
    purpose: &str,
    version: i64,
    wrapped: &[u8],
    now: i64,
) -> Result<(), StoreError> {
    tx.execute(INSERT_KEY, (purpose, version, wrapped, now)).await?;
    Ok(())
}

/// Adds a key that came later than the instance, unless another replica was first.
pub async fn add_key(
    tx: &mut Tx,
    purpose: &str,
    wrapped: &[u8],
    now: i64,
) -> Result<(), StoreError> {
    tx.execute(ADD_KEY, (purpose, wrapped, now)).await?;
    Ok(())
}

/// Adds the key that seeds of authenticator apps are sealed under, unless another replica was
/// first or there are seeds already, which were sealed under one that is lost.
pub async fn add_seeds_key(
    tx: &mut Tx,
    purpose: &str,
    wrapped: &[u8],
    now: i64,
) -> Result<(), StoreError> {
    tx.execute(ADD_SEEDS_KEY, (purpose, wrapped, now)).await?;
    Ok(())
}

/// Sets the hash of the set-up token while the instance is not set up.
pub async fn set_setup_token(tx: &mut Tx, hash: &[u8]) -> Result<bool, StoreError> {
    Ok(tx.execute(SET_SETUP_TOKEN, (hash,)).await? == 1)
}

/// Marks the instance as set up; true for exactly one caller ever.
pub async fn initialize(tx: &mut Tx) -> Result<bool, StoreError> {
    Ok(tx.execute(INITIALIZE, ()).await? == 1)
}

/// The settings, once they were changed.
pub async fn settings(source: impl Source) -> Result<Option<SettingsRow>, StoreError> {
    source.fetch_optional(SETTINGS, ()).await
}

/// Writes the settings.
pub async fn put_settings(tx: &mut Tx, row: &SettingsRow) -> Result<(), StoreError> {
    let params = (
        row.allow_sign_up,
        row.allowed_sign_up_domain.as_deref(),
        row.updated_at,
        row.mac.as_slice(),
    );
    tx.execute(PUT_SETTINGS, params).await?;
    Ok(())
}
