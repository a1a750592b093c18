//! How often something changed that servers remember.
//!
//! Several servers on one database may each answer from memory, as long as every request asks
//! here first: a write raises the epoch in its own transaction ([`Tx::raise_epoch`]), so whoever
//! reads the epoch that memory was filled under knows that nothing was committed since. The
//! embedded engine has one server, which counts in memory; it never writes here.

use std::sync::LazyLock;

use uuid::Uuid;

use crate::{Source, Store, StoreError, Then, Tx, record};

/// The scope of everything that decides who may.
pub const RIGHTS: Uuid = Uuid::nil();

record! {
    /// One counter.
    #[derive(Clone, Copy, Debug)]
    pub struct EpochRow {
        /// [`RIGHTS`] or a project.
        pub scope: Uuid,
        /// How often it changed.
        pub value: i64,
    }
}

/// The epoch of [`RIGHTS`] and that of a project, as far as they changed ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Epochs {
    /// Of everything that decides who may.
    pub rights: i64,
    /// Of what the project holds.
    pub project: i64,
}

const READ: &str = "SELECT scope, value FROM epochs WHERE scope = $1 OR scope = $2";
const RAISE: &str = "INSERT INTO epochs (scope, value) VALUES ($1, 1)
    ON CONFLICT (scope) DO UPDATE SET value = epochs.value + 1";

/// Reads the epochs, in one query; [`RIGHTS`] in the place of a project asks for none.
pub async fn read(source: impl Source, project: Uuid) -> Result<Epochs, StoreError> {
    let rows: Vec<EpochRow> = source.fetch_all(READ, (RIGHTS, project)).await?;
    let mut epochs = Epochs::default();
    for row in rows {
        if row.scope == RIGHTS {
            epochs.rights = row.value;
        } else {
            epochs.project = row.value;
        }
    }
    Ok(epochs)
}

/// Scopes of one statement of [`read_many`].
const MANY: usize = 64;
static READ_MANY: LazyLock<String> = LazyLock::new(|| {
    let places: Vec<String> = (1..=MANY).map(|place| format!("${place}")).collect();
    format!("SELECT scope, value FROM epochs WHERE scope IN ({})", places.join(","))
});

/// Reads the epochs of many scopes, few queries for all; a scope that never changed has no row.
pub async fn read_many(store: &Store, scopes: &[Uuid]) -> Result<Vec<EpochRow>, StoreError> {
    let mut rows = Vec::new();
    for chunk in scopes.chunks(MANY) {
        let mut places = chunk.to_vec();
        // One text for any number: the last is asked for again.
        places.resize(MANY, *chunk.last().unwrap_or(&RIGHTS));
        let places: Vec<(Uuid,)> = places.into_iter().map(|scope| (scope,)).collect();
        rows.extend(store.fetch_all::<EpochRow>(&READ_MANY, Then((), places)).await?);
    }
    Ok(rows)
}

/// Says that what the scope stands for changes with this write.
pub(crate) async fn raise(tx: &mut Tx, scope: Uuid) -> Result<(), StoreError> {
    tx.execute(RAISE, (scope,)).await?;
    Ok(())
}
