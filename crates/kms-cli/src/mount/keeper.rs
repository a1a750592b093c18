//! Somebody who removes files when this process is gone, however it went.
//!
//! It is this program again, in a session of its own, where no signal of a terminal reaches it, and
//! deaf to those that are sent to everybody, as by a service manager. It waits for the end of a pipe
//! that nobody else holds: the system closes it also when we are killed. Should it be killed itself,
//! the files are removed from here.

use std::{
    fs,
    io::{self, Read as _},
    os::unix::fs::FileTypeExt as _,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
};

use nix::{sys::signal::SigSet, unistd::setsid};

use crate::{error::CliError, ui::Ui};

/// The name of the command that waits.
pub(crate) const REMOVE: &str = "remove-mount";

/// Remove the files of a mount when nobody holds the standard input any more
#[derive(clap::Args, Debug)]
pub struct Keep {
    /// The directory with secrets
    #[arg(long)]
    pub(super) folder: Option<PathBuf>,

    /// The pipe that is to take the name
    #[arg(long, conflicts_with = "folder")]
    pub(super) next: Option<PathBuf>,

    /// The link to that directory, or the pipe
    #[arg(long)]
    pub(super) name: PathBuf,
}

impl Keep {
    /// What is not as it was made is somebody else's.
    fn remove(&self) {
        if let Some(folder) = &self.folder {
            let _ = fs::remove_dir_all(folder);
        }
        if let Some(next) = self.next.as_ref().filter(|next| is_pipe(next)) {
            let _ = fs::remove_file(next);
        }
        let is_ours = match &self.folder {
            Some(folder) => fs::read_link(&self.name).is_ok_and(|target| target == *folder),
            None => is_pipe(&self.name),
        };
        if is_ours {
            let _ = fs::remove_file(&self.name);
        }
    }
}

fn is_pipe(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_fifo())
}

/// Waits, then removes.
pub(crate) fn wait_and_remove(args: &Keep) -> Result<(), CliError> {
    setsid().map_err(io::Error::from)?;
    SigSet::all().thread_block().map_err(io::Error::from)?;
    // Says that it stands by.
    Ui::new(true, true).line("")?;
    let _ = io::stdin().read_to_end(&mut Vec::new());
    args.remove();
    Ok(())
}

/// Holds the pipe; when dropped, everything is removed before it goes on.
pub(super) struct Keeper {
    child: Child,
    held: Option<ChildStdin>,
    keep: Keep,
}

impl Keeper {
    /// Comes back once it stands by. All paths are absolute.
    pub(super) fn of(keep: Keep) -> io::Result<Self> {
        let itself = Path::new("/proc/self/exe");
        let itself = if itself.exists() { itself.into() } else { std::env::current_exe()? };
        let mut command = Command::new(itself);
        command.arg(REMOVE).arg("--name").arg(&keep.name);
        if let Some(folder) = &keep.folder {
            command.arg("--folder").arg(folder);
        }
        if let Some(next) = &keep.next {
            command.arg("--next").arg(next);
        }
        command.env_clear().current_dir("/");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn()?;
        let held = child.stdin.take();
        let said = child.stdout.take().map(|mut stdout| stdout.read(&mut [0]));
        if !matches!(said, Some(Ok(1))) {
            return Err(io::Error::other("nobody stands by to remove them"));
        }
        Ok(Self { child, held, keep })
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.held = None;
        let has_removed = self.child.wait().is_ok_and(|status| status.success());
        // It was killed, and may have been collected already with the program that was supervised.
        // Otherwise, what is there by now may be the next one's.
        if !has_removed {
            self.keep.remove();
        }
    }
}
