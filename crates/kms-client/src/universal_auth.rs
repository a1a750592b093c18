//! Universal auth of an identity and its client secrets.

use kms_api::{
    auth::universal::{
        ClearLockoutsResponse, ClientSecretResponse, ClientSecretsResponse, CreateClientSecret,
        CreateClientSecretResponse, Settings, UniversalAuthResponse,
    },
    routes,
};
use reqwest::Method;

use crate::{Client, Error, http::path};

impl Client {
    /// Attaches universal auth to an identity.
    pub async fn attach_universal_auth(
        &self,
        identity: &str,
        body: &Settings,
    ) -> Result<UniversalAuthResponse, Error> {
        self.send(Method::POST, &universal_auth(identity)?, body).await
    }

    /// Reads the universal auth of an identity.
    pub async fn get_universal_auth(&self, identity: &str) -> Result<UniversalAuthResponse, Error> {
        self.get(&universal_auth(identity)?, &()).await
    }

    /// Changes the universal auth of an identity.
    pub async fn update_universal_auth(
        &self,
        identity: &str,
        body: &Settings,
    ) -> Result<UniversalAuthResponse, Error> {
        self.send(Method::PATCH, &universal_auth(identity)?, body).await
    }

    /// Takes universal auth from an identity; its client secrets and their tokens end.
    pub async fn detach_universal_auth(
        &self,
        identity: &str,
    ) -> Result<UniversalAuthResponse, Error> {
        self.call(Method::DELETE, &universal_auth(identity)?).await
    }

    /// Ends all lockouts of an identity.
    pub async fn clear_lockouts(&self, identity: &str) -> Result<ClearLockoutsResponse, Error> {
        let path = path(routes::CLEAR_LOCKOUTS, &[&identity])?;
        self.call(Method::POST, &path).await
    }

    /// Makes a client secret; the answer is the only one that shows it.
    pub async fn create_client_secret(
        &self,
        identity: &str,
        body: &CreateClientSecret,
    ) -> Result<CreateClientSecretResponse, Error> {
        let path = path(routes::CLIENT_SECRETS, &[&identity])?;
        self.send(Method::POST, &path, body).await
    }

    /// Lists the client secrets of an identity.
    pub async fn list_client_secrets(
        &self,
        identity: &str,
    ) -> Result<ClientSecretsResponse, Error> {
        self.get(&path(routes::CLIENT_SECRETS, &[&identity])?, &()).await
    }

    /// Revokes a client secret; the tokens made with it end.
    pub async fn revoke_client_secret(
        &self,
        identity: &str,
        client_secret: &str,
    ) -> Result<ClientSecretResponse, Error> {
        let path = path(routes::CLIENT_SECRET_REVOKE, &[&identity, &client_secret])?;
        self.call(Method::POST, &path).await
    }
}

fn universal_auth(identity: &str) -> Result<String, Error> {
    path(routes::UNIVERSAL_AUTH, &[&identity])
}
