//! The kernel's keyring: keys in memory that only this user's processes can read, gone with a
//! restart of the machine.

use crate::error::CliError;

#[cfg(target_os = "linux")]
mod linux {
    use std::time::Duration;

    use linux_keyutils::{KeyError, KeyPermissionsBuilder, KeyRing, KeyRingIdentifier, Permission};
    use secrecy::{ExposeSecret, SecretString};
    use zeroize::Zeroizing;

    use super::unavailable;
    use crate::error::CliError;

    /// The keyring of the user, not of the session: what one terminal unlocks, all may use.
    fn ring() -> Result<KeyRing, CliError> {
        KeyRing::from_special_id(KeyRingIdentifier::User, true).map_err(unavailable)
    }

    pub(crate) fn check() -> Result<(), CliError> {
        // Containers may have the system call filtered, which only a use of it shows.
        match ring()?.search("kms:check") {
            Ok(_)
            | Err(KeyError::KeyDoesNotExist | KeyError::KeyExpired | KeyError::KeyRevoked) => {
                Ok(())
            }
            Err(error) => Err(unavailable(error)),
        }
    }

    pub(crate) fn put(
        name: &str,
        key: &SecretString,
        lifetime: Option<Duration>,
    ) -> Result<(), CliError> {
        let added = ring()?.add_key(name, key.expose_secret().as_bytes()).map_err(unavailable)?;
        // Without this, only processes of the session that added it could read it.
        let permissions = KeyPermissionsBuilder::builder()
            .posessor(Permission::ALL)
            .user(
                Permission::VIEW
                    | Permission::READ
                    | Permission::SEARCH
                    | Permission::WRITE
                    | Permission::SETATTR,
            )
            .build();
        added.set_perms(permissions).map_err(unavailable)?;
        if let Some(lifetime) = lifetime {
            let seconds = usize::try_from(lifetime.as_secs()).unwrap_or(usize::MAX);
            added.set_timeout(seconds).map_err(unavailable)?;
        }
        Ok(())
    }

    pub(crate) fn get(name: &str) -> Result<Option<SecretString>, CliError> {
        let found = match ring()?.search(name) {
            Ok(found) => found,
            Err(KeyError::KeyDoesNotExist | KeyError::KeyExpired | KeyError::KeyRevoked) => {
                return Ok(None);
            }
            Err(error) => return Err(unavailable(error)),
        };
        let bytes = Zeroizing::new(found.read_to_vec().map_err(unavailable)?);
        Ok(std::str::from_utf8(&bytes).ok().map(SecretString::from))
    }

    pub(crate) fn remove(name: &str) -> Result<(), CliError> {
        match ring()?.search(name) {
            Ok(found) => found.invalidate().or_else(|_| found.revoke()).map_err(unavailable),
            Err(KeyError::KeyDoesNotExist | KeyError::KeyExpired | KeyError::KeyRevoked) => Ok(()),
            Err(error) => Err(unavailable(error)),
        }
    }
}

#[cfg(target_os = "linux")]
pub(crate) use linux::{check, get, put, remove};

#[cfg(not(target_os = "linux"))]
mod elsewhere {
    use std::time::Duration;

    use secrecy::SecretString;

    use super::unavailable;
    use crate::error::CliError;

    const NOT_LINUX: &str = "only Linux has it";

    pub(crate) fn check() -> Result<(), CliError> {
        Err(unavailable(NOT_LINUX))
    }

    pub(crate) fn put(_: &str, _: &SecretString, _: Option<Duration>) -> Result<(), CliError> {
        check()
    }

    pub(crate) fn get(_: &str) -> Result<Option<SecretString>, CliError> {
        check().map(|()| None)
    }

    pub(crate) fn remove(_: &str) -> Result<(), CliError> {
        check()
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) use elsewhere::{check, get, put, remove};

fn unavailable(error: impl std::fmt::Debug) -> CliError {
    CliError::failed(format!("the kernel's keyring can't be used: {error:?}"))
        .hint("containers often forbid it; `kms vault set file` needs nothing of the system")
}
