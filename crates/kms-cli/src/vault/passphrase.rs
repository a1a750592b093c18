//! The passphrase of the file vault: from the environment, a file, or whoever is there.

use std::{fmt, path::PathBuf};

use inquire::{InquireError, Password, PasswordDisplayMode};
use secrecy::{ExposeSecret as _, SecretString};

use crate::{
    credential,
    env_vars::{self, Env},
    error::{CliError, Kind},
    ui::Ui,
};

/// What shells report for a program that an interrupt ended.
const INTERRUPTED: u8 = 128 + 2;

/// Where the passphrase comes from, and whom it can be asked of.
#[derive(Clone)]
pub(crate) struct Passphrase {
    ui: Ui,
    given: Option<SecretString>,
    file: Option<PathBuf>,
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passphrase").field("given", &self.is_given()).finish_non_exhaustive()
    }
}

impl Passphrase {
    pub(crate) fn new(ui: Ui, env: &Env) -> Self {
        Self {
            ui,
            given: env.value(&env_vars::VAULT_FILE_PASSPHRASE).map(SecretString::from),
            file: env.value(&env_vars::VAULT_FILE_PASSPHRASE_FILE).map(PathBuf::from),
        }
    }

    pub(crate) fn ui(&self) -> Ui {
        self.ui
    }

    /// Whether nobody has to be asked.
    pub(super) fn is_given(&self) -> bool {
        self.given.is_some() || self.file.is_some()
    }

    /// The passphrase of the vault that is there.
    pub(crate) fn read(&self) -> Result<SecretString, CliError> {
        if let Some(known) = self.known()? {
            return Ok(known);
        }
        self.require_person("the file vault is locked")?;
        ask("Passphrase of the file vault:")
    }

    /// The passphrase of a new vault, typed twice where it is typed.
    pub(super) fn choose(&self) -> Result<SecretString, CliError> {
        if let Some(known) = self.known()? {
            return Ok(known);
        }
        self.require_person("a file vault needs a passphrase")?;
        let first = ask("New passphrase of the file vault:")?;
        if first.expose_secret().is_empty() {
            return Err(CliError::usage("the passphrase is empty"));
        }
        let second = ask("The same passphrase again:")?;
        if first.expose_secret() == second.expose_secret() {
            Ok(first)
        } else {
            Err(CliError::usage("the two passphrases differ"))
        }
    }

    fn known(&self) -> Result<Option<SecretString>, CliError> {
        match (&self.given, &self.file) {
            (Some(given), _) => Ok(Some(given.clone())),
            (None, Some(file)) => credential::from_file("passphrase", file).map(Some),
            (None, None) => Ok(None),
        }
    }

    fn require_person(&self, what: &str) -> Result<(), CliError> {
        if self.ui.interactive {
            return Ok(());
        }
        Err(CliError::needs_person(format!("{what}, and nobody is there to type it")).hint(
            format!(
                "set {} or `{}`",
                env_vars::VAULT_FILE_PASSPHRASE.display(),
                env_vars::VAULT_FILE_PASSPHRASE_FILE.names[0],
            ),
        ))
    }
}

/// Asks for a passphrase, which does not show. It is asked for wherever a key is first needed,
/// which is inside of other work, so it does not go through the runtime.
fn ask(question: &str) -> Result<SecretString, CliError> {
    let prompt = Password::new(question).with_display_mode(PasswordDisplayMode::Hidden);
    match prompt.without_confirmation().prompt() {
        Ok(typed) => Ok(typed.into()),
        Err(InquireError::OperationCanceled) => Err(CliError::needs_person("cancelled")),
        Err(InquireError::OperationInterrupted) => {
            Err(CliError::new(Kind::Exit(INTERRUPTED), "interrupted"))
        }
        Err(InquireError::IO(error)) => Err(error.into()),
        Err(other) => Err(CliError::internal(other)),
    }
}
