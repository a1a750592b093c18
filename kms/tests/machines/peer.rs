//! Stand-ins that answer as told, and programs that others wrote.

use std::{
    io::{BufRead as _, BufReader},
    net::TcpListener,
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

use serde_json::Value;

use crate::support::{Reply, Request, Server as StandIn, plain};

impl StandIn {
    /// Answers each request as told, in plain HTTP.
    pub(crate) fn answers(answer: impl FnMut(&Request) -> Reply + Send + 'static) -> Self {
        Self::answering(TcpListener::bind("127.0.0.1:0").unwrap(), plain(), answer)
    }
}

/// A program of `conformance` that stands for a vendor. Dropping it kills it.
pub(crate) struct Program {
    process: Child,
    /// What it says about itself once it listens.
    pub(crate) said: Value,
    /// It may go on writing, and ends when nobody reads.
    _output: BufReader<ChildStdout>,
}

impl Program {
    /// `command` is a program with a file of `conformance` that it runs.
    pub(crate) fn start(command: &[&str]) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../conformance");
        let mut process = Command::new(command[0])
            .args(&command[1..])
            .current_dir(folder)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let Ok(said) = serde_json::from_str(&line) else {
            let output = process.wait_with_output().unwrap();
            let why = String::from_utf8_lossy(&output.stderr);
            panic!("{command:?} ended; `scripts/needs` puts in place what it needs: {why}");
        };
        // What it says from now on is of no interest.
        let mut errors = process.stderr.take().unwrap();
        std::thread::spawn(move || std::io::copy(&mut errors, &mut std::io::sink()));
        Self { process, said, _output: output }
    }

    /// A text that it says about itself.
    #[track_caller]
    pub(crate) fn text(&self, pointer: &str) -> &str {
        self.said.pointer(pointer).and_then(Value::as_str).unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
