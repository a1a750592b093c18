//! `kms server backup`: the embedded database as a file.

use std::path::Path;

use kms_core::{Core, Store};

use crate::{StartError, config::BackupArgs, output::say};

/// Makes a backup that is whole before it has its name.
pub(super) async fn back_up(args: &BackupArgs) -> Result<(), StartError> {
    let BackupArgs { to, data_dir } = args;
    let Some(fingerprint) = Core::needed_root_key(data_dir).await? else {
        let text = format!("there is no data of a server in `{}`", data_dir.display());
        return Err(StartError::Usage(text));
    };
    if to.exists() {
        return Err(StartError::Usage(format!("`{}` is there already", to.display())));
    }
    let beside = to.parent().filter(|parent| !parent.as_os_str().is_empty());
    let beside = beside.unwrap_or(Path::new("."));
    let file = tempfile::Builder::new().prefix(".kms-backup-").tempfile_in(beside);
    let file = file.map_err(StartError::file(beside))?;
    say("Copying the database …");
    Store::back_up(data_dir, file.path()).await?;
    file.as_file().sync_all().map_err(StartError::file(to))?;
    let size = file.as_file().metadata().map_err(StartError::file(to))?.len();
    file.persist_noclobber(to).map_err(|error| StartError::file(to)(error.error))?;
    let directory = std::fs::File::open(beside).and_then(|directory| directory.sync_all());
    directory.map_err(StartError::file(beside))?;
    say(format!("Copied {size} bytes to `{}` and checked them.", to.display()));
    say(format!(
        "It opens with the root key of fingerprint {fingerprint} alone, which is not in it: keep a \
         copy of that key somewhere else."
    ));
    Ok(())
}
