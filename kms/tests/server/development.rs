//! `kms server --dev`.

use std::{fs, path::Path};

use serde_json::Value;

use crate::process::{Server, command, get, mode, refused, text};

fn credentials(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn it_serves_both_loopback_addresses_and_writes_its_credentials_for_one() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("credentials.json");
    let server = Server::start(&mut command(&["--dev", "--credentials-file", text(&file)]));
    assert_eq!(server.url, format!("http://localhost:{}", server.port()));
    for host in ["127.0.0.1", "::1"] {
        assert!(get((host, server.port()), "/api/status").starts_with("HTTP/1.1 200 "), "{host}");
    }
    assert_eq!(mode(&file), 0o600);
    let made = credentials(&file);
    assert_eq!(made["url"], server.url.as_str());
    assert_eq!(made["environments"], serde_json::json!(["dev", "staging", "prod"]));
    assert!(made["machineIdentity"]["clientSecret"].is_string());
    let login = "export KMS_TOKEN=$(kms login --method=universal-auth --plain --silent)";
    assert!(server.said.contains(login), "{}", server.said);
    assert!(server.said.contains(made["project"]["id"].as_str().unwrap()));
}

#[test]
fn its_throw_away_data_is_gone_when_it_ends() {
    let scratch = tempfile::tempdir().unwrap();
    let count = || fs::read_dir(scratch.path()).unwrap().count();
    let server = Server::start(command(&["--dev"]).env("TMPDIR", scratch.path()));
    assert_eq!(count(), 1);
    assert!(server.stop("-TERM").0.success());
    assert_eq!(count(), 0);
}

#[test]
fn started_again_on_the_same_data_it_has_the_same_credentials() {
    let directory = tempfile::tempdir().unwrap();
    let (data, file) = (directory.path().join("data"), directory.path().join("credentials.json"));
    let arguments = ["--dev", "--data-dir", text(&data), "--credentials-file", text(&file)];
    Server::start(&mut command(&arguments)).stop("-TERM");
    let mut first = credentials(&file);
    fs::remove_file(&file).unwrap();
    let server = Server::start(&mut command(&arguments));
    let mut second = credentials(&file);
    assert_eq!(second["url"], server.url.as_str());
    for made in [&mut first, &mut second] {
        made.as_object_mut().unwrap().remove("url");
    }
    assert_eq!(first, second);
    assert_eq!(mode(&data.join("dev-credentials.json")), 0o600);
}

#[test]
fn the_data_of_a_real_instance_is_not_served() {
    let directory = tempfile::tempdir().unwrap();
    let arguments = ["--data-dir", text(directory.path())];
    let server = Server::start(&mut command(&["--dev", "--data-dir", text(directory.path())]));
    server.stop("-TERM");
    // A real instance is one whose credentials nobody wrote down.
    fs::remove_file(directory.path().join("dev-credentials.json")).unwrap();
    let (code, said) = refused(command(&arguments).arg("--dev"));
    assert_eq!(code, 1);
    assert!(said.contains("was not made by `--dev`"), "{said}");
}

#[test]
fn it_listens_to_this_machine_alone() {
    let (code, said) = refused(command(&["--dev"]).args(["--listen", "0.0.0.0:0"]));
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("`--dev` listens on this machine only"), "{said}");
}
