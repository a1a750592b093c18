//! A database of its own for every server.

use kms_core::Store;
use sqlx::Connection as _;

/// Names the PostgreSQL server to test on; without it tests run on the embedded database.
const VARIABLE: &str = "KMS_TEST_DATABASE_URL";

pub(crate) enum Database {
    Embedded(tempfile::TempDir),
    Postgres { admin: String, name: String },
}

impl Database {
    pub(crate) async fn create() -> Self {
        let Ok(admin) = std::env::var(VARIABLE) else {
            return Self::Embedded(tempfile::tempdir().unwrap());
        };
        let name = format!("kms_http_{}", uuid::Uuid::new_v4().simple());
        run(&admin, format!("CREATE DATABASE {name}")).await;
        Self::Postgres { admin, name }
    }

    pub(crate) fn is_shared(&self) -> bool {
        matches!(self, Self::Postgres { .. })
    }

    pub(crate) async fn open(&self) -> Store {
        match self {
            Self::Embedded(directory) => Store::open_embedded(directory.path()).await.unwrap(),
            Self::Postgres { admin, name } => {
                let (server, _) = admin.rsplit_once('/').unwrap();
                Store::connect(&format!("{server}/{name}"), 8).await.unwrap()
            }
        }
    }

    pub(crate) async fn remove(self) {
        if let Self::Postgres { admin, name } = self {
            run(&admin, format!("DROP DATABASE {name} WITH (FORCE)")).await;
        }
    }
}

async fn run(url: &str, sql: String) {
    let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
}
