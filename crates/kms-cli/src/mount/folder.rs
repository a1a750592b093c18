//! One file for each secret, in memory.

use std::{
    collections::HashSet,
    env, fs,
    fs::{DirBuilder, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, symlink},
    path::{Path, PathBuf},
};

use kms_api::secrets::Secret;
use nix::unistd::Uid;
use uuid::Uuid;

use super::keeper::{Keep, Keeper};
use crate::{Context, error::CliError};

/// Bytes of a file's name at most.
const LONGEST_NAME: usize = 255;

/// See the module.
pub(crate) struct Folder {
    path: PathBuf,
    // Removes everything when it is dropped.
    _keeper: Keeper,
}

impl Folder {
    pub(super) fn make(name: &Path, secrets: &[Secret], context: &Context) -> io::Result<Self> {
        let (parent, is_in_memory) = parent();
        if !is_in_memory {
            context.ui.warn(&format!(
                "there is no directory in memory for secrets; they are on a disk, in `{}`",
                parent.display()
            ));
        }
        let path = parent.join(format!("kms-{}", Uuid::new_v4().simple()));
        let name = std::path::absolute(name)?;
        let keep = Keep { folder: Some(path.clone()), next: None, name: name.clone() };
        let keeper = Keeper::of(keep)?;
        let this = Self { path, _keeper: keeper };
        DirBuilder::new().mode(0o700).create(&this.path)?;
        this.write_files(secrets)?;
        symlink(&this.path, name)?;
        Ok(this)
    }

    pub(super) fn write(&mut self, secrets: &[Secret]) -> io::Result<()> {
        self.write_files(secrets)?;
        let kept: HashSet<&str> = secrets.iter().map(|secret| secret.secret_key.as_str()).collect();
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            if !entry.file_name().to_str().is_some_and(|name| kept.contains(name)) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// A reader sees a former file or the whole new one.
    fn write_files(&self, secrets: &[Secret]) -> io::Result<()> {
        let new = self.path.join(format!(".kms-{}", Uuid::new_v4().simple()));
        for secret in secrets {
            let mut options = OpenOptions::new();
            let mut file = options.write(true).create_new(true).mode(0o400).open(&new)?;
            file.write_all(secret.secret_value.expose().as_bytes())?;
            fs::rename(&new, self.path.join(&secret.secret_key))?;
        }
        Ok(())
    }
}

/// Refuses names that no file can have.
pub(super) fn check(secrets: &[Secret]) -> Result<(), CliError> {
    let is_unfit = |name: &str| {
        matches!(name, "" | "." | "..") || name.contains(['/', '\0']) || name.len() > LONGEST_NAME
    };
    let names = secrets.iter().map(|secret| &secret.secret_key).filter(|name| is_unfit(name));
    let names: Vec<String> = names.map(|name| format!("`{}`", name.escape_debug())).collect();
    if names.is_empty() {
        return Ok(());
    }
    Err(CliError::failed(format!("a file cannot be called {}", names.join(", ")))
        .hint("a pipe carries every name: `--mount secrets.json`"))
}

/// Where the directory is made, and whether that is in memory.
fn parent() -> (PathBuf, bool) {
    let own = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let own = own.filter(|path| path.is_absolute() && is_ours(path));
    for path in own.into_iter().chain([PathBuf::from("/dev/shm")]) {
        if is_in_memory(&path) {
            return (path, true);
        }
    }
    (env::temp_dir(), false)
}

fn is_ours(path: &Path) -> bool {
    let metadata = fs::symlink_metadata(path);
    metadata.is_ok_and(|it| it.is_dir() && it.uid() == Uid::effective().as_raw())
}

#[cfg(target_os = "linux")]
fn is_in_memory(path: &Path) -> bool {
    use nix::sys::statfs::{TMPFS_MAGIC, statfs};
    statfs(path).is_ok_and(|system| system.filesystem_type() == TMPFS_MAGIC)
}

#[cfg(not(target_os = "linux"))]
fn is_in_memory(_: &Path) -> bool {
    false
}
