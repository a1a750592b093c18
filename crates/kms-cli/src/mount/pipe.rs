//! All secrets in one named pipe, written when somebody reads it and nowhere else.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

use kms_api::{SecretValue, secrets::Secret};
use nix::{sys::stat::Mode, unistd::mkfifo};
use secrecy::zeroize::Zeroizing;
use uuid::Uuid;

use super::{
    MountFormat,
    keeper::{Keep, Keeper},
};
use crate::{
    error::CliError,
    formats::{self, Format},
};

/// See the module.
pub(crate) struct Pipe {
    shared: Arc<Mutex<Shared>>,
    // Removes it when it is dropped.
    _keeper: Keeper,
}

struct Shared {
    text: Zeroizing<String>,
    /// It is being removed: no other pipe takes the name.
    is_over: bool,
}

impl Pipe {
    pub(super) fn make(
        path: &Path,
        reads: Option<u32>,
        text: &Zeroizing<String>,
    ) -> io::Result<Self> {
        let name = std::path::absolute(path)?;
        let next = name.with_file_name(format!(".kms-{}", Uuid::new_v4().simple()));
        let keep = Keep { folder: None, next: Some(next.clone()), name: name.clone() };
        let keeper = Keeper::of(keep)?;
        make(&name)?;
        let shared = Arc::new(Mutex::new(Shared { text: text.clone(), is_over: false }));
        let names = Names { name, next };
        let served = Arc::clone(&shared);
        // Waits for readers until this process ends.
        thread::spawn(move || names.serve(&served, reads));
        Ok(Self { shared, _keeper: keeper })
    }

    pub(super) fn write(&mut self, text: &Zeroizing<String>) {
        lock(&self.shared).text.clone_from(text);
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        lock(&self.shared).is_over = true;
    }
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Names {
    name: PathBuf,
    /// Of a pipe before it takes that name.
    next: PathBuf,
}

impl Names {
    /// Hands the content to one reader after the other. Before it does, another pipe takes the name,
    /// so that this one ends for its reader and nobody reads along; after the last reader none does.
    fn serve(&self, shared: &Mutex<Shared>, reads: Option<u32>) {
        let mut left = reads;
        while left != Some(0) {
            // Comes back when somebody has opened it to read.
            let Ok(mut pipe) = open(&self.name) else { return };
            left = left.map(|left| left - 1);
            let text = {
                let shared = lock(shared);
                if shared.is_over {
                    return;
                }
                let is_last = left == Some(0);
                let renewed = if is_last { fs::remove_file(&self.name) } else { self.renew() };
                if renewed.is_err() {
                    return;
                }
                shared.text.clone()
            };
            // A reader that stops early has read what it wanted.
            let _ = pipe.write_all(text.as_bytes());
        }
    }

    /// Puts another pipe in the place of one.
    fn renew(&self) -> io::Result<()> {
        make(&self.next)?;
        fs::rename(&self.next, &self.name)
    }
}

/// Opens the pipe, and nothing else that has its name by now.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    let pipe = options.write(true).custom_flags(nix::libc::O_NOFOLLOW).open(path)?;
    if pipe.metadata()?.file_type().is_fifo() {
        return Ok(pipe);
    }
    Err(io::Error::other("it is no pipe any more"))
}

fn make(path: &Path) -> io::Result<()> {
    Ok(mkfifo(path, Mode::S_IRUSR | Mode::S_IWUSR)?)
}

/// What readers get.
pub(super) fn text(format: MountFormat, secrets: &[Secret]) -> Result<Zeroizing<String>, CliError> {
    let rendered = match format {
        MountFormat::Dotenv => formats::render(Format::Dotenv, secrets),
        MountFormat::Yaml => formats::render(Format::Yaml, secrets),
        MountFormat::Json => return object(secrets),
    };
    let rendered = rendered.map_err(|refused| {
        CliError::failed(refused).hint("`--mount-format json` carries every name and value")
    });
    Ok(rendered?.text)
}

fn object(secrets: &[Secret]) -> Result<Zeroizing<String>, CliError> {
    let pair = |secret: &'_ Secret| (secret.secret_key.clone(), secret.secret_value.clone());
    let pairs: BTreeMap<String, SecretValue> = secrets.iter().map(pair).collect();
    let mut text = Zeroizing::new(serde_json::to_string(&pairs).map_err(CliError::internal)?);
    text.push('\n');
    Ok(text)
}
