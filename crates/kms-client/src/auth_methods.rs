//! The methods of identities that somebody outside vouches for, in one way for all of them.
//!
//! The method is the type, and decides what is sent and answered:
//!
//! ```no_run
//! # async fn example(client: kms_client::Client) -> Result<(), kms_client::Error> {
//! use kms_api::auth::{Configured as _, oidc};
//!
//! let settings = oidc::Settings {
//!     oidc_discovery_url: Some("https://token.actions.githubusercontent.com".into()),
//!     bound_issuer: Some("https://token.actions.githubusercontent.com".into()),
//!     bound_subject: Some("repo:example/shop:ref:refs/heads/main".into()),
//!     ..oidc::Settings::default()
//! };
//! let identity = "0192d0a4-8f9c-7c6e-9f0a-2f4d3a5b6c7d";
//! let answer = client.attach_auth_method::<oidc::Oidc>(identity, &settings).await?;
//! let (attached, config) = oidc::Oidc::parts(answer);
//! # let _ = (attached.access_token_ttl, config.bound_subject);
//! # Ok(())
//! # }
//! ```

use kms_api::auth::Configured;
use reqwest::Method;

use crate::{Client, Error, http::path};

impl Client {
    /// Attaches a method to an identity.
    pub async fn attach_auth_method<M: Configured>(
        &self,
        identity: &str,
        body: &M::Settings,
    ) -> Result<M::Answer, Error> {
        self.send(Method::POST, &configuration::<M>(identity)?, body).await
    }

    /// Reads a method of an identity.
    pub async fn get_auth_method<M: Configured>(&self, identity: &str) -> Result<M::Answer, Error> {
        self.get(&configuration::<M>(identity)?, &()).await
    }

    /// Changes what is given, and nothing else.
    pub async fn update_auth_method<M: Configured>(
        &self,
        identity: &str,
        body: &M::Settings,
    ) -> Result<M::Answer, Error> {
        self.send(Method::PATCH, &configuration::<M>(identity)?, body).await
    }

    /// Takes a method from an identity; the tokens that came from it end.
    pub async fn detach_auth_method<M: Configured>(
        &self,
        identity: &str,
    ) -> Result<M::Answer, Error> {
        self.call(Method::DELETE, &configuration::<M>(identity)?).await
    }
}

fn configuration<M: Configured>(identity: &str) -> Result<String, Error> {
    path(M::CONFIGURATION, &[&identity])
}
