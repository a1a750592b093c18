//! Somebody who has logged in.

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};

use kms_testkit::{Tenant, TestServer};
use secrecy::ExposeSecret as _;
use tempfile::TempDir;

use crate::counter::Counter;

/// A person with a login that is kept in a file vault.
pub(crate) struct Person {
    pub(crate) server: TestServer,
    pub(crate) counter: Counter,
    tenant: Tenant,
    files: TempDir,
}

impl Person {
    pub(crate) async fn log_in() -> Self {
        let server = TestServer::start().await;
        let tenant = server.seed().await;
        let counter = Counter::before(server.url());
        let person = Self { server, counter, tenant, files: tempfile::tempdir().unwrap() };
        person.succeeds(&["vault", "set", "file", "--keep-unlocked", "60"]);
        let made = &person.tenant.made;
        let organization = made.organization.id.to_string();
        let (email, domain) = (made.user.email.clone(), person.counter.url());
        let login = ["login", "--email", &email, "--organization-id", &organization];
        person.succeeds(&[&login[..], &["--domain", &domain]].concat());
        person
    }

    /// What a person does all day.
    pub(crate) fn works(&self) {
        self.succeeds(&["projects", "list"]);
    }

    /// The same, by a clock that is ahead by so many seconds.
    pub(crate) fn list(&self, ahead: i64) -> Output {
        self.run(&["projects", "list"], ahead)
    }

    pub(crate) fn run(&self, args: &[&str], ahead: i64) -> Output {
        self.start(self.files.path(), args, ahead)
    }

    /// Another machine with a copy of the files.
    pub(crate) fn copy_of_files(&self) -> TempDir {
        let copy = tempfile::tempdir().unwrap();
        copy_all(self.files.path(), copy.path());
        copy
    }

    pub(crate) fn with_files(&self, files: &Path, args: &[&str]) -> Output {
        self.start(files, args, 0)
    }

    pub(crate) async fn stop(self) {
        self.server.stop().await;
    }

    fn succeeds(&self, args: &[&str]) {
        let output = self.run(args, 0);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {stderr}");
    }

    fn start(&self, files: &Path, args: &[&str], ahead: i64) -> Output {
        let program = env!("CARGO_BIN_EXE_kms");
        let mut command = if ahead == 0 {
            Command::new(program)
        } else {
            let mut command = Command::new("faketime");
            command.arg("-f").arg(format!("+{ahead}s")).arg(program);
            command
        };
        command
            .args(args)
            .env_clear()
            .env("PATH", std::env::var("PATH").unwrap())
            .env("KMS_CONFIG_DIR", files)
            .env("KMS_VAULT_FILE_PASSPHRASE", "passphrase-of-tests")
            .env("KMS_PASSWORD", self.tenant.made.user.password.expose_secret())
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }
}

fn copy_all(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir(&target).unwrap();
            copy_all(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).unwrap();
        }
    }
}
