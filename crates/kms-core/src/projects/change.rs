//! Changing and removing projects.

use kms_api::{
    ProjectId,
    projects::{ProjectResponse, UpdateProject},
};
use kms_store::{
    StoreError, environments,
    projects::{self, ProjectRow},
};

use super::{MAX_DESCRIPTION, MAX_NAME, slug_taken, to_wire};
use crate::{
    Caller, Core, Error, Result,
    access::{Action, Attributes, Subject},
    audit::Event,
    text,
};

impl Core {
    /// Changes what is given of a project's settings.
    pub async fn update_project(
        &self,
        caller: &Caller,
        id: ProjectId,
        body: &UpdateProject,
    ) -> Result<ProjectResponse> {
        let access = self.project_access(caller, id).await?;
        access.require(Action::Edit, Subject::Settings, &Attributes::default())?;
        let mut tx = self.store.begin().await?;
        let found = projects::lock(&mut tx, caller.organization, id).await?;
        let row = projects::find(&mut tx, caller.organization, id).await?.filter(|_| found);
        let mut row = row.ok_or_else(|| not_found(id))?;
        apply(&mut row, body)?;
        row.updated_at = self.now().micros();
        match projects::update(&mut tx, &row).await {
            Err(StoreError::Duplicate) => return Err(slug_taken()),
            other => other?,
        };
        let environments = environments::list(&mut tx, caller.organization, id).await?;
        self.touches_rights(&mut tx);
        let event = Event::new("update-project")
            .project(id)
            .details([("projectId", id.to_string().into()), ("name", row.name.clone().into())]);
        tx.audit(self.record(caller, &event));
        tx.commit().await?;
        Ok(ProjectResponse { project: to_wire(&row, &environments) })
    }

    /// Removes a project with everything in it; its key goes first, so that no copy of what was
    /// sealed under it can be opened again (attack K7).
    pub async fn delete_project(&self, caller: &Caller, id: ProjectId) -> Result<ProjectResponse> {
        let access = self.project_access(caller, id).await?;
        access.require(Action::Delete, Subject::Project, &Attributes::default())?;
        let mut tx = self.store.begin().await?;
        let found = projects::lock(&mut tx, caller.organization, id).await?;
        let row = projects::find(&mut tx, caller.organization, id).await?.filter(|_| found);
        let row = row.ok_or_else(|| not_found(id))?;
        if row.has_delete_protection {
            return Err(Error::forbidden("Project delete protection is enabled"));
        }
        let environments = environments::list(&mut tx, caller.organization, id).await?;
        projects::delete(&mut tx, caller.organization, id).await?;
        self.touches_rights(&mut tx);
        self.touches_project(&mut tx, id);
        let core = self.clone();
        tx.on_commit(move || core.keys.forget(id.uuid()));
        let event = Event::new("delete-project")
            .project(id)
            .details([("projectId", id.to_string().into()), ("name", row.name.clone().into())]);
        tx.audit(self.record(caller, &event));
        tx.commit().await?;
        Ok(ProjectResponse { project: to_wire(&row, &environments) })
    }
}

fn not_found(id: ProjectId) -> Error {
    Error::not_found(format!("Project with ID '{id}' not found"))
}

fn apply(row: &mut ProjectRow, body: &UpdateProject) -> Result<()> {
    if let Some(name) = &body.name {
        row.name = text::name("name", name, MAX_NAME)?;
    }
    if let Some(description) = &body.description {
        text::note("description", description, MAX_DESCRIPTION)?;
        row.description = Some(description.clone());
    }
    if let Some(slug) = &body.slug {
        row.slug = changed_slug(slug)?;
    }
    if let Some(limit) = body.pit_version_limit {
        row.pit_version_limit = text::within("pitVersionLimit", limit, 1, 100)?;
    }
    row.auto_capitalization = body.auto_capitalization.unwrap_or(row.auto_capitalization);
    row.has_delete_protection = body.has_delete_protection.unwrap_or(row.has_delete_protection);
    row.secret_sharing = body.secret_sharing.unwrap_or(row.secret_sharing);
    Ok(())
}

/// A project's slug as a change may give it: parts of lower-case letters and digits with one
/// hyphen or underscore between them (wire contract, projects).
fn changed_slug(slug: &str) -> Result<String> {
    text::slug("slug", &slug.trim().replace('_', "-"), 1, 64)?;
    Ok(slug.trim().to_owned())
}
