use kms_api::secrets::Tag;
use kms_cli::formats::{Format, render};
use proptest::prelude::Strategy;

use crate::support::{
    Pairs, assert_same, draw, read_with, read_with_python, secret, text, written,
};

const PYTHON: &str = "
import json, sys
with open(sys.argv[1], encoding='utf-8') as file:
    rows = json.load(file)
json.dump({row['key']: row['value'] for row in rows}, sys.stdout)
";

#[test]
fn r2_json_is_read_back_by_python_and_jq() {
    let any_text = || text().prop_map(|text| text.replace("EOF", "\0"));
    let pairs: Pairs = draw((any_text(), any_text()), 2_000).into_iter().collect();
    let written = written(Format::Json, &pairs);
    assert_same("python", &read_with_python(&written, PYTHON), &pairs);

    let filter = "map({(.key): .value}) | add";
    let output = read_with(written.folder.path(), "jq", &[filter, "written"]);
    let read: Pairs = serde_json::from_slice(&output).unwrap();
    assert_same("jq", &read, &pairs);
}

#[test]
fn json_has_the_fields_of_the_compatible_client_in_their_order() {
    let mut one = secret("A", "<x>");
    one.secret_path = Some("/a".into());
    one.tags =
        Some(vec![Tag { id: uuid::Uuid::nil(), slug: "t".into(), color: None, name: "T".into() }]);
    let id = "0192d0a4-8f9c-7c6e-9f0a-2f4d3a5b6c7d";
    let text = render(Format::Json, &[one]).unwrap().text;
    assert_eq!(
        text.as_str(),
        format!(
            "[{{\"key\":\"A\",\"workspace\":\"{id}\",\"value\":\"<x>\",\"type\":\"shared\",\
             \"_id\":\"{id}\",\"secretPath\":\"/a\",\"tags\":[{{\"id\":\"{}\",\"name\":\"T\",\
             \"slug\":\"t\",\"color\":\"\"}}],\"comment\":\"\",\"Etag\":\"\",\
             \"skipMultilineEncoding\":false}}]\n",
            uuid::Uuid::nil()
        )
    );
    assert_eq!(render(Format::Json, &[]).unwrap().text.as_str(), "[]\n");
}
