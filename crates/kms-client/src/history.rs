//! What secrets were, and secrets that go elsewhere.

use kms_api::{
    SecretId,
    history::{RollbackSecret, SecretsAtQuery},
    routes,
    secrets::{
        BatchResponse, ListVersionsQuery, SecretResponse, SecretVersionsResponse, SecretsResponse,
    },
    transfers::{DuplicateSecrets, MoveResponse, MoveSecrets},
};
use reqwest::Method;

use crate::{Client, Error, http::path};

impl Client {
    /// Lists the versions of a secret, newest first.
    pub async fn list_secret_versions(
        &self,
        secret: SecretId,
        query: &ListVersionsQuery,
    ) -> Result<SecretVersionsResponse, Error> {
        self.get(&path(routes::SECRET_VERSIONS, &[&secret])?, query).await
    }

    /// Takes a secret back to one of its versions, in a new one.
    pub async fn roll_secret_back(
        &self,
        secret: SecretId,
        body: &RollbackSecret,
    ) -> Result<SecretResponse, Error> {
        self.send(Method::POST, &path(routes::SECRET_ROLLBACK, &[&secret])?, body).await
    }

    /// Lists the secrets of a path as they were.
    pub async fn list_secrets_at(&self, query: &SecretsAtQuery) -> Result<SecretsResponse, Error> {
        self.get(routes::SECRETS_AT, query).await
    }

    /// Moves all of these secrets to another folder, or none.
    pub async fn move_secrets(&self, body: &MoveSecrets) -> Result<MoveResponse, Error> {
        self.send(Method::POST, routes::SECRETS_MOVE, body).await
    }

    /// Copies secrets or a folder to another folder, all or none.
    pub async fn duplicate_secrets(&self, body: &DuplicateSecrets) -> Result<BatchResponse, Error> {
        self.send(Method::POST, routes::SECRETS_DUPLICATE, body).await
    }
}
