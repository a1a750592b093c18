//! JWT: a token that somebody has signed proves itself.

use kms_api::{
    IdentityId,
    auth::{JwtProof, jwt},
};
use secrecy::{ExposeSecret as _, SecretString};

use super::{LoginContext, Prove, vendor};
use crate::{Client, Error};

/// A token of an issuer that the identity trusts.
#[derive(Clone, Debug)]
pub struct Jwt {
    /// The machine identity.
    pub identity: IdentityId,
    /// The token; white space around it does not count.
    pub token: SecretString,
}

impl Prove for Jwt {
    type Method = jwt::Jwt;

    async fn prove(&self, context: &LoginContext, _: &Client) -> Result<JwtProof, Error> {
        let jwt = vendor::token("the JWT", self.token.expose_secret())?;
        Ok(context.jwt_proof(self.identity, jwt))
    }
}
