//! Attacks K3 and K4: a missing or another root key never starts, and writes nothing.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::process::{Server, command, mode, refused, text};

/// A key like any other.
const KEY: &str = "b1f0c7a2593e8d461f7a0cb38e2d945560e37cd1184fa96b02d8357e9c41fa6d";
/// Another one.
const OTHER: &str = "2e7d90c45b1183fa66e09d7c3b52a81f40c6ee17d98b235af104736b8c5d9e02";

/// A directory with the data of a server that was stopped.
fn used() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(&mut command(&["--data-dir", text(directory.path())]));
    server.stop("-TERM");
    directory
}

/// What the database and its journal hold.
fn content(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let files = ["kms.db", "kms.db-wal"].map(|name| directory.join(name));
    let read = files.into_iter().map(|path| (path.clone(), fs::read(&path).unwrap_or_default()));
    read.collect()
}

#[test]
fn k3_the_first_start_makes_a_key_that_only_its_owner_reads_and_says_so_once() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("new/data");
    let arguments = ["--data-dir", text(&data)];
    let server = Server::start(&mut command(&arguments));
    let key = data.join("root.key");
    assert_eq!((mode(&data), mode(&key), mode(&data.join("kms.db"))), (0o700, 0o600, 0o600));
    let written = fs::read_to_string(&key).unwrap();
    assert_eq!(written.trim().len(), 64);
    assert!(server.said.contains(&format!("A root key was made in `{}`", key.display())));
    assert!(!server.said.contains(written.trim()));
    server.stop("-TERM");
    let server = Server::start(&mut command(&arguments));
    assert!(!server.said.contains("root key"), "{}", server.said);
    assert_eq!(fs::read_to_string(&key).unwrap(), written);
}

#[test]
fn k3_data_without_its_key_is_refused_by_name_and_left_alone() {
    let data = used();
    let key = data.path().join("root.key");
    let written = fs::read_to_string(&key).unwrap();
    fs::remove_file(&key).unwrap();
    let before = content(data.path());
    let (code, said) = refused(&mut command(&["--data-dir", text(data.path())]));
    assert_eq!(code, 1);
    assert!(said.contains("needs the root key with fingerprint "), "{said}");
    assert!(said.contains("none was given"), "{said}");
    assert!(!key.exists(), "no other key is made in its place");
    assert_eq!(content(data.path()), before);
    // The same key from elsewhere is as good.
    let with = command(&["--data-dir", text(data.path())]).env("KMS_ROOT_KEY", &written).spawn();
    let mut child = with.unwrap();
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert!(child.try_wait().unwrap().is_none(), "it serves");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn k4_another_key_is_refused_by_both_names_before_anything_is_written() {
    let data = used();
    let file = data.path().join("other.key");
    fs::write(&file, OTHER).unwrap();
    let before = content(data.path());
    let by_file = ["--data-dir", text(data.path()), "--root-key-file", text(&file)];
    let by_variable = &mut command(&["--data-dir", text(data.path())]);
    by_variable.env("KMS_ROOT_KEY", OTHER);
    for given in [&mut command(&by_file), by_variable] {
        let (code, said) = refused(given);
        assert_eq!(code, 1);
        assert!(said.contains("needs the root key with fingerprint "), "{said}");
        assert!(!said.contains(OTHER), "{said}");
        assert_eq!(content(data.path()), before);
    }
}

#[test]
fn k3_two_sources_of_a_key_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let file = directory.path().join("key");
    fs::write(&file, KEY).unwrap();
    let mut both = command(&["--data-dir", text(&data), "--root-key-file", text(&file)]);
    let (code, said) = refused(both.env("KMS_ROOT_KEY", KEY));
    assert_eq!(code, 2);
    assert!(said.contains("not by both"), "{said}");
    assert!(!data.join("kms.db").exists());
}

#[test]
fn k3_keys_that_are_none_are_refused_without_showing_them() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    for (key, reason) in [
        ("", "is not"),
        ("too short", "is not"),
        // Printed in the compatible server's documentation.
        ("6c1fe4e407b8911c104518103505b218", ""),
        ("0000000000000000000000000000000000000000000000000000000000000000", ""),
    ] {
        let mut given = command(&["--data-dir", text(&data)]);
        let (code, said) = refused(given.env("KMS_ROOT_KEY", key));
        assert_eq!(code, 1, "{key}");
        assert!(said.contains("error: the root key in `KMS_ROOT_KEY` cannot be used"), "{said}");
        assert!(key.is_empty() || !said.contains(key), "{said}");
        assert!(said.contains("Caused by: "), "{reason}: {said}");
        assert!(!data.join("kms.db").exists());
    }
}

#[test]
fn k3_postgresql_needs_a_key_that_is_given() {
    let url = "postgres://nobody:secret@127.0.0.1:1/none";
    let (code, said) = refused(command(&[]).env("KMS_DATABASE_URL", url));
    assert_eq!(code, 2);
    assert!(said.contains("PostgreSQL needs a root key"), "{said}");
    let mut unreachable = command(&[]);
    unreachable.env("KMS_DATABASE_URL", url).env("KMS_ROOT_KEY", KEY);
    let (code, said) = refused(&mut unreachable);
    assert_eq!(code, 1);
    assert!(said.contains("error: the database failed"), "{said}");
    assert!(!said.contains("secret"), "{said}");
}
