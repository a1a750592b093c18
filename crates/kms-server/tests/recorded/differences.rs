//! The table of intended differences.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::{fixture::Exchange, replay::Found, shape};

/// The table, checked against the fixture.
pub(crate) struct Table {
    rows: Vec<Row>,
}

/// One intended difference.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Row {
    /// Whose answers differ; `*` stands for those of the cases.
    endpoints: Vec<String>,
    /// Fields that we leave out.
    #[serde(default)]
    missing: Vec<String>,
    /// Fields that we add.
    #[serde(default)]
    extra: Vec<String>,
    /// Types that were not recorded, as `field: recorded -> ours`.
    #[serde(default)]
    types: Vec<String>,
    /// Both statuses, the recorded one first.
    pub(crate) status: Option<(u16, u16)>,
    /// In which exchanges status or values differ.
    #[serde(default)]
    cases: Vec<u32>,
    /// What the cases have in common, for the documentation.
    pub(crate) case: Option<String>,
    /// Values that differ in each of the cases, as `pointer: recorded -> ours`.
    #[serde(default)]
    values: Vec<String>,
    /// Exchanges of features that are not there.
    #[serde(default)]
    not_covered: Vec<u32>,
    /// The reason, in one sentence.
    pub(crate) why: String,
}

impl Table {
    /// Reads the table; every exchange that it names must be recorded, at the endpoint it names.
    pub(crate) fn read(exchanges: &[Exchange]) -> Self {
        let table = Self::rows();
        for row in &table.rows {
            assert!(row.why.ends_with('.'), "a reason is a sentence: {row:?}");
            assert!(row.is_for_all() || !row.endpoints.iter().any(|at| at == "*"), "{row:?}");
            for n in row.cases.iter().chain(&row.not_covered) {
                let exchange = exchanges.iter().find(|exchange| exchange.n == *n);
                let exchange = exchange.unwrap_or_else(|| panic!("{n} was not recorded"));
                let named = row.endpoints.contains(&exchange.endpoint);
                let label = &exchange.label;
                assert!(named || row.is_for_all(), "{n} ({label}) is of another endpoint: {row:?}");
            }
        }
        table
    }

    /// Reads the table alone.
    pub(crate) fn rows() -> Self {
        Self { rows: serde_json::from_str(include_str!("differences.json")).unwrap() }
    }

    /// The rows about statuses.
    pub(crate) fn of_statuses(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.status.is_some())
    }

    /// Whether an exchange is of a feature that is not there.
    pub(crate) fn leaves_out(&self, n: u32) -> bool {
        self.rows.iter().any(|row| row.not_covered.contains(&n))
    }

    /// Everything that the table explains, each thing by one row.
    pub(crate) fn explained(&self) -> BTreeSet<Found> {
        let mut all = BTreeSet::new();
        for row in &self.rows {
            let explained = row.explained();
            assert!(!explained.is_empty(), "explains nothing: {row:?}");
            for found in explained {
                assert!(!all.contains(&found), "two rows explain {found}");
                all.insert(found);
            }
        }
        all
    }
}

impl Row {
    /// Whether it is a rule for statuses, whatever the endpoint.
    pub(crate) fn is_for_all(&self) -> bool {
        let statuses = self.status.is_some() || !self.not_covered.is_empty();
        statuses && self.endpoints == ["*"]
    }

    /// Where it applies, for the documentation.
    pub(crate) fn endpoints(&self) -> &[String] {
        &self.endpoints
    }

    fn explained(&self) -> Vec<Found> {
        let mut all: Vec<_> = self.not_covered.iter().map(|&n| Found::NotCovered { n }).collect();
        if let Some((recorded, ours)) = self.status {
            all.extend(self.cases.iter().map(|&n| Found::Status { n, recorded, ours }));
        }
        for &n in &self.cases {
            all.extend(self.values.iter().map(|what| Found::Value { n, what: what.clone() }));
        }
        let shapes = [
            (shape::Difference::Missing, &self.missing),
            (shape::Difference::Extra, &self.extra),
            (shape::Difference::Type, &self.types),
        ];
        for endpoint in &self.endpoints {
            for (how, fields) in shapes {
                all.extend(fields.iter().map(|what| Found::Shape {
                    endpoint: endpoint.clone(),
                    how,
                    what: what.clone(),
                }));
            }
        }
        all
    }
}
