//! The real server, as developers start it.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, ChildStderr, Command, Stdio},
    thread,
};

use serde_json::Value;

/// `kms server --dev` on a free port, with everything it knows about itself. Dropping it kills it.
pub(crate) struct Server {
    child: Child,
    /// `http://localhost:PORT`.
    pub(crate) url: String,
    credentials: Value,
    /// Its credentials file and whatever else a test puts there.
    directory: tempfile::TempDir,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::start_with(&[], &[])
    }

    /// With further arguments and environment.
    pub(crate) fn start_with(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("credentials.json");
        let mut child = Command::new(env!("CARGO_BIN_EXE_kms"))
            .args(["server", "--dev", "--credentials-file"])
            .arg(&file)
            .args(arguments)
            .env_clear()
            .env("TMPDIR", directory.path())
            .env("KMS_LISTEN", "127.0.0.1:0")
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let url = ready(BufReader::new(child.stderr.take().unwrap()));
        let credentials = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        Self { child, url, credentials, directory }
    }

    /// A page's address.
    pub(crate) fn page(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// A value of the credentials file by its pointer, such as `/user/email`.
    #[track_caller]
    pub(crate) fn credential(&self, pointer: &str) -> &str {
        self.credentials.pointer(pointer).and_then(Value::as_str).unwrap()
    }

    pub(crate) fn folder(&self) -> &Path {
        self.directory.path()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads until the server says where it is, and goes on reading so that it never waits for us.
fn ready(mut stderr: BufReader<ChildStderr>) -> String {
    let mut said = String::new();
    loop {
        let from = said.len();
        let read = stderr.read_line(&mut said).unwrap();
        assert_ne!(read, 0, "it ended: {said}");
        if let Some(url) = said[from..].strip_prefix("kms server: ready at ") {
            thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()));
            return url.trim().to_owned();
        }
    }
}
