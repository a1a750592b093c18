use kms_cli::formats::{Format, render};

use crate::support::{assert_same, draw, read_with_python, secret, text, written};

const PYTHON: &str = "
import csv, json, sys
with open(sys.argv[1], newline='', encoding='utf-8') as file:
    rows = list(csv.reader(file))
assert rows[0] == ['Key', 'Value'], rows[0]
json.dump({key: value for key, value in rows[1:]}, sys.stdout)
";

#[test]
fn r2_csv_is_read_back_by_python() {
    let pairs = draw((text(), text()), 2_000).into_iter().collect();
    let written = written(Format::Csv, &pairs);
    assert_same("csv", &read_with_python(&written, PYTHON), &pairs);
}

#[test]
fn r2_csv_refuses_what_readers_stop_at() {
    let refused = render(Format::Csv, &[secret("A\0B", "v"), secret("C", "a\0b")]).unwrap_err();
    assert_eq!(refused.refusals.len(), 2);
}
