//! The data directory or database, opened with the right root key.

use std::{
    fs::{DirBuilder, Permissions},
    io,
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use kms_core::{Core, Options, RootKeySource, Store, mail::Mailer, outbound::Outbound};
use secrecy::ExposeSecret as _;
use tempfile::TempDir;

use super::{ServerArgs, StartError, root_key};

/// Where the embedded server keeps its data.
pub(crate) struct Data {
    /// The directory, or nothing for PostgreSQL.
    pub(crate) directory: Option<PathBuf>,
    /// Removes a throw-away directory at the end.
    throw_away: Option<TempDir>,
    /// Whether a root key was made that somebody should keep.
    pub(crate) new_root_key: Option<PathBuf>,
}

impl Data {
    /// Opens the product on what the flags name.
    pub(crate) async fn open(
        args: &ServerArgs,
        mailer: Arc<dyn Mailer>,
        outbound: Outbound,
    ) -> Result<(Core, Self), StartError> {
        let options = Options {
            mailer,
            user_access_ttl: args.user_token_minutes * 60,
            user_session_ttl: args.user_session_days * 86_400,
            outbound,
            endpoints: args.vendors.endpoints(),
            ..Options::default()
        };
        if let Some(url) = &args.database_url {
            let root = root_key::given(args)?.ok_or_else(|| {
                let text = "PostgreSQL needs a root key: `--root-key-file` or `KMS_ROOT_KEY`";
                StartError::Usage(text.into())
            })?;
            let store = Store::connect(url.expose_secret(), args.database_connections).await?;
            let core = open(store, Arc::new(root), options).await?;
            return Ok((core, Self { directory: None, throw_away: None, new_root_key: None }));
        }
        let mut data = Self::directory(args)?;
        let directory = data.directory.clone().unwrap_or_default();
        let (root, made) = root_key::of_directory(args, &directory).await?;
        data.new_root_key = made.filter(|_| data.throw_away.is_none());
        let store = Store::open_embedded(&directory).await?;
        Ok((open(store, Arc::new(root), options).await?, data))
    }

    fn directory(args: &ServerArgs) -> Result<Self, StartError> {
        let throw_away = match (&args.data_dir, args.dev) {
            (Some(directory), _) => {
                private_directory(directory).map_err(StartError::file(directory))?;
                None
            }
            (None, true) => Some(temporary().map_err(StartError::file(std::env::temp_dir()))?),
            (None, false) => {
                let text = "the server needs `--data-dir`, `--database-url` or `--dev`";
                return Err(StartError::Usage(text.into()));
            }
        };
        let temporary = throw_away.as_ref().map(|directory| directory.path().to_owned());
        let directory = args.data_dir.clone().or(temporary);
        Ok(Self { directory, throw_away, new_root_key: None })
    }
}

async fn open(store: Store, root: RootKeySource, options: Options) -> Result<Core, StartError> {
    match Core::open(store.clone(), root, options).await {
        Ok(core) => Ok(core),
        Err(error) => {
            store.close().await;
            Err(error.into())
        }
    }
}

/// Makes a directory for nobody else; one that is there already must be a directory.
fn private_directory(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn temporary() -> io::Result<TempDir> {
    tempfile::Builder::new().prefix("kms-dev-").permissions(Permissions::from_mode(0o700)).tempdir()
}
