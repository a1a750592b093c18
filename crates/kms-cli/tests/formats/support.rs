//! Secrets to write, and the programs that read them back.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use kms_api::secrets::Secret;
use kms_cli::formats::{Format, Rendered, render};
use proptest::{
    prelude::{Strategy, any},
    prop_oneof,
    strategy::ValueTree,
    test_runner::TestRunner,
};
use tempfile::TempDir;

/// Names and values, by name.
pub(crate) type Pairs = BTreeMap<String, String>;

/// A secret of that name and value.
pub(crate) fn secret(name: &str, value: &str) -> Secret {
    let id = "0192d0a4-8f9c-7c6e-9f0a-2f4d3a5b6c7d";
    let body = serde_json::json!({
        "id": id, "_id": id, "workspace": id, "environment": "dev", "version": 1,
        "type": "shared", "secretKey": name, "secretValue": value,
    });
    serde_json::from_value(body).unwrap()
}

/// Secrets from pairs.
pub(crate) fn secrets(pairs: &Pairs) -> Vec<Secret> {
    pairs.iter().map(|(name, value)| secret(name, value)).collect()
}

/// A folder with one file, written by a format.
pub(crate) struct Written {
    pub(crate) folder: TempDir,
    pub(crate) file: PathBuf,
    pub(crate) rendered: Rendered,
}

/// Writes pairs that the format is expected to carry.
pub(crate) fn written(format: Format, pairs: &Pairs) -> Written {
    let rendered = render(format, &secrets(pairs)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("written");
    std::fs::write(&file, rendered.text.as_bytes()).unwrap();
    Written { folder, file, rendered }
}

/// Runs a reader and returns its standard output. A reader that is not installed fails the test.
pub(crate) fn read_with(folder: &Path, reader: &str, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new(reader)
        .args(arguments)
        .current_dir(folder)
        .env("LC_ALL", "C.UTF-8")
        .env("PYTHONIOENCODING", "utf-8")
        .output()
        .unwrap_or_else(|error| panic!("this test needs `{reader}` installed: {error}"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "`{reader}` ended with {}: {stderr}", output.status);
    output.stdout
}

/// Runs a Python program that prints a JSON object. A missing module fails the test by name.
pub(crate) fn read_with_python(written: &Written, program: &str) -> Pairs {
    let file = written.file.to_str().unwrap();
    let output = read_with(written.folder.path(), "python3", &["-c", program, file]);
    serde_json::from_slice(&output).unwrap()
}

/// Sources the file in a shell and prints the variables, each ended by NUL.
pub(crate) fn read_with_shell(shell: &str, written: &Written, names: &[&String]) -> Pairs {
    let mut script = ". ./written\n".to_owned();
    for name in names {
        writeln!(script, "printf '%s\\0' \"${name}\"").unwrap();
    }
    let path = written.folder.path().join("script");
    std::fs::write(&path, script).unwrap();
    let output = read_with(written.folder.path(), shell, &[path.to_str().unwrap()]);
    let text = String::from_utf8(output).unwrap();
    let values: Vec<&str> = text.split_terminator('\0').collect();
    assert_eq!(values.len(), names.len(), "{shell} lost values");
    names.iter().zip(values).map(|(name, value)| ((*name).clone(), value.to_owned())).collect()
}

/// Compares name by name, so that a failure shows one value and not thousands.
pub(crate) fn assert_same(reader: &str, read: &Pairs, stored: &Pairs) {
    for (name, value) in stored {
        assert_eq!(read.get(name), Some(value), "`{name}` as read by {reader}");
    }
    assert_eq!(read.len(), stored.len(), "{reader} read other names too");
}

/// Draws from a strategy, the same values in every run.
pub(crate) fn draw<T: std::fmt::Debug>(strategy: impl Strategy<Value = T>, count: usize) -> Vec<T> {
    let mut runner = TestRunner::deterministic();
    let tree = |runner: &mut TestRunner| strategy.new_tree(runner).unwrap().current();
    (0..count).map(|_| tree(&mut runner)).collect()
}

/// Values under numbered names.
pub(crate) fn numbered(values: impl IntoIterator<Item = String>) -> Pairs {
    let named = values.into_iter().enumerate();
    named.map(|(number, value)| (format!("K{number}"), value)).collect()
}

/// Pieces that mean something to some reader.
const PIECES: &[&str] = &[
    "'",
    "\"",
    "\\",
    "\\\\",
    "$",
    "${",
    "}",
    "`",
    "$(touch tripwire)",
    "`touch tripwire`",
    "#",
    " #",
    "=",
    ":",
    ": ",
    "- ",
    "-",
    "!",
    "!!",
    "%",
    "%s",
    "&",
    "*",
    "|",
    ">",
    "<",
    "@",
    "~",
    ";",
    "; touch tripwire;",
    ",",
    " ",
    "  ",
    "\t",
    "\n",
    "\n\n",
    "\r\n",
    "\r",
    "\\n",
    "\\'",
    "\\\"",
    "a",
    "B1",
    "é",
    "日本",
    "😀",
    "\u{1}",
    "\u{7f}",
    "\u{85}",
    "\u{a0}",
    "\u{2028}",
    "\u{2029}",
    "\u{feff}",
    "\u{fffe}",
    "\u{b}",
    "\u{c}",
    "\u{1b}[2J",
    "export X=1",
    "K0=other",
    "\nK0=other\n",
    "\nexport K0='other'\n",
    "${HOME}",
    "$HOME",
    "yes",
    "null",
    "{",
    "[",
    "]",
    "---",
    "...",
    "?",
    "1",
    "0x1F",
    "1:30",
    "2024-01-31",
    "EOF",
    "''",
    "\"\"",
    "'''",
    "`",
    "(",
    ")",
    "*",
];

/// Words that a YAML reader may take for something else than text.
const WORDS: &[&str] = &[
    "",
    "~",
    "null",
    "Null",
    "NULL",
    "true",
    "True",
    "TRUE",
    "false",
    "yes",
    "Yes",
    "YES",
    "no",
    "NO",
    "on",
    "ON",
    "off",
    "y",
    "Y",
    "n",
    "N",
    "=",
    "<<",
    "0",
    "-0",
    "+1",
    "1_000",
    "010",
    "0o7",
    "0b1",
    "0x1F",
    "-0x1F",
    "1.",
    ".5",
    "1e3",
    "1E+3",
    "6.02e23",
    ".inf",
    "-.INF",
    ".nan",
    "NaN",
    "1:30",
    "190:20:30",
    "190:20:30.15",
    "2024-01-31",
    "2024-1-1",
    "2001-12-14t21:59:43.10-05:00",
    "2001-12-14 21:59:43.10 -5",
    "!!binary x",
    "!x",
    "&a",
    "*a",
    "---",
    "--- a",
    "...",
    "- a",
    "-",
    "?",
    "? a",
    ":",
    "a:",
    "a: b",
    "a #b",
    "#a",
    "%YAML",
    "@a",
    "`a",
    "|",
    ">",
    "|-",
    "{}",
    "[]",
    "{a",
    "'a",
    "\"a",
    "a'",
    "a ",
    " a",
    "\ta",
    "a\t",
    "_",
    "__",
    "+",
    "0.",
    "1__0",
    "._1",
    "e1",
    "12e03",
    "0x",
    "0b",
    "\n",
    "a\n",
    "\na",
    "a\n\n",
    " \n a",
    "a\n b\n",
    "\ta\nb",
    "a\n\tb",
    "\\",
];

/// Texts made of such pieces and of any character, never with NUL.
pub(crate) fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        8 => proptest::sample::select(PIECES).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    let pieces = proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat());
    prop_oneof![
        4 => pieces,
        1 => proptest::sample::select(WORDS).prop_map(str::to_owned),
    ]
    .prop_map(|text| text.replace('\0', ""))
}
