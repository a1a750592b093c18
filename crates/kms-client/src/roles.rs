//! Roles of projects.

use kms_api::{
    roles::{CreateRole, ProjectRolesResponse, RoleResponse, UpdateRole},
    routes,
};
use reqwest::Method;

use crate::{Client, Error, http::path};

impl Client {
    /// Lists the roles of a project, the built-in ones first.
    pub async fn list_project_roles(&self, project: &str) -> Result<ProjectRolesResponse, Error> {
        self.get(&path(routes::PROJECT_ROLES, &[&project])?, &()).await
    }

    /// Reads a role of a project by its slug, with its rules.
    pub async fn get_project_role(&self, project: &str, slug: &str) -> Result<RoleResponse, Error> {
        self.get(&path(routes::PROJECT_ROLE_BY_SLUG, &[&project, &slug])?, &()).await
    }

    /// Makes a role of a project.
    pub async fn create_project_role(
        &self,
        project: &str,
        body: &CreateRole,
    ) -> Result<RoleResponse, Error> {
        self.send(Method::POST, &path(routes::PROJECT_ROLES, &[&project])?, body).await
    }

    /// Changes a role of a project.
    pub async fn update_project_role(
        &self,
        project: &str,
        id: &str,
        body: &UpdateRole,
    ) -> Result<RoleResponse, Error> {
        self.send(Method::PATCH, &path(routes::PROJECT_ROLE, &[&project, &id])?, body).await
    }

    /// Deletes a role of a project that no member has.
    pub async fn delete_project_role(
        &self,
        project: &str,
        id: &str,
    ) -> Result<RoleResponse, Error> {
        self.call(Method::DELETE, &path(routes::PROJECT_ROLE, &[&project, &id])?).await
    }
}
