//! The life of an access token after its login.

use kms_api::{
    auth::{LoginResponse, token::MessageResponse, token::TokenBody},
    routes,
};
use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use crate::{Client, Error};

impl Client {
    /// Renews a token. The token proves itself, so the client needs none of its own.
    pub async fn renew_token(&self, token: &SecretString) -> Result<LoginResponse, Error> {
        self.token_for(routes::TOKEN_RENEW, &body(token)).await
    }

    /// The token that a proof is good for, which is one line of visible characters: it will be
    /// printed, and must not steer the terminal (attack L11).
    pub(crate) async fn token_for(
        &self,
        route: &str,
        proof: &impl Serialize,
    ) -> Result<LoginResponse, Error> {
        let answer: LoginResponse = self.post_anonymously(route, proof).await?;
        let token = answer.access_token.as_bytes();
        if token.is_empty() || !token.iter().all(u8::is_ascii_graphic) {
            let cause = "`accessToken` is not one line of visible characters".into();
            return Err(Error::UnexpectedAnswer { origin: self.origin().clone(), cause });
        }
        Ok(answer)
    }

    /// Revokes a token, which is usually the client's own.
    pub async fn revoke_token(&self, token: &SecretString) -> Result<MessageResponse, Error> {
        self.send(Method::POST, routes::TOKEN_REVOKE, &body(token)).await
    }
}

fn body(token: &SecretString) -> TokenBody {
    TokenBody { access_token: token.expose_secret().to_owned() }
}
