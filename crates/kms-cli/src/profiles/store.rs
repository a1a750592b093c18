//! A profile's tokens, as the client asks for them.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use age::x25519;
use kms_client::{StoreError, TokenStore, Tokens};
use secrecy::ExposeSecret as _;

use super::{Profile, now, sealed};
use crate::{error::CliError, vault::Vault};

/// The tokens of one profile. The vault is asked for the key once, when it is first needed.
pub(crate) struct SessionStore {
    folder: PathBuf,
    profile: Profile,
    vault: Vault,
    key: OnceLock<x25519::Identity>,
}

impl fmt::Debug for SessionStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionStore").field("profile", &self.profile.name).finish_non_exhaustive()
    }
}

impl SessionStore {
    pub(super) fn new(folder: &Path, profile: Profile, vault: Vault) -> Self {
        Self { folder: folder.to_owned(), profile, vault, key: OnceLock::new() }
    }

    /// Opens the tokens.
    pub(crate) fn open(&self) -> Result<Tokens, CliError> {
        let tokens = sealed::open(&self.folder, &self.profile, self.key()?)?;
        tokens.ok_or_else(|| self.nothing())
    }

    /// Seals other tokens, whatever was there.
    pub(crate) fn replace(&self, tokens: &Tokens) -> Result<(), CliError> {
        sealed::replace(&self.folder, &self.profile, self.key()?, tokens)
    }

    fn key(&self) -> Result<&x25519::Identity, CliError> {
        if let Some(key) = self.key.get() {
            return Ok(key);
        }
        let text = self.vault.get(self.profile.id)?.ok_or_else(|| self.nothing())?;
        let key = text.expose_secret().parse().map_err(|_| self.nothing())?;
        Ok(self.key.get_or_init(|| key))
    }

    /// The vault was emptied, or belongs to a former installation.
    fn nothing(&self) -> CliError {
        CliError::denied(format!(
            "the tokens of the login `{}` are not here any more",
            self.profile.name
        ))
        .hint(format!("log in again: `kms login --domain {}`", self.profile.domain))
    }
}

impl TokenStore for SessionStore {
    fn load(&self) -> Result<Tokens, StoreError> {
        self.open().map_err(Failure::boxed)
    }

    fn lock(&self) -> Result<Box<dyn Send>, StoreError> {
        let lock = sealed::lock(&self.folder, self.profile.id).map_err(Failure::boxed)?;
        Ok(Box::new(lock))
    }

    fn swap(&self, expected: &Tokens, new: &Tokens) -> Result<bool, StoreError> {
        let stored = self.load()?;
        let unchanged = stored.access.expose_secret() == expected.access.expose_secret();
        if unchanged {
            self.replace(new).map_err(Failure::boxed)?;
        }
        Ok(unchanged)
    }

    fn now(&self) -> i64 {
        now().seconds()
    }
}

/// Carries our error through the client, so that its kind and hints come back out.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) CliError);

impl Failure {
    fn boxed(error: CliError) -> StoreError {
        Box::new(Self(error))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.source.fmt(f)
    }
}

impl std::error::Error for Failure {}
