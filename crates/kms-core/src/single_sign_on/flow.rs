//! What the browser keeps of a sign-in while it is at the provider, and what comes back.
//!
//! No row is written for a sign-in that has only begun: what binds the answer to the browser is in
//! a cookie, sealed under the organization's key (attack H7).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use kms_api::{OrganizationId, UserId};
use kms_auth::sso::Started;
use kms_crypto::Note;
use kms_store::organizations::{self, OrganizationRow};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use uuid::Uuid;

use super::failed;
use crate::{Core, Error, Page, Result};

/// Seconds that a sign-in may take.
pub(super) const TAKES: i64 = 600;
/// Bytes of a UUID.
const ID: usize = 16;

/// A browser on its way to a provider.
pub struct SentToProvider {
    /// Where to.
    pub location: String,
    /// The host there, for people.
    pub host: String,
    /// The organization, for people.
    pub organization: String,
    /// Names the sign-in among others of the same browser.
    pub state: SecretString,
    /// What the browser keeps until it comes back.
    pub kept: SecretString,
    /// Seconds that it keeps it.
    pub seconds: i64,
}

/// What a provider sends a browser back with.
pub struct ProviderAnswer {
    /// What the browser was sent away with.
    pub state: String,
    /// The code; none where the provider refused.
    pub code: Option<SecretString>,
    /// Who the answer says that it is from.
    pub issuer: Option<String>,
}

/// What a sign-in leads to.
pub enum SsoOutcome {
    /// The browser is signed in.
    SignedIn {
        /// Its sign-in.
        page: Page,
        /// Where it was going.
        target: String,
    },
    /// There is an account of this address that the provider was not connected with yet; its owner
    /// has to show that it is theirs.
    Connect {
        /// What the browser keeps until then.
        kept: SecretString,
        /// Seconds that it keeps it.
        seconds: i64,
    },
}

/// A sign-in that has begun.
#[derive(Serialize, Deserialize)]
pub(super) struct Begun {
    pub(super) state: String,
    pub(super) nonce: String,
    pub(super) verifier: String,
    pub(super) target: String,
    /// Unix seconds.
    pub(super) at: i64,
}

/// What a provider said, waiting for the owner of the account.
#[derive(Serialize, Deserialize)]
pub(super) struct Waiting {
    pub(super) issuer: String,
    pub(super) subject: String,
    pub(super) user: UserId,
    pub(super) target: String,
    /// Unix seconds.
    pub(super) at: i64,
}

/// What is sealed, in one of two kinds that never open as each other.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub(super) enum Kept {
    Begun(Begun),
    Waiting(Waiting),
}

impl Begun {
    /// As the provider is asked with it.
    pub(super) fn started(&self, redirect: String) -> Started {
        Started {
            state: self.state.as_str().into(),
            nonce: self.nonce.as_str().into(),
            verifier: self.verifier.as_str().into(),
            redirect,
        }
    }
}

impl Core {
    /// Seals what a browser keeps; the organization's id stands before it, to know the key by.
    pub(super) fn keep(&self, root: &OrganizationRow, kept: &Kept) -> Result<SecretString> {
        let text = serde_json::to_vec(kept).map_err(|error| Error::Internal(Box::new(error)))?;
        let key = self.keys.of_organization(root)?;
        let id = root.id.uuid();
        let sealed = Note::SignIn.seal(&key, id, &text, self.entropy())?;
        let bytes = [id.as_bytes().as_slice(), &sealed].concat();
        Ok(URL_SAFE_NO_PAD.encode(bytes).into())
    }

    /// What a browser kept, and for which organization.
    pub(super) async fn kept(
        &self,
        kept: Option<&SecretString>,
    ) -> Result<(OrganizationRow, Kept)> {
        let bytes = kept.and_then(|kept| URL_SAFE_NO_PAD.decode(kept.expose_secret()).ok());
        let bytes = bytes.ok_or_else(not_begun)?;
        let (id, sealed) = bytes.split_at_checked(ID).ok_or_else(not_begun)?;
        let id = Uuid::from_slice(id).map_err(|_| not_begun())?;
        let root = organizations::find(&self.store, OrganizationId::from(id)).await?;
        let root = root.ok_or_else(not_begun)?;
        self.require_genuine_organization(&root)?;
        let key = self.keys.of_organization(&root)?;
        let text = Note::SignIn.open(&key, id, sealed).map_err(|_| not_begun())?;
        Ok((root, read(&text)?))
    }

    /// Refuses what was kept for too long.
    pub(super) fn require_fresh(&self, at: i64) -> Result<()> {
        if (0..TAKES).contains(&(self.now().seconds() - at)) { Ok(()) } else { Err(not_begun()) }
    }
}

fn read<T: DeserializeOwned>(text: &[u8]) -> Result<T> {
    serde_json::from_slice(text).map_err(|_| not_begun())
}

/// One text for whatever is wrong with what a browser kept, or did not.
pub(super) fn not_begun() -> Error {
    failed("This sign-in was not begun in this browser, or took too long. Start again")
}
