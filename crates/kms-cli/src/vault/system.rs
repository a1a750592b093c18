//! The system's keyring: the Secret Service of a Linux desktop, Keychain, Credential Manager.

use crate::error::CliError;

#[cfg(target_os = "linux")]
mod secret_service;

#[cfg(target_os = "linux")]
pub(super) use secret_service::{TITLE, check, get, put, remove};

/// What to do where there is no keyring: nothing takes its place unasked (S1).
fn unavailable(reason: impl std::fmt::Display) -> CliError {
    CliError::failed(format!("the system's keyring can't be used: {reason}"))
        .hint("`kms vault set file` keeps logins in files that a passphrase seals")
        .hint(
            "to keep nothing and take the token along: \
             `export KMS_TOKEN=$(kms login --plain --silent)`",
        )
}

/// The keychains of macOS and Windows. Not verified: nothing here has run on either.
#[cfg(not(target_os = "linux"))]
mod native {
    use keyring_core::{Entry, Error};
    use secrecy::{ExposeSecret as _, SecretString};
    use uuid::Uuid;

    use super::unavailable;
    use crate::{error::CliError, ui::Ui};

    #[cfg(target_os = "macos")]
    pub(crate) const TITLE: &str = "the Keychain";
    #[cfg(not(target_os = "macos"))]
    pub(crate) const TITLE: &str = "the Credential Manager";

    const SERVICE: &str = "ai.hanzo.kms";

    fn entry(item: Uuid) -> Result<Entry, CliError> {
        #[cfg(target_os = "macos")]
        let store = apple_native_keyring_store::keychain::Store::new();
        #[cfg(target_os = "windows")]
        let store = windows_native_keyring_store::Store::new();
        keyring_core::set_default_store(store.map_err(unavailable)?);
        Entry::new(SERVICE, &item.to_string()).map_err(unavailable)
    }

    pub(crate) fn check() -> Result<(), CliError> {
        entry(Uuid::nil()).map(drop)
    }

    pub(crate) fn put(_: Ui, item: Uuid, key: &SecretString) -> Result<(), CliError> {
        entry(item)?.set_password(key.expose_secret()).map_err(unavailable)
    }

    pub(crate) fn get(_: Ui, item: Uuid) -> Result<Option<SecretString>, CliError> {
        match entry(item)?.get_password() {
            Ok(key) => Ok(Some(key.into())),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(unavailable(error)),
        }
    }

    pub(crate) fn remove(_: Ui, item: Uuid) -> Result<(), CliError> {
        match entry(item)?.delete_credential() {
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(error) => Err(unavailable(error)),
        }
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) use native::{TITLE, check, get, put, remove};
