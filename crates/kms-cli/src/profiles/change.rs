//! What commands about logins change.

use std::{collections::BTreeSet, fs, io, path::Path};

use kms_client::Origin;
use uuid::Uuid;

use super::{Config, Profile, Profiles, sealed};
use crate::{
    error::{CliError, ResultExt as _},
    offline::{self, Copies},
    vault::{DEFAULT_MINUTES, Kind, Vault},
};

/// What moved to another vault.
#[derive(Debug, Default)]
pub(crate) struct Moved {
    /// How many keys.
    pub(crate) logins: usize,
    /// How long the file vault stays unlocked.
    pub(crate) minutes: u32,
    /// Keys that were not there, or that could not be removed from the former vault.
    pub(crate) warnings: Vec<String>,
}

impl Profiles {
    /// Makes a profile the current one.
    pub(crate) fn make_current(&self, id: Uuid) -> Result<(), CliError> {
        Config::change(self.folder()?, |config| {
            config.current = Some(id);
            Ok(())
        })
    }

    /// Forgets a profile: its key first, which makes its tokens unreadable.
    pub(crate) fn forget(&self, profile: &Profile) -> Result<(), CliError> {
        let folder = self.folder()?;
        self.copies(profile)?.wipe()?;
        self.vault()?.remove(profile.id)?;
        sealed::remove(folder, profile.id)?;
        Config::change(folder, |config| {
            config.profiles.retain(|known| known.id != profile.id);
            if config.current == Some(profile.id) {
                config.current = None;
            }
            Ok(())
        })?;
        // What another process kept until then.
        self.copies(profile)?.wipe_if_any()
    }

    /// Binds a profile and its tokens to another address of its server.
    pub(crate) fn move_to(&self, profile: &Profile, origin: Origin) -> Result<Profile, CliError> {
        let tokens = self.store(profile)?.open()?;
        // They are bound to the address that they were read from.
        self.copies(profile)?.wipe_if_any()?;
        let moved = Profile { domain: origin, ..profile.clone() };
        Config::change(self.folder()?, |config| {
            let known = config.profiles.iter_mut().find(|known| known.id == profile.id);
            let known = known.ok_or_else(|| {
                CliError::failed(format!("the login `{}` was just removed", profile.name))
            })?;
            *known = moved.clone();
            super::add_domain(config, &moved.domain);
            // The tokens are bound to an address too, and what can't be sealed is not moved.
            self.store(&moved)?.replace(&tokens)
        })?;
        Ok(moved)
    }

    /// A vault of a kind, whether it is in use or not.
    pub(crate) fn vault_of(&self, kind: Kind) -> Result<Vault, CliError> {
        let minutes = self.config()?.unlocked_minutes;
        Ok(Vault::new(kind, minutes, self.folder()?, &self.passphrase))
    }

    /// Keeps the keys in another vault from now on. They are copied and read back first, then the
    /// other vault is in use, and only then the former copies go: what fails leaves all as it was.
    pub(crate) fn set_vault(&self, kind: Kind, minutes: Option<u32>) -> Result<Moved, CliError> {
        let folder = self.folder()?;
        let config = self.config()?;
        let former = (config.vault == Kind::File).then_some(config.unlocked_minutes);
        let minutes = match kind {
            Kind::File => minutes.or(former).unwrap_or(DEFAULT_MINUTES),
            _ => 0,
        };
        let old = Vault::of(&config, folder, &self.passphrase);
        let new = Vault::new(kind, minutes, folder, &self.passphrase);
        new.set_up().context(format!("could not make the vault `{}`", kind.name()))?;
        let (mut moved, mut lost) = (Vec::new(), Vec::new());
        Config::change(folder, |config| {
            if config.vault != kind {
                (moved, lost) = copy(&config.profiles, &old, &new)
                    .context("nothing was moved, and the former vault stays in use")?;
            }
            config.vault = kind;
            config.unlocked_minutes = minutes;
            Ok(())
        })?;
        // Copies do not move: their keys stay nowhere.
        let kept = moved.iter().filter_map(|profile| {
            let copies = Copies::new(folder, profile.clone(), old.clone());
            let error = copies.wipe_if_any().err()?;
            let causes: Vec<_> = error.chain().collect();
            Some(format!("an offline copy may be left: {}", causes.join(": ")))
        });
        let kept: Vec<_> = kept.collect();
        let left_behind = moved.iter().filter_map(|profile| {
            let error = old.remove(profile.id).err()?;
            let causes: Vec<_> = error.chain().collect();
            let name = &profile.name;
            Some(format!("a copy of the key of `{name}` stayed behind: {}", causes.join(": ")))
        });
        let lost = lost.iter().map(|name| format!("the key of `{name}` was not there to move"));
        Ok(Moved {
            logins: moved.len(),
            minutes,
            warnings: kept.into_iter().chain(left_behind).chain(lost).collect(),
        })
    }

    /// Asks for the passphrase of the file vault again.
    pub(crate) fn lock_vault(&self) -> Result<(), CliError> {
        match self.vault_of(Kind::File)? {
            Vault::File(vault) => vault.lock(),
            _ => Ok(()),
        }
    }

    /// Forgets everything. Returns what could not be removed from a keyring.
    pub(crate) fn reset(&self) -> Result<Vec<String>, CliError> {
        let folder = self.folder()?;
        // One that can't be read is a reason to reset, not one not to.
        let config = self.config().unwrap_or_default();
        let mut ids: BTreeSet<Uuid> = sealed::ids(folder);
        ids.extend(config.profiles.iter().map(|profile| profile.id));
        ids.extend(offline::logins(folder));
        let vault = Vault::of(&config, folder, &self.passphrase);
        let left = ids.iter().filter_map(|id| {
            let copies = vault.remove(offline::item(*id));
            let error = vault.remove(*id).and(copies).err()?;
            let causes: Vec<_> = error.chain().collect();
            Some(format!("the key {id} stays in the vault, of no use: {}", causes.join(": ")))
        });
        let left = left.collect();
        if let Err(error) = self.lock_vault() {
            tracing::debug!(?error, "the file vault was not locked");
        }
        for name in ["sessions", "vault", "cache"] {
            let path = folder.join(name);
            removed(fs::remove_dir_all(&path), &path)?;
        }
        for name in ["config.json", "config.lock"] {
            let path = folder.join(name);
            removed(fs::remove_file(&path), &path)?;
        }
        Ok(left)
    }
}

/// Copies the keys that are there, and reads each back; names those that are not. If one fails,
/// none is left in the new.
fn copy(
    profiles: &[Profile],
    old: &Vault,
    new: &Vault,
) -> Result<(Vec<Profile>, Vec<String>), CliError> {
    let (mut copied, mut lost) = (Vec::new(), Vec::new());
    let result = profiles.iter().try_for_each(|profile| {
        let Some(key) = old.get(profile.id)? else {
            lost.push(profile.name.clone());
            return Ok(());
        };
        copied.push(profile.clone());
        new.put(profile.id, &key)?;
        new.require(profile.id, &key)
    });
    match result {
        Ok(()) => Ok((copied, lost)),
        Err(error) => {
            for profile in &copied {
                // The first error is the one to report; a copy of a key harms nobody.
                let _ = new.remove(profile.id);
            }
            Err(error)
        }
    }
}

/// What was not there is removed, too.
fn removed(result: io::Result<()>, path: &Path) -> Result<(), CliError> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(CliError::from(error).context(format!("could not remove `{}`", path.display())))
        }
        _ => Ok(()),
    }
}
