//! A server with an administrator's token, and a shell in which `kms` talks to it.

use std::{
    ffi::OsString,
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use serde_json::Value;

const KMS: &str = env!("CARGO_BIN_EXE_kms");

/// A `kms server --dev` of its own, in a directory that goes away with it.
pub(crate) struct House {
    directory: tempfile::TempDir,
    server: Child,
    pub(crate) url: String,
    token: String,
    pub(crate) project: String,
}

/// What a command printed and how it ended.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl House {
    /// Starts a server with these further arguments.
    pub(crate) fn build(arguments: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let credentials = directory.path().join("credentials.json");
        let mut server = clean(directory.path(), KMS)
            .args(["server", "--dev", "--listen", "127.0.0.1:0", "--credentials-file"])
            .arg(&credentials)
            .args(arguments)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(server.stderr.take().unwrap()).lines();
        let url = loop {
            let line = lines.next().expect("the server becomes ready").unwrap();
            if let Some(url) = line.strip_prefix("kms server: ready at ") {
                break url.to_owned();
            }
        };
        // Whoever stops reading stops the server from writing.
        std::thread::spawn(move || lines.for_each(drop));
        let made: Value = serde_json::from_slice(&fs::read(credentials).unwrap()).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let (machine, project) = (&made["machineIdentity"], text(&made["project"]["id"]));
        let mut house = Self { directory, server, url, token: String::new(), project };
        let login = format!(
            "kms login --method=universal-auth --client-id={} --client-secret={} --plain --silent",
            text(&machine["clientId"]),
            text(&machine["clientSecret"]),
        );
        let token = house.says(&login);
        token.trim_end().clone_into(&mut house.token);
        house
    }

    /// A file of the house.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        fs::write(self.path(name), content).unwrap();
        self.path(name).to_str().unwrap().to_owned()
    }

    /// Runs a script as the administrator, as somebody would type it.
    pub(crate) fn shell(&self, script: &str) -> Ran {
        let mut command = clean(self.directory.path(), "sh");
        command.args(["-euc", script]).envs(self.environment());
        Ran::of(&command.current_dir(self.directory.path()).output().unwrap())
    }

    /// What a script prints that must succeed.
    #[track_caller]
    pub(crate) fn says(&self, script: &str) -> String {
        let ran = self.shell(script);
        assert_eq!(ran.code, Some(0), "{script}\n{}", ran.stderr);
        ran.stdout
    }

    /// Runs `kms` as the administrator.
    pub(crate) fn kms(&self, arguments: &[&str]) -> Ran {
        let mut command = clean(self.directory.path(), KMS);
        command.args(arguments).envs(self.environment());
        Ran::of(&command.current_dir(self.directory.path()).output().unwrap())
    }

    /// What `kms` answers as JSON.
    #[track_caller]
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let ran = self.kms(&[arguments, &["--output", "json"]].concat());
        assert_eq!(ran.code, Some(0), "{arguments:?}\n{}", ran.stderr);
        serde_json::from_str(&ran.stdout).unwrap()
    }

    /// A new machine identity that is a member of the project.
    pub(crate) fn identity(&self) -> String {
        let id = self.json(&["identities", "create", "deploy"])["id"].as_str().unwrap().to_owned();
        let member = ["identities", "memberships", "add", &id, "--role", "member"];
        let ran = self.kms(&[&member[..], &["--projectId", &self.project]].concat());
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        id
    }

    fn environment(&self) -> Vec<(&'static str, OsString)> {
        let mut environment = vec![
            ("INFISICAL_API_URL", OsString::from(&self.url)),
            ("KMS_CONFIG_DIR", self.path("config").into()),
        ];
        if !self.token.is_empty() {
            environment.push(("INFISICAL_TOKEN", OsString::from(&self.token)));
        }
        environment
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl Ran {
    fn of(output: &Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    #[track_caller]
    pub(crate) fn ends_with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    #[track_caller]
    pub(crate) fn complains(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "{text:?} in {}", self.stderr);
        self
    }
}

/// A program that inherits nothing of whoever runs the tests but the way to `kms`.
fn clean(home: &Path, program: &str) -> Command {
    let folder = Path::new(KMS).parent().unwrap();
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", folder.display());
    let mut command = Command::new(program);
    command.env_clear().env("PATH", path).env("HOME", home).stdin(Stdio::null());
    command
}
