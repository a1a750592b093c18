//! Universal auth: a client id and a client secret prove themselves.

use kms_api::auth::universal::{Proof, Universal};
use secrecy::SecretString;

use super::{LoginContext, Prove};
use crate::{Client, Error};

/// A client id with one of its client secrets.
#[derive(Clone, Debug)]
pub struct UniversalAuth {
    /// The client id of the machine identity.
    pub client_id: String,
    /// One of its client secrets.
    pub client_secret: SecretString,
}

impl Prove for UniversalAuth {
    type Method = Universal;

    async fn prove(&self, context: &LoginContext, _: &Client) -> Result<Proof, Error> {
        Ok(Proof {
            client_id: self.client_id.clone(),
            client_secret: self.client_secret.clone(),
            organization_slug: context.organization_slug.clone(),
        })
    }
}
