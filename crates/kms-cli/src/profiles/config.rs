//! `config.json`: who is logged in here. It holds no secret.

use std::{
    io,
    path::{Path, PathBuf},
};

use kms_api::{OrganizationId, Timestamp, UserId};
use kms_client::Origin;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

use crate::{
    error::{CliError, ResultExt as _},
    private_file,
    vault::Kind,
};

const FILE: &str = "config.json";
const LOCK: &str = "config.lock";

/// The form that this version writes.
const VERSION: u32 = 1;

/// Everything that is remembered, besides what the vault keeps.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Config {
    version: u32,
    /// The profile where nothing chooses one.
    #[serde(default)]
    pub(crate) current: Option<Uuid>,
    /// Where keys are kept.
    #[serde(default)]
    pub(crate) vault: Kind,
    /// How long the file vault stays open after its passphrase was given, in minutes.
    #[serde(default)]
    pub(crate) unlocked_minutes: u32,
    /// Servers of one's own that were logged in to, the latest last.
    #[serde(default)]
    pub(crate) domains: Vec<String>,
    /// The logins.
    #[serde(default)]
    pub(crate) profiles: Vec<Profile>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            version: VERSION,
            current: None,
            vault: Kind::default(),
            unlocked_minutes: 0,
            domains: Vec::new(),
            profiles: Vec::new(),
        }
    }
}

/// One login: a person on a server in an organization.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    /// Names its vault item and its session file.
    pub id: Uuid,
    /// What `--profile` says, unique on this machine.
    pub name: String,
    /// The server, the only one that its tokens are sent to.
    #[serde(serialize_with = "write_origin", deserialize_with = "read_origin")]
    pub domain: Origin,
    /// The person.
    pub user_id: UserId,
    /// The person's e-mail address.
    pub email: String,
    /// The root organization.
    pub organization: Organization,
    /// The sub-organization, where one was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_organization: Option<Organization>,
    /// When it was last logged in to.
    pub logged_in_at: Timestamp,
}

/// An organization as the server described it at the login.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organization {
    /// Its id.
    pub id: OrganizationId,
    /// Its name, where it was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its slug, where it was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
}

impl Organization {
    /// The best that there is to call it by.
    pub fn title(&self) -> String {
        let named = self.name.as_ref().or(self.slug.as_ref());
        named.cloned().unwrap_or_else(|| self.id.to_string())
    }
}

impl Profile {
    /// The organization that its tokens act in.
    pub fn acting(&self) -> &Organization {
        self.sub_organization.as_ref().unwrap_or(&self.organization)
    }

    /// The organization, with the sub-organization behind a slash.
    pub fn organization_title(&self) -> String {
        let root = self.organization.title();
        self.sub_organization
            .as_ref()
            .map_or(root.clone(), |sub| format!("{root} / {}", sub.title()))
    }

    /// Whether it is the login of this person in this organization of this server.
    pub(crate) fn is(&self, domain: &Origin, user: UserId, organization: OrganizationId) -> bool {
        self.domain.is_same_server(domain)
            && self.user_id == user
            && self.acting().id == organization
    }
}

impl Config {
    /// Reads it; what is not there is empty.
    pub(crate) fn read(folder: &Path) -> Result<Self, CliError> {
        let path = folder.join(FILE);
        let doing = || format!("could not read `{}`", path.display());
        let bytes = match private_file::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(CliError::from(error).context(doing())),
        };
        let config: Self = serde_json::from_slice(&bytes)
            .map_err(CliError::failed)
            .map_err(|error| error.context(doing()))?;
        if config.version > VERSION {
            let newer = CliError::failed("it was written by a later version of this program");
            return Err(newer.context(doing()));
        }
        Ok(config)
    }

    /// Changes it, alone among all processes, and writes it if the change succeeds.
    pub(crate) fn change<T>(
        folder: &Path,
        change: impl FnOnce(&mut Self) -> Result<T, CliError>,
    ) -> Result<T, CliError> {
        let path = folder.join(FILE);
        private_file::folder(folder).context(format!("could not use `{}`", folder.display()))?;
        let _alone = private_file::lock(&folder.join(LOCK))?;
        let mut config = Self::read(folder)?;
        let changed = change(&mut config)?;
        let text = serde_json::to_vec_pretty(&config).map_err(CliError::internal)?;
        private_file::replace(&path, &text)
            .context(format!("could not write `{}`", path.display()))?;
        Ok(changed)
    }

    /// The profile with this name.
    pub(crate) fn named(&self, name: &str) -> Option<&Profile> {
        self.profiles.iter().find(|profile| profile.name == name)
    }

    /// The profile where nothing chooses one.
    pub(crate) fn current(&self) -> Option<&Profile> {
        let current = self.current?;
        self.profiles.iter().find(|profile| profile.id == current)
    }
}

fn write_origin<S: Serializer>(origin: &Origin, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(origin)
}

fn read_origin<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Origin, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
}

/// Where the user's files are: `KMS_CONFIG_DIR`, else the platform's own place.
pub(crate) fn folder(env: &crate::env_vars::Env) -> Option<PathBuf> {
    use etcetera::BaseStrategy as _;
    if let Some(folder) = env.value(&crate::env_vars::CONFIG_DIR) {
        return Some(folder.into());
    }
    // A fixed environment has no home of its own, and that of this process is not its.
    let platform = env.is_process().then(etcetera::choose_base_strategy)?;
    Some(platform.ok()?.config_dir().join("kms"))
}
