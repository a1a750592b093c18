//! Where the root key comes from (attacks K3 and K4): never two sources, never silently another.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use kms_core::{Core, KeyError, LocalRootKey, OsEntropy, RootKeyProvider as _};
use secrecy::{ExposeSecret as _, SecretString};

use super::{ServerArgs, StartError};

const VARIABLE: &str = "KMS_ROOT_KEY";
const FILE: &str = "root.key";

/// The key that the operator gave, by file or environment.
pub(super) fn given(args: &ServerArgs) -> Result<Option<LocalRootKey>, StartError> {
    let variable = std::env::var(VARIABLE).ok().map(SecretString::from);
    match (variable, &args.root_key_file) {
        (Some(_), Some(_)) => {
            let text = format!("give the root key by `{VARIABLE}` or by file, not by both");
            Err(StartError::Usage(text))
        }
        (Some(text), None) => parse(&text, format!("in `{VARIABLE}`")).map(Some),
        (None, Some(path)) => read(path).map(Some),
        (None, None) => Ok(None),
    }
}

/// The key of a data directory: given, or lying there, or made for an empty one. Also tells the
/// file that was made. Existing data is only read.
pub(super) async fn of_directory(
    args: &ServerArgs,
    directory: &Path,
) -> Result<(LocalRootKey, Option<PathBuf>), StartError> {
    let needed = Core::needed_root_key(directory).await?;
    let path = directory.join(FILE);
    let key = match given(args)? {
        Some(key) => Some(key),
        None if path.exists() => Some(read(&path)?),
        None => None,
    };
    match (key, needed) {
        (Some(key), Some(needed)) if needed != key.fingerprint().to_string() => {
            Err(KeyError::WrongRootKey { needed, given: key.fingerprint() }.into())
        }
        (Some(key), _) => Ok((key, None)),
        (None, Some(needed)) => Err(StartError::NoRootKey { needed }),
        (None, None) => {
            let key = LocalRootKey::generate(&OsEntropy);
            write(&path, &key).map_err(StartError::file(&path))?;
            Ok((key, Some(path)))
        }
    }
}

fn read(path: &Path) -> Result<LocalRootKey, StartError> {
    let text = fs::read_to_string(path).map_err(StartError::file(path))?;
    parse(&text.into(), format!("in `{}`", path.display()))
}

fn parse(text: &SecretString, from: String) -> Result<LocalRootKey, StartError> {
    LocalRootKey::parse(text.expose_secret()).map_err(|source| StartError::RootKey { from, source })
}

/// Writes a key that must survive from now on: data is sealed under it next.
fn write(path: &Path, key: &LocalRootKey) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    writeln!(file, "{}", key.to_text().expose_secret())?;
    file.sync_all()?;
    path.parent().map_or(Ok(()), |directory| File::open(directory)?.sync_all())
}
