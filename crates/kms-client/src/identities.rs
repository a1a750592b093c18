//! Machine identities.

use kms_api::{
    identities::{
        CreateIdentity, IdentitiesResponse, IdentityDetailsResponse, IdentityResponse,
        ListIdentitiesQuery, OrganizationIdentityResponse, UpdateIdentity,
    },
    routes,
};
use reqwest::Method;

use crate::{Client, Error, http::path};

impl Client {
    /// Lists one page of the identities of an organization.
    pub async fn list_identities(
        &self,
        query: &ListIdentitiesQuery,
    ) -> Result<IdentitiesResponse, Error> {
        self.get(routes::IDENTITIES, query).await
    }

    /// Creates an identity.
    pub async fn create_identity(&self, body: &CreateIdentity) -> Result<IdentityResponse, Error> {
        self.send(Method::POST, routes::IDENTITIES, body).await
    }

    /// Reads an identity.
    pub async fn get_identity(&self, id: &str) -> Result<OrganizationIdentityResponse, Error> {
        self.get(&path(routes::IDENTITY, &[&id])?, &()).await
    }

    /// Changes an identity.
    pub async fn update_identity(
        &self,
        id: &str,
        body: &UpdateIdentity,
    ) -> Result<IdentityResponse, Error> {
        self.send(Method::PATCH, &path(routes::IDENTITY, &[&id])?, body).await
    }

    /// Deletes an identity; its tokens end with it.
    pub async fn delete_identity(&self, id: &str) -> Result<IdentityResponse, Error> {
        self.call(Method::DELETE, &path(routes::IDENTITY, &[&id])?).await
    }

    /// Reads the identity that the token stands for.
    pub async fn identity_details(&self) -> Result<IdentityDetailsResponse, Error> {
        self.get(routes::IDENTITY_DETAILS, &()).await
    }
}
