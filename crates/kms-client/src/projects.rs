//! Projects.

use kms_api::{
    projects::{
        CreateProject, ListProjectsQuery, Project, ProjectResponse, ProjectsResponse, UpdateProject,
    },
    roles::CallerPermissionsResponse,
    routes,
};
use reqwest::Method;

use crate::{Client, Error, http::path};

impl Client {
    /// Lists the projects that the caller is a member of.
    pub async fn list_projects(
        &self,
        query: &ListProjectsQuery,
    ) -> Result<ProjectsResponse, Error> {
        self.get(routes::PROJECTS, query).await
    }

    /// Creates a project; the caller becomes its administrator.
    pub async fn create_project(&self, body: &CreateProject) -> Result<ProjectResponse, Error> {
        self.send(Method::POST, routes::PROJECTS, body).await
    }

    /// Reads a project by its id.
    pub async fn get_project(&self, id: &str) -> Result<ProjectResponse, Error> {
        self.get(&path(routes::PROJECT, &[&id])?, &()).await
    }

    /// Reads a project by its slug.
    pub async fn get_project_by_slug(&self, slug: &str) -> Result<Project, Error> {
        self.get(&path(routes::PROJECT_BY_SLUG, &[&slug])?, &()).await
    }

    /// Changes a project.
    pub async fn update_project(
        &self,
        id: &str,
        body: &UpdateProject,
    ) -> Result<ProjectResponse, Error> {
        self.send(Method::PATCH, &path(routes::PROJECT, &[&id])?, body).await
    }

    /// Deletes a project with everything in it.
    pub async fn delete_project(&self, id: &str) -> Result<ProjectResponse, Error> {
        self.call(Method::DELETE, &path(routes::PROJECT, &[&id])?).await
    }

    /// Reads what the caller may do in a project.
    pub async fn project_permissions(&self, id: &str) -> Result<CallerPermissionsResponse, Error> {
        self.get(&path(routes::PROJECT_PERMISSIONS, &[&id])?, &()).await
    }
}
