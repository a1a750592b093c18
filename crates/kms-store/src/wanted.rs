//! One statement about many places of a project.
//!
//! A statement's text has as many rows of values as the next of a few sizes, and what is left over
//! is filled with a place that does not exist: few texts, and one round trip however many places.

use std::sync::LazyLock;

use kms_api::{OrganizationId, ProjectId};
use uuid::Uuid;

use crate::{Record, Source as _, Store, StoreError, Then, bind::nameless, secrets::SHARED};

/// Rows of values in the texts; the last is also how many places go into one statement. SQLite
/// takes 32,766 parameters, PostgreSQL 65,535.
const SIZES: [usize; 5] = [1, 8, 64, 512, 8_192];

/// The texts of one statement.
pub(crate) type Texts = LazyLock<Vec<Text>>;

pub(crate) struct Text {
    rows: usize,
    numbered: String,
    /// For the embedded engine, see [`nameless`].
    nameless: String,
}

/// What all places of a statement have in common.
#[derive(Clone, Copy, Debug)]
pub struct Here {
    /// The organization.
    pub org: OrganizationId,
    /// The project.
    pub project: ProjectId,
    /// Whose own secrets are read besides those that all share: a user's, or nobody's
    /// ([`SHARED`]).
    pub owner: Uuid,
}

/// Makes the texts of a statement that reads `here (org, project, shared, own)`, which is one row,
/// and `wanted`, which has these columns.
pub(crate) fn texts(columns: &[&str], select: &str) -> Vec<Text> {
    let text = |rows: usize| {
        let row = |row: usize| {
            let places =
                (0..columns.len()).map(|column| format!("${}", 5 + row * columns.len() + column));
            format!("({})", places.collect::<Vec<_>>().join(","))
        };
        let values = (0..rows).map(row).collect::<Vec<_>>().join(",");
        let names = columns.join(", ");
        let numbered = format!(
            "WITH here (org, project, shared, own) AS (VALUES ($1, $2, $3, $4)),
                wanted ({names}) AS (VALUES {values}) {select}"
        );
        Text { rows, nameless: nameless(&numbered), numbered }
    };
    SIZES.into_iter().map(text).collect()
}

/// Asks a statement about places, in as few statements as possible.
pub(crate) async fn fetch<T: Record + 'static, const N: usize>(
    store: &Store,
    texts: &'static Texts,
    here: &Here,
    places: &[[&str; N]],
) -> Result<Vec<T>, StoreError> {
    let mut found = Vec::new();
    for run in places.chunks(SIZES[SIZES.len() - 1]) {
        let Some(text) = texts.iter().find(|text| text.rows >= run.len()) else { continue };
        let sql = if store.is_embedded() { &text.nameless } else { &text.numbered };
        let nowhere = std::iter::repeat_n([""; N], text.rows - run.len());
        let rows = run.iter().copied().chain(nowhere).collect();
        let params = Then((here.org, here.project, SHARED, here.owner), rows);
        found.extend(store.fetch_all::<T>(sql, params).await?);
    }
    Ok(found)
}
