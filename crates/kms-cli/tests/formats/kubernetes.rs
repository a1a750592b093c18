use kms_cli::formats::{Format, render};

use crate::support::{Pairs, assert_same, draw, numbered, read_with_python, secret, text, written};

/// Reads the values as the API server does.
const READ: &str = "
import base64, json, sys, yaml
with open(sys.argv[1], encoding='utf-8', newline='') as file:
    manifest = yaml.safe_load(file)
assert (manifest['apiVersion'], manifest['kind']) == ('v1', 'Secret')
assert manifest['metadata'] == {'name': 'kms-secrets'} and manifest['type'] == 'Opaque'
data = manifest['data']
print(json.dumps({key: base64.b64decode(data[key], validate=True).decode() for key in data}))
";

#[test]
fn r2_every_value_is_read_back_from_the_manifest() {
    let mut pairs = numbered(draw(text(), 2_000));
    pairs.insert("123".into(), "a number for a name".into());
    pairs.insert("true".into(), "\0".into());
    pairs.insert("tls.crt".into(), "-----BEGIN\n".into());
    assert_same("PyYAML", &read_with_python(&written(Format::Kubernetes, &pairs), READ), &pairs);
    let none = Pairs::new();
    assert_same("PyYAML", &read_with_python(&written(Format::Kubernetes, &none), READ), &none);
}

#[test]
fn r1_a_name_cannot_become_part_of_the_manifest() {
    for name in ["a\"", "a: b", "a\nkind: Pod", "", "é"] {
        assert!(render(Format::Kubernetes, &[secret(name, "v")]).is_err(), "{name:?}");
    }
}
