//! The part of the documentation that lists the statuses that differ.

use std::fmt::Write as _;

use crate::differences::Table;

const PAGE: &str = include_str!("../../../../docs/differences.md");
const START: &str = "<!-- recorded statuses: start -->\n";
const END: &str = "<!-- recorded statuses: end -->";

#[test]
fn documentation_lists_every_status_that_differs() {
    let table = markdown(&Table::rows());
    let (_, rest) = PAGE.split_once(START).expect("the page marks the start");
    let (written, _) = rest.split_once(END).expect("the page marks the end");
    assert!(written == table, "between the marks of docs/differences.md must stand:\n{table}");
}

fn markdown(table: &Table) -> String {
    let mut text = "| route | case | recorded | `kms server` | reason |\n".to_owned();
    text += "| --- | --- | --- | --- | --- |\n";
    for row in table.of_statuses() {
        let routes = if row.is_for_all() {
            "all".to_owned()
        } else {
            let routes: Vec<_> = row.endpoints().iter().map(|at| format!("`{at}`")).collect();
            routes.join(", ")
        };
        let (recorded, ours) = row.status.unwrap();
        let case = row.case.as_deref().expect("a status has a case");
        let why = row.why.trim_end_matches('.');
        writeln!(text, "| {routes} | {case} | {recorded} | {ours} | {why} |").unwrap();
    }
    text
}
