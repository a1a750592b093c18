//! Backups of the embedded database.

use std::{os::unix::fs::PermissionsExt as _, path::Path};

use crate::process::{Server, command, refused};

fn start(directory: &Path) -> Server {
    Server::start(&mut command(&["--data-dir", directory.to_str().unwrap()]))
}

fn back_up(directory: &Path, to: &Path) -> (i32, String) {
    let (directory, to) = (directory.to_str().unwrap(), to.to_str().unwrap());
    refused(&mut command(&["backup", "--data-dir", directory, to]))
}

#[test]
fn a_backup_of_a_running_server_opens_with_its_root_key_and_no_other() {
    let directory = tempfile::tempdir().unwrap();
    let (data, file) = (directory.path().join("data"), directory.path().join("backup.db"));
    let server = start(&data);
    let (code, said) = back_up(&data, &file);
    assert_eq!(code, 0, "{said}");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 2, "nothing else is left");
    assert!(server.stop("-TERM").0.success());

    let restored = directory.path().join("restored");
    std::fs::create_dir(&restored).unwrap();
    std::fs::copy(&file, restored.join("kms.db")).unwrap();
    let (code, refusal) = refused(&mut command(&["--data-dir", restored.to_str().unwrap()]));
    assert_eq!(code, 1, "{refusal}");
    let fingerprint = said.split("fingerprint ").nth(1).unwrap().split(' ').next().unwrap();
    assert!(refusal.contains(fingerprint), "{refusal}");
    std::fs::copy(data.join("root.key"), restored.join("root.key")).unwrap();
    let again = start(&restored);
    assert!(again.get("/api/status").contains("\"message\":\"Ok\""));
    assert!(again.stop("-TERM").0.success());
}

#[test]
fn nothing_is_overwritten_and_nothing_is_made_of_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let (data, file) = (directory.path().join("data"), directory.path().join("backup.db"));
    let (code, said) = back_up(&data, &file);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("there is no data of a server in"), "{said}");
    assert!(start(&data).stop("-TERM").0.success());
    std::fs::write(&file, "precious").unwrap();
    let (code, said) = back_up(&data, &file);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("is there already"), "{said}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "precious");
}
