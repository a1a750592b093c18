//! Files that a passphrase seals, in the format of `age`.
//!
//! `identity.age` is an age identity that the passphrase seals; items are sealed to its public
//! half, `recipient.txt`, so that keeping a login needs no passphrase. The `age` program opens
//! all of them.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    time::Duration,
};

use age::{scrypt, x25519};
use secrecy::{ExposeSecret as _, SecretString};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{Passphrase, State, kernel};
use crate::{
    error::{CliError, ResultExt as _},
    private_file,
};

/// How much unlocking costs: scrypt with 2^17 rounds, 128 MiB, half a second to a second.
const WORK_FACTOR: u8 = 17;
/// More than this is not ours and would stall the machine.
const MAX_WORK_FACTOR: u8 = 20;
/// How often a passphrase is asked for.
const TRIES: usize = 3;

/// The file vault of a configuration folder.
#[derive(Clone)]
pub(crate) struct FileVault {
    folder: PathBuf,
    unlocked_minutes: u32,
    passphrase: Passphrase,
    /// Unlocked once per run.
    opened: Arc<OnceLock<x25519::Identity>>,
}

impl fmt::Debug for FileVault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileVault").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl FileVault {
    pub(super) fn new(config: &Path, unlocked_minutes: u32, passphrase: Passphrase) -> Self {
        let opened = Arc::default();
        Self { folder: config.join("vault"), unlocked_minutes, passphrase, opened }
    }

    /// Makes the vault if there is none yet. The passphrase is chosen or typed once more, so that
    /// nothing is moved into a vault that cannot be opened.
    pub(crate) fn set_up(&self) -> Result<(), CliError> {
        if self.exists()? {
            return self.opened().map(drop);
        }
        let identity = x25519::Identity::generate();
        let sealed = seal(&identity, self.passphrase.choose()?)?;
        self.write("recipient.txt", identity.to_public().to_string().as_bytes())?;
        // What makes it a vault comes last.
        self.write("identity.age", &sealed)?;
        self.keep_unlocked(&identity);
        let _ = self.opened.set(identity);
        Ok(())
    }

    /// Whether there is one.
    fn exists(&self) -> Result<bool, CliError> {
        Ok(self.read("identity.age")?.is_some())
    }

    /// Forgets the identity that waits in the kernel.
    pub(crate) fn lock(&self) -> Result<(), CliError> {
        self.recipient()?.map_or(Ok(()), |recipient| kernel::remove(&waiting_name(&recipient)))
    }

    pub(super) fn check(&self) -> Result<State, CliError> {
        self.recipient()?.ok_or_else(missing)?;
        let open = self.passphrase.is_given() || self.waiting()?.is_some();
        Ok(if open { State::Open } else { State::Locked })
    }

    pub(super) fn put(&self, item: Uuid, key: &SecretString) -> Result<(), CliError> {
        let recipient = self.recipient()?.ok_or_else(missing)?;
        let sealed =
            age::encrypt(&recipient, key.expose_secret().as_bytes()).map_err(CliError::internal)?;
        self.write(&item_name(item), &sealed)
    }

    pub(super) fn get(&self, item: Uuid) -> Result<Option<SecretString>, CliError> {
        let Some(sealed) = self.read(&item_name(item))? else { return Ok(None) };
        let identity = self.opened()?;
        let Ok(plain) = age::decrypt(identity, &sealed) else { return Ok(None) };
        let plain = Zeroizing::new(plain);
        Ok(std::str::from_utf8(&plain).ok().map(SecretString::from))
    }

    pub(super) fn remove(&self, item: Uuid) -> Result<(), CliError> {
        let path = self.folder.join(item_name(item));
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(CliError::from(error).context(format!("could not remove `{}`", path.display())))
            }
            _ => Ok(()),
        }
    }

    fn opened(&self) -> Result<&x25519::Identity, CliError> {
        if let Some(identity) = self.opened.get() {
            return Ok(identity);
        }
        let identity = self.unlock()?;
        Ok(self.opened.get_or_init(|| identity))
    }

    /// The identity: the one that waits in the kernel, else by the passphrase.
    fn unlock(&self) -> Result<x25519::Identity, CliError> {
        if let Some(identity) = self.waiting()? {
            return Ok(identity);
        }
        let sealed = self.read("identity.age")?.ok_or_else(missing)?;
        let tries = if self.passphrase.is_given() { 1 } else { TRIES };
        for left in (0..tries).rev() {
            if let Some(identity) = open(&sealed, self.passphrase.read()?)? {
                self.require_known(&identity)?;
                self.keep_unlocked(&identity);
                return Ok(identity);
            }
            if left > 0 {
                self.passphrase.ui().warn("that is not the passphrase");
            }
        }
        Err(CliError::denied("that is not the passphrase of the file vault"))
    }

    /// Who exchanged `recipient.txt` would have had new items sealed to a key of his own.
    fn require_known(&self, identity: &x25519::Identity) -> Result<(), CliError> {
        let named = self.recipient()?.map(|recipient| recipient.to_string());
        if named == Some(identity.to_public().to_string()) {
            return Ok(());
        }
        Err(CliError::failed(format!(
            "`{}` does not belong to the vault: somebody has exchanged it",
            self.folder.join("recipient.txt").display()
        ))
        .hint("`kms reset` forgets every login here; then end the sessions on their servers"))
    }

    fn waiting(&self) -> Result<Option<x25519::Identity>, CliError> {
        if self.unlocked_minutes == 0 {
            return Ok(None);
        }
        let Some(recipient) = self.recipient()? else { return Ok(None) };
        // Where the kernel has no keyring for us, nothing waits there.
        let waiting = kernel::get(&waiting_name(&recipient)).ok().flatten();
        let identity = waiting.and_then(|text| text.expose_secret().parse().ok());
        Ok(identity.filter(|known: &x25519::Identity| {
            known.to_public().to_string() == recipient.to_string()
        }))
    }

    fn keep_unlocked(&self, identity: &x25519::Identity) {
        if self.unlocked_minutes == 0 {
            return;
        }
        let name = waiting_name(&identity.to_public());
        let lifetime = Duration::from_secs(u64::from(self.unlocked_minutes) * 60);
        if kernel::put(&name, &identity.to_string(), Some(lifetime)).is_err() {
            self.passphrase.ui().warn(
                "the file vault can't stay unlocked, as this system has no kernel keyring to use",
            );
        }
    }

    fn recipient(&self) -> Result<Option<x25519::Recipient>, CliError> {
        let Some(text) = self.read("recipient.txt")? else { return Ok(None) };
        let text = std::str::from_utf8(&text).ok().and_then(|text| text.trim().parse().ok());
        let invalid = || {
            let path = self.folder.join("recipient.txt");
            CliError::failed(format!("`{}` holds no age recipient", path.display()))
        };
        text.ok_or_else(invalid).map(Some)
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, CliError> {
        let path = self.folder.join(name);
        match private_file::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => {
                Err(CliError::from(error).context(format!("could not read `{}`", path.display())))
            }
        }
    }

    fn write(&self, name: &str, content: &[u8]) -> Result<(), CliError> {
        private_file::folder(&self.folder)
            .context(format!("could not use `{}`", self.folder.display()))?;
        let path = self.folder.join(name);
        private_file::replace(&path, content)
            .context(format!("could not write `{}`", path.display()))
    }
}

fn item_name(item: Uuid) -> String {
    format!("{item}.age")
}

fn waiting_name(recipient: &x25519::Recipient) -> String {
    format!("kms:unlocked:{recipient}")
}

fn missing() -> CliError {
    CliError::failed("there is no file vault yet").hint("make it: `kms vault set file`")
}

fn seal(identity: &x25519::Identity, passphrase: SecretString) -> Result<Vec<u8>, CliError> {
    let mut recipient = scrypt::Recipient::new(passphrase);
    recipient.set_work_factor(WORK_FACTOR);
    let text = identity.to_string();
    age::encrypt(&recipient, text.expose_secret().as_bytes()).map_err(CliError::internal)
}

/// `None` if the passphrase is wrong.
fn open(sealed: &[u8], passphrase: SecretString) -> Result<Option<x25519::Identity>, CliError> {
    let mut identity = scrypt::Identity::new(passphrase);
    identity.set_max_work_factor(MAX_WORK_FACTOR);
    let plain = match age::decrypt(&identity, sealed) {
        Ok(plain) => Zeroizing::new(plain),
        Err(age::DecryptError::DecryptionFailed | age::DecryptError::KeyDecryptionFailed) => {
            return Ok(None);
        }
        Err(error) => return Err(CliError::failed(error).context("the file vault is damaged")),
    };
    let text = std::str::from_utf8(&plain).ok().and_then(|text| text.trim().parse().ok());
    text.ok_or_else(|| CliError::failed("the file vault holds no age identity")).map(Some)
}
