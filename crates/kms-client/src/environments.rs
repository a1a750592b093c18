//! Environments of a project.

use kms_api::{
    environments::{CreateEnvironment, Environment, EnvironmentWritten, UpdateEnvironment},
    routes,
};
use reqwest::Method;

use crate::{Client, Error, http::path};

impl Client {
    /// Creates an environment.
    pub async fn create_environment(
        &self,
        project: &str,
        body: &CreateEnvironment,
    ) -> Result<EnvironmentWritten, Error> {
        let path = path(routes::PROJECT_ENVIRONMENTS, &[&project])?;
        self.send(Method::POST, &path, body).await
    }

    /// Reads an environment by its slug.
    pub async fn get_environment_by_slug(
        &self,
        project: &str,
        slug: &str,
    ) -> Result<Environment, Error> {
        let path = path(routes::PROJECT_ENVIRONMENT_BY_SLUG, &[&project, &slug])?;
        self.get(&path, &()).await
    }

    /// Changes an environment.
    pub async fn update_environment(
        &self,
        project: &str,
        id: &str,
        body: &UpdateEnvironment,
    ) -> Result<EnvironmentWritten, Error> {
        let path = path(routes::PROJECT_ENVIRONMENT, &[&project, &id])?;
        self.send(Method::PATCH, &path, body).await
    }

    /// Deletes an environment with everything in it.
    pub async fn delete_environment(
        &self,
        project: &str,
        id: &str,
    ) -> Result<EnvironmentWritten, Error> {
        let path = path(routes::PROJECT_ENVIRONMENT, &[&project, &id])?;
        self.call(Method::DELETE, &path).await
    }
}
