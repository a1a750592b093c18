//! The schema, brought up to date at every start.

use sqlx::migrate::{Migrate, Migration, MigrationType, Migrator};

use crate::StoreError;

/// Every migration in order: version, name, text. Only ever appended to; the text of a released
/// one never changes.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "initial", include_str!("../migrations/0001_initial.sql")),
    (2, "people", include_str!("../migrations/0002_people.sql")),
    (3, "accounts", include_str!("../migrations/0003_accounts.sql")),
    (4, "epochs", include_str!("../migrations/0004_epochs.sql")),
    (5, "organization_mac", include_str!("../migrations/0005_organization_mac.sql")),
    (6, "browser_logins", include_str!("../migrations/0006_browser_logins.sql")),
    (7, "device_logins", include_str!("../migrations/0007_device_logins.sql")),
    (8, "passkeys", include_str!("../migrations/0008_passkeys.sql")),
    (9, "single_sign_on", include_str!("../migrations/0009_single_sign_on.sql")),
    (10, "used_proofs", include_str!("../migrations/0010_used_proofs.sql")),
    (11, "secret_imports", include_str!("../migrations/0011_secret_imports.sql")),
    (12, "tags", include_str!("../migrations/0012_tags.sql")),
    (13, "project_roles", include_str!("../migrations/0013_project_roles.sql")),
    (14, "service_tokens", include_str!("../migrations/0014_service_tokens.sql")),
    (15, "secret_macs", include_str!("../migrations/0015_secret_macs.sql")),
];

pub(crate) async fn run<C>(connection: &mut C) -> Result<(), StoreError>
where
    C: Migrate + Send,
{
    let migrations = MIGRATIONS.iter().map(|(version, name, sql)| {
        Migration::new(
            *version,
            (*name).into(),
            MigrationType::Simple,
            sqlx::SqlSafeStr::into_sql_str(*sql),
            false,
        )
    });
    let migrator = Migrator::with_migrations(migrations.collect());
    migrator.run_direct(None, connection, false).await.map_err(StoreError::Migration)
}
