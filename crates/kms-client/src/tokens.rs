//! The life of an access token after its login.

use kms_api::{
    auth::{LoginResponse, token::MessageResponse, token::TokenBody},
    routes,
};
use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};

use crate::{Client, Error};

impl Client {
    /// Renews a token. The token proves itself, so the client needs none of its own.
    pub async fn renew_token(&self, token: &SecretString) -> Result<LoginResponse, Error> {
        self.post_anonymously(routes::TOKEN_RENEW, &body(token)).await
    }

    /// Revokes a token, which is usually the client's own.
    pub async fn revoke_token(&self, token: &SecretString) -> Result<MessageResponse, Error> {
        self.send(Method::POST, routes::TOKEN_REVOKE, &body(token)).await
    }
}

fn body(token: &SecretString) -> TokenBody {
    TokenBody { access_token: token.expose_secret().to_owned() }
}
