use kms_cli::formats::Format;
use proptest::prelude::Strategy;

use crate::support::{Pairs, assert_same, draw, read_with_python, text, written};

const PYTHON: &str = "
import json, sys
import yaml
with open(sys.argv[1], encoding='utf-8', newline='') as file:
    read = yaml.safe_load(file)
for key, value in read.items():
    assert type(key) is str and type(value) is str, (key, value)
json.dump(read, sys.stdout)
";

#[test]
fn r2_yaml_is_read_back_as_strings_by_a_yaml_1_1_reader() {
    let any_text = || text().prop_map(|text| text.replace("EOF", "\0"));
    let pairs: Pairs = draw((any_text(), any_text()), 3_000).into_iter().collect();
    let written = written(Format::Yaml, &pairs);
    assert_same("PyYAML", &read_with_python(&written, PYTHON), &pairs);
}

#[test]
fn yaml_carries_a_private_key_in_a_literal_block() {
    let pem = "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n";
    let pairs = Pairs::from([("PEM".to_owned(), pem.to_owned())]);
    let written = written(Format::Yaml, &pairs);
    assert!(written.rendered.text.starts_with("PEM: |\n  -----BEGIN"));
    assert_same("PyYAML", &read_with_python(&written, PYTHON), &pairs);
}
