//! Reading projects.

use kms_api::{
    ProjectId,
    projects::{ListProjectsQuery, Project, ProjectResponse, ProjectsResponse},
};
use kms_store::{environments, projects};

use super::{KIND, to_wire};
use crate::{Actor, Caller, Core, Error, Result};

impl Core {
    /// The projects of the caller's organization that the caller is a member of.
    pub async fn list_projects(
        &self,
        caller: &Caller,
        query: &ListProjectsQuery,
    ) -> Result<ProjectsResponse> {
        if query.r#type.as_deref().is_some_and(|kind| kind != KIND && kind != "all") {
            return Ok(ProjectsResponse { projects: Vec::new() });
        }
        let (org, principal, kind) = (caller.organization, caller.actor.id(), caller.actor.kind());
        self.verify_memberships(caller).await?;
        let rows = projects::of_principal(&self.store, org, principal, kind).await?;
        let environments = environments::of_principal(&self.store, org, principal, kind).await?;
        let of = |id: ProjectId| {
            let start = environments.partition_point(|row| row.project_id < id);
            let end = environments.partition_point(|row| row.project_id <= id);
            &environments[start..end]
        };
        Ok(ProjectsResponse { projects: rows.iter().map(|row| to_wire(row, of(row.id))).collect() })
    }

    /// A project that the caller is a member of.
    pub async fn get_project(&self, caller: &Caller, id: ProjectId) -> Result<ProjectResponse> {
        let access = self.project_access(caller, id).await?;
        let environments = environments::list(&self.store, caller.organization, id).await?;
        Ok(ProjectResponse { project: to_wire(&access.project, &environments) })
    }

    /// A project that the caller is a member of, by its slug.
    pub async fn get_project_by_slug(&self, caller: &Caller, slug: &str) -> Result<Project> {
        let id = self.project_id_of_slug(caller, slug).await?;
        Ok(self.get_project(caller, id).await?.project)
    }

    /// The id behind a slug in the caller's organization.
    pub async fn project_id_of_slug(&self, caller: &Caller, slug: &str) -> Result<ProjectId> {
        let found = projects::find_by_slug(&self.store, caller.organization, slug).await?;
        // A service token learns nothing of other projects, not even their ids (attack T1).
        let reaches = |id| !matches!(&caller.actor, Actor::Service(own) if own.project != id);
        match found {
            Some(project) if reaches(project.id) => Ok(project.id),
            _ => Err(Error::not_found(format!("Project with slug '{slug}' not found"))),
        }
    }
}
