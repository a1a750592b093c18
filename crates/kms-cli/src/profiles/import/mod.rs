//! The logins of the compatible CLI, read and never written.

mod jwe;

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use kms_client::{Claims, Origin};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{NewSession, Organization, now};
use crate::{
    Context,
    error::{CliError, ResultExt as _},
    vault::{self, Passphrase},
};

/// What the compatible CLI calls itself in a keyring.
const SERVICE: &str = "infisical-cli";
/// Where it goes when nothing says otherwise.
const DEFAULT_DOMAIN: &str = "https://app.infisical.com";
const MAX_BYTES: u64 = 1024 * 1024;

/// Its configuration, as far as it is about logins.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Config {
    logged_in_user_email: String,
    #[serde(rename = "LoggedInUserDomain")]
    logged_in_user_domain: String,
    logged_in_users: Vec<User>,
    vault_backend_type: String,
    vault_backend_passphrase: Option<SecretString>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
struct User {
    email: String,
    domain: String,
}

/// What it keeps of a login.
#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "JTWToken")]
    token: SecretString,
    #[serde(rename = "RefreshToken", default)]
    refresh_token: Option<SecretString>,
}

/// Reads its logins; in place of one that can't be taken over, why not.
pub(crate) fn read(
    home: Option<&Path>,
    context: &Context,
) -> Result<Vec<Result<NewSession, String>>, CliError> {
    let home = match home {
        Some(home) => home.to_owned(),
        None => etcetera::home_dir().map_err(CliError::failed)?,
    };
    let path = home.join(".infisical/infisical-config.json");
    let doing = format!("could not read `{}`", path.display());
    let text = match content(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(CliError::failed(format!("there is no `{}`", path.display()))
                .hint("`--from DIRECTORY` names another home directory"));
        }
        other => other.context(doing.clone())?,
    };
    let config: Config = serde_json::from_slice(&text).map_err(CliError::failed).context(doing)?;
    let source = Source::of(&config, &home, context);
    let logins = users(&config).into_iter().map(|user| {
        let title = format!("{} on {}", user.email, user.domain);
        let entry = source.entry(&user.email).map_err(|error| {
            let causes: Vec<_> = error.chain().collect();
            format!("{title}: {}", causes.join(": "))
        })?;
        let entry = entry.ok_or_else(|| format!("{title}: its tokens were not found"))?;
        session(&user, entry).map_err(|reason| format!("{title}: {reason}"))
    });
    Ok(logins.collect())
}

fn users(config: &Config) -> Vec<User> {
    let active = User {
        email: config.logged_in_user_email.clone(),
        domain: config.logged_in_user_domain.clone(),
    };
    let mut users = config.logged_in_users.clone();
    // The active one comes last and so ends up as the current one.
    users.retain(|user| user.email != active.email && !user.email.is_empty());
    if !active.email.is_empty() {
        users.push(active);
    }
    for user in &mut users {
        if user.domain.is_empty() {
            DEFAULT_DOMAIN.clone_into(&mut user.domain);
        }
    }
    users
}

fn session(user: &User, entry: Entry) -> Result<NewSession, String> {
    let origin: Origin = user.domain.parse().map_err(|error| format!("{error}"))?;
    let claims = Claims::of(&entry.token).ok_or("its token is none of a person")?;
    let user_id = claims.user_id.ok_or("its token is none of a person")?;
    let organization = claims.organization_id.ok_or("no organization was chosen yet")?;
    if claims.exp.is_none_or(|end| end <= now().seconds()) {
        return Err("its token has ended; log in again".to_owned());
    }
    let unnamed = |id| Organization { id, name: None, slug: None };
    Ok(NewSession {
        origin,
        user_id,
        email: user.email.clone(),
        organization: unnamed(organization),
        sub_organization: claims.sub_organization_id.map(unnamed),
        access_token: entry.token,
        refresh_token: entry.refresh_token.filter(|token| !token.expose_secret().is_empty()),
    })
}

/// Where it keeps tokens.
enum Source<'a> {
    Keyring(&'a Context),
    Files { folder: PathBuf, kept: Option<SecretString>, passphrase: Passphrase },
}

impl<'a> Source<'a> {
    fn of(config: &Config, home: &Path, context: &'a Context) -> Self {
        if config.vault_backend_type != "file" {
            return Self::Keyring(context);
        }
        let encoded = config.vault_backend_passphrase.as_ref();
        let kept = encoded.and_then(|text| STANDARD.decode(text.expose_secret().trim()).ok());
        let kept = kept.and_then(|bytes| String::from_utf8(bytes).ok()).map(SecretString::from);
        let passphrase = Passphrase::new(context.ui, &context.settings.env);
        Self::Files { folder: home.join("infisical-keyring"), kept, passphrase }
    }

    fn entry(&self, email: &str) -> Result<Option<Entry>, CliError> {
        let text = match self {
            Self::Keyring(context) => vault::foreign(context.ui, SERVICE, email)?,
            Self::Files { folder, kept, passphrase } => {
                let name = email.replace('%', "%25").replace('/', "%2F");
                let sealed = match content(&folder.join(name)) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                    other => other?,
                };
                let passphrase = match kept {
                    Some(kept) => kept.clone(),
                    None => passphrase.read()?,
                };
                let plain = jwe::open(&sealed, &passphrase).map_err(CliError::failed)?;
                // The text was written as a JSON string.
                let text: Zeroizing<String> =
                    serde_json::from_slice(&plain).map_err(|_| unknown_form())?;
                Some(SecretString::from(text.as_str()))
            }
        };
        let Some(text) = text else { return Ok(None) };
        // The error of a failed conversion could quote the token.
        serde_json::from_str(text.expose_secret()).map(Some).map_err(|_| unknown_form())
    }
}

fn unknown_form() -> CliError {
    CliError::failed("its tokens are kept in an unknown form")
}

fn content(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::new());
    File::open(path)?.take(MAX_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}
