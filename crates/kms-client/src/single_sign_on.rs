//! The identity provider of an organization.

use kms_api::{
    routes,
    single_sign_on::{OidcConfig, OidcConfigQuery, WriteOidcConfig},
};
use reqwest::Method;

use crate::{Client, Error};

impl Client {
    /// Shows the identity provider of an organization.
    pub async fn oidc_config(&self, query: &OidcConfigQuery) -> Result<OidcConfig, Error> {
        self.get(routes::OIDC_CONFIG, query).await
    }

    /// Sets up an identity provider for an organization.
    pub async fn create_oidc_config(&self, body: &WriteOidcConfig) -> Result<OidcConfig, Error> {
        self.send(Method::POST, routes::OIDC_CONFIG, body).await
    }

    /// Changes what is named of the identity provider of an organization.
    pub async fn update_oidc_config(&self, body: &WriteOidcConfig) -> Result<OidcConfig, Error> {
        self.send(Method::PATCH, routes::OIDC_CONFIG, body).await
    }
}
