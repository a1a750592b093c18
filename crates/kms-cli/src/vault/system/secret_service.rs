//! The Secret Service over D-Bus: that of GNOME, KDE and others.

use std::{collections::HashMap, thread, time::Duration};

use secrecy::{ExposeSecret as _, SecretString};
use secret_service::{
    EncryptionType, Error,
    blocking::{Collection, Item, SecretService},
};
use uuid::Uuid;
use zbus::blocking::connection;
use zeroize::Zeroizing;

use super::unavailable;
use crate::{error::CliError, ui::Ui, vault::State};

pub(crate) const TITLE: &str = "the system's keyring (Secret Service)";

/// A keyring that does not answer must not hold a command up for ever.
const PATIENCE: Duration = Duration::from_secs(10);

/// Says whose items they are, to people who look at them and to our own search.
const SCHEMA: (&str, &str) = ("xdg:schema", "ai.hanzo.kms.Profile");

pub(crate) fn check() -> Result<State, CliError> {
    away(|| {
        let service = connect()?;
        let collection = service.get_default_collection().map_err(describe)?;
        let locked = collection.is_locked().map_err(describe)?;
        Ok(if locked { State::Locked } else { State::Open })
    })
}

pub(crate) fn put(ui: Ui, item: Uuid, key: &SecretString) -> Result<(), CliError> {
    away(|| {
        let service = connect()?;
        let collection = writable(&service, ui)?;
        let name = item.to_string();
        let label = format!("Hanzo KMS login {name}");
        let secret = key.expose_secret().as_bytes();
        let created = collection.create_item(&label, attributes(&name), secret, true, "text/plain");
        created.map(drop).map_err(describe)
    })
}

pub(crate) fn get(ui: Ui, item: Uuid) -> Result<Option<SecretString>, CliError> {
    read(ui, &attributes(&item.to_string()))
}

/// What another program keeps in the same keyring.
pub(crate) fn foreign(ui: Ui, service: &str, user: &str) -> Result<Option<SecretString>, CliError> {
    read(ui, &HashMap::from([("service", service), ("username", user)]))
}

fn read(ui: Ui, attributes: &HashMap<&str, &str>) -> Result<Option<SecretString>, CliError> {
    away(|| {
        let service = connect()?;
        let Some(item) = find(&service, ui, attributes)? else { return Ok(None) };
        let bytes = Zeroizing::new(item.get_secret().map_err(describe)?);
        Ok(std::str::from_utf8(&bytes).ok().map(SecretString::from))
    })
}

pub(crate) fn remove(ui: Ui, item: Uuid) -> Result<(), CliError> {
    away(|| {
        let service = connect()?;
        let name = item.to_string();
        let Some(item) = find(&service, ui, &attributes(&name))? else { return Ok(()) };
        item.delete().map_err(describe)
    })
}

fn connect<'a>() -> Result<SecretService<'a>, CliError> {
    let connection = connection::Builder::session()
        .and_then(|builder| builder.method_timeout(PATIENCE).build())
        .map_err(|error| {
            tracing::debug!(%error, "no session bus");
            unavailable("there is no session bus")
        })?;
    SecretService::connect_with_existing(EncryptionType::Dh, connection).map_err(describe)
}

fn attributes(name: &str) -> HashMap<&str, &str> {
    HashMap::from([SCHEMA, ("profile", name)])
}

/// The item with these attributes, unlocked.
fn find<'a>(
    service: &'a SecretService<'_>,
    ui: Ui,
    attributes: &HashMap<&str, &str>,
) -> Result<Option<Item<'a>>, CliError> {
    let search = || -> Result<Option<Item<'a>>, CliError> {
        let found = service.search_items(attributes.clone()).map_err(describe)?;
        Ok(found.unlocked.into_iter().chain(found.locked).next())
    };
    let mut found = search()?;
    if found.is_none() {
        // A keyring that was not opened since it started does not know what is in it.
        match service.get_default_collection() {
            Ok(collection) if collection.is_locked().map_err(describe)? => {
                unlock(ui, || collection.unlock())?;
                found = search()?;
            }
            Ok(_) | Err(Error::NoResult) => {}
            Err(error) => return Err(describe(error)),
        }
    }
    if let Some(item) = &found
        && item.is_locked().map_err(describe)?
    {
        unlock(ui, || item.unlock())?;
    }
    Ok(found)
}

/// The collection for new items: the user's own default, unlocked.
fn writable<'a>(service: &'a SecretService<'_>, ui: Ui) -> Result<Collection<'a>, CliError> {
    let collection = service.get_default_collection().map_err(describe)?;
    if collection.is_locked().map_err(describe)? {
        unlock(ui, || collection.unlock())?;
    }
    Ok(collection)
}

/// Has the keyring ask for its password, in a window of its own.
fn unlock(ui: Ui, unlock: impl FnOnce() -> Result<(), Error>) -> Result<(), CliError> {
    if !ui.interactive {
        return Err(locked(""));
    }
    ui.notice("Waiting for the system's keyring to be unlocked");
    unlock().map_err(|error| match error {
        Error::Prompt => locked(" and was not unlocked"),
        other => describe(other),
    })
}

pub(crate) fn locked(reason: &str) -> CliError {
    CliError::needs_person(format!("the system's keyring is locked{reason}"))
        .hint("unlock it, for instance by logging in to the desktop, and try again")
        .hint("`kms vault set file` keeps logins in files that a passphrase seals")
}

fn describe(error: Error) -> CliError {
    match error {
        Error::Unavailable => unavailable("no program here offers the Secret Service"),
        Error::NoResult => unavailable("it has no default collection yet"),
        Error::Locked => unavailable("it is locked"),
        Error::Zbus(error) => unavailable(dbus(&error)),
        Error::ZbusFdo(error) => unavailable(error),
        other => unavailable(other),
    }
}

/// D-Bus names its errors; the one for a missing provider is worth a sentence.
fn dbus(error: &zbus::Error) -> String {
    match error {
        zbus::Error::MethodError(name, ..)
            if name.as_str() == "org.freedesktop.DBus.Error.ServiceUnknown" =>
        {
            "no program here offers the Secret Service".into()
        }
        zbus::Error::InputOutput(error) if error.kind() == std::io::ErrorKind::TimedOut => {
            format!("it did not answer within {} seconds", PATIENCE.as_secs())
        }
        other => other.to_string(),
    }
}

/// The library waits in a runtime of its own, which must not start inside ours.
fn away<T: Send>(work: impl FnOnce() -> Result<T, CliError> + Send) -> Result<T, CliError> {
    thread::scope(|scope| scope.spawn(work).join())
        .unwrap_or_else(|_| Err(CliError::internal("the keyring's thread panicked")))
}
