//! The two engines that a server is started on.

use std::{
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

static MADE: AtomicU32 = AtomicU32::new(0);

/// Where a server keeps its data over its restarts.
pub(crate) enum Database {
    Embedded(tempfile::TempDir),
    Postgres { url: String, directory: tempfile::TempDir },
}

impl Database {
    pub(crate) fn embedded() -> Self {
        Self::Embedded(tempfile::tempdir().unwrap())
    }

    /// A database of its own on the server that `KMS_TEST_DATABASE_URL` names.
    pub(crate) fn postgres() -> Self {
        let admin = std::env::var("KMS_TEST_DATABASE_URL").expect("KMS_TEST_DATABASE_URL is set");
        let count = MADE.fetch_add(1, Ordering::Relaxed);
        let name = format!("kms_durability_{}_{count}", std::process::id());
        psql(&admin, &format!("CREATE DATABASE {name}"));
        let (server, _) = admin.rsplit_once('/').unwrap();
        let url = format!("{server}/{name}");
        Self::Postgres { url, directory: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn directory(&self) -> &Path {
        match self {
            Self::Embedded(directory) | Self::Postgres { directory, .. } => directory.path(),
        }
    }

    /// How long a fresh server takes until its writers are at work: one on PostgreSQL opens a
    /// connection for each of them first.
    pub(crate) fn warm_up(&self) -> Duration {
        match self {
            Self::Embedded(_) => Duration::from_millis(40),
            Self::Postgres { .. } => Duration::from_millis(400),
        }
    }

    pub(crate) fn arguments(&self) -> Vec<String> {
        match self {
            Self::Embedded(directory) => {
                vec!["--data-dir".into(), directory.path().to_str().unwrap().into()]
            }
            Self::Postgres { url, .. } => vec!["--database-url".into(), url.clone()],
        }
    }
}

/// Runs one statement and gives back what `psql` prints of it.
pub(crate) fn psql(url: &str, sql: &str) -> String {
    let output = std::process::Command::new("psql")
        .args([url, "-XAtqc", sql])
        .output()
        .expect("psql is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
