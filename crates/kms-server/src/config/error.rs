//! Why a server does not start.

use std::{io, net::SocketAddr, path::PathBuf};

use kms_core::{KeyError, RootKeyError, StoreError};

/// Why a server did not start. Nothing has been written to existing data then.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Flags that do not go together.
    #[error("{0}")]
    Usage(String),
    /// An address cannot be listened on.
    #[error("cannot listen on `{address}`")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// A file or directory cannot be used.
    #[error("cannot use `{path}`")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The certificate or its key cannot be used.
    #[error("cannot serve TLS with `{path}`")]
    Tls {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The root key that was given is none.
    #[error("the root key {from} cannot be used")]
    RootKey {
        /// Where it was given.
        from: String,
        /// Why.
        source: RootKeyError,
    },
    /// There is data, but no root key.
    #[error("this data needs the root key with fingerprint {needed}, and none was given")]
    NoRootKey {
        /// The fingerprint.
        needed: String,
    },
    /// The database failed or belongs to somebody else.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The instance's keys cannot be opened.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The data of a real instance was given to `--dev`.
    #[error("this data directory was not made by `--dev`, which must not serve it")]
    NotForDevelopment,
    /// The instance cannot be set up.
    #[error("the instance cannot be prepared")]
    Prepare(#[source] kms_core::Error),
    /// The process lacks something.
    #[error("the server cannot run")]
    Process(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl StartError {
    /// Puts a file's name to what the system says about it.
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }

    /// The exit code of the process: 2 for bad usage, 1 for the rest.
    pub(crate) fn exit_code(&self) -> u8 {
        if matches!(self, Self::Usage(_)) { 2 } else { 1 }
    }

    /// What to do about it, where there is one thing to do.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoRootKey { .. } | Self::Keys(KeyError::WrongRootKey { .. }) => Some(
                "give the key by `--root-key-file` or in the environment variable `KMS_ROOT_KEY`",
            ),
            Self::Listen { source, .. } if source.kind() == io::ErrorKind::AddrInUse => {
                Some("choose another port with `--listen`, or a free one with port 0")
            }
            _ => None,
        }
    }
}
