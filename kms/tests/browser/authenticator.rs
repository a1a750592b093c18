//! A passkey's device that exists only in the browser.

use serde_json::{Value, json};

use crate::{browser::Browser, wire::Extension};

/// An authenticator inside the device (CTAP 2), with a user who is present and passkeys of its own.
pub(crate) struct Authenticator<'a> {
    browser: &'a Browser,
    id: String,
}

impl Browser {
    /// Gives the browser a device that knows its user (by a finger, a face or a PIN).
    pub(crate) fn authenticator(&self) -> Authenticator<'_> {
        let id = self.ask(Extension::post(
            "webauthn/authenticator",
            json!({
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": true,
                "hasUserVerification": true,
                "isUserConsenting": true,
                "isUserVerified": true,
            }),
        ));
        Authenticator { browser: self, id: id.as_str().unwrap().to_owned() }
    }
}

impl Authenticator<'_> {
    fn path(&self, rest: &str) -> String {
        format!("webauthn/authenticator/{}{rest}", self.id)
    }

    /// The passkeys that it holds, with their private keys and counters.
    pub(crate) fn credentials(&self) -> Vec<Value> {
        let held = self.browser.ask(Extension::get(self.path("/credentials")));
        held.as_array().unwrap().clone()
    }

    /// Puts a passkey there, as [`Self::credentials`] gave it.
    pub(crate) fn put(&self, credential: &Value) {
        self.browser.ask(Extension::post(self.path("/credential"), credential.clone()));
    }

    /// Whether it recognises its user from now on.
    pub(crate) fn recognises(&self, user: bool) {
        let body = json!({ "isUserVerified": user });
        self.browser.ask(Extension::post(self.path("/uv"), body));
    }

    /// Takes it out of the machine.
    pub(crate) fn remove(self) {
        self.browser.ask(Extension::delete(self.path("")));
    }
}
