//! Environments of projects.

use kms_api::{
    EnvironmentId, OrganizationId, ProjectId, Timestamp,
    environments::{
        CreateEnvironment, Environment, EnvironmentResponse, EnvironmentWritten, UpdateEnvironment,
    },
};
use kms_store::{
    StoreError, Tx,
    environments::{self, EnvironmentRow},
    folders, projects,
};

use crate::{
    Caller, Core, Error, Result,
    access::{Action, Attributes, ProjectAccess, Renamed, Subject},
    audit::Event,
    text,
};

/// How many environments a project may have.
const MAX_ENVIRONMENTS: usize = 100;
/// The longest name and slug, in characters.
const MAX_NAME: usize = 64;

impl Core {
    /// Adds an environment with its root folder to a project.
    pub async fn create_environment(
        &self,
        caller: &Caller,
        project: ProjectId,
        body: &CreateEnvironment,
    ) -> Result<EnvironmentWritten> {
        self.environments_access(caller, project, Action::Create).await?;
        let name = text::name("name", &body.name, MAX_NAME)?;
        let slug = text::slug("slug", &body.slug, 1, MAX_NAME)?;
        let (mut tx, existing) = self.begin_reordering(caller, project).await?;
        if existing.len() >= MAX_ENVIRONMENTS {
            let message = format!("A project has at most {MAX_ENVIRONMENTS} environments");
            return Err(Error::bad_request(message));
        }
        let last = place(existing.len() + 1);
        let at = (caller.organization, project, last);
        let mut row = self.insert_environment(&mut tx, at, &name, &slug).await?;
        if let Some(position) = body.position {
            let position = wanted_place(position, last)?;
            move_to(&mut tx, existing, &row, position).await?;
            row.position = position;
        }
        self.finish(caller, tx, "create-environment", &row).await?;
        Ok(written("Successfully created new environment", row))
    }

    /// Changes what is given of an environment. Another slug is another environment to every rule
    /// that speaks of one, so nobody gives it one whose own rules would decide otherwise then.
    pub async fn update_environment(
        &self,
        caller: &Caller,
        project: ProjectId,
        id: EnvironmentId,
        body: &UpdateEnvironment,
    ) -> Result<EnvironmentWritten> {
        let access = self.environments_access(caller, project, Action::Edit).await?;
        let (mut tx, mut existing) = self.begin_reordering(caller, project).await?;
        let place_now = existing.iter().position(|row| row.id == id).ok_or_else(not_found)?;
        let last = place(existing.len());
        let mut row = existing.remove(place_now);
        if let Some(name) = &body.name {
            row.name = text::name("name", name, MAX_NAME)?;
        }
        if let Some(slug) = &body.slug {
            let slug = text::slug("slug", slug, 1, MAX_NAME)?;
            access.rules.require_alike(&Renamed::Environment { from: &row.slug, to: &slug })?;
            row.slug = slug;
        }
        row.updated_at = self.now().micros();
        environments::update(&mut tx, &row).await.map_err(slug_taken)?;
        if let Some(position) = body.position {
            let position = wanted_place(position, last)?;
            move_to(&mut tx, existing, &row, position).await?;
            row.position = position;
        }
        self.finish(caller, tx, "update-environment", &row).await?;
        Ok(written("Successfully updated environment", row))
    }

    /// Removes an environment with everything in it.
    pub async fn delete_environment(
        &self,
        caller: &Caller,
        project: ProjectId,
        id: EnvironmentId,
    ) -> Result<EnvironmentWritten> {
        self.environments_access(caller, project, Action::Delete).await?;
        let (mut tx, mut existing) = self.begin_reordering(caller, project).await?;
        let place_now = existing.iter().position(|row| row.id == id).ok_or_else(not_found)?;
        let row = existing.remove(place_now);
        environments::delete(&mut tx, caller.organization, id).await?;
        renumber(&mut tx, &existing).await?;
        self.finish(caller, tx, "delete-environment", &row).await?;
        Ok(written("Successfully deleted environment", row))
    }

    /// One environment of a project.
    pub async fn get_environment(
        &self,
        caller: &Caller,
        project: ProjectId,
        id: EnvironmentId,
    ) -> Result<EnvironmentResponse> {
        self.environments_access(caller, project, Action::Read).await?;
        let found = environments::find(&self.store, caller.organization, project, id).await?;
        Ok(EnvironmentResponse { environment: to_wire(found.ok_or_else(not_found)?) })
    }

    /// One environment, whichever project of the caller's organization it is in.
    pub async fn get_environment_by_id(
        &self,
        caller: &Caller,
        id: EnvironmentId,
    ) -> Result<EnvironmentResponse> {
        let found = environments::find_by_id(&self.store, caller.organization, id).await?;
        let row = found.ok_or_else(not_found)?;
        self.environments_access(caller, row.project_id, Action::Read).await?;
        Ok(EnvironmentResponse { environment: to_wire(row) })
    }

    /// One environment of a project by its slug.
    pub async fn get_environment_by_slug(
        &self,
        caller: &Caller,
        project: ProjectId,
        slug: &str,
    ) -> Result<Environment> {
        self.environments_access(caller, project, Action::Read).await?;
        let org = caller.organization;
        let found = environments::find_by_slug(&self.store, org, project, slug).await?;
        found.map(to_wire).ok_or_else(not_found)
    }

    /// Adds an environment and its root folder at a place that is free.
    pub(crate) async fn insert_environment(
        &self,
        tx: &mut Tx,
        (org_id, project_id, position): (OrganizationId, ProjectId, i64),
        name: &str,
        slug: &str,
    ) -> Result<EnvironmentRow> {
        let now = self.now().micros();
        let row = EnvironmentRow {
            id: self.new_id(),
            org_id,
            project_id,
            name: name.to_owned(),
            slug: slug.to_owned(),
            position,
            created_at: now,
            updated_at: now,
        };
        environments::insert(tx, &row).await.map_err(slug_taken)?;
        folders::insert_root(tx, org_id, project_id, row.id, self.new_id(), now).await?;
        Ok(row)
    }

    async fn environments_access(
        &self,
        caller: &Caller,
        project: ProjectId,
        action: Action,
    ) -> Result<ProjectAccess> {
        let access = self.project_access(caller, project).await?;
        access.require(action, Subject::Environments, &Attributes::default())?;
        Ok(access)
    }

    /// Starts a write that numbers the environments of a project: no other does meanwhile.
    async fn begin_reordering(
        &self,
        caller: &Caller,
        project: ProjectId,
    ) -> Result<(Tx, Vec<EnvironmentRow>)> {
        let mut tx = self.store.begin().await?;
        if !projects::lock(&mut tx, caller.organization, project).await? {
            return Err(Error::not_found(format!("Project with ID '{project}' not found")));
        }
        let existing = environments::list(&mut tx, caller.organization, project).await?;
        Ok((tx, existing))
    }

    async fn finish(
        &self,
        caller: &Caller,
        mut tx: Tx,
        kind: &'static str,
        row: &EnvironmentRow,
    ) -> Result<()> {
        self.touches_project(&mut tx, row.project_id);
        let event = Event::new(kind).project(row.project_id).details([
            ("id", row.id.to_string().into()),
            ("name", row.name.clone().into()),
            ("slug", row.slug.clone().into()),
        ]);
        tx.audit(self.record(caller, &event));
        Ok(tx.commit().await?)
    }
}

fn place(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The place that was asked for; beyond the last means the last.
fn wanted_place(position: i64, last: i64) -> Result<i64> {
    if position < 1 {
        return Err(Error::field("position", "must be 1 or more"));
    }
    Ok(position.min(last))
}

/// Puts `row` among the `others`, which keep their order.
async fn move_to(
    tx: &mut Tx,
    mut others: Vec<EnvironmentRow>,
    row: &EnvironmentRow,
    position: i64,
) -> Result<()> {
    let index = usize::try_from(position - 1).unwrap_or_default().min(others.len());
    others.insert(index, row.clone());
    renumber(tx, &others).await
}

/// Counts the places from 1 without gaps, writing only what changed.
async fn renumber(tx: &mut Tx, rows: &[EnvironmentRow]) -> Result<()> {
    for (position, row) in (1..).zip(rows) {
        if row.position != position {
            environments::set_position(tx, row.org_id, row.id, position).await?;
        }
    }
    Ok(())
}

fn slug_taken(error: StoreError) -> Error {
    match error {
        StoreError::Duplicate => Error::bad_request("Environment with slug already exist"),
        other => other.into(),
    }
}

fn not_found() -> Error {
    Error::not_found("Environment does not exist")
}

fn to_wire(row: EnvironmentRow) -> Environment {
    Environment {
        id: row.id,
        name: row.name,
        slug: row.slug,
        position: row.position,
        project_id: row.project_id,
        created_at: Timestamp(row.created_at),
        updated_at: Timestamp(row.updated_at),
    }
}

fn written(message: &str, row: EnvironmentRow) -> EnvironmentWritten {
    EnvironmentWritten {
        message: message.into(),
        workspace: row.project_id,
        environment: to_wire(row),
    }
}

#[cfg(test)]
mod tests;
