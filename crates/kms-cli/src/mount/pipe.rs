//! All secrets in one named pipe, written when somebody reads it and nowhere else.

use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    io::{self, Write as _},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use kms_api::{SecretValue, secrets::Secret};
use nix::{sys::stat::Mode, unistd::mkfifo};
use secrecy::zeroize::Zeroizing;
use uuid::Uuid;

use super::{MountFormat, keeper::Keeper};
use crate::{
    error::CliError,
    formats::{self, Format},
};

type Content = Arc<Mutex<Zeroizing<String>>>;

/// See the module.
pub(crate) struct Pipe {
    content: Content,
    // Removes it when it is dropped.
    _keeper: Keeper,
}

impl Pipe {
    pub(super) fn make(
        path: &Path,
        reads: Option<u32>,
        text: &Zeroizing<String>,
    ) -> io::Result<Self> {
        let content = Arc::new(Mutex::new(text.clone()));
        let keeper = Keeper::of(path, None)?;
        make(path)?;
        let (path, shared) = (path.to_owned(), Arc::clone(&content));
        // Waits for readers until this process ends.
        thread::spawn(move || serve(&path, &shared, reads));
        Ok(Self { content, _keeper: keeper })
    }

    pub(super) fn write(&mut self, text: &Zeroizing<String>) {
        self.content.lock().unwrap_or_else(PoisonError::into_inner).clone_from(text);
    }
}

/// Hands the content to one reader after the other. Before it does, another pipe takes the name, so
/// that this one ends for its reader and nobody reads along; after the last reader none does.
fn serve(path: &Path, content: &Content, reads: Option<u32>) {
    let mut left = reads;
    while left != Some(0) {
        // Comes back when somebody has opened it to read.
        let Ok(mut pipe) = OpenOptions::new().write(true).open(path) else { return };
        left = left.map(|left| left - 1);
        let renewed = if left == Some(0) { fs::remove_file(path) } else { renew(path) };
        if renewed.is_err() {
            return;
        }
        let text = content.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // A reader that stops early has read what it wanted.
        let _ = pipe.write_all(text.as_bytes());
    }
}

/// Puts another pipe in the place of one.
fn renew(path: &Path) -> io::Result<()> {
    let new = path.with_file_name(format!(".kms-{}", Uuid::new_v4().simple()));
    make(&new)?;
    let renamed = fs::rename(&new, path);
    if renamed.is_err() {
        let _ = fs::remove_file(&new);
    }
    renamed
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
