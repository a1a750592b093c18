//! The server of the demo: a child process that ends with it.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde::Deserialize;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::error::{CliError, ResultExt as _};

const READY_WITHIN: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(50);
/// How long the server may take to finish what it accepted.
const STOP_WITHIN: Duration = Duration::from_secs(5);

/// What `kms server --dev --credentials-file` writes once it is ready.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Credentials {
    pub(super) url: String,
    pub(super) project: Project,
    pub(super) machine_identity: MachineIdentity,
    pub(super) user: User,
}

#[derive(Clone, Deserialize)]
pub(super) struct Project {
    pub(super) id: String,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MachineIdentity {
    pub(super) client_id: String,
    pub(super) client_secret: String,
}

#[derive(Clone, Deserialize)]
pub(super) struct User {
    pub(super) email: String,
    pub(super) password: String,
}

/// A running server. Dropping it stops the process and removes what it wrote.
pub(super) struct Server {
    child: Child,
    directory: Directory,
    credentials: Credentials,
}

impl Server {
    /// Starts a server on a free port and waits until it is ready.
    pub(super) async fn start() -> Result<Self, CliError> {
        let directory = Directory::create().context("could not create a temporary directory")?;
        let file = directory.0.join("credentials.json");
        let log = fs::File::create_new(directory.log())?;
        let child = own_program()?
            .args(["server", "--dev", "--listen", "127.0.0.1:0"])
            .arg("--credentials-file")
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("could not start the server")?;
        let mut starting = Starting { child: Some(child), directory: Some(directory) };
        let credentials = starting.ready(&file).await?;
        let (child, directory) = starting.finish();
        Ok(Self { child, directory, credentials })
    }

    pub(super) fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Waits until the server has ended by itself, which it never should.
    pub(super) async fn ended(&mut self) -> CliError {
        loop {
            if let Ok(Some(_)) = self.child.try_wait() {
                return died(&self.directory);
            }
            sleep(POLL).await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        stop(&mut self.child);
    }
}

/// A server that is not ready yet, so that giving up on it stops it too.
struct Starting {
    child: Option<Child>,
    directory: Option<Directory>,
}

impl Starting {
    async fn ready(&mut self, file: &Path) -> Result<Credentials, CliError> {
        let started = Instant::now();
        while started.elapsed() < READY_WITHIN {
            if let Ok(text) = fs::read(file)
                && let Ok(credentials) = serde_json::from_slice(&text)
            {
                return Ok(credentials);
            }
            if let (Some(child), Some(directory)) = (&mut self.child, &self.directory)
                && child.try_wait()?.is_some()
            {
                return Err(died(directory));
            }
            sleep(POLL).await;
        }
        let seconds = READY_WITHIN.as_secs();
        Err(CliError::failed(format!("the server was not ready after {seconds} seconds")))
    }

    fn finish(mut self) -> (Child, Directory) {
        let child = self.child.take().expect("only `finish` takes it");
        let directory = self.directory.take().expect("only `finish` takes it");
        (child, directory)
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            stop(child);
        }
    }
}

/// A directory that only this user can enter, removed when dropped.
struct Directory(PathBuf);

impl Directory {
    /// Fails when the name exists: whoever made it before us could read what goes in.
    fn create() -> io::Result<Self> {
        let path = env::temp_dir().join(format!("kms-demo-{}", Uuid::new_v4()));
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&path)?;
        Ok(Self(path))
    }

    fn log(&self) -> PathBuf {
        self.0.join("server.log")
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // What is left over is private, and there is nobody to tell.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// This program again, without anything that would tie it to another server.
pub(super) fn own_program() -> Result<Command, CliError> {
    let path = env::current_exe().context("could not find this program")?;
    let mut command = Command::new(path);
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("KMS_") || text.starts_with("INFISICAL_") {
            command.env_remove(&name);
        }
    }
    Ok(command)
}

fn died(directory: &Directory) -> CliError {
    let log = fs::read_to_string(directory.log()).unwrap_or_default();
    let mut lines = log.lines().filter(|line| !line.trim().is_empty());
    let told = lines.clone().find(|line| line.contains("error")).or_else(|| lines.next_back());
    let cause = CliError::failed(told.unwrap_or("it said nothing").to_owned());
    cause.context("the server ended by itself")
}

fn stop(child: &mut Child) {
    ask_to_stop(child);
    let started = std::time::Instant::now();
    while started.elapsed() < STOP_WITHIN {
        if !matches!(child.try_wait(), Ok(None)) {
            return;
        }
        std::thread::sleep(POLL);
    }
    let _ = child.kill();
    let _ = child.wait();
}

#[cfg(unix)]
fn ask_to_stop(child: &Child) {
    use nix::{
        sys::signal::{Signal, kill},
        unistd::Pid,
    };
    if let Ok(id) = i32::try_from(child.id()) {
        let _ = kill(Pid::from_raw(id), Signal::SIGTERM);
    }
}

#[cfg(not(unix))]
fn ask_to_stop(child: &mut Child) {
    let _ = child.kill();
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn s2_the_directory_is_private_from_its_creation_and_does_not_stay() {
        let directory = Directory::create().unwrap();
        let path = directory.0.clone();
        let mode = fs::symlink_metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        fs::write(directory.log(), "left over").unwrap();
        drop(directory);
        assert!(!path.exists());
    }
}
