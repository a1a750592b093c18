//! The file that a profile's tokens are sealed in.

use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
};

use age::x25519;
use kms_client::{Origin, Tokens};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{NewSession, Profile, now};
use crate::{
    error::{CliError, ResultExt as _},
    private_file,
    vault::Vault,
};

/// What is sealed: the tokens, and whose they are. The latter is compared when it is opened, so
/// that who changes `config.json` cannot have them sent elsewhere.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Content {
    domain: String,
    organization_id: Uuid,
    access_token: Zeroizing<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<Zeroizing<String>>,
    obtained_at: i64,
}

/// Makes a key, keeps it in the vault, and seals the tokens of a new login to it.
pub(super) fn create(
    folder: &Path,
    id: Uuid,
    session: &NewSession,
    vault: &Vault,
) -> Result<(), CliError> {
    let key = x25519::Identity::generate();
    let tokens = Tokens {
        access: session.access_token.clone(),
        refresh: session.refresh_token.clone(),
        obtained_at: now().seconds(),
    };
    let acting = session.sub_organization.as_ref().unwrap_or(&session.organization);
    let _alone = lock(folder, id)?;
    vault.put(id, &key.to_string())?;
    write(folder, id, &session.origin, acting.id.into(), &key, &tokens)
}

/// Holds off every other process that would write the tokens of this profile.
pub(super) fn lock(folder: &Path, id: Uuid) -> Result<private_file::Lock, CliError> {
    private_file::folder(&directory(folder))
        .context(format!("could not use `{}`", directory(folder).display()))?;
    private_file::lock(&directory(folder).join(format!("{id}.lock")))
}

/// Seals the tokens of a profile anew.
pub(super) fn replace(
    folder: &Path,
    profile: &Profile,
    key: &x25519::Identity,
    tokens: &Tokens,
) -> Result<(), CliError> {
    let acting = profile.acting().id.into();
    write(folder, profile.id, &profile.domain, acting, key, tokens)
}

fn write(
    folder: &Path,
    id: Uuid,
    origin: &Origin,
    organization: Uuid,
    key: &x25519::Identity,
    tokens: &Tokens,
) -> Result<(), CliError> {
    let text = |secret: &SecretString| Zeroizing::new(secret.expose_secret().to_owned());
    let content = Content {
        domain: origin.to_string(),
        organization_id: organization,
        access_token: text(&tokens.access),
        refresh_token: tokens.refresh.as_ref().map(text),
        obtained_at: tokens.obtained_at,
    };
    let plain = Zeroizing::new(serde_json::to_vec(&content).map_err(CliError::internal)?);
    let sealed = age::encrypt(&key.to_public(), &plain).map_err(CliError::internal)?;
    let path = path(folder, id);
    private_file::replace(&path, &sealed).context(format!("could not write `{}`", path.display()))
}

/// Opens the tokens of a profile; `None` if there are none that this key opens.
pub(super) fn open(
    folder: &Path,
    profile: &Profile,
    key: &x25519::Identity,
) -> Result<Option<Tokens>, CliError> {
    let path = path(folder, profile.id);
    let sealed = match private_file::read(&path) {
        Ok(sealed) => sealed,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            let doing = format!("could not read `{}`", path.display());
            return Err(CliError::from(error).context(doing));
        }
    };
    let Ok(plain) = age::decrypt(key, &sealed) else { return Ok(None) };
    let plain = Zeroizing::new(plain);
    let Ok(content) = serde_json::from_slice::<Content>(&plain) else { return Ok(None) };
    let same_server = content.domain.parse().is_ok_and(|o: Origin| o == profile.domain);
    if !same_server || content.organization_id != profile.acting().id.uuid() {
        return Err(CliError::denied(format!(
            "the tokens of the login `{}` are for `{}`, and for no other server or organization",
            profile.name, content.domain
        ))
        .hint("log in again: `kms login`"));
    }
    let secret = |text: &Zeroizing<String>| SecretString::from(text.as_str());
    Ok(Some(Tokens {
        access: secret(&content.access_token),
        refresh: content.refresh_token.as_ref().map(secret),
        obtained_at: content.obtained_at,
    }))
}

/// Removes the tokens of a profile.
pub(super) fn remove(folder: &Path, id: Uuid) -> Result<(), CliError> {
    for path in [path(folder, id), directory(folder).join(format!("{id}.lock"))] {
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                let doing = format!("could not remove `{}`", path.display());
                return Err(CliError::from(error).context(doing));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The profiles that there are tokens of.
pub(super) fn ids(folder: &Path) -> BTreeSet<Uuid> {
    let files = std::fs::read_dir(directory(folder)).into_iter().flatten().flatten();
    let names = files.map(|file| file.path());
    names.filter_map(|path| path.file_stem()?.to_str()?.parse().ok()).collect()
}

fn path(folder: &Path, id: Uuid) -> PathBuf {
    directory(folder).join(format!("{id}.age"))
}

fn directory(folder: &Path) -> PathBuf {
    folder.join("sessions")
}
