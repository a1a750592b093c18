//! Logging a command line in through the browser: OAuth 2.0 for one public client.
//!
//! A program sends a browser to us ([`LoginRequest`]), where a person confirms or denies
//! ([`Core::confirm_login`]); the program trades the code that comes back for a session
//! ([`Core::token`]) and refreshes it there. A device without a browser asks for a code that its
//! owner types elsewhere (`device`).

mod code;
mod device;
mod error;
mod request;
#[cfg(test)]
mod tests;

pub use device::DeviceLogin;
pub use error::OAuthError;
pub use request::{BadRequest, LONGEST_HOST, LoginRequest};

use kms_api::oauth::{CLI_CLIENT, DEVICE_GRANT, TokenRequest, TokenResponse};
use secrecy::{ExposeSecret as _, SecretString};

use crate::{Core, Origin};

impl Core {
    /// Gives a program the tokens of a session, for whatever it shows for them.
    pub async fn token(
        &self,
        body: &TokenRequest,
        origin: &Origin,
    ) -> Result<TokenResponse, OAuthError> {
        // One line for each grant, in the order of the metadata.
        match body.grant_type.as_str() {
            "authorization_code" => self.redeem_code(body, origin).await,
            "refresh_token" => self.refresh_program(body, origin).await,
            DEVICE_GRANT => self.redeem_device_code(body, origin).await,
            _ => Err(OAuthError::UnsupportedGrantType),
        }
    }

    /// The next tokens, by the rules of the cookie's route.
    async fn refresh_program(
        &self,
        body: &TokenRequest,
        origin: &Origin,
    ) -> Result<TokenResponse, OAuthError> {
        let token = secret(body.refresh_token.as_ref(), "refresh_token is missing")?;
        let client = body.client_id.as_deref().filter(|client| !client.is_empty());
        client.map(require_client).transpose()?;
        let refreshed = self.refresh(Some(token.expose_secret()), origin).await;
        let refreshed = refreshed.map_err(OAuthError::no_longer)?;
        Ok(self.token_response(refreshed.answer.token, &refreshed.refresh, None)?)
    }
}

/// A parameter that the grant needs; an empty one counts as left out (RFC 6749, section 3.2).
fn text<'b>(parameter: Option<&'b str>, missing: &'static str) -> Result<&'b str, OAuthError> {
    let given = parameter.filter(|text| !text.is_empty());
    given.ok_or(OAuthError::InvalidRequest(missing))
}

/// The same for one that nobody else may see.
fn secret<'b>(
    parameter: Option<&'b SecretString>,
    missing: &'static str,
) -> Result<&'b SecretString, OAuthError> {
    let given = parameter.filter(|text| !text.expose_secret().is_empty());
    given.ok_or(OAuthError::InvalidRequest(missing))
}

/// Refuses clients that are not the one there is.
fn require_client(client: &str) -> Result<(), OAuthError> {
    if client == CLI_CLIENT { Ok(()) } else { Err(OAuthError::InvalidClient) }
}
