//! What a server says to the person who starts it: a new root key, the set-up token, the
//! credentials of a development instance.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use kms_core::{Core, DevCredentials};
use secrecy::{ExposeSecret as _, SecretString};

use crate::{ServerArgs, StartError, config::Data, output::say};

/// Where a development instance keeps its credentials, to serve the same after a restart.
const CREDENTIALS: &str = "dev-credentials.json";

/// What there is to say once the server is ready.
pub(super) enum Welcome {
    /// To an operator.
    Operator {
        /// The instance is not set up; this sets it up, once.
        setup_token: Option<SecretString>,
        /// Where a root key was made.
        new_root_key: Option<PathBuf>,
    },
    /// To a developer.
    Developer(Box<DevCredentials>),
}

impl Welcome {
    /// Makes what the first start of an instance needs.
    pub(super) async fn prepare(
        args: &ServerArgs,
        core: &Core,
        data: &Data,
        url: &str,
    ) -> Result<Self, StartError> {
        if args.dev {
            let directory = data.directory.as_deref().unwrap_or(Path::new("."));
            let credentials = credentials(core, directory, url).await?;
            return Ok(Self::Developer(Box::new(credentials)));
        }
        let setup_token = core.setup_token().await.map_err(StartError::Prepare)?;
        Ok(Self::Operator { setup_token, new_root_key: data.new_root_key.clone() })
    }

    /// Says it, and writes the file that was asked for: the server is ready when it is there.
    pub(super) fn tell(&self, args: &ServerArgs) -> Result<(), StartError> {
        match self {
            Self::Operator { setup_token, new_root_key } => {
                if let Some(path) = new_root_key {
                    say_new_root_key(path);
                }
                if let Some(token) = setup_token {
                    say_setup_token(token);
                }
            }
            Self::Developer(credentials) => {
                say_login(credentials);
                if let Some(path) = &args.credentials_file {
                    write(path, credentials).map_err(StartError::file(path))?;
                }
            }
        }
        Ok(())
    }
}

/// The credentials of a development instance: made with it, or kept since.
async fn credentials(
    core: &Core,
    directory: &Path,
    url: &str,
) -> Result<DevCredentials, StartError> {
    let kept = directory.join(CREDENTIALS);
    let credentials = match fs::read(&kept) {
        Ok(text) => {
            let read: Result<DevCredentials, _> = serde_json::from_slice(&text);
            let read = read.map_err(|error| StartError::file(&kept)(error.into()))?;
            // The port may be another one today.
            DevCredentials { url: url.to_owned(), ..read }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            core.dev_seed(url).await.map_err(|error| match error {
                // It is set up, and not by us.
                kms_core::Error::BadRequest { .. } => StartError::NotForDevelopment,
                error => StartError::Prepare(error),
            })?
        }
        Err(error) => return Err(StartError::file(&kept)(error)),
    };
    write(&kept, &credentials).map_err(StartError::file(&kept))?;
    Ok(credentials)
}

/// Writes credentials for their owner alone; whoever waits for the file finds all of it.
fn write(path: &Path, credentials: &DevCredentials) -> io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let mut file = tempfile::NamedTempFile::new_in(directory.unwrap_or(Path::new(".")))?;
    serde_json::to_writer_pretty(&mut file, credentials)?;
    writeln!(file)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

fn say_new_root_key(path: &Path) {
    say(format!("A root key was made in `{}`. Keep a copy of it somewhere else:", path.display()));
    say("without it nothing in this database can be read again.");
}

fn say_setup_token(token: &SecretString) {
    say("This instance is not set up yet. Its set-up token, which works once:");
    say(format!("  {}", token.expose_secret()));
}

/// The credentials go by the environment: an argument would show them to every user of the machine.
fn say_login(credentials: &DevCredentials) {
    let DevCredentials { url, project, machine_identity, .. } = credentials;
    let secret = machine_identity.client_secret.expose_secret();
    say("A development instance: everything in it is for trying out. To use it:");
    say(format!("  export KMS_DOMAIN={url}"));
    say(format!("  export KMS_UNIVERSAL_AUTH_CLIENT_ID={}", machine_identity.client_id));
    say(format!("  export KMS_UNIVERSAL_AUTH_CLIENT_SECRET={secret}"));
    say("  export KMS_TOKEN=$(kms login --method=universal-auth --plain --silent)");
    say(format!("  kms secrets --projectId={} --env=dev", project.id));
}
