use kms_cli::{
    formats::{Format, render},
    input::read_file,
};

use crate::support::{
    Pairs, assert_same, draw, numbered, read_with_python, read_with_shell, secret, text, written,
};

const PYTHON: &str = "
import json, sys
from dotenv import dotenv_values
json.dump(dict(dotenv_values(sys.argv[1])), sys.stdout)
";

/// Values that the format carries; what it refuses is left out here.
fn carried() -> Pairs {
    let values = draw(text(), 4_000).into_iter();
    numbered(values.filter(|value| render(Format::Dotenv, &[secret("K", value)]).is_ok()))
}

#[test]
fn r2_shells_read_back_every_value_and_run_nothing() {
    let pairs = carried();
    let written = written(Format::Dotenv, &pairs);
    let names: Vec<&String> = pairs.keys().collect();
    for shell in ["bash", "dash", "zsh"] {
        assert_same(shell, &read_with_shell(shell, &written, &names), &pairs);
        assert!(!written.folder.path().join("tripwire").exists(), "{shell}");
    }
}

#[test]
fn r2_python_reads_back_every_value_that_is_not_reported() {
    let pairs = carried();
    let written = written(Format::Dotenv, &pairs);
    let reported = &written.rendered.shell_only;
    let mut read = read_with_python(&written, PYTHON);
    assert!(reported.iter().all(|name| read.remove(name).is_some()));
    let agreed: Pairs = pairs.into_iter().filter(|(name, _)| !reported.contains(name)).collect();
    assert!(agreed.len() > 1_000, "most values have a common form");
    assert_same("python-dotenv", &read, &agreed);
}

#[test]
fn set_reads_what_export_wrote() {
    for format in [Format::Dotenv, Format::DotenvExport] {
        let pairs = carried();
        let written = written(format, &pairs);
        let read = read_file(&written.file).unwrap();
        let read = read
            .into_iter()
            .map(|assignment| (assignment.name, assignment.value.expose().to_owned()))
            .collect();
        assert_same("secrets set", &read, &pairs);
    }
}

#[test]
fn refusals_name_every_secret_and_no_value() {
    let secrets = [secret("A;B", "canary"), secret("OK", "canary"), secret("WIN", "canary\\")];
    let text = render(Format::Dotenv, &secrets).unwrap_err().to_string();
    assert!(text.contains("`A;B`") && text.contains("`WIN`") && !text.contains("`OK`"));
    assert!(!text.contains("canary"));
}
