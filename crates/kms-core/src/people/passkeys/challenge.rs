//! Challenges: what a device has to sign, good for five minutes, for one use and once.
//!
//! Nothing is kept of a challenge that was only asked for. It travels through the page under an
//! authentication of ours that says what it is for, in which session and until when. The one that
//! is met is written down, so that the same answer is worth nothing a second time.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use kms_crypto::RowMac;
use kms_store::{Tx, passkeys};
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use super::internal;
use crate::{Core, Result};

/// Microseconds that a challenge is good for.
const GOOD_FOR: i64 = 5 * 60 * 1_000_000;

/// What a device is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A new passkey.
    Add,
    /// Signing somebody in who has not said who they are.
    Login,
    /// A second factor, of somebody who signed in.
    Factor,
}

impl Purpose {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Login => "login",
            Self::Factor => "factor",
        }
    }
}

/// A challenge that is genuine and still good.
pub(super) struct Challenge<S> {
    /// What the library keeps of it.
    pub(super) state: S,
    name: [u8; 32],
    expires_at: i64,
}

impl Core {
    /// Makes what travels through the page; `session` is nobody's where nobody signed in.
    pub(super) fn seal_challenge(
        &self,
        purpose: Purpose,
        session: Uuid,
        state: &impl Serialize,
    ) -> Result<String> {
        let text = serde_json::to_string(state).map_err(internal)?;
        let expires_at = self.now().micros() + GOOD_FOR;
        let mut sealed = self.challenge_mac(purpose, session, expires_at, &text).finish().to_vec();
        sealed.extend(expires_at.to_be_bytes());
        sealed.extend(text.as_bytes());
        Ok(URL_SAFE_NO_PAD.encode(sealed))
    }

    /// Reads what came back; none for what is forged, of another use or session, or too old.
    pub(super) fn open_challenge<S: DeserializeOwned>(
        &self,
        purpose: Purpose,
        session: Uuid,
        sealed: &str,
    ) -> Option<Challenge<S>> {
        let sealed = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let (name, rest) = sealed.split_first_chunk::<32>()?;
        let (expires_at, text) = rest.split_first_chunk::<8>()?;
        let expires_at = i64::from_be_bytes(*expires_at);
        let text = str::from_utf8(text).ok()?;
        self.challenge_mac(purpose, session, expires_at, text).verify(name).ok()?;
        if expires_at <= self.now().micros() {
            return None;
        }
        Some(Challenge { state: serde_json::from_str(text).ok()?, name: *name, expires_at })
    }

    /// Takes a challenge, once; false when it was met before.
    pub(super) async fn meet_challenge<S>(
        &self,
        tx: &mut Tx,
        challenge: &Challenge<S>,
    ) -> Result<bool> {
        Ok(passkeys::meet(tx, &challenge.name, challenge.expires_at).await?)
    }

    fn challenge_mac(
        &self,
        purpose: Purpose,
        session: Uuid,
        expires_at: i64,
        text: &str,
    ) -> RowMac {
        let mac = self.keys.rows.mac("passkey_challenges");
        mac.text(purpose.as_str()).uuid(session).int(expires_at).text(text)
    }
}
