use kms_cli::formats::{Format, render};

use crate::support::{Pairs, assert_same, draw, numbered, read_with, secret, text, written};

/// What the environment of a child of fish holds, ended by NUL each.
const READ: &str = "source ./written; env -0";

fn read(pairs: &Pairs) -> Pairs {
    let written = written(Format::Fish, pairs);
    let output = read_with(written.folder.path(), "fish", &["--no-config", "-c", READ]);
    assert!(!written.folder.path().join("tripwire").exists(), "a value was run");
    let output = String::from_utf8(output).unwrap();
    let variables = output.split('\0').filter_map(|line| line.split_once('='));
    let ours = variables.filter(|(name, _)| pairs.contains_key(*name));
    ours.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[test]
fn r1_exported_values_are_read_back_by_fish_and_run_nothing() {
    let pairs = numbered(draw(text(), 2_000));
    assert_same("fish", &read(&pairs), &pairs);
}

#[test]
fn a_variable_that_fish_keeps_to_itself_is_refused_or_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let output = read_with(folder.path(), "fish", &["--no-config", "-c", "set --names"]);
    let output = String::from_utf8(output).unwrap();
    let names: Vec<&str> = output.lines().collect();
    assert!(names.contains(&"PATH"), "fish lists its variables: {names:?}");
    for name in names {
        // fish finds no program without it.
        if name == "PATH" || render(Format::Fish, &[secret(name, "7 x")]).is_err() {
            continue;
        }
        let pairs = Pairs::from([(name.to_owned(), "7 x".to_owned())]);
        assert_eq!(read(&pairs), pairs, "{name}");
    }
}
