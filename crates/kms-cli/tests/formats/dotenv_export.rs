use kms_cli::formats::{Format, render};

use crate::support::{
    Pairs, assert_same, draw, numbered, read_with, read_with_shell, secret, secrets, text, written,
};

const SHELLS: [&str; 3] = ["bash", "dash", "zsh"];

#[test]
fn r1_exported_values_are_read_back_by_every_shell_and_run_nothing() {
    let pairs = numbered(draw(text(), 2_000));
    let written = written(Format::DotenvExport, &pairs);
    let names: Vec<&String> = pairs.keys().collect();
    for shell in SHELLS {
        assert_same(shell, &read_with_shell(shell, &written, &names), &pairs);
        assert!(!written.folder.path().join("tripwire").exists(), "{shell}");
    }
}

#[test]
fn r1_names_that_could_be_code_are_refused() {
    for name in [
        "A;touch tripwire",
        "-f",
        "--",
        "A B",
        "A\ntouch tripwire",
        "$(touch tripwire)",
        "A=B",
        "A[$(touch tripwire)]",
        "",
        "1",
        "a.b",
        "a-b",
        "É",
        "A\0",
    ] {
        for format in [Format::Dotenv, Format::DotenvExport] {
            let refused = render(format, &[secret(name, "v"), secret("FINE", "v")]).unwrap_err();
            assert_eq!(refused.refusals.len(), 1);
            assert_eq!(refused.refusals[0].name, name);
        }
    }
}

/// Every variable that a shell has at its start either reads back what a file says or is refused.
#[test]
fn a_variable_that_a_shell_keeps_to_itself_is_refused_or_read_back() {
    let lists = [
        ("bash", "compgen -v"),
        ("dash", "set | sed -n 's/=.*//p'"),
        ("zsh", "zmodload zsh/parameter; print -rl -- ${(k)parameters}"),
    ];
    for (shell, list) in lists {
        let folder = tempfile::tempdir().unwrap();
        let output = read_with(folder.path(), shell, &["-c", list]);
        let output = String::from_utf8(output).unwrap();
        let names: Vec<&str> = output.lines().collect();
        assert!(names.contains(&"PATH"), "{shell} lists its variables: {names:?}");
        let lost: Vec<&str> = names.into_iter().filter(|name| is_lost(shell, name)).collect();
        assert!(lost.is_empty(), "{shell} reads back something else in {lost:?}");
    }
}

/// Whether the format writes a variable that the shell then does not have.
fn is_lost(shell: &str, name: &str) -> bool {
    let pairs = Pairs::from([(name.to_owned(), "7 x".to_owned())]);
    if render(Format::DotenvExport, &secrets(&pairs)).is_err() {
        return false;
    }
    let written = written(Format::DotenvExport, &pairs);
    read_with_shell(shell, &written, &[&name.to_owned()]) != pairs
}

#[test]
fn nul_is_refused() {
    assert!(render(Format::DotenvExport, &[secret("A", "a\0b")]).is_err());
}
