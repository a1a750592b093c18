//! Where the keys of remembered logins are kept.
//!
//! An item is one key of 74 characters under a profile's id; it is written at the login and
//! removed at the logout, never in between. There is no silent fallback: a vault that cannot be
//! used says so, and nothing else takes its place.

mod file;
mod kernel;
mod passphrase;
mod system;

use std::path::Path;

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{error::CliError, profiles::Config, ui::Ui};

pub(crate) use file::FileVault;
pub(crate) use passphrase::Passphrase;
pub(crate) use system::foreign;

/// The kinds of vault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// The system's keyring
    #[default]
    Auto,
    /// Files that a passphrase seals
    File,
    /// The kernel's keyring, which a restart of the machine empties
    Kernel,
}

impl Kind {
    /// Its name on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::File => "file",
            Self::Kernel => "kernel",
        }
    }

    /// What it is, for people.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Auto => system::TITLE,
            Self::File => "files sealed by a passphrase",
            Self::Kernel => "the kernel's keyring, emptied by a restart",
        }
    }
}

/// How long a file vault stays unlocked unless its owner says otherwise.
pub(crate) const DEFAULT_MINUTES: u32 = 15;

/// Whether a vault that is there can be read at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It can.
    Open,
    /// Somebody has to unlock it first.
    Locked,
}

/// The vault in use.
#[derive(Clone, Debug)]
pub(crate) enum Vault {
    /// The system's keyring.
    System(Ui),
    /// Sealed files.
    File(FileVault),
    /// The kernel's keyring.
    Kernel,
}

impl Vault {
    /// The vault that was chosen.
    pub(crate) fn of(config: &Config, folder: &Path, passphrase: &Passphrase) -> Self {
        Self::new(config.vault, config.unlocked_minutes, folder, passphrase)
    }

    /// A vault of a kind.
    pub(crate) fn new(kind: Kind, minutes: u32, folder: &Path, passphrase: &Passphrase) -> Self {
        match kind {
            Kind::Auto => Self::System(passphrase.ui()),
            Kind::File => Self::File(FileVault::new(folder, minutes, passphrase.clone())),
            Kind::Kernel => Self::Kernel,
        }
    }

    /// Makes it, where that takes more than a keyring that is there.
    pub(crate) fn set_up(&self) -> Result<(), CliError> {
        match self {
            Self::System(_) | Self::Kernel => self.require_writable(),
            Self::File(vault) => vault.set_up(),
        }
    }

    /// Whether it can be used, without asking anybody anything; says what to do if not.
    pub(crate) fn check(&self) -> Result<State, CliError> {
        match self {
            Self::System(_) => system::check(),
            Self::File(vault) => vault.check(),
            Self::Kernel => kernel::check().map(|()| State::Open),
        }
    }

    /// Fails where a key could not be kept.
    pub(crate) fn require_writable(&self) -> Result<(), CliError> {
        match (self, self.check()?) {
            // Whoever is there can unlock it.
            (Self::System(ui), State::Locked) if !ui.interactive => Err(system::locked("")),
            _ => Ok(()),
        }
    }

    /// Fails unless this key is what is kept under this name.
    pub(crate) fn require(&self, item: Uuid, key: &SecretString) -> Result<(), CliError> {
        match self.get(item)? {
            Some(kept) if kept.expose_secret() == key.expose_secret() => Ok(()),
            _ => Err(CliError::failed("a key that was just kept was not found again")),
        }
    }

    /// Keeps a key under this name, in place of a former one.
    pub(crate) fn put(&self, item: Uuid, key: &SecretString) -> Result<(), CliError> {
        match self {
            Self::System(ui) => system::put(*ui, item, key),
            Self::File(vault) => vault.put(item, key),
            Self::Kernel => kernel::put(&kernel_name(item), key, None),
        }
    }

    /// The key under this name, if there is one.
    pub(crate) fn get(&self, item: Uuid) -> Result<Option<SecretString>, CliError> {
        match self {
            Self::System(ui) => system::get(*ui, item),
            Self::File(vault) => vault.get(item),
            Self::Kernel => kernel::get(&kernel_name(item)),
        }
    }

    /// Removes what is under this name, if anything is.
    pub(crate) fn remove(&self, item: Uuid) -> Result<(), CliError> {
        match self {
            Self::System(ui) => system::remove(*ui, item),
            Self::File(vault) => vault.remove(item),
            Self::Kernel => kernel::remove(&kernel_name(item)),
        }
    }
}

fn kernel_name(item: Uuid) -> String {
    format!("kms:{item}")
}
