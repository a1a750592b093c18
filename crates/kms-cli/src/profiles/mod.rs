//! The logins that this machine remembers.
//!
//! A *profile* is a person in an organization on a server. `config.json` lists them and holds no
//! secret; a profile's tokens are in a file of their own that is sealed to a key, and only that
//! key is in the vault (`vault`). So what the vault keeps never changes while a session
//! is refreshed, stays small, and forgetting it makes the tokens unreadable for good.

mod change;
mod choice;
mod config;
pub(crate) mod import;
mod naming;
mod sealed;
mod store;

use std::{
    cell::OnceCell,
    path::{Path, PathBuf},
};

use kms_api::{Timestamp, UserId};
use kms_client::Origin;
use secrecy::SecretString;
use uuid::Uuid;

use crate::{
    env_vars::Env,
    error::{CliError, ResultExt as _},
    offline::Copies,
    ui::Ui,
    vault::{Passphrase, Vault},
};

pub(crate) use choice::{Chosen, Refusal, Wanted, choose};
pub(crate) use config::Config;
pub use config::{Organization, Profile};
pub(crate) use store::{Failure, SessionStore};

/// A login that has just succeeded.
#[derive(Debug)]
pub struct NewSession {
    /// The server that it was made with, which is the only one that its tokens are sent to.
    pub origin: Origin,
    /// The person.
    pub user_id: UserId,
    /// The person's e-mail address, as it was logged in with.
    pub email: String,
    /// The root organization.
    pub organization: Organization,
    /// The sub-organization, where one was chosen.
    pub sub_organization: Option<Organization>,
    /// The access token for the organization.
    pub access_token: SecretString,
    /// The value of the cookie `jid`, where the server set one.
    pub refresh_token: Option<SecretString>,
}

/// Everything that is remembered on this machine.
#[derive(Debug)]
pub struct Profiles {
    /// `None` where the user has no place for files.
    folder: Option<PathBuf>,
    passphrase: Passphrase,
    /// Made once, so that it is unlocked once.
    vault: OnceCell<Vault>,
}

impl Profiles {
    /// Finds where it is kept; reads nothing yet.
    pub fn open(ui: Ui, env: &Env) -> Self {
        let passphrase = Passphrase::new(ui, env);
        Self { folder: config::folder(env), passphrase, vault: OnceCell::new() }
    }

    /// Keeps a login and makes it the current one. A login to the same server, person and
    /// organization takes the place of the former.
    pub fn remember(&self, session: NewSession) -> Result<Profile, CliError> {
        self.keep(session).context("could not keep the login")
    }

    /// Whether a login could be kept, and if not, what to do about it. Asked before a password is.
    pub fn vault_available(&self) -> Result<(), CliError> {
        self.vault()?.require_writable()
    }

    /// Servers of one's own that were logged in to, the latest first.
    pub fn remembered_domains(&self) -> Result<Vec<Origin>, CliError> {
        let domains = self.config()?.domains;
        Ok(domains.iter().rev().filter_map(|domain| domain.parse().ok()).collect())
    }

    /// Remembers a server of one's own, as the latest.
    pub fn remember_domain(&self, origin: &Origin) -> Result<(), CliError> {
        Config::change(self.folder()?, |config| {
            add_domain(config, origin);
            Ok(())
        })
    }

    /// Forgets the servers. Logins to them stay.
    pub fn clear_domains(&self) -> Result<(), CliError> {
        let Some(folder) = &self.folder else { return Ok(()) };
        if self.config()?.domains.is_empty() {
            return Ok(());
        }
        Config::change(folder, |config| {
            config.domains.clear();
            Ok(())
        })
    }

    /// What is remembered now.
    pub(crate) fn config(&self) -> Result<Config, CliError> {
        self.folder.as_deref().map_or_else(|| Ok(Config::default()), Config::read)
    }

    /// The folder of the user's files.
    pub(crate) fn folder(&self) -> Result<&Path, CliError> {
        self.folder.as_deref().ok_or_else(|| {
            CliError::failed("there is no place for your files: no home directory is known")
                .hint("set `KMS_CONFIG_DIR` to a directory of your own")
        })
    }

    /// The vault that is in use.
    pub(crate) fn vault(&self) -> Result<Vault, CliError> {
        if let Some(vault) = self.vault.get() {
            return Ok(vault.clone());
        }
        let vault = Vault::of(&self.config()?, self.folder()?, &self.passphrase);
        Ok(self.vault.get_or_init(|| vault).clone())
    }

    /// The tokens of a profile, for a client.
    pub(crate) fn store(&self, profile: &Profile) -> Result<SessionStore, CliError> {
        let folder = self.folder()?;
        Ok(SessionStore::new(folder, profile.clone(), self.vault()?))
    }

    /// The copies of what a profile has read.
    pub(crate) fn copies(&self, profile: &Profile) -> Result<Copies, CliError> {
        Ok(Copies::new(self.folder()?, profile.clone(), self.vault()?))
    }

    fn keep(&self, session: NewSession) -> Result<Profile, CliError> {
        let folder = self.folder()?;
        let config = self.config()?;
        let vault = Vault::of(&config, folder, &self.passphrase);
        let acting = session.sub_organization.as_ref().unwrap_or(&session.organization).id;
        let mut known = config.profiles.iter();
        let known = known.find(|known| known.is(&session.origin, session.user_id, acting));
        let id = known.map_or_else(Uuid::new_v4, |profile| profile.id);
        sealed::create(folder, id, &session, &vault)?;
        let profile = Config::change(folder, |config| {
            let mut profile = Profile {
                id,
                name: String::new(),
                domain: session.origin,
                user_id: session.user_id,
                email: session.email,
                organization: session.organization,
                sub_organization: session.sub_organization,
                logged_in_at: now(),
            };
            profile.name = naming::name(config, &profile);
            config.profiles.retain(|known| known.id != id);
            config.profiles.push(profile.clone());
            config.current = Some(id);
            add_domain(config, &profile.domain);
            Ok(profile)
        })?;
        // What a former login of the same name read is nothing to a new one.
        Copies::new(folder, profile.clone(), vault).wipe_if_any()?;
        Ok(profile)
    }
}

fn add_domain(config: &mut Config, origin: &Origin) {
    if origin.is_cloud() {
        return;
    }
    let text = origin.to_string();
    config.domains.retain(|known| *known != text);
    config.domains.push(text);
}

/// The time by this machine's clock.
pub(crate) fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let seconds = since.map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX));
    Timestamp::from_seconds(seconds)
}
