//! What other processes of the same user learn of a server.

use std::{
    ffi::OsStr,
    fs,
    os::unix::fs::PermissionsExt as _,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use crate::process::Server;

/// Somebody who is nobody in particular.
const NOBODY: [&str; 3] = ["--reuid=65534", "--regid=65534", "--clear-groups"];

/// A program as an ordinary user starts it: root may read everything of everybody.
fn ordinary(program: impl AsRef<OsStr>) -> Command {
    if !nix::unistd::geteuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(NOBODY).arg("--").arg(program);
    command
}

/// Whether the user can read this of a process, as one needs to for its memory too.
fn is_open(process: u32, what: &str) -> bool {
    let mut cat = ordinary("cat");
    let read = cat.arg(format!("/proc/{process}/{what}")).stdin(Stdio::null()).output().unwrap();
    read.status.success()
}

#[test]
fn s5_another_process_of_the_same_user_reads_nothing_of_a_server() {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let binary = folder.path().join("kms");
    fs::copy(env!("CARGO_BIN_EXE_kms"), &binary).unwrap();
    let mut start = ordinary(&binary);
    start.args(["server", "--dev"]).env_clear().env("KMS_LISTEN", "127.0.0.1:0");
    start.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let server = Server::start(&mut start);
    let mut other = ordinary("sleep").arg("600").stdin(Stdio::null()).spawn().unwrap();
    // `setpriv` becomes the program; until then it is not the user's.
    let exe = format!("/proc/{}/exe", other.id());
    let late = Instant::now() + Duration::from_secs(30);
    while fs::read_link(&exe).is_ok_and(|exe| !exe.ends_with("sleep")) {
        assert!(Instant::now() < late, "`setpriv` never became the program");
        std::thread::sleep(Duration::from_millis(5));
    }
    for what in ["environ", "maps", "auxv"] {
        assert!(is_open(other.id(), what), "{what} of another program");
        assert!(!is_open(server.id(), what), "{what} of the server");
    }
    other.kill().unwrap();
    other.wait().unwrap();
}
