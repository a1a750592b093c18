//! The real binary, and what it says.

use std::{
    io::{BufRead as _, BufReader, Read, Write},
    net::TcpStream,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Child, ChildStderr, Command, ExitStatus, Stdio},
};

/// A server that is ready. Dropping it kills it.
pub(crate) struct Server {
    child: Child,
    stderr: BufReader<ChildStderr>,
    /// Where it is, as it says itself.
    pub(crate) url: String,
    /// What it said until it was ready.
    pub(crate) said: String,
}

/// `kms server` on a free port, without anything of the environment it is tested in.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kms"));
    command.arg("server").args(arguments);
    for (name, _) in std::env::vars_os() {
        let name = name.into_string().unwrap_or_default();
        if name.starts_with("KMS_") || name.starts_with("INFISICAL_") || name == "LOG_LEVEL" {
            command.env_remove(name);
        }
    }
    command.env("KMS_LISTEN", "127.0.0.1:0");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

/// Runs a server that does not start: its exit code and what it says.
pub(crate) fn refused(command: &mut Command) -> (i32, String) {
    let output = command.output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

impl Server {
    /// Starts one and waits until it says that it is ready.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let mut server = Self { child, stderr, url: String::new(), said: String::new() };
        loop {
            let from = server.said.len();
            let read = server.stderr.read_line(&mut server.said).unwrap();
            assert_ne!(read, 0, "it ended: {}", server.said);
            if let Some(url) = server.said[from..].strip_prefix("kms server: ready at ") {
                server.url = url.trim().to_owned();
                return server;
            }
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The port it listens on.
    pub(crate) fn port(&self) -> u16 {
        self.url.rsplit(':').next().unwrap().parse().unwrap()
    }

    /// Asks for a path on the first loopback address: the whole answer.
    pub(crate) fn get(&self, path: &str) -> String {
        get(("127.0.0.1", self.port()), path)
    }

    /// Tells it to stop and gives back how it ended and what else it said.
    pub(crate) fn stop(mut self, signal: &str) -> (ExitStatus, String) {
        self.signal(signal);
        let mut said = String::new();
        self.stderr.read_to_string(&mut said).unwrap();
        (self.child.wait().unwrap(), said)
    }

    pub(crate) fn signal(&self, signal: &str) {
        let id = self.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One request and its whole answer.
pub(crate) fn get(address: (&str, u16), path: &str) -> String {
    ask(TcpStream::connect(address).unwrap(), path)
}

pub(crate) fn ask(mut stream: impl Read + Write, path: &str) -> String {
    write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// The permissions of a file, as `ls` would group them.
pub(crate) fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

/// A path as an argument.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
