//! Secrets (v4).

use kms_api::{
    routes,
    secrets::{
        BatchBody, BatchResponse, CreateSecret, DeleteSecret, GetSecretQuery, ListSecretsQuery,
        ReferenceTreeResponse, SecretResponse, SecretsResponse, UpdateSecret,
    },
};
use reqwest::Method;

use crate::{Client, Error, http::path};

impl Client {
    /// Lists the secrets of a path.
    pub async fn list_secrets(&self, query: &ListSecretsQuery) -> Result<SecretsResponse, Error> {
        self.get(routes::SECRETS, query).await
    }

    /// Reads one secret.
    pub async fn get_secret(
        &self,
        name: &str,
        query: &GetSecretQuery,
    ) -> Result<SecretResponse, Error> {
        self.get(&path(routes::SECRET, &[&name])?, query).await
    }

    /// Creates a secret.
    pub async fn create_secret(
        &self,
        name: &str,
        body: &CreateSecret,
    ) -> Result<SecretResponse, Error> {
        self.send(Method::POST, &path(routes::SECRET, &[&name])?, body).await
    }

    /// Changes a secret.
    pub async fn update_secret(
        &self,
        name: &str,
        body: &UpdateSecret,
    ) -> Result<SecretResponse, Error> {
        self.send(Method::PATCH, &path(routes::SECRET, &[&name])?, body).await
    }

    /// Deletes a secret.
    pub async fn delete_secret(
        &self,
        name: &str,
        body: &DeleteSecret,
    ) -> Result<SecretResponse, Error> {
        self.send(Method::DELETE, &path(routes::SECRET, &[&name])?, body).await
    }

    /// Creates all of these secrets, or none.
    pub async fn create_secrets(&self, body: &BatchBody) -> Result<BatchResponse, Error> {
        self.send(Method::POST, routes::SECRETS_BATCH, body).await
    }

    /// Changes all of these secrets, or none; what happens to missing names is the body's `mode`.
    pub async fn update_secrets(&self, body: &BatchBody) -> Result<BatchResponse, Error> {
        self.send(Method::PATCH, routes::SECRETS_BATCH, body).await
    }

    /// Deletes all of these secrets, or none.
    pub async fn delete_secrets(&self, body: &BatchBody) -> Result<BatchResponse, Error> {
        self.send(Method::DELETE, routes::SECRETS_BATCH, body).await
    }

    /// Shows what a secret refers to, and its value with what that holds.
    pub async fn get_reference_tree(
        &self,
        name: &str,
        query: &GetSecretQuery,
    ) -> Result<ReferenceTreeResponse, Error> {
        self.get(&path(routes::SECRET_REFERENCE_TREE, &[&name])?, query).await
    }

    /// Shows what refers to a secret.
    pub async fn get_reference_dependents(
        &self,
        name: &str,
        query: &GetSecretQuery,
    ) -> Result<ReferenceTreeResponse, Error> {
        self.get(&path(routes::SECRET_DEPENDENCY_TREE, &[&name])?, query).await
    }
}
