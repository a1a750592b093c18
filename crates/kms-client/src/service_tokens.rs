//! Service tokens.

use kms_api::{
    routes,
    service_tokens::{
        CreateServiceToken, CreateServiceTokenResponse, OwnServiceToken, ServiceTokenResponse,
        ServiceTokensResponse,
    },
};
use reqwest::Method;

use crate::{Client, Error, http::path};

impl Client {
    /// Reads the service token that the client calls with.
    pub async fn own_service_token(&self) -> Result<OwnServiceToken, Error> {
        self.get(routes::SERVICE_TOKEN, &()).await
    }

    /// Makes a service token; people alone can.
    pub async fn create_service_token(
        &self,
        body: &CreateServiceToken,
    ) -> Result<CreateServiceTokenResponse, Error> {
        self.send(Method::POST, routes::SERVICE_TOKEN, body).await
    }

    /// Lists the service tokens of a project.
    pub async fn list_service_tokens(&self, project: &str) -> Result<ServiceTokensResponse, Error> {
        self.get(&path(routes::SERVICE_TOKENS, &[&project])?, &()).await
    }

    /// Ends a service token.
    pub async fn delete_service_token(&self, id: &str) -> Result<ServiceTokenResponse, Error> {
        self.call(Method::DELETE, &path(routes::SERVICE_TOKEN_BY_ID, &[&id])?).await
    }
}
