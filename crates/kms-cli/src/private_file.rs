//! Files that hold secrets, or decide where secrets go.

use std::{
    fs::{self, DirBuilder, File, Metadata, OpenOptions, Permissions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::Path,
    thread,
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    fcntl::{Flock, FlockArg, OFlag},
    unistd::Uid,
};
use uuid::Uuid;

use crate::error::{CliError, ResultExt as _};

/// No file of ours is longer; what is, is somebody else's.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// How long another process may hold a lock: longer than any request takes, tries included.
const LOCK_PATIENCE: Duration = Duration::from_mins(3);
const LOCK_POLL: Duration = Duration::from_millis(10);

/// Puts a file in the place of whatever has that name, readable by its owner alone from the
/// first byte on, whatever the umask. Other names of the former file keep the former content.
///
/// The content is written and synced under another name first, so a reader sees the former file
/// or the whole new one. Refused are symbolic links and everything else that is no plain file.
pub(crate) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_symlink() => {
            return Err(io::Error::other("it is a symbolic link, which is not followed"));
        }
        Ok(metadata) if !metadata.is_file() => {
            return Err(io::Error::other("it is not a plain file"));
        }
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    put(folder, path, content, File::sync_all)?;
    File::open(folder)?.sync_all()
}

/// As [`replace`], in a folder that [`folder`] has checked, for what may be lost with the machine's
/// power: nothing is synced, and what was torn then has to be told from what is whole.
pub(crate) fn replace_quickly(path: &Path, content: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    // A rename takes the place of a symbolic link, and does not follow it.
    put(folder, path, content, |_| Ok(()))
}

fn put(
    folder: &Path,
    path: &Path,
    content: &[u8],
    sync: fn(&File) -> io::Result<()>,
) -> io::Result<()> {
    let temporary = folder.join(format!(".kms-{}.tmp", Uuid::new_v4().simple()));
    let written = write_new(&temporary, content, sync).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // The first error is the one to report.
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// Makes a folder that is its owner's alone, or checks that it is: that it is not a symbolic link,
/// is ours, and that nobody else may write to it.
pub(crate) fn folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    let metadata = fs::symlink_metadata(path)?;
    if !metadata.is_dir() {
        return Err(io::Error::other("it is a symbolic link, which is not followed"));
    }
    require_ours(&metadata)
}

/// Reads a file of ours: no symbolic link, owned by us, writable by nobody else.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    read_up_to(path, MAX_BYTES)
}

/// As [`read`], with a limit in bytes of its own.
pub(crate) fn read_up_to(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut file = open(OpenOptions::new().read(true), path)?;
    require_ours(&file.metadata()?)?;
    let mut bytes = Vec::new();
    Read::by_ref(&mut file).take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::other("it is too large to be ours"));
    }
    Ok(bytes)
}

/// Held while this process alone may change something; given back when dropped.
#[derive(Debug)]
pub(crate) struct Lock(
    #[expect(dead_code, reason = "holds the lock until it is dropped")] Flock<File>,
);

/// Waits until this process alone holds the lock of that name.
pub(crate) fn lock(path: &Path) -> Result<Lock, CliError> {
    let doing = || format!("could not lock `{}`", path.display());
    let mut file = open(OpenOptions::new().write(true).create(true).mode(0o600), path)
        .map_err(|error| CliError::from(error).context(doing()))?;
    let started = Instant::now();
    loop {
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => return Ok(Lock(lock)),
            Err((back, Errno::EWOULDBLOCK | Errno::EINTR)) if started.elapsed() < LOCK_PATIENCE => {
                file = back;
                thread::sleep(LOCK_POLL);
            }
            Err((_, error)) => {
                return Err(io::Error::from(error)).context(doing());
            }
        }
    }
}

fn open(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
    let opened = options.custom_flags(flags.bits()).open(path);
    let file = opened.map_err(|error| match error.raw_os_error().map(Errno::from_raw) {
        Some(Errno::ELOOP) => io::Error::other("it is a symbolic link, which is not followed"),
        _ => error,
    })?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a plain file"));
    }
    Ok(file)
}

/// Who may write to it may choose what is sent where.
fn require_ours(metadata: &Metadata) -> io::Result<()> {
    if metadata.uid() != Uid::effective().as_raw() {
        return Err(io::Error::other("it belongs to another user"));
    }
    if metadata.mode() & 0o022 != 0 {
        return Err(io::Error::other(
            "others may write to it; take that right away with `chmod go-w`",
        ));
    }
    Ok(())
}

fn write_new(path: &Path, content: &[u8], sync: fn(&File) -> io::Result<()>) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .custom_flags(OFlag::O_NOFOLLOW.bits())
        .open(path)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    file.write_all(content)?;
    sync(&file)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn s2_a_new_file_is_private_and_an_old_one_becomes_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/file");
        replace(&path, b"one").unwrap();
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().unwrap()), 0o700);
        fs::set_permissions(&path, Permissions::from_mode(0o666)).unwrap();
        replace(&path, b"two").unwrap();
        assert_eq!((mode(&path), fs::read(&path).unwrap()), (0o600, b"two".to_vec()));
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn s2_a_symbolic_link_is_refused_and_its_target_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("target"), folder.path().join("link"));
        fs::write(&target, "old").unwrap();
        for points_at in [target.as_path(), Path::new("/nowhere")] {
            let _ = fs::remove_file(&link);
            symlink(points_at, &link).unwrap();
            assert!(replace(&link, b"new").is_err());
        }
        assert_eq!(fs::read(&target).unwrap(), b"old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn s2_another_name_of_the_file_keeps_the_old_content() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("file"), folder.path().join("other"));
        fs::write(&path, "old").unwrap();
        fs::hard_link(&path, &other).unwrap();
        replace(&path, b"new").unwrap();
        assert_eq!(fs::read(&other).unwrap(), b"old");
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }

    #[test]
    fn s2_what_others_could_have_written_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        replace(&path, b"mine").unwrap();
        assert_eq!(read(&path).unwrap(), b"mine");
        let link = folder.path().join("link");
        symlink(&path, &link).unwrap();
        assert!(read(&link).unwrap_err().to_string().contains("symbolic link"));
        assert!(lock(&link).is_err());
        for mode in [0o620, 0o602] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            assert!(read(&path).unwrap_err().to_string().contains("go-w"));
        }
        assert!(read(folder.path()).is_err());
    }

    #[test]
    fn s2_a_folder_of_ours_is_no_link_and_nobody_elses() {
        let root = tempfile::tempdir().unwrap();
        let (real, link) = (root.path().join("real"), root.path().join("link"));
        folder(&real).unwrap();
        assert_eq!(mode(&real), 0o700);
        symlink(&real, &link).unwrap();
        assert!(folder(&link).is_err());
        fs::set_permissions(&real, Permissions::from_mode(0o777)).unwrap();
        assert!(folder(&real).is_err());
    }

    #[test]
    fn s6_a_lock_is_held_by_one_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let held = lock(&path).unwrap();
        assert_eq!(mode(&path), 0o600);
        let waiting = thread::spawn({
            let path = path.clone();
            move || lock(&path).map(|_| Instant::now())
        });
        thread::sleep(Duration::from_millis(50));
        let given_back = Instant::now();
        drop(held);
        assert!(waiting.join().unwrap().unwrap() >= given_back);
    }

    #[test]
    fn what_is_no_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(replace(folder.path(), b"x").is_err());
        assert!(replace(Path::new("/dev/null"), b"x").is_err());
    }
}
