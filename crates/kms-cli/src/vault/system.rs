//! The system's keyring: the Secret Service of a Linux desktop, Keychain, Credential Manager.

use crate::error::CliError;

#[cfg(target_os = "linux")]
mod secret_service;

#[cfg(target_os = "linux")]
pub(crate) use secret_service::{TITLE, check, foreign, get, locked, put, remove};

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
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use keyring_core::{Entry, Error};
    use secrecy::{ExposeSecret as _, SecretString};
    use uuid::Uuid;

    use super::unavailable;
    use crate::{error::CliError, ui::Ui, vault::State};

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

    pub(crate) fn check() -> Result<State, CliError> {
        entry(Uuid::nil()).map(|_| State::Open)
    }

    pub(crate) fn locked(reason: &str) -> CliError {
        unavailable(format!("it is locked{reason}"))
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

    /// What another program keeps; Go's keyring library marks what it encoded.
    pub(crate) fn foreign(
        _: Ui,
        service: &str,
        user: &str,
    ) -> Result<Option<SecretString>, CliError> {
        entry(Uuid::nil())?;
        let text = match Entry::new(service, user).and_then(|entry| entry.get_password()) {
            Ok(text) => text,
            Err(Error::NoEntry) => return Ok(None),
            Err(error) => return Err(unavailable(error)),
        };
        let encoded = text.strip_prefix("go-keyring-base64:");
        let decoded = encoded.and_then(|text| STANDARD.decode(text).ok());
        let decoded = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
        Ok(Some(decoded.unwrap_or(text).into()))
    }

    pub(crate) fn remove(_: Ui, item: Uuid) -> Result<(), CliError> {
        match entry(item)?.delete_credential() {
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(error) => Err(unavailable(error)),
        }
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) use native::{TITLE, check, foreign, get, locked, put, remove};
