//! Passkeys: what a device signs with once it has recognised its user, so that it is both factors.
//!
//! A device is asked with a challenge ([`challenge`]), answers by the browser, and its answer is
//! checked against what is kept of the passkey ([`meet`]): the challenge, this server's name and
//! origin, that the user was recognised, the signature, the counter. Passkeys are added, renamed
//! and removed in [`keep`].
//!
//! Name and origin come from the public URL that the server was configured with, never from a
//! request: whoever sets a `Host` header decides nothing.

mod challenge;
mod keep;
mod meet;

use std::time::Duration;

use kms_api::{PasskeyId, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};
use webauthn_rs::prelude::{Url, Webauthn, WebauthnBuilder};

use crate::{Core, Error, Result};

/// What devices show beside the name of the server.
const TITLE: &str = "Hanzo KMS";
/// How long a device may take to answer.
const PATIENCE: Duration = Duration::from_mins(5);

/// What a browser asks a device for.
pub struct PasskeyRequest {
    /// The options of `navigator.credentials.create` or `.get`, in the JSON form of Web
    /// Authentication, level 3.
    pub options: String,
    /// What the answer brings back unchanged.
    pub state: String,
}

/// What a browser brings back.
pub struct PasskeyAnswer<'a> {
    /// The state of the [`PasskeyRequest`].
    pub state: &'a str,
    /// What the device answered, in the JSON form of Web Authentication, level 3.
    pub response: &'a str,
}

/// A passkey, as its owner sees it.
#[derive(Clone, Debug)]
pub struct Passkey {
    /// Its id.
    pub id: PasskeyId,
    /// Its owner's word for it.
    pub name: String,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was used last, if ever.
    pub last_used_at: Option<Timestamp>,
}

impl Core {
    /// Whether passkeys work on a server at this address: browsers want a name, and HTTPS unless
    /// the name is this machine's own.
    pub fn passkeys_work(site: &str) -> bool {
        relying_party(site).is_some()
    }
}

/// The server as devices know it, by its public URL.
fn relying_party(site: &str) -> Option<Webauthn> {
    let origin = Url::parse(site).ok()?;
    let name = origin.domain()?;
    let is_here = name == "localhost" || name.ends_with(".localhost");
    if origin.scheme() != "https" && !is_here {
        return None;
    }
    let builder = WebauthnBuilder::new(name, &origin).ok()?;
    builder.rp_name(TITLE).timeout(PATIENCE).build().ok()
}

fn require_relying_party(site: &str) -> Result<Webauthn> {
    relying_party(site).ok_or_else(|| {
        Error::bad_request(
            "Passkeys need an address that browsers trust: a name with HTTPS, not a number. \
             Whoever runs this server can set one with `--public-url`",
        )
    })
}

/// The options for the browser, with what is set beyond the library's choice.
fn options(request: &impl Serialize, more: &[(&str, Value)]) -> Result<String> {
    let mut request = serde_json::to_value(request).map_err(internal)?;
    let mut options = request["publicKey"].take();
    for (pointer, value) in more {
        let (parent, name) = pointer.rsplit_once('/').unwrap_or_default();
        if let Some(parent) = options.pointer_mut(parent) {
            parent[name] = value.clone();
        }
    }
    Ok(options.to_string())
}

/// Devices keep a passkey by themselves, so that nobody has to say who they are first.
fn kept_by_the_device() -> [(&'static str, Value); 2] {
    [
        ("/authenticatorSelection/residentKey", json!("required")),
        ("/authenticatorSelection/requireResidentKey", json!(true)),
    ]
}

fn internal(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Internal(Box::new(error))
}
