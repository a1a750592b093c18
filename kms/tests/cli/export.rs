//! `export`: precedence, files, refusals.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::Path,
};

use assert_cmd::Command;
use serde_json::{Value, json};

use crate::{
    support::{CANARY, Reply, Server, kms, run, secret, secrets},
    terminal::Terminal,
};

fn export(server: &Server, args: &[&str]) -> Command {
    let mut command = kms();
    command.arg("export").args(args).args(["--domain", &server.url()]);
    command.env("KMS_TOKEN", "t").env("KMS_PROJECT_ID", "p1");
    command
}

fn list(pairs: &[(&str, &str)]) -> Reply {
    Reply::json(200, secrets(pairs))
}

#[test]
fn formats_are_chosen_by_name_in_any_case() {
    for (format, expected) in [
        ("dotenv", "A='it'\nB=\"it's\"\n"),
        ("DOTENV-EXPORT", "export A='it'\nexport B='it'\\''s'\n"),
        ("dotenv-eval", "export A='it'\nexport B='it'\\''s'\n"),
        ("csv", "Key,Value\nA,it\nB,it's\n"),
        ("yaml", "A: it\nB: it's\n"),
        ("docker-env", "A=it\nB=it's\n"),
        ("fish", "set -gx A 'it'\nset -gx B 'it\\'s'\n"),
        ("pwsh", "$env:A = 'it'\n$env:B = 'it''s'\n"),
        ("systemd", "A=\"it\"\nB=\"it's\"\n"),
    ] {
        let server = Server::start([list(&[("B", "it's"), ("A", "it")])]);
        let ran = run(&mut export(&server, &["--format", format])).ends_with(0);
        assert_eq!(ran.stdout, expected, "{format}");
    }
    let server = Server::start([]);
    run(&mut export(&server, &["--format=toml"])).ends_with(2);
}

#[test]
fn a_template_asks_for_the_secrets_that_it_names() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("template");
    let template = "{{ range secret \"p\" \"prod\" \"/web\" }}{{ .Key }}: {{ .Value }}\n{{ end }}";
    std::fs::write(&file, template).unwrap();
    let server = Server::start([list(&[("A", "1"), ("B", "2")])]);
    let file = file.to_str().unwrap();
    let ran = run(&mut export(&server, &["--template", file])).ends_with(0);
    assert_eq!(ran.stdout, "A: 1\nB: 2\n");
    let target = server.request().target;
    for part in ["projectId=p", "environment=prod", "secretPath=%2Fweb", "includeImports=true"] {
        assert!(target.contains(part), "{target}");
    }
    std::fs::write(file, "\n {{ nope }}").unwrap();
    let nowhere = Server::start([]);
    run(&mut export(&nowhere, &["--template", file])).ends_with(2).says("line 2, column 5");
    run(&mut export(&nowhere, &["--template", "/nowhere"])).ends_with(1).says("/nowhere");
}

#[test]
fn a_secret_of_kubernetes_has_a_name_and_a_namespace() {
    let server = Server::start([list(&[("A", "it")])]);
    let args = ["--format=k8s", "--name=web", "--namespace=shop"];
    let ran = run(&mut export(&server, &args)).ends_with(0);
    assert!(ran.stdout.contains("  name: \"web\"\n  namespace: \"shop\"\n"), "{}", ran.stdout);
    let nowhere = Server::start([]);
    for args in [&["--name=web"][..], &["--format=k8s", "--name=a: b"]] {
        run(&mut export(&nowhere, args)).ends_with(2);
    }
}

#[test]
fn own_secrets_win_then_the_last_import_and_a_later_folder_wins_over_all() {
    let import = |path: &str, pairs: &[(&str, &str)]| {
        let listed: Vec<Value> = pairs.iter().map(|(name, value)| secret(name, value)).collect();
        json!({ "secretPath": path, "environment": "dev", "secrets": listed })
    };
    let first = json!({
        "secrets": [secret("OWN", "own"), secret("LATER", "early")],
        "imports": [
            import("/1", &[("OWN", "1"), ("BOTH", "1"), ("ONE", "1")]),
            import("/2", &[("OWN", "2"), ("BOTH", "2")]),
        ],
    });
    let server = Server::start([Reply::json(200, first), list(&[("LATER", "late")])]);
    let ran = run(&mut export(&server, &["--path=/a", "--path=/b"])).ends_with(0);
    assert_eq!(ran.stdout, "BOTH='2'\nLATER='late'\nONE='1'\nOWN='own'\n");
    let targets: Vec<String> = server.requests().into_iter().map(|it| it.target).collect();
    assert!(targets[0].contains("%2Fa&") && targets[1].contains("%2Fb&"), "{targets:?}");
}

#[test]
fn r1_a_name_that_could_be_code_is_refused_and_nothing_written() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out.env");
    let reply = list(&[("A;touch tripwire", CANARY), ("FINE", "x")]);
    let server = Server::start([reply.clone(), reply]);
    let ran = run(&mut export(&server, &["-f", "dotenv-export"])).ends_with(1);
    assert_eq!(ran.stdout, "");
    assert!(!ran.stderr.contains(CANARY));
    ran.says("`A;touch tripwire`").says("hint: nothing was written");
    run(&mut export(&server, &["-o", file.to_str().unwrap()])).ends_with(1);
    assert!(!file.exists());
}

#[test]
fn values_on_which_readers_disagree_are_named() {
    let server = Server::start([list(&[("A", "${HOME}"), ("B", "x")])]);
    let ran = run(&mut export(&server, &[])).ends_with(0);
    assert_eq!(ran.stdout, "A='${HOME}'\nB='x'\n");
    assert!(!ran.stderr.contains("`B`"));
    ran.says("warning: dotenv readers disagree").says("`A`");
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o777
}

#[test]
fn s2_an_output_file_is_private_whatever_the_umask_and_its_former_mode() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out.json");
    for _ in 0..2 {
        let server = Server::start([list(&[("A", "1")])]);
        // Only a shell can set the umask of the process that it becomes.
        let mut command = Command::new("sh");
        command
            .args(["-c", "umask 000; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_kms"), "export"])
            .args(["--format=json", "--domain", &server.url(), "-o", file.to_str().unwrap()])
            .env_clear()
            .env("KMS_TOKEN", "t")
            .env("KMS_PROJECT_ID", "p1")
            .env("PATH", "/usr/bin:/bin")
            .current_dir(folder.path());
        let ran = run(&mut command).ends_with(0);
        assert_eq!(ran.stdout, "");
        assert_eq!(mode(&file), 0o600);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file stays");
}

#[test]
fn s2_an_output_file_is_never_written_through_a_link() {
    let folder = tempfile::tempdir().unwrap();
    let (target, link) = (folder.path().join("target"), folder.path().join("link.env"));
    fs::write(&target, "old").unwrap();
    symlink(&target, &link).unwrap();
    let server = Server::start([list(&[("A", "1")])]);
    run(&mut export(&server, &["-o", link.to_str().unwrap()])).ends_with(1).says("symbolic link");
    assert_eq!(fs::read_to_string(&target).unwrap(), "old");
}

#[test]
fn a_directory_gets_a_file_named_by_the_format() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start([list(&[("A", "1")])]);
    let args = ["-f", "yaml", "-o", folder.path().to_str().unwrap()];
    run(&mut export(&server, &args)).ends_with(0).says("Wrote 1 secrets to");
    assert_eq!(fs::read_to_string(folder.path().join("secrets.yaml")).unwrap(), "A: \"1\"\n");
}

#[test]
fn l11_a_value_cannot_steer_the_terminal() {
    let hostile = "a\u{9b}2J\u{1b}]52;c;eA==\u{7}\u{202e}b";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("template");
    fs::write(&file, "{{ range secret \"p\" \"prod\" \"/\" }}{{ .Value }}{{ end }}").unwrap();
    let template = format!("--template={}", file.to_str().unwrap());
    for args in [
        &["export"][..],
        &["export", "--format=json"],
        &["export", "--format=yaml"],
        &["export", "--format=csv"],
        &["export", &template],
        &["secrets", "--output=json"],
        &["secrets", "--output=yaml"],
    ] {
        let server = Server::start([list(&[("A", hostile)])]);
        let url = server.url();
        let environment =
            [("KMS_TOKEN", "t"), ("KMS_PROJECT_ID", "p1"), ("KMS_API_URL", url.as_str())];
        let raw = Terminal::start_on(120, args, &environment).finish().with(0).raw;
        assert!(!raw.contains(['\u{9b}', '\u{1b}', '\u{7}', '\u{202e}']), "{args:?}: {raw:?}");
        assert!(raw.contains("2J"), "{args:?}: {raw:?}");
    }
    let server = Server::start([list(&[("A", hostile)])]);
    let piped = run(&mut export(&server, &["--format=csv"])).ends_with(0);
    assert!(piped.stdout.contains(hostile), "a pipe gets it exactly: {:?}", piped.stdout);
}
