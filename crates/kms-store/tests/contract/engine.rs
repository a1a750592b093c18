//! A database of its own for every test.

use std::sync::Arc;

use kms_store::Store;
use uuid::Uuid;

pub(crate) struct Engine {
    pub(crate) store: Store,
    _directory: Option<tempfile::TempDir>,
    database: Option<(String, String)>,
}

/// A stand-in for the keyed hash, which is not this crate's business: it must only depend on
/// everything it is given.
pub(crate) fn hash(previous: &[u8; 32], record: &[u8]) -> [u8; 32] {
    let mut state = *previous;
    for (place, byte) in record.iter().enumerate() {
        let at = place % 32;
        state[at] = state[at].rotate_left(3) ^ byte.wrapping_add(state[(at + 7) % 32]);
    }
    state
}

pub(crate) async fn sqlite() -> Engine {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open_embedded(directory.path()).await.unwrap();
    store.set_chain_hasher(Arc::new(hash));
    Engine { store, _directory: Some(directory), database: None }
}

pub(crate) async fn postgres() -> Engine {
    let admin = std::env::var("KMS_TEST_DATABASE_URL").expect("KMS_TEST_DATABASE_URL is set");
    let name = format!("kms_{}", Uuid::now_v7().simple());
    run(&admin, &format!("CREATE DATABASE {name}")).await;
    let (server, _) = admin.rsplit_once('/').unwrap();
    let store = Store::connect(&format!("{server}/{name}"), 8).await.unwrap();
    store.set_chain_hasher(Arc::new(hash));
    Engine { store, _directory: None, database: Some((admin, name)) }
}

impl Engine {
    pub(crate) async fn drop_database(self) {
        self.store.close().await;
        if let Some((admin, name)) = self.database {
            run(&admin, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
        }
    }
}

async fn run(url: &str, sql: &str) {
    use sqlx::Connection as _;
    let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
}
